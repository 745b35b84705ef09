"""A DKIM-Signature field: which bytes of a message are signed, and how the field is written (RFC 6376). Pure.

Signatures are relaxed/relaxed and cover the whole body (never `l=`). Fields that a reader believes are listed once more
than they occur, so that none can be added afterwards (over-signing, RFC 6376 §5.4.2).
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.core.address import quote_localpart

MAX_SIGNED_FIELDS = 500  # a security limit: the list of names is part of the header

# Listed once more than they are there, so also when they are not there at all.
_SEALED = (
    "From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type",
    "References", "In-Reply-To",
)  # fmt: skip
# Sealed only where they are there: a mailing list that passes a message on as it is adds them rightly.
_SEALED_IF_PRESENT = (
    "List-Id", "List-Post", "List-Help", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe",
    "List-Owner", "List-Archive", "TLS-Report-Domain", "TLS-Report-Submitter",
)  # fmt: skip

_FIELD = re.compile(rb"(?m)^([!-9;-~]+)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)")
_BLANKS = re.compile(rb"[ \t]{2,}|\t")  # a single space stays as it is
_LINE_END = re.compile(rb"\r?\n")
_HELD_BACK = re.compile(rb"[ \t]*\r?\Z")
_LINE_WIDTH = 76


class UnsignableError(Exception):
    """The message can't be signed; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """For whom is signed. `localpart` is the author's, in its canonical form and unquoted."""

    domain: str
    selector: str
    algorithm: str
    localpart: str = ""


class RelaxedBody:
    """The hash of a body that comes in pieces (RFC 6376 §3.4.4): blanks count once, and not at the end of a line; empty
    lines at the end don't count.

    It takes time linear in the body, whatever that holds, and keeps two bytes of it.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._held = b""
        self._line_ends = 0
        self._is_empty = True

    def update(self, chunk: bytes) -> None:
        data = _BLANKS.sub(b" ", self._held + chunk)
        held = _HELD_BACK.search(data, max(len(data) - 2, 0))
        assert held is not None  # it matches the empty end as well
        self._held = held[0]
        self._take(data[: held.start()].replace(b" \r\n", b"\r\n"))

    def _take(self, data: bytes) -> None:
        end = len(data)
        while data.endswith(b"\r\n", 0, end):
            end -= 2
        if end:
            self._hash.update(b"\r\n" * self._line_ends)
            self._hash.update(data[:end])
            self._line_ends = 0
            self._is_empty = False
        self._line_ends += (len(data) - end) // 2

    def digest(self) -> bytes:
        """At the end; nothing can be added then."""
        # What comes without a line end gets one on its way.
        self.update(b"\r\n")
        if not self._is_empty:
            self._hash.update(b"\r\n")
        return self._hash.digest()


def body_hash(chunks: Iterable[bytes]) -> bytes:
    body = RelaxedBody()
    for chunk in chunks:
        body.update(chunk)
    return body.digest()


@dataclass(frozen=True, slots=True)
class SignedFields:
    """What of a header is signed: computed once, for all selectors. `names` is the value of `h=`."""

    names: tuple[str, ...]
    canonical: bytes


def select_fields(header: bytes) -> SignedFields:
    """Raises:
    UnsignableError: there is no From, or far too many fields.
    """
    found: dict[bytes, list[bytes]] = {}
    for name, value in _FIELD.findall(header):
        found.setdefault(name.lower(), []).append(_canonical(name, value))
    names: list[str] = []
    parts: list[bytes] = []
    for name in (*_SEALED, *_SEALED_IF_PRESENT):
        fields = found.get(name.lower().encode(), [])
        if name in _SEALED or fields:
            names += [name] * (len(fields) + 1)
        # RFC 6376 §5.4.2: of several fields with one name the last one is signed first.
        parts += reversed(fields)
    if b"from" not in found:
        raise UnsignableError("the message has no From line")
    if len(names) > MAX_SIGNED_FIELDS:
        raise UnsignableError(f"the header has more than {MAX_SIGNED_FIELDS} fields to sign")
    return SignedFields(tuple(names), b"".join(parts))


def _canonical(name: bytes, value: bytes) -> bytes:
    """RFC 6376 §3.4.2."""
    plain = _BLANKS.sub(b" ", _LINE_END.sub(b"", value)).strip(b" \r")
    return name.lower() + b":" + plain + b"\r\n"


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A field but for its signature: `digest` is to be signed, `field(signature)` is what goes before the header."""

    start: bytes
    digest: bytes

    def field(self, signature: bytes) -> bytes:
        text = base64.b64encode(signature)
        lines = [text[at : at + _LINE_WIDTH - 4] for at in range(0, len(text), _LINE_WIDTH - 4)]
        return self.start + b"\r\n\t ".join(lines) + b"\r\n"


def prepare(signer: Signer, fields: SignedFields, body: bytes, at: float) -> Unsigned:
    """`body` is the hash of the body; `at` the time of signing."""
    localpart = quote_localpart(signer.localpart) if signer.localpart else ""
    identity = f"{_quoted_printable(localpart)}@{signer.domain}"
    start = (
        f"DKIM-Signature: v=1; a={signer.algorithm}; c=relaxed/relaxed; t={int(at)};\r\n"
        f"\td={signer.domain};\r\n\ts={signer.selector};\r\n\ti={identity};\r\n"
        f"\th={_folded(fields.names)};\r\n\tbh={base64.b64encode(body).decode()};\r\n\tb="
    ).encode()
    name, _, value = start.partition(b":")
    # RFC 6376 §3.7: the field itself comes last, with an empty b= and without its line end.
    own = _canonical(name, value).removesuffix(b"\r\n")
    return Unsigned(start, hashlib.sha256(fields.canonical + own).digest())


def _folded(names: Sequence[str]) -> str:
    lines, line = [], ""
    for index, name in enumerate(names):
        piece = name if index == len(names) - 1 else f"{name}:"
        if line and len(line) + len(piece) > _LINE_WIDTH - 4:
            lines.append(line)
            line = ""
        line += piece
    return "\r\n\t ".join([*lines, line])


def _quoted_printable(text: str) -> str:
    """RFC 6376 §2.11 dkim-quoted-printable, so that any localpart can stand in `i=`."""
    return "".join(
        chr(octet) if 0x21 <= octet <= 0x7E and octet not in b";=@" else f"={octet:02X}"
        for octet in text.encode()
    )

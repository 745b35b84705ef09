"""What does a delivery report from another server say (RFC 3464), and of which message? Pure.

Reports by the standard come from almost all servers; some old ones write prose instead (qmail, Exim before 2017, sendmail
before 1996), and their main forms are read as well. Nothing here is to be trusted: whoever calls it compares what is
said with what was sent. Only the report itself is read, never what it returns, except for the header of the returned
message, by which it is recognised.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from backend.core.status import SmtpStatus
from backend.message import headers
from backend.message.encoded import (
    UnknownEncodingError,
    decode_base64,
    decode_header,
    decode_octets,
)
from backend.message.scan import Part, scan
from backend.message.text import decode_part, part_text

MAX_REPORT_OCTETS = 256 * 1024  # of a message that are looked at, a security limit
MAX_FIELDS_OCTETS = 64 * 1024  # of the machine-readable part, and of prose; a security limit
MAX_RECIPIENTS = 200  # of one report, a security limit
MAX_IDS = 30  # by which the message may be recognised, a security limit
MAX_TEXT_CHARS = 500
MAX_ADDRESS_CHARS = 320
MAX_PART_DEPTH = 4


class Kind(StrEnum):
    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedAddress:
    """`final`: where it went in the end; `original`: as we sent it, where the report says so (RFC 3464 §2.3.1)."""

    kind: Kind
    final: str
    original: str
    status: SmtpStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """`message_ids` and `received_ids` are of the returned message: its Message-ID, and by which servers took it over.

    `standard` is false for what was read out of prose.
    """

    reporter: str
    envelope_id: str
    message_ids: tuple[str, ...]
    received_ids: tuple[str, ...]
    addresses: tuple[ReportedAddress, ...]
    standard: bool


def read_bounce(raw: bytes) -> Bounce | None:
    """None for what is no report about deliveries; `raw` may be the beginning of the message only."""
    raw = raw[:MAX_REPORT_OCTETS]
    root = scan(raw)
    parts = list(_own_parts(root, 0))
    header = raw[root.header_start : root.body_start]
    status_part = next((part for part in parts if _kind_of(part) in _STATUS_TYPES), None)
    if status_part is not None:
        fields = _decoded(raw, status_part)[:MAX_FIELDS_OCTETS]
        return _standard(fields, _identify(raw, parts, header))
    if root.type == "multipart" and any(_kind_of(part) in _OTHER_REPORTS for part in parts):
        return None
    return _prose(raw, header, parts)


_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_OTHER_REPORTS = frozenset(
    {
        "message/disposition-notification",
        "message/global-disposition-notification",
        "message/feedback-report",
    }
)
_HEADER_TYPES = frozenset(
    {
        "text/rfc822-headers",
        "text/rfc822-header",
        "message/rfc822-headers",
        "message/global-headers",
    }
)
_KINDS = {
    "failed": Kind.FAILED,
    "delayed": Kind.DELAYED,
    "delivered": Kind.DELIVERED,
    "relayed": Kind.DELIVERED,
    "expanded": Kind.DELIVERED,
}
# INTEROP(Proofpoint): it encodes each group by itself.
_ENCODED_GROUP = re.compile(
    rb"(?i)\r?\nContent-Transfer-Encoding:[ \t]*base64[ \t]*(?:\r?\nContent-Length:[^\n]*)?\r?\n\r?\n"
    rb"((?:[A-Za-z0-9+/=]{1,100}\r?\n){1,200})"
)
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])", re.ASCII)
_CODE = re.compile(r"(?<![\d.])([245][0-5]\d)(?![\d.])", re.ASCII)
_MESSAGE_ID = re.compile(rb"<[\x21-\x3b\x3d\x3f-\x7e]{1,500}>")
_RECEIVED_ID = re.compile(r"\bid\s+<?([\w.@-]{2,100})", re.ASCII)
_ESCAPED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")  # RFC 6533 §3
_BETWEEN_ADDRESSES = re.compile(r"[\s<>:;,]+")


# --- reports by the standard ------------------------------------------------------------------------------------------


def _standard(fields: bytes, found: "_Identity") -> Bounce | None:
    reporter, envelope_id = "", ""
    addresses: list[ReportedAddress] = []
    for group in _groups(_ENCODED_GROUP.sub(_opened, fields)):
        reporter = reporter or _value(group.get("reporting-mta", ""))
        envelope_id = envelope_id or group.get("original-envelope-id", "")[:MAX_ADDRESS_CHARS]
        if "final-recipient" in group or "original-recipient" in group:
            reported = _reported(group)
            if reported.final:
                addresses.append(reported)
            if len(addresses) >= MAX_RECIPIENTS:
                break
    if not addresses:
        return None
    return Bounce(
        reporter=_shown(reporter),
        envelope_id=envelope_id,
        message_ids=found.message_ids,
        received_ids=found.received_ids,
        addresses=tuple(addresses),
        standard=True,
    )


def _groups(fields: bytes) -> Iterator[dict[str, str]]:
    """Fields by lower-case name, as groups: one for the message, one for each recipient (RFC 3464 §2.1).

    INTEROP(several servers): empty lines are doubled, or missing between groups; a field that comes again begins a new one.
    """
    group: dict[str, str] = {}
    for line in headers.logical_lines(fields):
        name, colon, value = decode_octets(line).partition(":")
        key = name.strip().lower()
        if not line.strip():
            if group:
                yield group
            group = {}
        elif colon and key in group and key in {"final-recipient", "action"}:
            yield group
            group = {key: value.strip()}
        elif colon:
            group.setdefault(key, value.strip())
    if group:
        yield group


def _opened(match: re.Match[bytes]) -> bytes:
    return b"\n\n" + decode_base64(match[1]) + b"\n\n"


def _reported(group: dict[str, str]) -> ReportedAddress:
    diagnostic = _value(group.get("diagnostic-code", ""))
    status = _status(group.get("status", ""), diagnostic)
    action = group.get("action", "").split("(")[0].strip().lower()
    kind = _KINDS.get(action) or {"2": Kind.DELIVERED, "4": Kind.DELAYED}.get(
        status.enhanced[:1], Kind.FAILED
    )
    if kind is Kind.FAILED and not status.is_permanent:
        # What was temporary has lasted too long.
        status = SmtpStatus(550, status.enhanced, status.text)
    final = _address(group.get("final-recipient", ""))
    original = _address(group.get("original-recipient", ""))
    return ReportedAddress(kind=kind, final=final or original, original=original, status=status)


def _status(field: str, diagnostic: str) -> SmtpStatus:
    said = _ENHANCED.search(field)
    exact = _ENHANCED.search(diagnostic)
    # "5.0.0" says nothing; many put what they know into the diagnosis only.
    if (
        exact is not None
        and (said is None or said[0].endswith(".0.0"))
        and (said is None or exact[1] == said[1])
    ):
        said = exact
    code = _CODE.search(diagnostic)
    enhanced = said[0] if said is not None else ""
    digit = enhanced[:1] or (code[1][0] if code is not None else "5")
    number = int(code[1]) if code is not None and code[1][0] == digit else int(f"{digit}50")
    return SmtpStatus(number, enhanced or f"{digit}.0.0", _shown(diagnostic) or _shown(field))


def _value(field: str) -> str:
    """Without its type (`dns;`, `smtp;`)."""
    kind, semicolon, value = field.partition(";")
    return value.strip() if semicolon and " " not in kind.strip() else field.strip()


def _address(field: str) -> str:
    text = _ESCAPED.sub(lambda m: _character(m[1]), _value(field)).split("(")[0]
    text = text.strip().strip("<>").strip()
    usable = "@" in text and text.isprintable() and len(text) <= MAX_ADDRESS_CHARS
    return text if usable else ""


def _character(number: str) -> str:
    value = int(number, 16)
    return chr(value) if value < 0x110000 and not 0xD800 <= value < 0xE000 else "\ufffd"


# --- which message it was ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Identity:
    message_ids: tuple[str, ...]
    received_ids: tuple[str, ...]


def _identify(raw: bytes, parts: Iterable[Part], header: bytes) -> _Identity:
    returned = b""
    for part in parts:
        if part.message is not None:
            inner = part.message
            returned = raw[inner.header_start : inner.body_start]
        elif _kind_of(part) in _HEADER_TYPES:
            returned = _decoded(raw, part)
        elif part.fields.get(b"content-type", b"").lower().startswith(b"message/rfc822"):
            # INTEROP(Exchange): encoded, which RFC 2046 §5.2.1 forbids and the scanner therefore leaves closed.
            returned = _decoded(raw, part)
        if returned:
            break
    return _of_header(returned[: headers.find_body(returned)], header)


def _of_header(returned: bytes, header: bytes) -> _Identity:
    ids = headers.get_all(returned, b"Message-ID")
    # INTEROP(Gmail, Exchange): the report itself is an answer to the message, even where it returns nothing.
    for name in (b"X-Original-Message-ID", b"In-Reply-To", b"References"):
        ids += headers.get_all(header, name)
    message_ids = [
        match.decode("ascii") for value in ids for match in _MESSAGE_ID.findall(value[:10_000])
    ]
    received = [
        found[1]
        for value in headers.get_all(returned, b"Received")[:MAX_IDS]
        if (found := _RECEIVED_ID.search(decode_octets(value[:2000]))) is not None
    ]
    return _Identity(
        tuple(dict.fromkeys(message_ids))[:MAX_IDS], tuple(dict.fromkeys(received))[:MAX_IDS]
    )


# --- prose ------------------------------------------------------------------------------------------------------------

_FAILED_WORDS = re.compile(
    r"could not be delivered|couldn't be delivered|wasn't able to deliver|unable to deliver|permanent (?:fatal )?error"
    r"|delivery (?:has )?failed|delivery to the following|undeliverable|returned to sender|user unknown|did not reach",
    re.IGNORECASE,
)
_DELAY_WORDS = re.compile(
    r"warning message only|delay(?:ed)?\b|still (?:being retried|undelivered)|has not (?:yet )?been delivered"
    r"|no action is required|will (?:keep|continue) trying",
    re.IGNORECASE,
)
_COPY_BEGINS = re.compile(
    r"^[ \t]*-{2,}[ \t]*(?:Below this line is a copy|This is a copy of|Original message|Unsent message|Returned message"
    r"|The header of the original message|Message header)",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS_LINE = re.compile(r"^\s*<?([^\s<>]+@[^\s<>:]+)>?(?:\.\.\.|:)?\s*(.*)$")


def _prose(raw: bytes, header: bytes, parts: list[Part]) -> Bounce | None:
    text_part = next((part for part in parts if part.type == "text"), None)
    text = part_text(raw, text_part)[:MAX_FIELDS_OCTETS] if text_part is not None else ""
    begins = _COPY_BEGINS.search(text)
    said, copy = (text[: begins.start()], text[begins.end() :]) if begins else (text, "")
    # INTEROP(Exim, Gmail): names them in the header, whatever the text looks like.
    failed = [
        address
        for value in headers.get_all(header, b"X-Failed-Recipients")
        for address in _BETWEEN_ADDRESSES.split(decode_octets(value[:10_000]))
        if 0 < address.find("@") < len(address) - 1
    ]
    named = (
        _named_in(said) if failed or _FAILED_WORDS.search(said) or _DELAY_WORDS.search(said) else {}
    )
    if not failed and not named:
        return None
    subject = decode_header(headers.get(header, b"Subject") or b"")
    delayed = not failed and bool(_DELAY_WORDS.search(f"{subject}\n{said}"))
    delayed = delayed and "permanent" not in said.lower()
    addresses = [
        ReportedAddress(
            kind=Kind.DELAYED if delayed else Kind.FAILED,
            final=address,
            original="",
            status=_status("", named.get(address, ""))
            if not delayed
            else _temporary(named[address]),
        )
        for address in dict.fromkeys((*failed, *(named if not failed else ())))
        if len(address) <= MAX_ADDRESS_CHARS and address.isprintable()
    ]
    found = _identify(raw, parts, header)
    if copy and not found.message_ids:
        # A header as text: only its beginning can be one.
        found = _of_header(copy.lstrip("-\r\n \t").split("\n", 1)[-1].strip().encode(), header)
    if not addresses:
        return None
    return Bounce(
        reporter="",
        envelope_id="",
        message_ids=found.message_ids,
        received_ids=found.received_ids,
        addresses=tuple(addresses[:MAX_RECIPIENTS]),
        standard=False,
    )


def _named_in(said: str) -> dict[str, str]:
    """Addresses that stand at the beginning of a line, with the reason behind or below them."""
    found: dict[str, str] = {}
    current = ""
    for line in said.splitlines():
        match = _ADDRESS_LINE.match(line)
        if match is not None and len(found) < MAX_RECIPIENTS:
            current = match[1]
            found.setdefault(current, match[2].strip())
        elif current and line.strip():
            if len(found[current]) < MAX_TEXT_CHARS:
                found[current] = f"{found[current]} {line.strip()}".strip()
        else:
            current = ""
    return found


def _temporary(text: str) -> SmtpStatus:
    status = _status("", text)
    return status if status.is_temporary else SmtpStatus(450, "4.0.0", status.text)


# --- parts ------------------------------------------------------------------------------------------------------------


def _own_parts(part: Part, depth: int) -> Iterator[Part]:
    """Without what lies inside a returned message: that is the other one's."""
    yield part
    if depth < MAX_PART_DEPTH:
        for child in part.children:
            yield from _own_parts(child, depth + 1)


def _kind_of(part: Part) -> str:
    return f"{part.type}/{part.subtype}"


def _decoded(raw: bytes, part: Part) -> bytes:
    try:
        return decode_part(raw, part)
    except UnknownEncodingError:
        return raw[part.body_start : part.body_end]


def _shown(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_TEXT_CHARS]

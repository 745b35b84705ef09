"""Where does a domain want its TLS reports? The TXT record of `_smtp._tls.<domain>` (RFC 8460 §3). Pure.

Nothing is guessed: a record that breaks the grammar is none, and addresses that we can't use are left out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from backend.core.address import Address, AddressError, parse_address

MAX_RECORD_OCTETS = 4096  # a security limit
MAX_DESTINATIONS = 4  # of one domain, a security limit
MAX_URL_CHARS = 1000  # a security limit

_VERSION = re.compile(r"v=TLSRPTv1[ \t]*(?:;|$)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_VALUE = re.compile(r"[\x21-\x3a\x3c\x3e-\x7e]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+")
_BLANKS = " \t"


@dataclass(frozen=True, slots=True)
class Destinations:
    """`uris` are `mailto:address` without anything more, and `https:` URLs. `unusable` are named but not taken."""

    uris: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()


class RecordError(ValueError):
    """The domain has no usable record; the text is a phrase for people."""


def read_record(records: Sequence[bytes]) -> Destinations:
    """From all TXT records of the name.

    Raises:
        RecordError: not exactly one of them is a TLSRPT record, or it breaks the grammar.
    """
    texts = [record.decode("ascii", "replace") for record in records]
    ours = [text for text in texts if _VERSION.match(text)]
    if not ours:
        raise RecordError("it asks for no reports")
    if len(ours) > 1:
        # RFC 8460 §3: with several, the domain counts as one that asks for none.
        raise RecordError("it has more than one TLSRPT record")
    return _parse(ours[0])


def _parse(text: str) -> Destinations:
    if len(text) > MAX_RECORD_OCTETS:
        raise RecordError("its TLSRPT record is too long")
    fields = [field.strip(_BLANKS) for field in text.split(";")]
    if fields[-1] == "":
        fields.pop()  # a final semicolon is allowed
    uris: list[str] = []
    for field in fields[1:]:
        name, equals, value = field.partition("=")
        if not equals:
            raise RecordError("its TLSRPT record has a part without “=”")
        if name == "rua":
            uris += [uri.strip(_BLANKS) for uri in value.split(",")]
        elif not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise RecordError("its TLSRPT record has a part that can't be read")
    if not uris:
        raise RecordError("its TLSRPT record names no address for reports")
    if not all(_URI.fullmatch(uri) and "!" not in uri for uri in uris):
        raise RecordError("its TLSRPT record names an address that can't be read")
    return _sort(uris)


def _sort(uris: Sequence[str]) -> Destinations:
    usable: dict[str, None] = {}
    unusable: list[str] = []
    for uri in uris:
        normal = _normal(uri)
        if normal and (normal in usable or len(usable) < MAX_DESTINATIONS):
            usable[normal] = None
        else:
            unusable.append(uri)
    return Destinations(tuple(usable), tuple(unusable))


def _normal(uri: str) -> str:
    """Empty for what we can't use."""
    scheme = uri.partition(":")[0].lower()
    if scheme == "mailto":
        address = mail_address(uri)
        return f"mailto:{address}" if address is not None else ""
    return uri if scheme == "https" and _is_usable(uri) else ""


def mail_address(uri: str) -> Address | None:
    """Of `mailto:` (RFC 6068); None if it is not exactly one address. What a query part asks for is left out."""
    text = unquote(uri.partition(":")[2].partition("?")[0])
    try:
        address = parse_address(text)
    except AddressError:
        return None
    # SECURITY: it gets into a header; beyond ASCII it would also need SMTPUTF8 on the whole way.
    usable = address.is_ascii and address.localpart.isprintable() and not address.literal
    return address if usable else None


def _is_usable(uri: str) -> bool:
    if len(uri) > MAX_URL_CHARS:
        return False
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) and port != 0 and parts.username is None and not parts.fragment

"""What stands behind the address in MAIL and RCPT: each parameter's value read, and written for other servers.

SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), RET, ENVID, NOTIFY, ORCPT (RFC 3461), AUTH (RFC 4954),
MT-PRIORITY (RFC 6710), HOLDFOR, HOLDUNTIL (RFC 4865), REQUIRETLS (RFC 8689).
"""

import re
from collections.abc import Callable
from datetime import datetime

from backend.core.envelope import Asked, BodyType, Hold, Notify, Ret, Wish
from backend.core.errors import PeerError
from backend.core.status import SmtpStatus
from backend.smtp.extensions import Extension, Offer

MAX_ENVID_OCTETS = 100  # RFC 3461 §4.4
MAX_ORCPT_OCTETS = 500  # RFC 3461 §4.2


class CommandError(PeerError):
    """The command can't be understood; `status` is the reply."""

    def __init__(self, code: int, enhanced: str, text: str) -> None:
        super().__init__(text)
        self.status = SmtpStatus(code, enhanced, text)


# RFC 1870 §4: size-value = 1*20DIGIT
_SIZE = re.compile(r"[0-9]{1,20}", re.ASCII)


def _size(value: str | None) -> int:
    if value is None or _SIZE.fullmatch(value) is None:
        raise CommandError(501, "5.5.4", "SIZE needs a number of bytes")
    return int(value)


def _body(value: str | None) -> BodyType:
    # RFC 6152 §2; BINARYMIME (RFC 3030) needs CHUNKING, which is not offered.
    try:
        return BodyType((value or "").upper())
    except ValueError as error:
        raise CommandError(501, "5.5.4", "BODY must be 7BIT or 8BITMIME") from error


def _smtputf8(value: str | None) -> bool:
    if value is not None:
        raise CommandError(501, "5.5.4", "SMTPUTF8 takes no value")
    return True


def _ret(value: str | None) -> Ret:
    try:
        return Ret((value or "").upper())
    except ValueError as error:
        raise CommandError(501, "5.5.4", "RET must be FULL or HDRS") from error


def _envid(value: str | None) -> str:
    if value is None or len(value) > MAX_ENVID_OCTETS:
        raise CommandError(501, "5.5.4", "ENVID needs a value of at most 100 characters")
    return _printable(value)


def _submitter(value: str | None) -> str:
    if value is None:
        raise CommandError(501, "5.5.4", "AUTH needs a value in MAIL")
    return "" if value == "<>" else parse_xtext(value)


# RFC 6710 §4.4: priority-value = ["-"] ("0" to "9")
_PRIORITY = re.compile(r"-?[0-9]", re.ASCII)


def _priority(value: str | None) -> int:
    if value is None or _PRIORITY.fullmatch(value) is None:
        raise CommandError(501, "5.5.2", "MT-PRIORITY must be a number from -9 to 9")
    return int(value)


def parse_notify(value: str | None) -> frozenset[Notify]:
    # RFC 3461 §4.1: notify-esmtp-value = "NEVER" / 1#notify-list-element
    try:
        chosen = frozenset(Notify(word) for word in (value or "").upper().split(","))
    except ValueError as error:
        raise CommandError(
            501, "5.5.4", "NOTIFY must be NEVER or a list of SUCCESS, FAILURE, DELAY"
        ) from error
    if Notify.NEVER in chosen and len(chosen) > 1:
        raise CommandError(501, "5.5.4", "NOTIFY=NEVER stands alone")
    return chosen


# RFC 3464 §2.3.1: addr-type = atom; IANA's registry has words of letters, digits and hyphens.
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9-]{1,40}", re.ASCII)


def parse_orcpt(value: str | None) -> tuple[str, str]:
    # RFC 3461 §4.2: original-recipient-address = addr-type ";" xtext
    kind, semicolon, address = (value or "").partition(";")
    if not kind or not semicolon or not address or len(value or "") > MAX_ORCPT_OCTETS:
        raise CommandError(501, "5.5.4", "ORCPT must be a type, a semicolon and an address")
    if _ADDRESS_TYPE.fullmatch(kind) is None:
        raise CommandError(501, "5.5.4", "The type in ORCPT must be a word such as rfc822")
    # RFC 6533 §3: type utf-8 has an encoding of its own, which is kept as it stands.
    kind = kind.lower()
    return kind, (_utf8_address(address) if kind == "utf-8" else _printable(address))


# RFC 6533 §3: utf-8-enc-addr = utf-8-addr-xtext / utf-8-addr-unitext; "+" and "=" are written as characters of their own.
_UTF8_ADDRESS = re.compile(
    r"(?:[\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e\u00a0-\U0010ffff]|\\x\{[0-9A-F]{2,6}\})+"
)


def _utf8_address(text: str) -> str:
    if _UTF8_ADDRESS.fullmatch(text) is None:
        raise CommandError(501, "5.5.4", "The address in ORCPT is not written as RFC 6533 says")
    return text


_PRINTABLE = re.compile(r"[\x20-\x7e]*")


def _printable(text: str) -> str:
    """SECURITY: RFC 3461 §4.2 and §4.4: printable ASCII also when decoded; a line break would forge fields of our reports."""
    value = parse_xtext(text)
    if _PRINTABLE.fullmatch(value) is None:
        raise CommandError(501, "5.5.4", "ENVID and ORCPT may hold printable ASCII only")
    return value


# RFC 4865 §3: future-release-integer = 1*9DIGIT
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


def _hold_for(value: str | None) -> Hold:
    if value is None or _SECONDS.fullmatch(value) is None:
        raise CommandError(501, "5.5.4", "HOLDFOR needs a number of seconds")
    return Hold(f"for;{value}", seconds=int(value))


# RFC 3339 §5.6 date-time (erratum 2040 to RFC 4865), and RFC 4865 §3: in UTC.
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?(?:[Zz]|[+-]00:00)",
    re.ASCII,
)


def _hold_until(value: str | None) -> Hold:
    match = _MOMENT.fullmatch(value or "")
    try:
        if match is None:
            raise ValueError
        at = datetime.fromisoformat(f"{match[1]}T{match[2]}+00:00").timestamp()
    except (ValueError, OverflowError) as error:
        raise CommandError(
            501, "5.5.4", "HOLDUNTIL needs a time in UTC such as 2030-01-31T08:00:00Z"
        ) from error
    return Hold(f"until;{value}", until=at)


def _require_tls(value: str | None) -> bool:
    if value is not None:
        raise CommandError(501, "5.5.4", "REQUIRETLS takes no value")
    return True


MAIL_PARAMETERS: dict[str, tuple[Extension, str, Callable[[str | None], object]]] = {
    "SIZE": (Extension.SIZE, "size_bytes", _size),
    "BODY": (Extension.EIGHT_BIT_MIME, "body", _body),
    "SMTPUTF8": (Extension.SMTPUTF8, "smtputf8", _smtputf8),
    "RET": (Extension.DSN, "ret", _ret),
    "ENVID": (Extension.DSN, "envelope_id", _envid),
    "AUTH": (Extension.AUTH, "submitter", _submitter),
    "MT-PRIORITY": (Extension.MT_PRIORITY, "priority", _priority),
    # One name, so that they exclude each other.
    "HOLDFOR": (Extension.FUTURERELEASE, "hold", _hold_for),
    "HOLDUNTIL": (Extension.FUTURERELEASE, "hold", _hold_until),
    "REQUIRETLS": (Extension.REQUIRETLS, "require_tls", _require_tls),
}


# RFC 3461 §4: xtext = *( xchar / hexchar )   hexchar = "+" 2(upper case hexadecimal digit)
_XTEXT = re.compile(r"(?:[\x21-\x2a\x2c-\x7e]|\+[0-9A-F]{2})*")
_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")


def parse_xtext(text: str) -> str:
    """Raises:
    CommandError: an escape is broken.
    """
    if _XTEXT.fullmatch(text) is None:
        raise CommandError(501, "5.5.4", "A parameter's value is not xtext (RFC 3461)")
    # Latin-1 so that every octet has a character: who quotes it again gets the same octets.
    return _HEXCHAR.sub(lambda m: chr(int(m[1], 16)), text)


def format_xtext(text: str) -> str:
    """The inverse of `parse_xtext` for text within Latin-1; other characters become question marks."""
    return "".join(
        char
        if "!" <= char <= "~" and char not in "+="
        else f"+{ord(char) if ord(char) < 256 else 63:02X}"
        for char in text
    )


# Writing


def mail_parameters(asked: Asked, offer: Offer) -> str:
    """What MAIL says of `asked` to a server that offers this, each with a space before it."""
    text = ""
    # RFC 3461 §5.2.1 (a) and (b): as they came, and nothing where nothing came.
    if Extension.DSN in offer:
        if asked.ret is not None:
            text += f" RET={asked.ret}"
        envelope_id = format_xtext(asked.envelope_id)
        # One that grew in writing (an equals sign that was let in) would have the message refused; it may do without.
        if 0 < len(envelope_id) <= MAX_ENVID_OCTETS:
            text += f" ENVID={envelope_id}"
    if asked.require_tls and Extension.REQUIRETLS in offer:
        text += " REQUIRETLS"
    return text


def rcpt_parameters(wish: Wish, offer: Offer, *, smtputf8: bool = False) -> str:
    """What RCPT says, each with a space before it. `smtputf8`: whether MAIL had that parameter."""
    text = ""
    if Extension.DSN not in offer:
        return text
    if wish.notify:
        text += f" NOTIFY={','.join(word for word in Notify if word in wish.notify)}"
    if wish.original is not None:
        kind, address = wish.original
        if kind != "utf-8":
            address = format_xtext(address)
        elif not smtputf8:
            address = escape_utf8(address)
        if len(kind) + 1 + len(address.encode()) <= MAX_ORCPT_OCTETS:
            text += f" ORCPT={kind};{address}"
    return text


def escape_utf8(address: str) -> str:
    """The form of a `utf-8` address that ASCII can carry (RFC 6533 §3, utf-8-addr-xtext)."""
    return "".join(c if c.isascii() else f"\\x{{{ord(c):02X}}}" for c in address)

"""Domains and mail addresses (RFC 5321 §4.1.2, RFC 6531, IDNA 2008): parsing and normal form.

Who calls it: configuration, SMTP, the directory of accounts. Addresses in message headers are looser and belong to
`backend.message.addresses`.
"""

import ipaddress
import re
from dataclasses import dataclass

import idna

MAX_LOCALPART_OCTETS = 64  # RFC 5321 §4.5.3.1.1, a security limit
MAX_DOMAIN_OCTETS = 255  # RFC 5321 §4.5.3.1.2, a security limit
MAX_PATH_OCTETS = 256  # RFC 5321 §4.5.3.1.3, a security limit


class AddressError(ValueError):
    """Not an address or a domain; the text says what is wrong and may be shown."""


# RFC 5321 §2.3.5: letters, digits and hyphens; the underscore is what Windows networks use in names.
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
# RFC 5322 §3.2.3 atext; RFC 6531 adds everything beyond ASCII.
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain name in its A-label form, lower case, without a final dot."""

    ascii: str

    @property
    def unicode(self) -> str:
        """For people: U-labels where they decode, else the A-labels."""
        if "xn--" not in self.ascii:
            return self.ascii
        try:
            return idna.decode(self.ascii)
        except idna.IDNAError:
            return self.ascii

    def __str__(self) -> str:
        return self.ascii


def parse_domain(text: str) -> Domain:
    """A domain name as people or protocols write it.

    Raises:
        AddressError: with a sentence that says what is wrong.
    """
    name = text.strip().removesuffix(".")
    if not name:
        raise AddressError("The domain is empty")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise AddressError(f"“{text}” is not a valid international domain name") from error
    name = name.lower()
    if len(name) > MAX_DOMAIN_OCTETS - 2:
        raise AddressError("The domain is longer than 253 characters")
    for label in name.split("."):
        if not label:
            raise AddressError(f"“{text}” has an empty part between its dots")
        if _LABEL.fullmatch(label) is None:
            raise AddressError(
                f"“{label}” can't be part of a domain name: letters, digits and hyphens only, 63 at most"
            )
    return Domain(name)


@dataclass(frozen=True, slots=True)
class Address:
    """`localpart` as written but unquoted, NFC is left to its user; `domain` a Domain or an address literal such as `[192.0.2.1]`."""

    localpart: str
    domain: Domain
    literal: str = ""

    @property
    def domain_text(self) -> str:
        return self.literal or self.domain.ascii

    @property
    def is_ascii(self) -> bool:
        return self.localpart.isascii()

    def __str__(self) -> str:
        return f"{quote_localpart(self.localpart)}@{self.domain_text}"


def quote_localpart(localpart: str) -> str:
    """As it stands in a path or header: quoted only where it must be."""
    if localpart and all(_ATOM.fullmatch(atom) for atom in localpart.split(".")):
        return localpart
    escaped = localpart.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse_localpart(text: str) -> str:
    """Dot-string or quoted-string to its bare value.

    Raises:
        AddressError: with a sentence that says what is wrong.
    """
    if _CONTROL.search(text):
        raise AddressError("The part before the @ holds a control character")
    if text.startswith('"'):
        if len(text) < 2 or not text.endswith('"'):
            raise AddressError("The quotation mark before the @ is not closed")
        value, escaped = [], False
        for char in text[1:-1]:
            if escaped:
                value.append(char)
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                raise AddressError("There is a stray quotation mark before the @")
            else:
                value.append(char)
        if escaped:
            raise AddressError("The part before the @ ends in a backslash")
        localpart = "".join(value)
    else:
        localpart = text
        for atom in localpart.split("."):
            if not atom:
                raise AddressError(
                    "The part before the @ starts or ends with a dot, or has two in a row, or is empty"
                )
            if _ATOM.fullmatch(atom) is None:
                raise AddressError(
                    f"“{atom}” holds a character that needs quotation marks before the @"
                )
    if len(localpart.encode()) > MAX_LOCALPART_OCTETS:
        raise AddressError("The part before the @ is longer than 64 characters")
    return localpart


def parse_address(text: str) -> Address:
    """`localpart@domain`, no display name, no angle brackets.

    Raises:
        AddressError: with a sentence that says what is wrong.
    """
    localpart, at, domain = text.strip().rpartition("@")
    if not at:
        raise AddressError(f"“{text}” has no @")
    local = parse_localpart(localpart)
    if domain.startswith("["):
        return Address(local, Domain(""), literal=_parse_literal(domain))
    return Address(local, parse_domain(domain))


def _parse_literal(text: str) -> str:
    # RFC 5321 §4.1.3: "[192.0.2.1]" or "[IPv6:2001:db8::1]".
    inner = text[1:-1] if text.endswith("]") else ""
    try:
        if inner[:5].lower() == "ipv6:":
            return f"[IPv6:{ipaddress.IPv6Address(inner[5:])}]"
        return f"[{ipaddress.IPv4Address(inner)}]"
    except ValueError as error:
        raise AddressError(f"“{text}” is not an address literal") from error

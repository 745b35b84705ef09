"""What every group of settings is built from: the description of a field for people, and the kinds of values.

Names of domains, addresses and hosts come out in their normal form.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from backend.core.address import Address, AddressError, parse_address, parse_domain
from backend.core.mailbox_name import normal_mailbox_name

MAX_NAME_CHARS = 64
MAX_TEXT_CHARS = 500

Level = Literal["basic", "advanced"]


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values of a setting in words for people."""

    value: str | int
    label: str
    help: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """That the setting `path` beside this one (`../x`: further out, `/x`: of the whole form) has one of the values;
    without values: that something is in it.
    """

    path: str
    values: tuple[str | int | bool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How forms draw a setting, where its type does not say enough. `backend.api.forms.Field` has the meaning of each."""

    kind: str = ""
    help: str = ""
    """Instead of the setting's help, where that speaks of words that stand in the file only."""
    widget: str = ""
    width: str = ""
    icon: str = ""
    placeholder: str = ""
    keywords: str = ""
    """Other words by which the search finds it."""
    zero: str = ""
    """What 0 stands for."""
    every: str = ""
    """Of a duration: s, min, h or d."""
    options: tuple[Option, ...] = ()
    source: str = ""
    """Choices that the server lists: accounts, domains, transports or selectors."""
    suggestions: tuple[str, ...] = ()
    suggest_from: str = ""
    accept: tuple[str, ...] = ()
    ordered: bool = False
    item: str = ""
    """What one entry of a list or table is called."""
    key: str = ""
    """What the names in a table are."""
    item_title: str = ""
    add: str = ""
    ask: str = ""
    """What to say when it is missing."""
    show_if: tuple[When, ...] = ()
    required_if: tuple[When, ...] = ()
    enable_if: tuple[When, ...] = ()


@dataclass(frozen=True, slots=True)
class UI:
    """How one setting is shown. `live`: a change takes effect at once; otherwise the server must be started again."""

    title: str
    help: str
    unit: str = ""
    example: str = ""
    level: Level = "basic"
    live: bool = True
    shape: Shape = Shape()


class Settings(BaseModel):
    """What all groups of settings share: never changed in place, unknown names refused, `"25"` is no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=False)


def normal_address(text: str) -> str:
    """A mail address in the form in which the configuration keeps it; `@domain` is a catch-all.

    Raises:
        AddressError: with a sentence for people.
    """
    localpart, at, domain = text.strip().rpartition("@")
    if at and not localpart:
        return f"@{parse_domain(domain).ascii}"
    address = parse_address(text)
    if address.literal:
        raise AddressError("An address here needs a domain name, not an IP address, after the @")
    return str(Address(address.localpart, address.domain))


def _domain(text: str) -> str:
    return parse_domain(text).ascii


def _host(text: str) -> str:
    """A host name or IP address."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return parse_domain(text).ascii


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise ValueError(
            f"“{text}” is not an IP address such as 192.0.2.1 or 2001:db8::1"
        ) from None


def split_host_port(text: str) -> tuple[str, int]:
    """`name:25`, `192.0.2.1:25` or `[2001:db8::1]:25`.

    Raises:
        ValueError: with a sentence for people.
    """
    host, colon, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"“{text}” needs brackets around its IPv6 address: [2001:db8::1]:53")
    if not colon or not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ValueError(f"“{text}” is not a host and a port such as 127.0.0.1:53")
    return _host(host), int(port)


def _host_port(text: str) -> str:
    host, port = split_host_port(text)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _name(text: str) -> str:
    if re.fullmatch(r"[a-z0-9][a-z0-9._-]*", text) is None or len(text) > MAX_NAME_CHARS:
        raise ValueError(
            f"“{text}” is not a usable name: lower-case letters, digits, “.”, “_” and “-”, at most {MAX_NAME_CHARS}, the first a letter or digit"
        )
    return text


def _plain_text(text: str) -> str:
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        raise ValueError("This text may not hold control characters or line breaks")
    return text


def _route_domain(text: str) -> str:
    # Behaviour T9: "example.org" exactly, ".example.org" with all below it, "." the empty domain.
    if text == ".":
        return text
    if text.startswith("."):
        return f".{parse_domain(text[1:]).ascii}"
    return parse_domain(text).ascii


def checked_separator(text: str) -> str:
    if len(text) > 8 or not all(char in "+-_=/#!$%&*~" for char in text):
        raise ValueError(
            "A separator is one or a few of the characters + - _ = / # ! $ % & * ~, or empty"
        )
    return text


def checked_mailbox(text: str) -> str:
    if not text or len(text) > 200 or text.startswith("/") or text.endswith("/") or "//" in text:
        raise ValueError("Enter a mailbox such as INBOX or Lists/Garden")
    # What the store would refuse must not stand here: mail to that address would be put off for ever.
    return normal_mailbox_name(_plain_text(text))


HostName = Annotated[str, AfterValidator(_domain)]
Host = Annotated[str, AfterValidator(_host)]
IpAddress = Annotated[str, AfterValidator(_ip)]
HostPort = Annotated[str, AfterValidator(_host_port)]
Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, Field(max_length=MAX_TEXT_CHARS), AfterValidator(_plain_text)]
Port = Annotated[int, Field(ge=0, le=65535)]
RouteDomain = Annotated[str, AfterValidator(_route_domain)]
AddressKey = Annotated[str, AfterValidator(normal_address)]

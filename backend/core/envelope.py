"""What SMTP says of a message beside its content (RFC 5321 §2.3.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from backend.core.address import Address


class BodyType(StrEnum):
    SEVEN_BIT = "7BIT"
    EIGHT_BIT_MIME = "8BITMIME"


class Ret(StrEnum):
    """How much of a message a report about it returns (RFC 3461 §4.3)."""

    FULL = "FULL"
    HEADERS = "HDRS"


class Notify(StrEnum):
    """When the sender wants a report (RFC 3461 §4.1)."""

    NEVER = "NEVER"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    DELAY = "DELAY"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for one recipient (RFC 3461 §4.1, §4.2). `notify` empty: nothing was said, which is failure and delay.

    `original`: type and address to which the message was first sent, decoded (type `utf-8`: as it stands, RFC 6533 §3).
    """

    notify: frozenset[Notify] = frozenset()
    original: tuple[str, str] | None = None


NO_WISH = Wish()
Wishes = Mapping[Address, Wish]
"""Recipients for whom nothing was asked may be missing."""
NO_WISHES: Wishes = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Hold:
    """When to send it instead of at once (RFC 4865): that many `seconds` after it was accepted, or not before `until`.

    `text` is how it was asked for, as reports quote it (RFC 4865 §5): `for;3600`, `until;2030-01-31T08:00:00Z`.
    """

    text: str
    seconds: int = 0
    until: float = 0.0

    def release_at(self, now: float) -> float:
        """Seconds since 1970; a time that is over means at once."""
        return max(self.until, now + self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the sender asked for the whole message; nothing, for most."""

    ret: Ret | None = None
    envelope_id: str = ""
    """Decoded (RFC 3461 §4.4)."""
    require_tls: bool = False
    """Never without verified TLS (RFC 8689 §4); the server says no rather than send it otherwise."""
    hold: Hold | None = None
    tls_optional: bool = False
    """The header says “TLS-Required: No” (RFC 8689 §5): arriving matters more than what a policy demands of TLS."""


NOTHING_ASKED = Asked()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """`sender` is None for the null reverse-path `<>`. `recipients` keep the order of RCPT."""

    sender: Address | None
    recipients: tuple[Address, ...]
    body: BodyType = BodyType.EIGHT_BIT_MIME
    smtputf8: bool = False
    asked: Asked = NOTHING_ASKED
    wishes: Wishes = field(default_factory=lambda: NO_WISHES)

"""What SMTP says of a message beside its content (RFC 5321 §2.3.1)."""

from dataclasses import dataclass
from enum import StrEnum

from backend.core.address import Address


class BodyType(StrEnum):
    SEVEN_BIT = "7BIT"
    EIGHT_BIT_MIME = "8BITMIME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """`sender` is None for the null reverse-path `<>`. `recipients` keep the order of RCPT."""

    sender: Address | None
    recipients: tuple[Address, ...]
    body: BodyType = BodyType.EIGHT_BIT_MIME
    smtputf8: bool = False

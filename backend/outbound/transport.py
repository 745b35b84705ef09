"""What every way out has in common: a message and its recipients in, one result for each recipient and a record of the attempt out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from backend.core.address import Address
from backend.core.envelope import NO_WISHES, Asked, BodyType, Ret, Wishes
from backend.core.ids import TraceId
from backend.core.status import SmtpStatus

MAX_EXCERPT_CHARS = 6000  # of one dialogue, kept with the attempt; a security limit


def _untold(_: Sequence[Address]) -> None:
    """Nobody wants to know."""


class TlsChoice(StrEnum):
    """What a person chose for one message, beside what the recipient's domain asks of TLS."""

    DEFAULT = "default"
    VERIFIED = "verified"
    INSECURE = "insecure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One transaction: recipients of one domain. `content` in memory or as an immutable file. `domain` empty for an address literal."""

    trace: TraceId
    sender: Address | None
    recipients: tuple[Address, ...]
    domain: str
    size_bytes: int
    content: bytes | Path
    body: BodyType = BodyType.EIGHT_BIT_MIME
    smtputf8: bool = False
    ret: Ret | None = None
    envelope_id: str = ""
    wishes: Wishes = field(default_factory=lambda: NO_WISHES)
    require_tls: bool = False
    """Only over TLS whose certificate was verified, and only to a server that passes this on (RFC 8689)."""
    tls_optional: bool = False
    """The header says “TLS-Required: No” (RFC 8689 §5): what a policy demands of TLS does not stop this message."""
    tls_choice: TlsChoice = TlsChoice.DEFAULT
    try_sender: bool = False
    """Only asks whether mail from the sender would be taken; nothing is sent."""
    earlier: tuple[str, ...] = ()
    """The address at which each earlier attempt ended, oldest first (behaviour T13)."""
    going_out: Callable[[Sequence[Address]], None] = field(
        default=_untold, repr=False, compare=False
    )
    """Called before the end of the content is written, with its recipients: from then on the other side may have the message."""

    @property
    def asked(self) -> Asked:
        """What MAIL says of it."""
        return Asked(ret=self.ret, envelope_id=self.envelope_id, require_tls=self.require_tls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`remote_mta`: the host that said it; empty when the status is our own finding.

    `unconfirmed`: the whole message went out and no answer came, so that the other side may have it all the same.
    `another_way`: why a refusal for good is not the end: what the next attempt does differently.
    `peer_reports`: it knows which reports the sender wants and makes them itself (RFC 3461 §5.2.1).
    """

    recipient: Address
    status: SmtpStatus
    remote_mta: str = ""
    unconfirmed: bool = False
    another_way: str = ""
    peer_reports: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One connection, made or refused. `answer` is the last word; `excerpt` the dialogue without the message.

    `policy`: what had to hold for TLS, and why.
    """

    host: str
    ip: str = ""
    port: int = 0
    tls: str = ""
    policy: str = ""
    succeeded: bool = False
    answer: str = ""
    duration_ms: int = 0
    excerpt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What came of one attempt. `results`: exactly one for each recipient, in their order."""

    results: tuple[Result, ...]
    tries: tuple[Try, ...] = ()


class Transport(Protocol):
    async def deliver(self, message: Outgoing) -> Delivery:
        """One attempt. Never raises for what the network or the other side does; cancellation leaves no connection behind."""

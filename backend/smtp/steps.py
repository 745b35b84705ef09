"""What the SMTP client is given, what it wants done next, and what it gives: values alone. `backend.smtp.client` has the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Protocol

from backend.core.address import Address
from backend.core.envelope import NO_WISHES, NOTHING_ASKED, Asked, BodyType, Wishes
from backend.core.status import SmtpStatus


class Tls(Enum):
    NEVER = "never"
    OPPORTUNISTIC = "opportunistic"  # STARTTLS where it is offered
    REQUIRED = "required"  # no mail without it
    IMPLICIT = "implicit"  # the shell has done the handshake before the greeting


class SaslExchange(Protocol):
    """What is needed of a mechanism (backend.sasl has them); `step` raises ValueError when the server cheats or errs."""

    name: str

    def start(self) -> bytes | None: ...

    def step(self, challenge: bytes) -> bytes: ...

    @property
    def is_complete(self) -> bool: ...


ChooseSasl = Callable[[Sequence[str]], SaslExchange | None]
"""Given the offered mechanisms: a fresh exchange, or None when no allowed one is offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    ehlo_name: str
    tls: Tls = Tls.OPPORTUNISTIC
    choose_sasl: ChooseSasl | None = None
    """None: no sign-in."""
    try_sender: bool = False
    """Only ask whether mail from the transactions' senders would be taken; nothing is sent."""
    is_verified: bool = False
    """TLS comes about only with a certificate that shows the host to be the right one."""
    chunking: bool = False
    """The shell can send content in chunks, to servers that take it so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One message for one connection. `size_bytes` of the content as it will be sent, 0 when unknown."""

    sender: Address | None
    recipients: tuple[Address, ...]
    size_bytes: int = 0
    body: BodyType = BodyType.EIGHT_BIT_MIME
    smtputf8: bool = False
    """The header needs SMTPUTF8; addresses are looked at anyway."""
    asked: Asked = NOTHING_ASKED
    wishes: Wishes = field(default_factory=lambda: NO_WISHES)
    at_once: bool = False
    """Small, so that it may go out together with the envelope to a server with CHUNKING; then a connection that breaks
    leaves it open whether the server has it."""

    @property
    def is_international(self) -> bool:
        """Header or sender need SMTPUTF8, whoever the recipients are. Domains never do: they are A-labels (RFC 6531 §3.2)."""
        return self.smtputf8 or not (self.sender is None or self.sender.is_ascii)

    @property
    def needs_smtputf8(self) -> bool:
        return self.is_international or not all(a.is_ascii for a in self.recipients)


class Stage(StrEnum):
    CONNECT = "connect"  # greeting, EHLO
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientResult:
    """`remote`: the status is the server's own reply. `peer_reports`: the server makes the reports that were asked for."""

    recipient: Address
    status: SmtpStatus
    stage: Stage
    remote: bool = True
    peer_reports: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    transaction: Transaction
    results: tuple[RecipientResult, ...]

    @property
    def accepted(self) -> tuple[Address, ...]:
        return tuple(r.recipient for r in self.results if r.status.is_success)


@dataclass(frozen=True, slots=True)
class Send:
    data: bytes
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Receive:
    timeout_s: float


@dataclass(frozen=True, slots=True)
class StartTls:
    timeout_s: float


@dataclass(frozen=True, slots=True)
class SendContent:
    transaction: Transaction
    timeout_s: float
    """For each block."""
    chunked: bool = False
    """RFC 3030: as `BDAT n` with n octets each (`LineEnds`), the last `BDAT n LAST`; then `content_sent(chunks)`."""
    envelope: bytes = b""
    """Goes out in front, in the same write."""


@dataclass(frozen=True, slots=True)
class Finished:
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Closed:
    """Close the socket."""


Step = Send | Receive | StartTls | SendContent | Finished | Closed

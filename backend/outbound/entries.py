"""What the queue keeps and gives out, as values."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from backend.core.address import Address
from backend.core.envelope import (
    NO_WISH,
    NO_WISHES,
    NOTHING_ASKED,
    Asked,
    BodyType,
    Wish,
    Wishes,
)
from backend.core.ids import AccountId, QueueId, TraceId
from backend.core.status import SmtpStatus
from backend.outbound.backoff import MAX_ATTEMPTS
from backend.outbound.transport import Outgoing, Result, TlsChoice, Try
from backend.store.values import Target

PRACTICE_NOTE = "practice mode: nothing leaves this computer"
FROM_PRACTICE_NOTE = "written in practice mode; release it if it shall be sent now"
UNCONFIRMED = "it may have arrived all the same, and may then arrive twice"
MAX_NOTE_CHARS = 1000
MAX_SUBJECT_CHARS = 200  # kept with the queue and the history, a security limit


class State(StrEnum):
    """Of one message to one recipient; `queue.py` draws how they follow each other."""

    LOCAL = "local"
    WAITING = "waiting"
    HELD = "held"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"


class Notice(StrEnum):
    """A report that the sender has yet to get."""

    NONE = ""
    DELAYED = "delayed"
    DELIVERED = "delivered"
    FAILED = "failed"
    RELAYED = "relayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """A message to be accepted. `content` is whole (trace lines, no Bcc), in memory or as a file that the queue may move.

    `remote` are recipients elsewhere; `local` those in our own mailboxes, with where each goes.
    """

    trace: TraceId
    account: AccountId
    sender: Address | None
    content: bytes | Path
    size_bytes: int
    header_bytes: int
    message_id: str = ""
    subject: str = ""
    """As people read it."""
    body: BodyType = BodyType.EIGHT_BIT_MIME
    smtputf8: bool = False
    remote: tuple[Address, ...] = ()
    local: tuple[tuple[Address, Target], ...] = ()
    asked: Asked = NOTHING_ASKED
    wishes: Wishes = field(default_factory=lambda: NO_WISHES)
    max_attempts: int = MAX_ATTEMPTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """`message` is 0 when nothing had to be kept. `remote`: what waits or is held; `stopped`: to whom the account sends
    nothing, which its sender is told; `held`: by which rule, beside the ids of those it holds.
    """

    message: int
    remote: tuple[QueueId, ...]
    stopped: tuple[Address, ...] = ()
    held: tuple[tuple[Address, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What was claimed for one attempt: recipients of one message with the same past, in one domain or for one relay. `attempts` includes this one."""

    message: int
    ids: tuple[QueueId, ...]
    account: AccountId
    outgoing: Outgoing
    attempts: int
    next_attempt_at: float
    override: str | None
    max_attempts: int = MAX_ATTEMPTS

    @property
    def content_is_in_memory(self) -> bool:
        return isinstance(self.outgoing.content, bytes)

    def by_domain(self) -> "list[Batch]":
        """The same for each domain alone."""
        parts: list[Batch] = []
        for domain in self.domains:
            pairs = [
                (i, recipient)
                for i, recipient in zip(self.ids, self.outgoing.recipients, strict=True)
                if recipient.domain_text == domain
            ]
            outgoing = replace(
                self.outgoing,
                recipients=tuple(recipient for _, recipient in pairs),
                domain="" if domain.startswith("[") else domain,
            )
            parts.append(replace(self, ids=tuple(i for i, _ in pairs), outgoing=outgoing))
        return parts

    @property
    def domains(self) -> tuple[str, ...]:
        """Of the recipients; more than one only where one relay takes them all."""
        return tuple(dict.fromkeys(r.domain_text for r in self.outgoing.recipients))

    @property
    def domain(self) -> str:
        """Of the first recipients, as the queue writes it: in whose turn all of them go."""
        return self.outgoing.recipients[0].domain_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of one recipient after an attempt: `DONE`, `RETRY` or `FAIL`, by `failure.judge`."""

    id: QueueId
    result: Result
    verdict: "Verdict"
    notice: Notice = Notice.NONE


class Verdict(StrEnum):
    DONE = "done"
    RETRY = "retry"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One row as the faces show it."""

    id: QueueId
    trace: TraceId
    account: AccountId
    sender: str
    recipient: str
    size_bytes: int
    state: State
    note: str
    created_at: float
    next_attempt_at: float
    last_attempt_at: float | None
    attempts: int
    last_answer: str
    transport: str
    transport_reason: str
    override: str | None
    max_attempts: int = MAX_ATTEMPTS
    unconfirmed: int = 0
    """How often it may have arrived without our hearing so."""
    release_at: float = 0.0
    """Not sent before, by the sender's wish; 0: at once."""
    tls_choice: TlsChoice = TlsChoice.DEFAULT
    subject: str = ""
    hold_rule: str = ""
    """By which it is held; empty for by hand."""


@dataclass(frozen=True, slots=True)
class LoggedTry:
    """`transport` empty is direct delivery; `reason` says why that way was taken."""

    at: float
    entry: Try
    transport: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    item: Item
    attempts: tuple[LoggedTry, ...]
    header: bytes
    asked: Asked = NOTHING_ASKED
    wish: Wish = NO_WISH


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingNotice:
    """One report that is owed: recipients of one message that share its kind.

    `content` is the whole message where it is to be returned and small enough, else empty.
    """

    message: int
    trace: TraceId
    account: AccountId
    sender: Address
    kind: Notice
    created_at: float
    message_id: str
    header: bytes
    recipients: tuple["NoticedRecipient", ...]
    asked: Asked = NOTHING_ASKED
    content: bytes = b""

    @property
    def id(self) -> str:
        """The same for a repetition after a crash."""
        ids = "-".join(str(recipient.id) for recipient in self.recipients[:3])
        return f"report-{self.kind}-{self.trace}-{self.message}-{ids}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticedRecipient:
    id: QueueId
    address: Address
    answer: SmtpStatus
    remote_mta: str
    attempts: int
    last_attempt_at: float | None
    next_attempt_at: float
    max_attempts: int = MAX_ATTEMPTS
    may_have_arrived: bool = False
    original: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLocal:
    """A local part of an accepted message that has not reached its mailboxes yet."""

    message: int
    trace: TraceId
    sender: Address | None
    content: bytes | Path
    created_at: float
    ids: tuple[QueueId, ...]
    targets: tuple[Target, ...]
    release_at: float = 0.0

    @property
    def id(self) -> str:
        """The same for a repetition after a crash."""
        return local_delivery_id(self.trace, self.message)


def local_delivery_id(trace: TraceId, message: int) -> str:
    return f"local-{trace}-{message}"

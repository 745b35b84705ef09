"""Everything that can happen and that another part of the server may want to know.

Store changes (`MailboxChange`) are published by the store after their commit, in commit order. The others go out on
the server's hub and from there to the faces.
"""

from dataclasses import dataclass, field

from backend.core.ids import AccountId, MailboxId, ModSeq, QueueId, TraceId, Uid
from backend.core.problems import Problem


@dataclass(frozen=True, slots=True)
class MessagesAdded:
    """New messages by delivery, APPEND, COPY, MOVE or import; `uids` ascend."""

    account: AccountId
    mailbox: MailboxId
    uids: tuple[Uid, ...]
    modseq: ModSeq


@dataclass(frozen=True, slots=True)
class FlagsChanged:
    r"""`flags` holds, for each uid, the complete new list as IMAP writes it, without brackets: `\Seen $Junk`."""

    account: AccountId
    mailbox: MailboxId
    flags: tuple[tuple[Uid, bytes], ...]
    modseq: ModSeq
    origin: int = 0
    """The session that made the change (0: none), so that a silent STORE stays silent for it alone."""


@dataclass(frozen=True, slots=True)
class MessagesExpunged:
    account: AccountId
    mailbox: MailboxId
    uids: tuple[Uid, ...]
    modseq: ModSeq


@dataclass(frozen=True, slots=True)
class MailboxCreated:
    account: AccountId
    mailbox: MailboxId
    name: str


@dataclass(frozen=True, slots=True)
class MailboxDeleted:
    account: AccountId
    mailbox: MailboxId
    name: str


@dataclass(frozen=True, slots=True)
class MailboxRenamed:
    account: AccountId
    mailbox: MailboxId
    old_name: str
    name: str


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    account: AccountId
    name: str
    subscribed: bool


MailboxChange = (
    MessagesAdded
    | FlagsChanged
    | MessagesExpunged
    | MailboxCreated
    | MailboxDeleted
    | MailboxRenamed
    | SubscriptionChanged
)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One step of one message's way, in plain words.

    `kind` is stable: received, checked, accepted, signed, unsigned, rejected, delivered, queued, attempt, sent, deferred,
    bounced, held, dropped, reported (another server told of it later).
    """

    trace: TraceId
    at: float
    kind: str
    text: str
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """`state`: waiting, held, sending, done, failed, dropped."""

    queue_id: QueueId
    state: str


@dataclass(frozen=True, slots=True)
class ConfigApplied:
    revision: int
    author: str


@dataclass(frozen=True, slots=True)
class ProblemRaised:
    problem: Problem


@dataclass(frozen=True, slots=True)
class ProblemCleared:
    code: str
    subject: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that worked or failed; `protocol` is imap, submission or admin. `encrypted` is None where nobody noted it;
    `client`: what the program said of itself.
    """

    account: str
    address: str
    protocol: str
    peer: str
    succeeded: bool
    mechanism: str
    at: float
    encrypted: bool | None = None
    client: str = ""


ServerEvent = (
    TimelineEntry | QueueChanged | ConfigApplied | ProblemRaised | ProblemCleared | SignedIn
)

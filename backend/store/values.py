"""What goes into the store and what comes out of it, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from backend.core.ids import AccountId, MailboxId, ModSeq, Uid
from backend.core.message_fields import Field as Field  # noqa: PLC0414  # the store's callers find it here
from backend.core.uidset import UidSet


class Digest(Protocol):
    """What the store keeps of a message beside its bytes; `backend.message.digest` makes it."""

    @property
    def size(self) -> int: ...
    @property
    def header_size(self) -> int: ...
    @property
    def envelope(self) -> bytes: ...
    @property
    def body(self) -> bytes: ...
    @property
    def bodystructure(self) -> bytes: ...
    @property
    def subject(self) -> str: ...
    @property
    def from_(self) -> str: ...
    @property
    def to(self) -> str: ...
    @property
    def cc(self) -> str: ...
    @property
    def bcc(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    @property
    def sent_at(self) -> float | None: ...
    @property
    def sent_day(self) -> int | None: ...
    @property
    def preview(self) -> str: ...


Content = bytes | Path
"""A message, or the immutable file that holds it."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """`prefix` (trace header lines, each with its CRLF) is put in front of `content`; a `digest` covers both."""

    content: Content
    received_at: float
    flags: frozenset[str] = frozenset()
    prefix: bytes = b""
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Target:
    account: AccountId
    mailbox: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """`uid` is 0 when the delivery is durable in the journal but waits for the account (its disk was full)."""

    account: AccountId
    mailbox_id: MailboxId
    uid: Uid
    uidvalidity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    r"""A mailbox with its counters. `mailboxid` and `special_use` as IMAP writes them (RFC 8474, RFC 6154: `\Sent`)."""

    id: MailboxId
    name: str
    uidvalidity: int
    uidnext: Uid
    highestmodseq: ModSeq
    messages: int
    unseen: int
    deleted: int
    size_bytes: int
    special_use: str
    subscribed: bool
    mailboxid: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A mailbox as it is at one moment. `keywords` were used in it at some time."""

    mailbox: Mailbox
    uids: UidSet
    keywords: tuple[str, ...]


class FlagOp(Enum):
    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


FlagState = tuple[Uid, bytes, ModSeq]
"""UID, flags as IMAP writes them, modseq."""


@dataclass(frozen=True, slots=True)
class FlagsResult:
    """`changed` and `unchanged` (had these flags already) in ascending order; `refused`: newer than `unchanged_since`."""

    changed: Sequence[FlagState]
    unchanged: Sequence[FlagState]
    refused: UidSet
    modseq: ModSeq


@dataclass(frozen=True, slots=True)
class CopyResult:
    """`source_uids[i]` became `target_uids[i]`. `modseq` is the source's after a move."""

    uidvalidity: int
    source_uids: tuple[Uid, ...]
    target_uids: tuple[Uid, ...]
    modseq: ModSeq


@dataclass(frozen=True, slots=True)
class Expunged:
    uids: UidSet
    modseq: ModSeq


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`modseq` is the highest of the messages found, 0 if it was not asked for."""

    uids: list[Uid]
    modseq: ModSeq


@dataclass(frozen=True, slots=True)
class Usage:
    """`limit_bytes` None: no quota."""

    messages: int
    size_bytes: int
    limit_bytes: int | None

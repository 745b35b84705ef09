"""What can a client ask for? One frozen value per command (RFC 9051 §6), made by `parse.py`, run by `backend.imapd.commands`."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from backend.imap.search import SavedResult, SearchKey, SequenceSet
from backend.imap.wire import Literal

NumberSet = SequenceSet | SavedResult
"""Message numbers or UIDs as written; the session's view resolves them."""


# Any state


@dataclass(frozen=True, slots=True)
class Capability:
    pass


@dataclass(frozen=True, slots=True)
class Noop:
    pass


@dataclass(frozen=True, slots=True)
class Logout:
    pass


@dataclass(frozen=True, slots=True)
class Id:
    """RFC 2971; keys in lower case."""

    fields: dict[str, str]


# Not authenticated


@dataclass(frozen=True, slots=True)
class StartTls:
    pass


@dataclass(frozen=True, slots=True)
class Login:
    name: bytes
    password: bytes

    def __repr__(self) -> str:  # SECURITY: a password must not reach a log by way of a trace
        return "Login(…)"


@dataclass(frozen=True, slots=True)
class Authenticate:
    """`initial`: None without an initial response; RFC 4959's `=` is the empty one."""

    mechanism: str
    initial: bytes | None

    def __repr__(self) -> str:
        return f"Authenticate({self.mechanism})"


# Authenticated


@dataclass(frozen=True, slots=True)
class Enable:
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Select:
    """SELECT, or EXAMINE with `read_only`. `condstore`: the parameter of RFC 7162 §3.1.8."""

    mailbox: str
    read_only: bool = False
    condstore: bool = False


@dataclass(frozen=True, slots=True)
class Create:
    r"""`special_use` as in `\Sent`, empty for none (RFC 6154 §3)."""

    mailbox: str
    special_use: str = ""


@dataclass(frozen=True, slots=True)
class Delete:
    mailbox: str


@dataclass(frozen=True, slots=True)
class Rename:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    mailbox: str


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    mailbox: str


class StatusItem(StrEnum):
    MESSAGES = "MESSAGES"
    RECENT = "RECENT"
    UIDNEXT = "UIDNEXT"
    UIDVALIDITY = "UIDVALIDITY"
    UNSEEN = "UNSEEN"
    DELETED = "DELETED"
    SIZE = "SIZE"
    HIGHESTMODSEQ = "HIGHESTMODSEQ"
    MAILBOXID = "MAILBOXID"


@dataclass(frozen=True, slots=True)
class List:
    """RFC 9051 §6.3.9 with RFC 5258, 5819 and 6154. `is_extended`: the client knows about extended answers.

    `select` and `returns` hold option names in upper case.
    """

    reference: str
    patterns: tuple[str, ...]
    select: frozenset[str] = frozenset()
    returns: frozenset[str] = frozenset()
    status: tuple[StatusItem, ...] = ()
    is_extended: bool = False


@dataclass(frozen=True, slots=True)
class Lsub:
    reference: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Status:
    mailbox: str
    items: tuple[StatusItem, ...]


@dataclass(frozen=True, slots=True)
class Namespace:
    pass


@dataclass(frozen=True, slots=True)
class AppendMessage:
    """`received_at`: seconds since 1970, None for now."""

    flags: frozenset[str]
    received_at: float | None
    content: Literal


@dataclass(frozen=True, slots=True)
class Append:
    mailbox: str
    messages: tuple[AppendMessage, ...]


@dataclass(frozen=True, slots=True)
class Idle:
    pass


# Selected


@dataclass(frozen=True, slots=True)
class Check:
    pass


@dataclass(frozen=True, slots=True)
class Close:
    pass


@dataclass(frozen=True, slots=True)
class Unselect:
    pass


@dataclass(frozen=True, slots=True)
class Expunge:
    """`uids`: only these (UID EXPUNGE, RFC 4315 §2.1)."""

    uids: NumberSet | None = None


class SearchReturn(StrEnum):
    MIN = "MIN"
    MAX = "MAX"
    ALL = "ALL"
    COUNT = "COUNT"
    SAVE = "SAVE"


@dataclass(frozen=True, slots=True)
class Search:
    """`returns`: None without RETURN (the old form of answer); `RETURN ()` is `{ALL}`."""

    key: SearchKey
    returns: frozenset[SearchReturn] | None
    charset: str
    by_uid: bool
    wants_modseq: bool


class Field(StrEnum):
    """Items of FETCH that a message simply has."""

    UID = "UID"
    FLAGS = "FLAGS"
    MODSEQ = "MODSEQ"
    SIZE = "RFC822.SIZE"
    INTERNALDATE = "INTERNALDATE"
    SAVEDATE = "SAVEDATE"
    ENVELOPE = "ENVELOPE"
    BODY = "BODY"
    BODYSTRUCTURE = "BODYSTRUCTURE"
    PREVIEW = "PREVIEW"
    EMAILID = "EMAILID"
    THREADID = "THREADID"


class SectionKind(Enum):
    WHOLE = b""
    HEADER = b"HEADER"
    HEADER_FIELDS = b"HEADER.FIELDS"
    HEADER_FIELDS_NOT = b"HEADER.FIELDS.NOT"
    TEXT = b"TEXT"
    MIME = b"MIME"


@dataclass(frozen=True, slots=True)
class Section:
    """What stands in the brackets: part numbers, then a kind; `fields` as written."""

    part: tuple[int, ...] = ()
    kind: SectionKind = SectionKind.WHOLE
    fields: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class BodyItem:
    """BODY[…]<…>. `label`: RFC822, RFC822.HEADER and RFC822.TEXT answer under their old names."""

    section: Section
    peek: bool = False
    partial: tuple[int, int] | None = None
    label: bytes = b""


@dataclass(frozen=True, slots=True)
class BinaryItem:
    """BINARY[…]<…> (RFC 9051 §6.4.5)."""

    part: tuple[int, ...]
    peek: bool = False
    partial: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class BinarySizeItem:
    part: tuple[int, ...]


FetchItem = Field | BodyItem | BinaryItem | BinarySizeItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    messages: NumberSet
    items: tuple[FetchItem, ...]
    by_uid: bool
    changed_since: int | None = None


class StoreOp(Enum):
    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    messages: NumberSet
    op: StoreOp
    flags: frozenset[str]
    silent: bool
    by_uid: bool
    unchanged_since: int | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    messages: NumberSet
    mailbox: str
    by_uid: bool


@dataclass(frozen=True, slots=True)
class Move:
    messages: NumberSet
    mailbox: str
    by_uid: bool


Command = (
    Capability
    | Noop
    | Logout
    | Id
    | StartTls
    | Login
    | Authenticate
    | Enable
    | Select
    | Create
    | Delete
    | Rename
    | Subscribe
    | Unsubscribe
    | List
    | Lsub
    | Status
    | Namespace
    | Append
    | Idle
    | Check
    | Close
    | Unselect
    | Expunge
    | Search
    | Fetch
    | Store
    | Copy
    | Move
)

r"""SEARCH keys as values (RFC 9051 §6.4.4). Parsing stands in `backend.imap.parse`, evaluation in `backend.store.find`.

Sequence numbers are resolved by the session before a query reaches the store: a stored query knows UIDs alone.
"""

from dataclasses import dataclass
from enum import StrEnum

from backend.core.uidset import UidSet


@dataclass(frozen=True, slots=True)
class All:
    pass


@dataclass(frozen=True, slots=True)
class Uids:
    uids: UidSet


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """Unresolved: pairs of (first, last) with None for `*`; replaced by `Uids` before evaluation. `is_uid`: the numbers are UIDs."""

    ranges: tuple[tuple[int | None, int | None], ...]
    is_uid: bool


@dataclass(frozen=True, slots=True)
class SavedResult:
    """`$` of SEARCHRES (RFC 5182); replaced by `Uids` before evaluation."""


@dataclass(frozen=True, slots=True)
class Flag:
    r"""`flag` as IMAP writes it, `\Seen` or a keyword; compared without case."""

    flag: str
    present: bool = True


class DateField(StrEnum):
    INTERNAL = "internal"
    SENT = "sent"
    SAVED = "saved"


class Compare(StrEnum):
    BEFORE = "before"
    ON = "on"
    SINCE = "since"


@dataclass(frozen=True, slots=True)
class Date:
    """`day` counts days since 1970-01-01, disregarding time and zone (RFC 9051 §6.4.4)."""

    field: DateField
    compare: Compare
    day: int


@dataclass(frozen=True, slots=True)
class Within:
    """OLDER / YOUNGER in seconds (RFC 5032)."""

    seconds: int
    younger: bool


@dataclass(frozen=True, slots=True)
class Size:
    """LARGER (above) or SMALLER than `size_bytes`."""

    size_bytes: int
    larger: bool


@dataclass(frozen=True, slots=True)
class Address:
    """FROM, TO, CC, BCC: `field` in lower case; substring without case."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    text: str


@dataclass(frozen=True, slots=True)
class Header:
    """Any header; an empty text matches every message that has the field."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Body:
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """Header or body."""

    text: str


@dataclass(frozen=True, slots=True)
class ModSeqSince:
    """MODSEQ (RFC 7162 §3.1.5): at least this one."""

    modseq: int


@dataclass(frozen=True, slots=True)
class EmailId:
    email_id: str


@dataclass(frozen=True, slots=True)
class Not:
    key: "SearchKey"


@dataclass(frozen=True, slots=True)
class Or:
    left: "SearchKey"
    right: "SearchKey"


@dataclass(frozen=True, slots=True)
class And:
    keys: tuple["SearchKey", ...]


SearchKey = (
    All
    | Uids
    | SequenceSet
    | SavedResult
    | Flag
    | Date
    | Within
    | Size
    | Address
    | Subject
    | Header
    | Body
    | Text
    | ModSeqSince
    | EmailId
    | Not
    | Or
    | And
)

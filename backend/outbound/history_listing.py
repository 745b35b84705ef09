"""What do the faces show of what has left the queue? Reads only."""

from dataclasses import dataclass
from typing import Literal

from backend.core.ids import AccountId, QueueId, TraceId
from backend.core.status import SmtpStatus
from backend.outbound.entries import LoggedTry
from backend.outbound.history import Outcome
from backend.outbound.listing import read_tries
from backend.outbound.paging import Position, contains, follow
from backend.outbound.queue import Queue
from backend.store.database import Reader, Row

MAX_COUNTED = 10_000
"""Matches that are counted; a total above it says "more than"."""

Result = Literal["delivered", "failed", "dropped", "returned"]
"""`returned`: another server had taken it and reported later that it failed."""

_COLUMNS = (
    "SELECT id, trace, account, sender, recipient, subject, message_id, size_bytes, created_at, last_attempt_at,"
    " left_at, attempts, result, acted_by, transport, reason, answer_code, answer_enhanced, answer_text,"
    " remote_mta, came_back, unconfirmed FROM history"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One row. `acted_by`: who gave it up or removed it, empty for the server. `came_back`: what was reported last
    about it after it had left (failed, delayed, delivered), empty for nothing. `unconfirmed`: sendings without an answer,
    by which it may have arrived as well.
    """

    id: QueueId
    trace: TraceId
    account: AccountId
    sender: str
    recipient: str
    subject: str
    message_id: str
    size_bytes: int
    created_at: float
    last_attempt_at: float | None
    left_at: float
    attempts: int
    outcome: Outcome
    acted_by: str
    transport: str
    reason: str
    last_answer: str
    remote_mta: str
    came_back: str
    unconfirmed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """A report about it from outside. `trace`: of the message that brought it. `certain` is false for a guess."""

    at: float
    kind: str
    status: str
    text: str
    reporter: str
    trace: TraceId
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDetail:
    past: Past
    attempts: tuple[LoggedTry, ...]
    came_back: tuple[CameBack, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFilter:
    """Empty takes all. `sender` and `recipient` are whole addresses, `text` is looked for in both, in subject, Message-ID
    and answer. Times are of leaving.
    """

    result: Result | None = None
    account: str = ""
    sender: str = ""
    recipient: str = ""
    domain: str = ""
    text: str = ""
    trace: str = ""
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPage:
    """Newest first. `total` stops at `MAX_COUNTED` + 1. `next`: where the next page begins, None after the last one."""

    items: tuple[Past, ...]
    total: int
    next: Position | None


EVERYTHING = PastFilter()


async def list_past(
    queue: Queue,
    shown: PastFilter = EVERYTHING,
    *,
    after: Position | None = None,
    limit: int = 100,
) -> PastPage:
    where, params = _where(shown)
    beyond, position = follow("left_at", "id", after, descending=True)

    def read(reader: Reader) -> PastPage:
        rows = reader.rows(
            f"{_COLUMNS}{where}{beyond} ORDER BY left_at DESC, id DESC LIMIT :limit",
            params | position | {"limit": limit + 1},
        )
        more, rows = len(rows) > limit, rows[:limit]
        total = reader.value(
            f"SELECT count(*) FROM (SELECT 1 FROM history{where} LIMIT :counted)",
            params | {"counted": MAX_COUNTED + 1},
        )
        items = tuple(_past(row) for row in rows)
        last = items[-1] if more else None
        return PastPage(
            items=items,
            total=total,
            next=None if last is None else Position(last.left_at, last.id),
        )

    # A filter that matches little looks at all rows: such readers must not stand before the queue's own.
    return await queue.database.read(read, slow=True)


async def find_past(queue: Queue, queue_id: QueueId) -> PastDetail | None:
    def read(reader: Reader) -> PastDetail | None:
        params = {"id": queue_id}
        row = reader.row(f"{_COLUMNS} WHERE id = :id", params)
        place = reader.row("SELECT message, domain FROM history WHERE id = :id", params)
        if row is None or place is None:
            return None
        told = reader.rows(
            "SELECT at, kind, status, text, reporter, trace, certain FROM came_back"
            " WHERE history = :id ORDER BY id",
            params,
        )
        return PastDetail(
            past=_past(row),
            attempts=read_tries(reader, *place),
            came_back=tuple(
                CameBack(
                    at=at,
                    kind=kind,
                    status=status,
                    text=text,
                    reporter=reporter,
                    trace=TraceId(trace),
                    certain=bool(certain),
                )
                for at, kind, status, text, reporter, trace, certain in told
            ),
        )

    return await queue.database.read(read)


def _where(shown: PastFilter) -> tuple[str, dict[str, object]]:
    terms, params = ["1"], dict[str, object]()
    if shown.result == "returned":
        terms.append("result = 'delivered' AND came_back = 'failed'")
    elif shown.result == "delivered":
        terms.append("result = 'delivered' AND came_back <> 'failed'")
    elif shown.result is not None:
        terms.append("result = :result")
        params["result"] = shown.result
    for name in ("account", "trace"):
        if value := getattr(shown, name):
            terms.append(f"{name} = :{name}")
            params[name] = value
    for name in ("sender", "recipient"):
        if value := getattr(shown, name):
            terms.append(f"{name} = :{name} COLLATE NOCASE")
            params[name] = value
    if shown.domain:
        terms.append("domain = :domain")
        params["domain"] = shown.domain.lower()
    if shown.since is not None:
        terms.append("left_at >= :since")
        params["since"] = shown.since
    if shown.until is not None:
        terms.append("left_at < :until")
        params["until"] = shown.until
    if shown.text:
        columns = ("sender", "recipient", "subject", "message_id", "answer_text")
        terms.append(f"({' OR '.join(f'{c} LIKE :text ESCAPE ' + repr('!') for c in columns)})")
        params["text"] = contains(shown.text)
    return f" WHERE {' AND '.join(terms)}", params


def _past(row: Row) -> Past:
    status = SmtpStatus(row[16], row[17], row[18])
    return Past(
        id=QueueId(row[0]),
        trace=TraceId(row[1]),
        account=AccountId(row[2]),
        sender=row[3],
        recipient=row[4],
        subject=row[5],
        message_id=row[6],
        size_bytes=row[7],
        created_at=row[8],
        last_attempt_at=row[9],
        left_at=row[10],
        attempts=row[11],
        outcome=Outcome(row[12]),
        acted_by=row[13],
        transport=row[14],
        reason=row[15],
        last_answer=str(status) if status.code else "",
        remote_mta=row[19],
        came_back=row[20],
        unconfirmed=row[21],
    )

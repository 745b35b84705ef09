"""What do the faces show of the queue? Reads only."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backend.core.ids import AccountId, QueueId, TraceId
from backend.core.status import SmtpStatus
from backend.outbound.asked import ASKED_COLUMNS, asked_of, wish_of
from backend.outbound.content import read_start
from backend.outbound.entries import Detail, Item, LoggedTry, State
from backend.outbound.paging import Position, contains, follow
from backend.outbound.queue import Queue
from backend.outbound.transport import TlsChoice, Try
from backend.store.database import Reader, Row

Sort = Literal[
    "id", "created_at", "next_attempt_at", "recipient", "sender", "attempts", "size_bytes"
]
MAX_SHOWN_HEADER_OCTETS = 64 * 1024

_ORDER: dict[Sort, str] = {
    "id": "recipient.id",
    "created_at": "message.created_at",
    "next_attempt_at": "recipient.next_attempt_at",
    "recipient": "recipient.address",
    "sender": "message.sender",
    "attempts": "recipient.attempts",
    "size_bytes": "message.size_bytes",
}
_COLUMNS = (
    "recipient.id, message.trace, message.account, message.sender, recipient.address,"
    " message.size_bytes, recipient.state, recipient.note, message.created_at,"
    " recipient.next_attempt_at, recipient.last_attempt_at, recipient.attempts,"
    " recipient.answer_code, recipient.answer_enhanced, recipient.answer_text,"
    " recipient.chosen, recipient.chosen_reason, recipient.override, recipient.unconfirmed,"
    " message.release_at, message.subject, recipient.hold_rule, recipient.tls_choice,"
    " recipient.max_attempts"
)
_PROBLEM = "recipient.answer_code >= 400"
_FROM = " FROM recipient JOIN message ON message.id = recipient.message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Empty takes all. `text` is looked for in sender, recipient, subject and last answer; `rule` is the one that holds it.

    `problem`: only what another server has put off at least once, or what failed.
    """

    state: State | None = None
    account: str = ""
    domain: str = ""
    text: str = ""
    rule: str = ""
    problem: bool = False
    released_by: float | None = None
    """Not what its sender wants to be sent later than that."""
    released_after: float | None = None
    """Only what its sender wants to be sent later than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`total` counts the rows that match, on all pages; `counts` the whole queue. `next`: where the next page begins,
    None after the last one.
    """

    items: tuple[Item, ...]
    total: int
    counts: "Counts"
    next: Position | None


@dataclass(frozen=True, slots=True)
class Counts:
    waiting: int
    held: int
    sending: int
    failed: int
    problem: int
    unconfirmed: int = 0
    """Sendings after which no answer came, since this queue exists: each may have brought a message twice."""


@dataclass(frozen=True, slots=True)
class QueueAge:
    """Of what waits, without what is held and what its sender wants to go later: since when the oldest is there, when the first attempt is due."""

    waiting: int = 0
    oldest: float = 0.0
    first_due: float = 0.0


@dataclass(frozen=True, slots=True)
class Group:
    """What waits for one domain, so that a hundred messages with one fault are one line."""

    domain: str
    count: int
    held: int
    next_attempt_at: float | None
    answer: str
    problem: int = 0
    """How many another server has put off."""


EVERYTHING = Filter()


async def list_items(
    queue: Queue,
    shown: Filter = EVERYTHING,
    *,
    sort: Sort = "next_attempt_at",
    descending: bool = False,
    after: Position | None = None,
    offset: int = 0,
    limit: int = 100,
) -> Page:
    """`after`: a page's `next`, asked with the same sort; pages then neither repeat nor skip rows when others leave."""
    where, params = where_of(shown)
    column = _ORDER[sort]
    beyond, position = follow(column, "recipient.id", after, descending=descending)
    direction = "DESC" if descending else "ASC"
    order = f" ORDER BY {column} {direction}, recipient.id {direction}"

    def read(reader: Reader) -> Page:
        rows = reader.rows(
            f"SELECT {_COLUMNS}, {column}{_FROM}{where}{beyond}{order} LIMIT :limit OFFSET :offset",
            params | position | {"limit": limit + 1, "offset": offset},
        )
        more, rows = len(rows) > limit, rows[:limit]
        return Page(
            items=tuple(_item(row) for row in rows),
            total=reader.value(f"SELECT count(*){_FROM}{where}", params),
            counts=_counts(reader),
            next=Position(rows[-1][-1], rows[-1][0]) if more else None,
        )

    return await queue.database.read(read)


async def find_item(queue: Queue, queue_id: QueueId) -> Detail | None:
    """One item with the attempts made so far for its message and domain, and the message's header."""

    def read(reader: Reader) -> Detail | None:
        params = {"id": queue_id}
        row = reader.row(f"SELECT {_COLUMNS}{_FROM} WHERE recipient.id = :id", params)
        meta = reader.row(
            "SELECT message.header_bytes, message.file, message.content, message.id,"
            f" recipient.domain, recipient.notify, recipient.original, {ASKED_COLUMNS}{_FROM}"
            " WHERE recipient.id = :id",
            params,
        )
        if row is None or meta is None:
            return None
        header_bytes, file, content, message, domain, notify, original, *kept = meta
        octets = min(header_bytes, MAX_SHOWN_HEADER_OCTETS)
        return Detail(
            item=_item(row),
            attempts=read_tries(reader, message, domain),
            header=read_start(queue.files / file if file else content, octets),
            asked=asked_of(kept),
            wish=wish_of(notify, original),
        )

    return await queue.database.read(read)


async def find_content(queue: Queue, queue_id: QueueId) -> bytes | Path | None:
    """The whole message as it will leave; a file may be gone a moment later, with its message."""

    def read(reader: Reader) -> bytes | Path | None:
        row = reader.row(
            f"SELECT message.file, message.content{_FROM} WHERE recipient.id = :id",
            {"id": queue_id},
        )
        if row is None:
            return None
        file, content = row
        return queue.files / file if file else bytes(content)

    return await queue.database.read(read)


async def count_items(queue: Queue) -> Counts:
    return await queue.database.read(_counts)


async def queue_age(queue: Queue, now: float) -> QueueAge:
    """Whether the queue moves."""
    sql = (
        "SELECT count(*), min(message.created_at), min(recipient.next_attempt_at)"
        f"{_FROM} WHERE recipient.state = 'waiting'"
        " AND coalesce(message.release_at, 0) <= :now"
    )
    row = await queue.database.read(lambda reader: reader.row(sql, {"now": now}))
    if row is None or not row[0]:
        return QueueAge()
    return QueueAge(row[0], row[1] or now, row[2] or now)


async def list_groups(queue: Queue, limit: int = 100) -> list[Group]:
    """The domains with most in the queue, and what was answered there last."""
    # SQLite takes the bare columns from the row with the greatest `last_attempt_at`.
    sql = (
        "SELECT domain, count(*), sum(state = 'held'),"
        " min(CASE WHEN state = 'waiting' THEN next_attempt_at END),"
        " answer_code, answer_enhanced, answer_text, max(coalesce(last_attempt_at, 0)),"
        f" sum({_PROBLEM})"
        " FROM recipient WHERE state <> 'local' GROUP BY domain ORDER BY 2 DESC, 1 LIMIT :limit"
    )

    def read(reader: Reader) -> list[Group]:
        return [
            Group(domain, count, held, due, _answer(code, enhanced, text), problem)
            for domain, count, held, due, code, enhanced, text, _, problem in reader.rows(
                sql, {"limit": limit}
            )
        ]

    return await queue.database.read(read)


def _counts(reader: Reader) -> Counts:
    by_state: dict[str, int] = dict(
        reader.rows("SELECT state, count(*) FROM recipient GROUP BY state")
    )
    return Counts(
        waiting=by_state.get("waiting", 0),
        held=by_state.get("held", 0),
        sending=by_state.get("sending", 0),
        failed=by_state.get("failed", 0),
        unconfirmed=reader.value("SELECT count FROM tally WHERE name = 'unconfirmed'") or 0,
        problem=reader.value(f"SELECT count(*) FROM recipient WHERE {_PROBLEM}"),
    )


def where_of(shown: Filter) -> tuple[str, dict[str, object]]:
    # The local part of a message is on its way for a moment only and is nobody's to act on, unless its sender chose a time.
    terms = ["recipient.state <> 'done' AND (recipient.state <> 'local' OR message.release_at > 0)"]
    params = dict[str, object]()
    if shown.state is not None:
        # A local part that is listed at all waits for its time.
        also = " OR recipient.state = 'local'" if shown.state is State.WAITING else ""
        terms.append(f"(recipient.state = :state{also})")
        params["state"] = shown.state
    if shown.account:
        terms.append("message.account = :account")
        params["account"] = shown.account
    if shown.domain:
        terms.append("recipient.domain = :domain")
        params["domain"] = shown.domain.lower()
    if shown.text:
        terms.append(
            "(message.sender LIKE :text ESCAPE '!' OR recipient.address LIKE :text ESCAPE '!'"
            " OR message.subject LIKE :text ESCAPE '!' OR recipient.answer_text LIKE :text ESCAPE '!')"
        )
        params["text"] = contains(shown.text)
    if shown.rule:
        terms.append("recipient.hold_rule = :rule AND recipient.state = 'held'")
        params["rule"] = shown.rule
    if shown.released_by is not None:
        terms.append("message.release_at <= :released_by")
        params["released_by"] = shown.released_by
    if shown.released_after is not None:
        terms.append("message.release_at > :released_after")
        params["released_after"] = shown.released_after
    if shown.problem:
        terms.append(_PROBLEM)
    return f" WHERE {' AND '.join(terms)}", params


def _item(row: Row) -> Item:
    return Item(
        id=QueueId(row[0]),
        trace=TraceId(row[1]),
        account=AccountId(row[2]),
        sender=row[3],
        recipient=row[4],
        size_bytes=row[5],
        state=State(row[6]),
        note=row[7],
        created_at=row[8],
        next_attempt_at=row[9],
        last_attempt_at=row[10],
        attempts=row[11],
        last_answer=_answer(row[12], row[13], row[14]),
        transport=row[15],
        transport_reason=row[16],
        override=row[17],
        unconfirmed=row[18],
        release_at=row[19],
        subject=row[20],
        hold_rule=row[21],
        tls_choice=TlsChoice(row[22]),
        max_attempts=row[23],
    )


def _answer(code: int, enhanced: str, text: str) -> str:
    return str(SmtpStatus(code, enhanced, text)) if code else ""


def read_tries(reader: Reader, message: int, domain: str) -> tuple[LoggedTry, ...]:
    rows = reader.rows(
        "SELECT at, host, ip, port, tls, succeeded, answer, duration_ms, excerpt, transport, reason, policy FROM attempt"
        " WHERE message = :message AND domain = :domain ORDER BY id",
        {"message": message, "domain": domain},
    )
    return tuple(_logged(row) for row in rows)


def _logged(row: Row) -> LoggedTry:
    at, host, ip, port, tls, succeeded, answer, duration_ms, excerpt, transport, reason, policy = (
        row
    )
    return LoggedTry(
        at,
        Try(
            host=host,
            ip=ip,
            port=port,
            tls=tls,
            policy=policy,
            succeeded=bool(succeeded),
            answer=answer,
            duration_ms=duration_ms,
            excerpt=excerpt,
        ),
        transport,
        reason,
    )

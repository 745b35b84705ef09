"""How far the daily TLS reports are: one row for each day, domain and destination, in the queue's database.

    waiting ──► asked the domain: unasked, or one row for each destination, waiting again
       │
       ├─ mail ───► queued ──► sent │ failed │ unknown
       ├─ https ──► posting ─► sent │ failed │ unknown, or waiting for another attempt
       └─► off, late, failed

A row is `queued` in the transaction that puts the mail into the queue, and `posting` before anything goes out: so no
report leaves twice, whenever the process dies. What was posted then is `unknown` afterwards, and stays so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from backend.core.ids import TraceId
from backend.outbound.history import Outcome
from backend.outbound.tls_ledger import DAY_S
from backend.store.database import Database, Reader, Row, Transaction

MAX_ANSWER_CHARS = 500


class State(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"
    POSTING = "posting"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    UNASKED = "unasked"
    """The domain wants none."""
    OFF = "off"
    """Reports were switched off."""
    LATE = "late"
    """The server was not running until nobody would want it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """`destination` is empty while it is not known, else `mailto:` or `https:`. `answer`: the last word on it."""

    id: int
    day: int
    domain: str
    destination: str
    state: State
    trace: TraceId
    attempts: int
    next_attempt_at: float
    changed_at: float
    answer: str


@dataclass(frozen=True, slots=True)
class ReportPage:
    items: tuple[ReportRow, ...]
    total: int


class NotWaitingError(Exception):
    """Somebody else has taken the row."""


async def recover(database: Database, now: float) -> None:
    """At the start: what an earlier process was doing when it died."""

    def write(tx: Transaction) -> None:
        params = {"now": now}
        tx.run(
            "UPDATE tls_report SET state = 'unknown', changed_at = :now, answer ="
            " 'the server was stopped while it was sent' WHERE state = 'posting'",
            params,
        )
        left = tx.rows(
            "SELECT id, trace, destination FROM tls_report WHERE state = 'queued'"
            " AND NOT EXISTS (SELECT 1 FROM message WHERE message.trace = tls_report.trace)"
        )
        for id_, trace, destination in left:
            state, answer = _what_became(tx, trace, destination.removeprefix("mailto:"))
            tx.run(_SETTLE, {"id": id_, "state": state, "answer": answer, "now": now})

    await database.write(write)


def _what_became(tx: Transaction, trace: str, recipient: str) -> tuple[State, str]:
    """Of a mail that left the queue when nobody wrote it down here."""
    row = tx.row(
        "SELECT result, remote_mta, answer_code, answer_text FROM history"
        " WHERE recipient = :recipient COLLATE NOCASE AND trace = :trace",
        {"recipient": recipient, "trace": trace},
    )
    if row is None:
        return State.UNKNOWN, "the server was stopped when it left the queue"
    result, remote_mta, code, text = row
    state = State.SENT if result == Outcome.DELIVERED else State.FAILED
    return state, f"{remote_mta}: {code} {text}"[:MAX_ANSWER_CHARS]


async def plan(
    database: Database,
    *,
    today: int,
    oldest: int,
    now: float,
    enabled: bool,
    jitter_s: Callable[[], float],
) -> int:
    """Makes a row for each day that is over and each domain that was delivered to. How many are new."""

    def write(tx: Transaction) -> int:
        rows = tx.rows(
            "SELECT DISTINCT day, domain FROM tls_policy WHERE day < :today AND NOT EXISTS"
            " (SELECT 1 FROM tls_report WHERE tls_report.day = tls_policy.day"
            " AND tls_report.domain = tls_policy.domain)",
            {"today": today},
        )
        for day, domain in rows:
            state = State.LATE if day < oldest else State.WAITING if enabled else State.OFF
            tx.run(
                _INSERT,
                {
                    "day": day,
                    "domain": domain,
                    "destination": "",
                    "state": state,
                    "next": (day + 1) * DAY_S + jitter_s(),
                    "now": now,
                },
            )
        return len(rows)

    return await database.write(write)


async def next_due(database: Database, now: float) -> ReportRow | None:
    found = await database.read(
        lambda reader: _rows(
            reader,
            "WHERE state = 'waiting' AND next_attempt_at <= :now ORDER BY next_attempt_at, id LIMIT 1",
            {"now": now},
        )
    )
    return found[0] if found else None


async def next_time(database: Database) -> float | None:
    """When the next one is due."""
    return await database.read(
        lambda reader: reader.value(
            "SELECT min(next_attempt_at) FROM tls_report WHERE state = 'waiting'"
        )
    )


async def address_to(
    database: Database, row: ReportRow, destinations: Sequence[str], now: float
) -> None:
    """Replaces a row without destination by one for each."""

    def write(tx: Transaction) -> None:
        tx.run("DELETE FROM tls_report WHERE id = :id", {"id": row.id})
        for destination in destinations:
            tx.run(
                _INSERT,
                {
                    "day": row.day,
                    "domain": row.domain,
                    "destination": destination,
                    "state": State.WAITING,
                    "next": now,
                    "now": now,
                },
            )

    await database.write(write)


def mark_queued(
    tx: Transaction, row: ReportRow, trace: TraceId, now: float, *, stays_here: bool = False
) -> None:
    """In the transaction that puts the mail into the queue. `stays_here`: it is for one of our own mailboxes.

    Raises:
        NotWaitingError: it was taken already; nothing may be kept.
    """
    changed = tx.run(
        "UPDATE tls_report SET state = :state, trace = :trace, attempts = attempts + 1,"
        " changed_at = :now, answer = :answer WHERE id = :id AND state = 'waiting'",
        {
            "id": row.id,
            "state": State.SENT if stays_here else State.QUEUED,
            "trace": trace,
            "now": now,
            "answer": "for a mailbox on this server" if stays_here else "",
        },
    )
    if not changed:
        raise NotWaitingError


async def mark_posting(database: Database, row: ReportRow, now: float) -> None:
    await database.write(
        lambda tx: tx.run(
            "UPDATE tls_report SET state = 'posting', attempts = attempts + 1, changed_at = :now"
            " WHERE id = :id",
            {"id": row.id, "now": now},
        )
    )


async def settle(database: Database, row: ReportRow, state: State, answer: str, now: float) -> None:
    await database.write(
        lambda tx: tx.run(
            _SETTLE,
            {"id": row.id, "state": state, "answer": answer[:MAX_ANSWER_CHARS], "now": now},
        )
    )


async def put_off(
    database: Database, row: ReportRow, *, until: float, answer: str, now: float
) -> None:
    """`attempts` counts a look-up as well: sending counts by itself before it begins."""
    attempts = row.attempts + 1
    await database.write(
        lambda tx: tx.run(
            "UPDATE tls_report SET state = 'waiting', attempts = :attempts, next_attempt_at = :until,"
            " answer = :answer, changed_at = :now WHERE id = :id",
            {
                "id": row.id,
                "attempts": attempts,
                "until": until,
                "answer": answer[:MAX_ANSWER_CHARS],
                "now": now,
            },
        )
    )


async def note_mail(
    database: Database, trace: TraceId, state: State, answer: str, now: float
) -> None:
    """What became of a report in the queue."""
    await database.write(
        lambda tx: tx.run(
            "UPDATE tls_report SET state = :state, answer = :answer, changed_at = :now"
            " WHERE trace = :trace AND state = 'queued'",
            {"trace": trace, "state": state, "answer": answer[:MAX_ANSWER_CHARS], "now": now},
        )
    )


async def queued_traces(database: Database) -> set[TraceId]:
    return await database.read(
        lambda reader: {
            TraceId(trace)
            for (trace,) in reader.rows("SELECT trace FROM tls_report WHERE state = 'queued'")
        }
    )


async def page(
    database: Database,
    domain: str = "",
    *,
    asked_only: bool = False,
    offset: int = 0,
    limit: int = 100,
) -> ReportPage:
    """The last days first. `asked_only`: without the domains that want none."""
    conditions = ["domain = :domain"] if domain else []
    conditions += ["state <> 'unasked'"] if asked_only else []
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    params: dict[str, object] = {"domain": domain, "offset": offset, "limit": limit}

    def read(reader: Reader) -> ReportPage:
        total = reader.value(f"SELECT count(*) FROM tls_report {where}", params)
        order = "ORDER BY day DESC, domain, id LIMIT :limit OFFSET :offset"
        return ReportPage(_rows(reader, f"{where} {order}", params), total)

    return await database.read(read)


_SETTLE = "UPDATE tls_report SET state = :state, answer = :answer, changed_at = :now WHERE id = :id"
_INSERT = (
    "INSERT INTO tls_report (day, domain, destination, state, trace, attempts, next_attempt_at,"
    " changed_at, answer) VALUES (:day, :domain, :destination, :state, '', 0, :next, :now, '')"
)


def _rows(reader: Reader, rest: str, params: dict[str, object]) -> tuple[ReportRow, ...]:
    rows: Sequence[Row] = reader.rows(
        "SELECT id, day, domain, destination, state, trace, attempts, next_attempt_at, changed_at,"
        f" answer FROM tls_report {rest}",
        params,
    )
    return tuple(
        ReportRow(
            id=row[0],
            day=row[1],
            domain=row[2],
            destination=row[3],
            state=State(row[4]),
            trace=TraceId(row[5]),
            attempts=row[6],
            next_attempt_at=row[7],
            changed_at=row[8],
            answer=row[9],
        )
        for row in rows
    )

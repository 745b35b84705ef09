"""What do the faces show of the queue? Reads only."""

from dataclasses import dataclass
from typing import Literal

from backend.core.ids import AccountId, QueueId, TraceId
from backend.core.status import SmtpStatus
from backend.outbound.asked import ASKED_COLUMNS, asked_of, wish_of
from backend.outbound.content import read_start
from backend.outbound.entries import Detail, Item, LoggedTry, State
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
    " message.release_at, recipient.tls_choice"
)
_FROM = " FROM recipient JOIN message ON message.id = recipient.message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Empty takes all. `text` is looked for in sender, recipient and last answer."""

    state: State | None = None
    account: str = ""
    domain: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`total` counts the rows that match, on all pages; `waiting` and `held` the whole queue; `unconfirmed` is for ever."""

    items: tuple[Item, ...]
    total: int
    waiting: int
    held: int
    unconfirmed: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    waiting: int
    held: int
    sending: int
    failed: int
    unconfirmed: int = 0
    """Sendings after which no answer came, since this queue exists: each may have brought a message twice."""


EVERYTHING = Filter()


async def list_items(
    queue: Queue,
    shown: Filter = EVERYTHING,
    *,
    sort: Sort = "next_attempt_at",
    descending: bool = False,
    offset: int = 0,
    limit: int = 100,
) -> Page:
    where, params = _where(shown)
    direction = "DESC" if descending else "ASC"
    order = f" ORDER BY {_ORDER[sort]} {direction}, recipient.id {direction}"

    def read(reader: Reader) -> Page:
        rows = reader.rows(
            f"SELECT {_COLUMNS}{_FROM}{where}{order} LIMIT :limit OFFSET :offset",
            params | {"limit": limit, "offset": offset},
        )
        counted = _counts(reader)
        return Page(
            items=tuple(_item(row) for row in rows),
            total=reader.value(f"SELECT count(*){_FROM}{where}", params),
            waiting=counted.waiting + counted.sending,
            held=counted.held,
            unconfirmed=counted.unconfirmed,
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
        tries = reader.rows(
            "SELECT at, host, ip, port, tls, succeeded, answer, duration_ms, excerpt, transport, reason, policy FROM attempt"
            " WHERE message = :message AND domain = :domain ORDER BY id",
            {"message": message, "domain": domain},
        )
        return Detail(
            item=_item(row),
            attempts=tuple(_logged(entry) for entry in tries),
            header=read_start(queue.files / file if file else content, octets),
            asked=asked_of(kept),
            wish=wish_of(notify, original),
        )

    return await queue.database.read(read)


async def count_items(queue: Queue) -> Counts:
    return await queue.database.read(_counts)


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
    )


def _where(shown: Filter) -> tuple[str, dict[str, object]]:
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
            "(lower(message.sender) LIKE :text ESCAPE '!' OR lower(recipient.address) LIKE :text ESCAPE '!'"
            " OR lower(recipient.answer_text) LIKE :text ESCAPE '!')"
        )
        quoted = shown.text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
        params["text"] = f"%{quoted}%"
    return f" WHERE {' AND '.join(terms)}", params


def _item(row: Row) -> Item:
    status = SmtpStatus(row[12], row[13], row[14])
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
        last_answer=str(status) if status.code else "",
        transport=row[15],
        transport_reason=row[16],
        override=row[17],
        unconfirmed=row[18],
        release_at=row[19],
        tls_choice=TlsChoice(row[20]),
    )


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

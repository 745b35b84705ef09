"""To which message that left does a report from outside belong, and what follows from it?

Anybody can write such a report, so it is believed only as far as it names what only the servers on the way have seen: a
message that this account sent, still in the history, to that very recipient, by its Message-ID, its envelope id or our own
Received line. Then it counts, and an address that is gone for good is suppressed. A report that merely fits is attached
as a guess and has no effect. Those who got the message could still make such a report about it; what they gain is that this
account sends nothing more to one address that it had written to together with theirs, for some weeks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from backend.core.address import Address
from backend.core.events import TimelineEntry
from backend.core.ids import AccountId, QueueId, TraceId
from backend.message.bounce import MAX_REPORT_OCTETS, Bounce, Kind, ReportedAddress, read_bounce
from backend.observe import log as logs
from backend.outbound.content import read_start
from backend.outbound.history import DAY_S
from backend.outbound.queue import Queue
from backend.runtime.threads import Pool, run_blocking
from backend.store.database import Row, Transaction

log = logs.get(__name__)

MAX_ACCOUNTS = (
    20  # an alias may have many members, but one of them sent the message; a security limit
)
MAX_REPORTS = 20  # kept with one row, a security limit
GUESSED_WITHIN_S = 5 * DAY_S  # as long as other servers try
_ROBOTS = frozenset({"mailer-daemon", "postmaster"})
_TOLD = {
    Kind.FAILED: "could not be delivered",
    Kind.DELAYED: "has not been delivered yet",
    Kind.DELIVERED: "was delivered",
}


@dataclass(frozen=True, slots=True)
class Attached:
    """A report and the row that it belongs to."""

    id: QueueId
    trace: TraceId
    recipient: str
    kind: Kind
    certain: bool
    suppressed: bool


def may_be_report(sender: Address | None) -> bool:
    """Whether it is worth reading: RFC 3464 §2 wants reports without a sender; some servers give themselves as one."""
    return sender is None or sender.localpart.lower() in _ROBOTS


class IncomingBounces:
    def __init__(self, queue: Queue, record: Callable[[TimelineEntry], None]) -> None:
        self._queue = queue
        self._record = record

    async def take(
        self,
        accounts: Sequence[AccountId],
        sender: Address | None,
        content: bytes | Path,
        trace: TraceId,
    ) -> tuple[Attached, ...]:
        """After a message was delivered to these accounts; `trace` is its own."""
        if not may_be_report(sender):
            return ()
        bounce = await run_blocking(Pool.MESSAGE, _read, content)
        if bounce is None:
            return ()
        now = self._queue.now()
        attached: list[Attached] = []
        for account in list(dict.fromkeys(accounts))[:MAX_ACCOUNTS]:
            attach = partial(_attach_all, self._queue, account, bounce, trace, now)
            attached += await self._queue.database.write(attach)
        for each in attached:
            self._tell(each, bounce, trace, now)
        log.info("delivery report came in", trace=trace, attached=len(attached))
        return tuple(attached)

    def _tell(self, each: Attached, bounce: Bounce, trace: TraceId, now: float) -> None:
        who = bounce.reporter or "Another server"
        told = f"{who} reported later: the message to {each.recipient} {_TOLD[each.kind]}"
        if not each.certain:
            told = f"It seems that {told[0].lower()}{told[1:]}"
        if each.suppressed:
            told += "; nothing more is sent there for now"
        kind = "bounced" if each.kind is Kind.FAILED and each.certain else "reported"
        details = {"recipient": each.recipient, "report": str(trace)}
        self._record(TimelineEntry(each.trace, now, kind, told, details))
        self._record(
            TimelineEntry(
                trace,
                now,
                "reported",
                f"It is a report about the message to {each.recipient}, which {_TOLD[each.kind]}",
                {"message": str(each.trace)},
            )
        )


def _read(content: bytes | Path) -> Bounce | None:
    return read_bounce(read_start(content, MAX_REPORT_OCTETS))


def _attach_all(
    queue: Queue, account: AccountId, bounce: Bounce, trace: TraceId, now: float, tx: Transaction
) -> list[Attached]:
    attached: list[Attached] = []
    for reported in bounce.addresses:
        found = _find(tx, account, bounce, reported, now)
        if found is None:
            continue
        row, certain = found
        queue_id, of_trace, recipient, sender, known = row
        if any(each.id == queue_id and each.kind is reported.kind for each in attached):
            continue
        count = tx.value("SELECT count(*) FROM came_back WHERE history = :id", {"id": queue_id})
        if count >= MAX_REPORTS:
            continue
        tx.run(
            "INSERT INTO came_back (history, at, kind, status, text, reporter, trace, certain)"
            " VALUES (:id, :now, :kind, :status, :text, :reporter, :trace, :certain)",
            {
                "id": queue_id,
                "now": now,
                "kind": reported.kind,
                "status": reported.status.enhanced,
                "text": reported.status.text,
                "reporter": bounce.reporter,
                "trace": trace,
                "certain": int(certain),
            },
        )
        # A failure is the last word, and a guess none at all.
        if certain and known != Kind.FAILED:
            tx.run(
                "UPDATE history SET came_back = :kind WHERE id = :id",
                {"id": queue_id, "kind": reported.kind},
            )
        suppressed = False
        if certain and reported.kind is Kind.FAILED and sender:
            suppressed = queue.suppressing.note(tx, account, recipient, reported.status, trace, now)
        attached.append(
            Attached(
                QueueId(queue_id), TraceId(of_trace), recipient, reported.kind, certain, suppressed
            )
        )
    return attached


_COLUMNS = "SELECT id, trace, recipient, sender, came_back FROM history"


def _find(
    tx: Transaction, account: AccountId, bounce: Bounce, reported: ReportedAddress, now: float
) -> tuple[Row, bool] | None:
    """The row and whether that is certain."""
    ids = {
        **{f"id{n}": value for n, value in enumerate(bounce.message_ids)},
        **{f"trace{n}": value for n, value in enumerate(bounce.received_ids)},
    }
    message_ids = ", ".join(f":id{n}" for n in range(len(bounce.message_ids)))
    traces = ", ".join(f":trace{n}" for n in range(len(bounce.received_ids)))
    names = (
        f"(message_id IN ({message_ids}) OR trace IN ({traces})"
        " OR (envelope_id <> '' AND envelope_id = :envelope_id))"
    )
    params: dict[str, object] = {
        "account": account,
        "envelope_id": bounce.envelope_id,
        "since": now - GUESSED_WITHIN_S,
        **ids,
    }
    for address in dict.fromkeys((reported.original, reported.final)):
        if not address:
            continue
        row = tx.row(
            f"{_COLUMNS} WHERE recipient = :address COLLATE NOCASE AND account = :account AND {names}"
            " ORDER BY id DESC LIMIT 1",
            params | {"address": address},
        )
        if row is not None:
            return row, True
    if ids:
        # The recipient may have forwarded it. Where the message went to one alone, it can be no other.
        rows = tx.rows(
            f"{_COLUMNS} WHERE message_id IN ({message_ids}) AND account = :account LIMIT 2", params
        )
        return (rows[0], False) if len(rows) == 1 else None
    row = tx.row(
        f"{_COLUMNS} WHERE recipient = :address COLLATE NOCASE AND account = :account"
        " AND result = 'delivered' AND left_at >= :since ORDER BY left_at DESC LIMIT 1",
        params | {"address": reported.final},
    )
    return None if row is None else (row, False)

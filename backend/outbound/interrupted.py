"""What was being sent when the last process ended, and may it have arrived? Inside the queue's transactions."""

from collections.abc import Collection, Sequence
from itertools import groupby

from backend.core.envelope import Notify
from backend.core.events import TimelineEntry
from backend.core.ids import QueueId, TraceId
from backend.outbound import backoff
from backend.outbound.asked import wants, wish_of
from backend.outbound.inflight import Sent
from backend.store.database import Row, Transaction

STOPPED = "the server was stopped during the attempt"
FAULTY = "a fault of this server ended the attempt"
STOPPED_BEFORE = "the server was stopped before it was sent"
STOPPED_WHILE_SENDING = "it was being sent when the server stopped; it may arrive twice"


def put_back_interrupted(tx: Transaction, sent: Sent | None, now: float) -> list[TimelineEntry]:
    """Everything that was `sending` waits again; what may have arrived is counted and told.

    `sent`: whose content had gone out, in which attempt; None: can't be known, so that each may have.

    An attempt in which nothing was sent is forgiven once, as if it had never been: a kill costs the many that were claimed
    no time. Once, because what ended the process may have been the attempt itself; the next time the written time holds.
    """
    rows = tx.rows(
        "SELECT recipient.id, recipient.attempts, recipient.address, message.trace,"
        " message.sender, recipient.notify, recipient.forgiven"
        " FROM recipient JOIN message ON message.id = recipient.message"
        " WHERE recipient.state = 'sending' ORDER BY message.id, recipient.id"
    )
    doubtful = [row for row in rows if sent is None or (QueueId(row[0]), row[1]) in sent]
    in_doubt = {row[0] for row in doubtful}
    forgiven = [row for row in rows if row[0] not in in_doubt and not row[6]]
    spared = {row[0] for row in forgiven}
    # The attempt counts as a failed one: the sender hears of the delay although nobody could judge it.
    tx.run_many(
        "UPDATE recipient SET notice = 'delayed' WHERE id = :id",
        [{"id": row[0]} for row in rows if row[0] not in spared and _owes_delay(row)],
    )
    tx.run(
        "UPDATE recipient SET state = CASE WHEN hold_rule <> '' THEN 'held' ELSE 'waiting' END,"
        " note = :note WHERE state = 'sending'",
        {"note": STOPPED},
    )
    tx.run_many(
        "UPDATE recipient SET note = :note, forgiven = 1,"
        " attempts = attempts - 1, next_attempt_at = :now,"
        " last_attempt_at = CASE WHEN attempts > 1 THEN last_attempt_at END WHERE id = :id",
        [{"id": row[0], "note": STOPPED_BEFORE, "now": now} for row in forgiven],
    )
    tx.run_many(
        "UPDATE recipient SET note = :note, unconfirmed = unconfirmed + 1 WHERE id = :id",
        [{"id": row[0], "note": STOPPED_WHILE_SENDING} for row in doubtful],
    )
    add_to_tally(tx, "unconfirmed", len(doubtful))
    return [
        TimelineEntry(
            TraceId(trace),
            now,
            "deferred",
            f"It was being sent to {_listed([row[2] for row in group])} when the server stopped; it may arrive twice",
            {"unconfirmed": "yes"},
        )
        for trace, group in (
            (trace, list(grouped)) for trace, grouped in groupby(doubtful, key=lambda row: row[3])
        )
    ]


def put_back_after_fault(
    tx: Transaction, ids: Sequence[QueueId], sent: Collection[QueueId]
) -> None:
    """What an attempt that ended by a fault of our own left `sending` waits for the time that was written before it."""
    for queue_id in ids:
        doubtful = int(queue_id in sent)
        changed = tx.run(
            "UPDATE recipient SET state = 'waiting', note = :note, unconfirmed = unconfirmed + :doubtful"
            " WHERE id = :id AND state = 'sending'",
            {"id": queue_id, "note": FAULTY, "doubtful": doubtful},
        )
        add_to_tally(tx, "unconfirmed", changed * doubtful)


def _owes_delay(row: Row) -> bool:
    _, attempts, _, _, sender, notify, _ = row
    is_due = attempts == backoff.DELAY_NOTICE_AFTER and sender
    return bool(is_due) and wants(wish_of(notify, ""), Notify.DELAY)


def add_to_tally(tx: Transaction, name: str, count: int) -> None:
    """A figure that outlives the messages it counts."""
    if count:
        tx.run(
            "INSERT INTO tally (name, count) VALUES (:name, :count)"
            " ON CONFLICT (name) DO UPDATE SET count = count + :count",
            {"name": name, "count": count},
        )


def _listed(addresses: list[str]) -> str:
    more = len(addresses) - 3
    return ", ".join(addresses[:3]) + (f" and {more} more" if more > 0 else "")

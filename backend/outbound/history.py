"""Leaving the queue: each recipient's row goes over into the history, in the transaction that takes it out, and from there
in time into nothing. `history_listing` reads it.

A row keeps the number that it had in the queue, so that one link finds it before and after. Attempts stay where they are
and go with the last row of their message.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from backend.core.ids import QueueId
from backend.core.status import SmtpStatus
from backend.outbound.entries import MAX_NOTE_CHARS
from backend.store.database import Database, Transaction

PURGED_AT_ONCE = 500  # rows of one transaction, so that nobody waits long for the writer
DAY_S = 24 * 3600.0


class Outcome(StrEnum):
    """How a recipient left."""

    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWord:
    """Of the attempt that ended it, where the row does not say it yet."""

    at: float
    status: SmtpStatus
    remote_mta: str
    transport: str
    reason: str
    unconfirmed: bool = False
    """Whether it may have arrived although no answer came."""


class Leaving:
    """`days` gives how long the history is kept, 0 for not at all; asked each time."""

    def __init__(self, days: Callable[[], int]) -> None:
        self.days = days

    def leave(
        self,
        tx: Transaction,
        queue_id: QueueId,
        outcome: Outcome,
        now: float,
        *,
        by: str = "",
        last: LastWord | None = None,
    ) -> None:
        """`by` names the person who did it, empty for the server itself. The message is swept by the caller."""
        params: dict[str, object] = {"id": queue_id}
        if self.days() > 0:
            tx.run(
                _KEEP_WITH_LAST_WORD if last is not None else _KEEP,
                params | {"now": now, "result": outcome, "by": by} | _last_word(last),
            )
        tx.run("DELETE FROM recipient WHERE id = :id", params)


async def purge(database: Database, days: int, now: float) -> int:
    """Removes what is older than that; how many rows it was."""
    removed = 0
    before = now - days * DAY_S if days > 0 else float("inf")
    while True:
        count = await database.write(lambda tx: _purge_some(tx, before))
        removed += count
        if count < PURGED_AT_ONCE:
            return removed


def _purge_some(tx: Transaction, before: float) -> int:
    rows = tx.rows(
        "SELECT id, message FROM history WHERE left_at < :before ORDER BY left_at, id LIMIT :limit",
        {"before": before, "limit": PURGED_AT_ONCE},
    )
    ids = [{"id": row[0]} for row in rows]
    tx.run_many("DELETE FROM came_back WHERE history = :id", ids)
    tx.run_many("DELETE FROM history WHERE id = :id", ids)
    tx.run_many(
        "DELETE FROM attempt WHERE message = :message"
        " AND NOT EXISTS (SELECT 1 FROM history WHERE message = :message)"
        " AND NOT EXISTS (SELECT 1 FROM recipient WHERE message = :message)",
        [{"message": message} for message in dict.fromkeys(row[1] for row in rows)],
    )
    return len(rows)


def _last_word(last: LastWord | None) -> dict[str, object]:
    if last is None:
        return {}
    return {
        "at": last.at,
        "code": last.status.code,
        "enhanced": last.status.enhanced,
        "text": last.status.text[:MAX_NOTE_CHARS],
        "mta": last.remote_mta,
        "transport": last.transport,
        "reason": last.reason,
        "unconfirmed": int(last.unconfirmed),
    }


def _keep(at: str, transport: str, reason: str, answer: str, unconfirmed: str) -> str:
    return (
        "INSERT INTO history (id, message, trace, account, sender, recipient, domain, subject, message_id,"
        " size_bytes, created_at, last_attempt_at, left_at, attempts, result, acted_by, transport, reason, envelope_id,"
        " answer_code, answer_enhanced, answer_text, remote_mta, unconfirmed)"
        " SELECT recipient.id, message.id, message.trace, message.account, message.sender, recipient.address,"
        " recipient.domain, message.subject, message.message_id, message.size_bytes, message.created_at,"
        f" {at}, :now, recipient.attempts, :result, CASE WHEN :by <> '' THEN :by ELSE recipient.acted_by END,"
        f" {transport}, {reason}, message.envelope_id, {answer}, {unconfirmed}"
        " FROM recipient JOIN message ON message.id = recipient.message WHERE recipient.id = :id"
    )


_KEEP = _keep(
    "recipient.last_attempt_at",
    "recipient.chosen",
    "recipient.chosen_reason",
    "recipient.answer_code, recipient.answer_enhanced, recipient.answer_text, recipient.remote_mta",
    "recipient.unconfirmed",
)
_KEEP_WITH_LAST_WORD = _keep(
    ":at",
    ":transport",
    ":reason",
    ":code, :enhanced, :text, :mta",
    "recipient.unconfirmed + :unconfirmed",
)

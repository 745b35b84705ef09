"""What is written down after an attempt, and when a message is gone: the queue's `settle`, inside its transaction."""

from collections.abc import Sequence
from pathlib import Path

from backend.outbound.entries import (
    MAX_NOTE_CHARS,
    UNCONFIRMED,
    Batch,
    Fate,
    Notice,
    State,
    Verdict,
)
from backend.outbound.history import LastWord, Leaving, Outcome
from backend.outbound.interrupted import add_to_tally
from backend.outbound.route import Choice
from backend.outbound.suppressions import Suppressing
from backend.outbound.transport import Try
from backend.runtime import tasks
from backend.runtime.threads import Pool, run_blocking
from backend.store.database import Transaction

MAX_LOGGED_TRIES = 200  # of one message to one domain, a security limit


_STATES = {
    Verdict.DONE: State.DONE,
    Verdict.RETRY: State.WAITING,
    Verdict.FAIL: State.FAILED,
}


def settle(
    tx: Transaction,
    files: Path,
    leaving: Leaving,
    suppressing: Suppressing,
    batch: Batch,
    fates: Sequence[Fate],
    tries: Sequence[Try],
    started_at: float,
    now: float,
    choice: Choice | None,
) -> None:
    name = choice.transport if choice is not None else ""
    reason = choice.reason[:MAX_NOTE_CHARS] if choice is not None else ""
    for domain in batch.domains:
        _log_tries(tx, batch, domain, tries, started_at, name, reason)
    add_to_tally(tx, "unconfirmed", sum(fate.result.unconfirmed for fate in fates))
    for fate in fates:
        notice = fate.notice if batch.outgoing.sender is not None else Notice.NONE
        result = fate.result
        # What we found ourselves (in the DNS, in a transport's settings) may have other causes than the address.
        if fate.verdict is Verdict.FAIL and result.remote_mta and batch.outgoing.sender is not None:
            trace = batch.outgoing.trace
            suppressing.note(tx, batch.account, result.recipient, result.status, trace, now)
        if fate.verdict is not Verdict.RETRY and notice is Notice.NONE:
            last = LastWord(
                at=started_at,
                status=fate.result.status,
                remote_mta=fate.result.remote_mta,
                transport=name,
                reason=reason,
                unconfirmed=fate.result.unconfirmed,
            )
            done = fate.verdict is Verdict.DONE
            outcome = Outcome.DELIVERED if done else Outcome.FAILED
            leaving.leave(tx, fate.id, outcome, now, last=last)
            continue
        status = fate.result.status
        tx.run(
            # What a hold rule wants is held as soon as its attempt has failed.
            "UPDATE recipient SET state = CASE WHEN :state = 'waiting' AND hold_rule <> ''"
            " THEN 'held' ELSE :state END, note = CASE WHEN :state = 'waiting' AND hold_rule <> ''"
            " THEN note ELSE :note END, last_attempt_at = :at, chosen = :chosen,"
            " chosen_reason = :reason, answer_code = :code,"
            " answer_enhanced = :enhanced, answer_text = :text, remote_mta = :mta,"
            " unconfirmed = unconfirmed + :unconfirmed, forgiven = 0,"
            " notice = CASE WHEN :notice <> '' THEN :notice ELSE notice END"
            " WHERE id = :id",
            {
                "id": fate.id,
                "state": _STATES[fate.verdict],
                "at": started_at,
                "chosen": name,
                "reason": reason,
                "note": _note_of(fate, batch),
                "code": status.code,
                "enhanced": status.enhanced,
                "text": status.text[:MAX_NOTE_CHARS],
                "mta": fate.result.remote_mta,
                "unconfirmed": int(fate.result.unconfirmed),
                "notice": notice,
            },
        )
    sweep(tx, files, batch.message)


def sweep(tx: Transaction, files: Path, message: int) -> None:
    """Removes a message that has no recipient left, and its file after the commit."""
    params = {"message": message}
    row = tx.row(
        "SELECT file FROM message WHERE id = :message AND NOT EXISTS"
        " (SELECT 1 FROM recipient WHERE message = :message)",
        params,
    )
    if row is None:
        return
    tx.run(
        "DELETE FROM attempt WHERE message = :message"
        " AND NOT EXISTS (SELECT 1 FROM history WHERE message = :message)",
        params,
    )
    tx.run("DELETE FROM message WHERE id = :message", params)
    if row[0]:
        path = files / row[0]

        def remove() -> None:
            tasks.spawn(_unlink(path), "queue file removal")

        tx.after_commit(remove)


def _log_tries(
    tx: Transaction,
    batch: Batch,
    domain: str,
    tries: Sequence[Try],
    started_at: float,
    transport: str,
    reason: str,
) -> None:
    params = {"message": batch.message, "domain": domain}
    tx.run_many(
        "INSERT INTO attempt (message, domain, at, host, ip, port, tls, succeeded, answer,"
        " duration_ms, excerpt, transport, reason, policy) VALUES (:message, :domain, :at, :host, :ip,"
        " :port, :tls, :succeeded, :answer, :duration_ms, :excerpt, :transport, :reason, :policy)",
        [
            params
            | {
                "at": started_at,
                "host": entry.host,
                "ip": entry.ip,
                "port": entry.port,
                "tls": entry.tls,
                "succeeded": int(entry.succeeded),
                "answer": entry.answer[:MAX_NOTE_CHARS],
                "duration_ms": entry.duration_ms,
                "excerpt": entry.excerpt,
                "transport": transport,
                "reason": reason,
                "policy": entry.policy[:MAX_NOTE_CHARS],
            }
            for entry in tries
        ],
    )
    tx.run(
        "DELETE FROM attempt WHERE message = :message AND domain = :domain AND id NOT IN"
        " (SELECT id FROM attempt WHERE message = :message AND domain = :domain"
        " ORDER BY id DESC LIMIT :limit)",
        params | {"limit": MAX_LOGGED_TRIES},
    )


def _note_of(fate: Fate, batch: Batch) -> str:
    text = fate.result.status.text.replace("\n", " ")
    said = (
        f"{fate.result.remote_mta} said: {fate.result.status}" if fate.result.remote_mta else text
    )
    if fate.verdict is not Verdict.RETRY:
        return said[:MAX_NOTE_CHARS]
    more = f"; {fate.result.another_way}" if fate.result.another_way else ""
    more += f"; {UNCONFIRMED}" if fate.result.unconfirmed else ""
    return f"attempt {batch.attempts} of {batch.max_attempts} failed: {said[: MAX_NOTE_CHARS - 200]}{more}"


async def _unlink(path: Path) -> None:
    await run_blocking(Pool.FILES, path.unlink, missing_ok=True)

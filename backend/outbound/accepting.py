"""How an accepted message is put into the queue's tables, and what the queue finds there when the server starts."""

from pathlib import Path

from backend.core.address import Address
from backend.core.envelope import NO_WISH, Wish
from backend.core.ids import QueueId
from backend.outbound.asked import asked_values, release_at, wish_values
from backend.outbound.backoff import MAX_ATTEMPTS
from backend.outbound.entries import FROM_PRACTICE_NOTE, PRACTICE_NOTE, NewEntry, State
from backend.store.database import Transaction
from backend.store.values import Target


def recover(tx: Transaction, *, practice_mode: bool) -> set[str]:
    """Takes up what an earlier process left; the files that are in use."""
    if practice_mode:
        tx.run("UPDATE recipient SET note = :note WHERE state = 'waiting'", {"note": PRACTICE_NOTE})
    else:
        # Nobody expects that what was written for practice leaves when practice is over.
        tx.run(
            "UPDATE recipient SET state = 'held', note = :note WHERE state = 'waiting'"
            " AND message IN (SELECT id FROM message WHERE practice = 1)",
            {"note": FROM_PRACTICE_NOTE},
        )
        tx.run("UPDATE message SET practice = 0 WHERE practice = 1")
        tx.run("UPDATE recipient SET note = '' WHERE note = :note", {"note": PRACTICE_NOTE})
    tx.run("DELETE FROM message WHERE id NOT IN (SELECT message FROM recipient)")
    tx.run(
        "DELETE FROM attempt WHERE message NOT IN (SELECT message FROM recipient)"
        " AND message NOT IN (SELECT message FROM history)"
    )
    return {name for (name,) in tx.rows("SELECT file FROM message WHERE file <> ''")}


def insert_message(tx: Transaction, entry: NewEntry, now: float, *, practice_mode: bool) -> int:
    in_file = isinstance(entry.content, Path)
    return tx.insert(
        "INSERT INTO message (trace, account, sender, body, smtputf8, size_bytes, header_bytes,"
        " message_id, subject, created_at, practice, file, content, release_at, ret, envelope_id, require_tls,"
        " tls_optional, future_release) VALUES (:trace, :account, :sender, :body, :smtputf8,"
        " :size_bytes, :header_bytes, :message_id, :subject, :now, :practice, :file, :content, :release_at,"
        " :ret, :envelope_id, :require_tls, :tls_optional, :future_release)",
        {
            "trace": entry.trace,
            "account": entry.account,
            "sender": str(entry.sender) if entry.sender is not None else "",
            "body": entry.body,
            "smtputf8": int(entry.smtputf8),
            "size_bytes": entry.size_bytes,
            "header_bytes": entry.header_bytes,
            "message_id": entry.message_id,
            "subject": entry.subject,
            "now": now,
            "practice": int(practice_mode),
            "file": entry.content.name if isinstance(entry.content, Path) else "",
            "content": None if in_file else entry.content,
            "release_at": release_at(entry.asked, now),
        }
        | asked_values(entry.asked),
    )


def insert_remote(
    tx: Transaction,
    message: int,
    address: Address,
    due_at: float,
    *,
    practice_mode: bool,
    wish: Wish = NO_WISH,
    max_attempts: int = MAX_ATTEMPTS,
) -> QueueId:
    row = _new_row(message, address, State.WAITING, due_at, wish)
    row["max_attempts"] = max_attempts
    if practice_mode:
        row["note"] = PRACTICE_NOTE
    return QueueId(tx.insert(_INSERT_RECIPIENT, row))


def insert_local(
    tx: Transaction,
    message: int,
    address: Address,
    target: Target,
    due_at: float,
    *,
    wish: Wish = NO_WISH,
) -> None:
    """For one who delivers it at once; the queue does if that one has not by `due_at`."""
    row = _new_row(message, address, State.LOCAL, due_at, wish)
    row |= {"local_account": target.account, "local_mailbox": target.mailbox}
    tx.insert(_INSERT_RECIPIENT, row)


_INSERT_RECIPIENT = (
    "INSERT INTO recipient (message, address, domain, state, attempts, next_attempt_at, chosen,"
    " chosen_reason, note, answer_code, answer_enhanced, answer_text, remote_mta, notice,"
    " local_account, local_mailbox, notify, original, max_attempts) VALUES (:message, :address, :domain, :state,"
    " 0, :due_at, '', '', :note, 0, '', '', '', '', :local_account, :local_mailbox, :notify,"
    " :original, :max_attempts)"
)


def _new_row(
    message: int, address: Address, state: State, due_at: float, wish: Wish
) -> dict[str, object]:
    return {
        "message": message,
        "address": str(address),
        "domain": address.domain_text,
        "state": state,
        "due_at": due_at,
        "max_attempts": MAX_ATTEMPTS,
        "note": "",
        "local_account": "",
        "local_mailbox": "",
        **wish_values(wish),
    }

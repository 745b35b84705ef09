"""How an accepted message is put into the queue's tables, and what the queue finds there when the server starts."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from backend.core.address import Address
from backend.core.envelope import NO_WISH, Notify, Wish
from backend.core.ids import AccountId, QueueId
from backend.outbound.asked import asked_values, release_at, wants, wish_values
from backend.outbound.backoff import MAX_ATTEMPTS
from backend.outbound.entries import (
    FROM_PRACTICE_NOTE,
    MAX_NOTE_CHARS,
    PRACTICE_NOTE,
    NewEntry,
    Notice,
    State,
)
from backend.outbound.history import Leaving, Outcome
from backend.outbound.suppressions import Suppression, refusal
from backend.store.database import Transaction
from backend.store.values import Target

RuleFor = Callable[[AccountId, str, str], tuple[str, str] | None]
"""The name of the rule that holds mail of that account, from and to those domains, and what the row says of it."""


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


def hold_new(
    tx: Transaction,
    ids: Sequence[QueueId],
    addresses: Sequence[Address],
    entry: NewEntry,
    rule_for: RuleFor,
) -> tuple[tuple[Address, str], ...]:
    """Holds those among the new rows that a rule wants; with what the rows say of it."""
    sender = entry.sender.domain.ascii if entry.sender is not None else ""
    found: dict[str, tuple[str, str] | None] = {}
    held: list[tuple[Address, str]] = []
    for i, address in zip(ids, addresses, strict=True):
        domain = "" if address.literal else address.domain.ascii
        if domain not in found:
            found[domain] = rule_for(entry.account, sender, domain)
        if (rule := found[domain]) is None:
            continue
        tx.run(
            "UPDATE recipient SET state = 'held', hold_rule = :rule, note = :note WHERE id = :id",
            {"id": i, "rule": rule[0], "note": rule[1]},
        )
        held.append((address, rule[1]))
    return tuple(held)


def refuse_suppressed(
    tx: Transaction,
    message: int,
    stopped: Mapping[Address, Suppression],
    entry: NewEntry,
    leaving: Leaving,
    now: float,
) -> tuple[QueueId, ...]:
    """Rows that have failed from the start, so that their sender hears of it as of any other failure."""
    ids = []
    for address, found in stopped.items():
        wish = entry.wishes.get(address, NO_WISH)
        row = _new_row(message, address, State.FAILED, now, wish)
        i = QueueId(tx.insert(_INSERT_RECIPIENT, row))
        owed = entry.sender is not None and wants(wish, Notify.FAILURE)
        status = refusal(found, address)
        tx.run(
            "UPDATE recipient SET answer_code = :code, answer_enhanced = :enhanced, answer_text = :text,"
            " note = :text, notice = :notice WHERE id = :id",
            {
                "id": i,
                "code": status.code,
                "enhanced": status.enhanced,
                "text": status.text[:MAX_NOTE_CHARS],
                "notice": Notice.FAILED if owed else Notice.NONE,
            },
        )
        if not owed:
            leaving.leave(tx, i, Outcome.FAILED, now)
        ids.append(i)
    return tuple(ids)


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

"""Mailboxes of an account: names, creation, renaming, deletion, subscription, special use."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.core.errors import ConflictError, NotFoundError, UserError
from backend.core.ids import MailboxId, ModSeq, Uid
from backend.core.mailbox_name import INBOX, SEPARATOR, normal_mailbox_name
from backend.core.problems import Problem
from backend.store.database import Reader, Row, Transaction
from backend.store.values import Mailbox

MAX_MAILBOXES = 5000  # of one account, a security limit
MAX_SUBSCRIPTIONS = 10_000  # of one account, a security limit
NEW_ACCOUNT = (
    (INBOX, ""),
    ("Drafts", "\\Drafts"),
    ("Sent", "\\Sent"),
    ("Junk", "\\Junk"),
    ("Trash", "\\Trash"),
    ("Archive", "\\Archive"),
)
SPECIAL_USES = frozenset({r"\Archive", r"\Drafts", r"\Flagged", r"\Junk", r"\Sent", r"\Trash"})


COLUMNS = """m.id, m.name, m.uidvalidity, m.uidnext, m.highestmodseq, m.messages, m.unseen, m.deleted, m.size_bytes,
             m.special_use, EXISTS (SELECT 1 FROM subscription s WHERE s.name = m.name) AS subscribed,
             (SELECT a.epoch FROM account a) AS epoch"""


# RFC 8474 §5: the same for all copies of a message.
EMAIL_ID_SQL = "printf('M%x-%d', (SELECT epoch FROM account), m.content_id)"


def from_row(row: Row) -> Mailbox:
    return Mailbox(
        id=MailboxId(row[0]),
        name=row[1],
        uidvalidity=row[2],
        uidnext=Uid(row[3]),
        highestmodseq=ModSeq(row[4]),
        messages=row[5],
        unseen=row[6],
        deleted=row[7],
        size_bytes=row[8],
        special_use=row[9],
        subscribed=bool(row[10]),
        mailboxid=f"F{row[11]:x}-{row[0]}",
    )


def normal_name(name: str) -> str:
    """A name as it is stored: NFC, `INBOX` in capitals also as the first part of others.

    Raises:
        UserError: it can't be a mailbox's name; the text says why.
    """
    try:
        return normal_mailbox_name(name)
    except ValueError as error:
        raise UserError(_problem("mailbox.name", str(error))) from error


def all_of(reader: Reader) -> list[Mailbox]:
    return [from_row(row) for row in reader.rows(f"SELECT {COLUMNS} FROM mailbox m ORDER BY m.id")]


def get(reader: Reader, mailbox: MailboxId) -> Mailbox:
    """Raises:
    NotFoundError: it was deleted.
    """
    row = reader.row(f"SELECT {COLUMNS} FROM mailbox m WHERE m.id = :id", {"id": mailbox})
    if row is None:
        raise gone()
    return from_row(row)


def find(reader: Reader, name: str) -> Mailbox | None:
    """`name` as `normal_name` gives it."""
    row = reader.row(f"SELECT {COLUMNS} FROM mailbox m WHERE m.name = :name", {"name": name})
    return None if row is None else from_row(row)


def set_up_account(transaction: Transaction, now: float) -> None:
    """The first rows of a new account."""
    transaction.run(
        """INSERT INTO account (id, epoch, modseq, next_mailbox, next_content, next_uidvalidity, messages, size_bytes)
           VALUES (1, :now, 1, 1, 1, :now, 0, 0)""",
        {"now": int(now)},
    )
    for name, special_use in NEW_ACCOUNT:
        _insert(transaction, name, special_use)
        transaction.run("INSERT INTO subscription (name) VALUES (:name)", {"name": name})


def create(transaction: Transaction, name: str, special_use: str) -> list[Mailbox]:
    """The mailbox and those of its superiors that were missing, superiors first.

    Raises:
        ConflictError: it exists. UserError: the name can't be.
    """
    name = normal_name(name)
    if find(transaction, name) is not None:
        raise ConflictError(_problem("mailbox.exists", f"There is a mailbox “{name}” already."))
    if special_use and special_use not in SPECIAL_USES:
        raise UserError(
            _problem("mailbox.special-use", f"“{special_use}” is no known special use.")
        )
    created = _with_superiors(transaction, name)
    transaction.run(
        "UPDATE mailbox SET special_use = :use WHERE id = :id",
        {"use": special_use, "id": created[-1]},
    )
    return [get(transaction, mailbox) for mailbox in created]


def _with_superiors(transaction: Transaction, name: str) -> list[MailboxId]:
    # RFC 9051 §6.3.4: superior names are created as needed.
    parts = name.split(SEPARATOR)
    created = []
    for depth in range(1, len(parts) + 1):
        partial = SEPARATOR.join(parts[:depth])
        if find(transaction, partial) is None:
            created.append(_insert(transaction, partial, ""))
    return created


def _insert(transaction: Transaction, name: str, special_use: str) -> MailboxId:
    if transaction.value("SELECT COUNT(*) FROM mailbox") >= MAX_MAILBOXES:
        raise UserError(
            _problem("mailbox.limit", f"An account may have {MAX_MAILBOXES} mailboxes.")
        )
    row = transaction.row(
        """UPDATE account SET next_mailbox = next_mailbox + 1, next_uidvalidity = next_uidvalidity + 1, modseq = modseq + 1
           RETURNING next_mailbox - 1, next_uidvalidity - 1, modseq"""
    )
    assert row is not None  # written with the database's first transaction
    transaction.run(
        """INSERT INTO mailbox (id, name, uidvalidity, uidnext, highestmodseq, messages, unseen, deleted, size_bytes, special_use)
           VALUES (:id, :name, :uidvalidity, 1, :modseq, 0, 0, 0, 0, :special_use)""",
        {
            "id": row[0],
            "name": name,
            "uidvalidity": row[1],
            "modseq": row[2],
            "special_use": special_use,
        },
    )
    return MailboxId(row[0])


def deletable(transaction: Transaction, name: str) -> Mailbox:
    """Raises:
    NotFoundError: no such mailbox. UserError: it is INBOX.
    """
    name = normal_name(name)
    mailbox = find(transaction, name)
    if mailbox is None:
        raise gone(name)
    if name == INBOX:
        raise UserError(_problem("mailbox.inbox", "INBOX can't be deleted."))
    return mailbox


@dataclass(frozen=True, slots=True)
class Renamed:
    """`renamed`: old names and what they became; `created`: superiors that were missing."""

    renamed: list[tuple[str, Mailbox]]
    created: list[Mailbox]


def rename(transaction: Transaction, old: str, new: str) -> Renamed:
    """Also renames what lies below. INBOX is for the caller: its messages move instead (RFC 9051 §6.3.6).

    Raises:
        NotFoundError, ConflictError, UserError.
    """
    old, new = normal_name(old), normal_name(new)
    if find(transaction, old) is None:
        raise gone(old)
    if find(transaction, new) is not None:
        raise ConflictError(_problem("mailbox.exists", f"There is a mailbox “{new}” already."))
    if new.startswith(old + SEPARATOR):
        raise UserError(_problem("mailbox.name", "A mailbox can't be moved below itself."))
    superior = new.rpartition(SEPARATOR)[0]
    created = _with_superiors(transaction, superior) if superior else []
    below = transaction.rows(
        "SELECT id, name FROM mailbox WHERE name = :old OR substr(name, 1, :length) = :below ORDER BY name",
        {"old": old, "below": old + SEPARATOR, "length": len(old) + 1},
    )
    moved: list[tuple[str, MailboxId]] = []
    for number, name in below:
        target = normal_name(new + name[len(old) :])
        if find(transaction, target) is not None:
            raise ConflictError(
                _problem("mailbox.exists", f"There is a mailbox “{target}” already.")
            )
        transaction.run(
            "UPDATE mailbox SET name = :name WHERE id = :id", {"name": target, "id": number}
        )
        moved.append((name, number))
    transaction.run("UPDATE account SET modseq = modseq + 1")
    return Renamed(
        [(name, get(transaction, number)) for name, number in moved],
        [get(transaction, number) for number in created],
    )


def subscribe(transaction: Transaction, name: str, *, subscribed: bool) -> str:
    """The name as it is stored. It need not be a mailbox's."""
    name = normal_name(name)
    if subscribed:
        if transaction.value("SELECT COUNT(*) FROM subscription") >= MAX_SUBSCRIPTIONS:
            raise UserError(_problem("mailbox.limit", "There are too many subscriptions."))
        transaction.run(
            "INSERT INTO subscription (name) VALUES (:name) ON CONFLICT DO NOTHING", {"name": name}
        )
    else:
        transaction.run("DELETE FROM subscription WHERE name = :name", {"name": name})
    return name


def subscriptions(reader: Reader) -> Iterable[str]:
    return (name for (name,) in reader.rows("SELECT name FROM subscription ORDER BY name"))


def gone(name: str = "") -> NotFoundError:
    which = f"There is no mailbox “{name}”." if name else "The mailbox does not exist any more."
    return NotFoundError(_problem("mailbox.missing", which))


def no_message() -> NotFoundError:
    return NotFoundError(_problem("message.missing", "The message does not exist any more."))


def _problem(code: str, message: str) -> Problem:
    return Problem(code=code, message=message)

"""Messages of an account: added, copied, moved, expunged. Assigns UIDs and modseqs and keeps the counters.

Each function runs inside one transaction. A content (the bytes and what was computed from them) is shared by copies and
goes when the last message that refers to it goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.core.errors import TemporaryError
from backend.core.ids import MailboxId, ModSeq, Uid
from backend.core.status import MAILBOX_FULL
from backend.core.uidset import UidSet
from backend.store import flags, mailboxes
from backend.store.database import Reader, Transaction
from backend.store.ranges import from_json, runs_json
from backend.store.values import CopyResult, Mailbox

MAX_EXPUNGED_RUNS = 20_000  # notes of what was expunged from one mailbox
KEEP_UIDS_AFTER = 5000  # messages that were read to find the UIDs of a mailbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A new message with all that is stored of it. `data` None: it is the file `blob`."""

    size: int
    header_size: int
    header: bytes
    data: bytes | None
    blob: str | None
    envelope: bytes
    body: bytes
    bodystructure: bytes
    preview: str
    subject: str
    from_: str
    to: str
    cc: str
    bcc: str
    message_id: str
    sent_at: float | None
    sent_day: int | None
    received_at: float
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Added:
    mailbox: Mailbox
    uids: tuple[Uid, ...]
    modseq: ModSeq


@dataclass(frozen=True, slots=True)
class Removed:
    """`blobs`: files that may have lost their last reference."""

    mailbox: Mailbox
    uids: UidSet
    modseq: ModSeq
    blobs: tuple[str, ...]


_MESSAGE = """INSERT INTO message (mailbox_id, uid, content_id, modseq, flags, keywords, flags_wire, received_at, saved_at, size_bytes)
              VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_CONTENT = """INSERT INTO content (id, refs, size_bytes, header_size, blob, subject, from_, to_, cc, bcc, message_id, sent_at, sent_day)
              VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_DIGEST = (
    "INSERT INTO digest (content_id, envelope, body, bodystructure, preview) VALUES (?, ?, ?, ?, ?)"
)
_HEADER = "INSERT INTO header (content_id, data) VALUES (?, ?)"
_BODY = "INSERT INTO body (content_id, data) VALUES (?, ?)"


def add(
    transaction: Transaction,
    mailbox: MailboxId,
    new: Sequence[Prepared],
    now: float,
    quota_bytes: int | None,
) -> Added:
    """Raises:
    TemporaryError: over quota. NotFoundError: no such mailbox.
    """
    count, size = len(new), sum(message.size for message in new)
    row = _grow(transaction, count, size, quota_bytes, contents=count)
    modseq, next_content = ModSeq(row[0]), row[1]
    masks: list[tuple[int, str, bytes]] = []
    known: dict[frozenset[str], tuple[int, str, bytes]] = {}
    for message in new:
        if message.flags not in known:
            mask, names = flags.split(message.flags)
            ids = flags.keyword_ids(transaction, mailbox, names) if names else ()
            known[message.flags] = (mask, flags.to_text(ids), flags.wire(transaction, mask, ids))
        masks.append(known[message.flags])
    result = _count(
        transaction,
        mailbox,
        modseq,
        count,
        sum(not mask & flags.SEEN for mask, _, _ in masks),
        sum(bool(mask & flags.DELETED) for mask, _, _ in masks),
        size,
    )
    first = result.uidnext - count
    content = next_content - count
    run_many = transaction.run_many
    numbered = list(enumerate(zip(new, masks, strict=True)))
    run_many(
        _CONTENT,
        [
            (
                content + i,
                m.size,
                m.header_size,
                m.blob,
                m.subject,
                m.from_,
                m.to,
                m.cc,
                m.bcc,
                m.message_id,
                m.sent_at,
                m.sent_day,
            )
            for i, (m, _) in numbered
        ],
    )
    run_many(
        _DIGEST,
        [(content + i, m.envelope, m.body, m.bodystructure, m.preview) for i, (m, _) in numbered],
    )
    run_many(_HEADER, [(content + i, m.header) for i, (m, _) in numbered])
    run_many(_BODY, [(content + i, m.data) for i, (m, _) in numbered if m.data is not None])
    run_many(
        _MESSAGE,
        [
            (
                mailbox,
                first + i,
                content + i,
                modseq,
                mask,
                keywords,
                flags_wire,
                m.received_at,
                now,
                m.size,
            )
            for i, (m, (mask, keywords, flags_wire)) in numbered
        ],
    )
    return Added(result, tuple(Uid(first + i) for i in range(count)), modseq)


def _grow(
    transaction: Transaction, count: int, size: int, quota_bytes: int | None, *, contents: int = 0
) -> tuple[int, int]:
    """Counts into the account; (modseq, next content after these)."""
    row = transaction.row(
        """UPDATE account SET modseq = modseq + 1, next_content = next_content + :contents,
           messages = messages + :count, size_bytes = size_bytes + :size
           RETURNING modseq, next_content, size_bytes""",
        {"contents": contents, "count": count, "size": size},
    )
    assert row is not None  # written with the database's first transaction
    if quota_bytes is not None and size > 0 and row[2] > quota_bytes:
        raise TemporaryError(MAILBOX_FULL)
    return row[0], row[1]


def _count(
    transaction: Transaction,
    mailbox: MailboxId,
    modseq: ModSeq,
    count: int,
    unseen: int,
    deleted: int,
    size: int,
) -> Mailbox:
    """Counts into the mailbox; UIDs are assigned for a positive `count`."""
    row = transaction.row(
        f"""UPDATE mailbox SET uidnext = uidnext + MAX(:count, 0), highestmodseq = :modseq, messages = messages + :count,
            unseen = unseen + :unseen, deleted = deleted + :deleted, size_bytes = size_bytes + :size
            WHERE id = :mailbox RETURNING {_RETURNED}""",
        {
            "count": count,
            "modseq": modseq,
            "unseen": unseen,
            "deleted": deleted,
            "size": size,
            "mailbox": mailbox,
        },
    )
    if row is None:
        raise mailboxes.gone()
    return mailboxes.from_row(row)


_RETURNED = mailboxes.COLUMNS.replace("m.", "").replace("s.name = name", "s.name = mailbox.name")


@dataclass(frozen=True, slots=True)
class Copied:
    result: CopyResult
    added: Added | None
    removed: Removed | None


def copy(
    transaction: Transaction,
    source: MailboxId,
    uids: UidSet,
    target: MailboxId,
    now: float,
    quota_bytes: int | None,
    *,
    move: bool,
) -> Copied:
    """Those of `uids` that exist. Bodies are never copied.

    Raises:
        TemporaryError: over quota. NotFoundError: no such mailbox.
    """
    mailboxes.get(transaction, source)
    into = mailboxes.get(transaction, target)
    rows = transaction.rows(
        """SELECT m.uid, m.content_id, m.flags, m.keywords, m.flags_wire, m.received_at, m.size_bytes
           FROM json_each(:runs) r CROSS JOIN message m ON m.mailbox_id = :mailbox
           AND m.uid BETWEEN json_extract(r.value, '$[0]') AND json_extract(r.value, '$[1]')""",
        {"runs": runs_json(uids), "mailbox": source},
    )
    if not rows:
        return Copied(CopyResult(into.uidvalidity, (), (), ModSeq(0)), None, None)
    count, size = len(rows), sum(row[6] for row in rows)
    unseen = sum(not row[2] & flags.SEEN for row in rows)
    deleted = sum(bool(row[2] & flags.DELETED) for row in rows)
    if move:
        modseq = ModSeq(_grow(transaction, 0, 0, None)[0])
    else:
        modseq = ModSeq(_grow(transaction, count, size, quota_bytes)[0])
    source_uids = tuple(Uid(row[0]) for row in rows)
    removed = None
    if move:
        removed_uids = UidSet.from_iterable(source_uids)
        _delete_rows(transaction, source, removed_uids, modseq)
        left = _count(transaction, source, modseq, -count, -unseen, -deleted, -size)
        removed = Removed(left, removed_uids, modseq, ())
    else:
        transaction.run_many(
            "UPDATE content SET refs = refs + 1 WHERE id = ?", [(row[1],) for row in rows]
        )
    result = _count(transaction, target, modseq, count, unseen, deleted, size)
    if removed is not None and source == target:
        removed = Removed(result, removed.uids, modseq, ())
    first = result.uidnext - count
    transaction.run_many(
        _MESSAGE,
        [
            (target, first + i, row[1], modseq, row[2], row[3], row[4], row[5], now, row[6])
            for i, row in enumerate(rows)
        ],
    )
    used = {number for keywords in {row[3] for row in rows} for number in flags.to_ids(keywords)}
    flags.note_used(transaction, target, used)
    target_uids = tuple(Uid(first + i) for i in range(count))
    return Copied(
        CopyResult(result.uidvalidity, source_uids, target_uids, modseq),
        Added(result, target_uids, modseq),
        removed,
    )


def expunge(transaction: Transaction, mailbox: MailboxId, uids: UidSet | None) -> Removed | None:
    r"""Removes those of `uids` (None: of all) that are marked `\Deleted`; None if there are none."""
    if not mailboxes.get(transaction, mailbox).deleted:
        return None
    rows = transaction.rows(
        """SELECT uid, content_id, flags, size_bytes FROM message
           WHERE mailbox_id = :mailbox AND (flags & 8) != 0 ORDER BY uid""",
        {"mailbox": mailbox},
    )
    rows = rows if uids is None else [row for row in rows if row[0] in uids]
    if not rows:
        return None
    return _remove(transaction, mailbox, rows)


def _remove(
    transaction: Transaction, mailbox: MailboxId, rows: Sequence[tuple[int, int, int, int]]
) -> Removed:
    count, size = len(rows), sum(row[3] for row in rows)
    modseq = ModSeq(_grow(transaction, -count, -size, None)[0])
    uids = UidSet.from_iterable(row[0] for row in rows)
    _delete_rows(transaction, mailbox, uids, modseq)
    blobs = release_contents(transaction, [row[1] for row in rows])
    result = _count(
        transaction,
        mailbox,
        modseq,
        -count,
        -sum(not row[2] & flags.SEEN for row in rows),
        -sum(bool(row[2] & flags.DELETED) for row in rows),
        -size,
    )
    return Removed(result, uids, modseq, blobs)


def _delete_rows(
    transaction: Transaction, mailbox: MailboxId, uids: UidSet, modseq: ModSeq
) -> None:
    runs = list(uids.runs())
    transaction.run_many(
        "DELETE FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ?",
        [(mailbox, first, last) for first, last in runs],
    )
    transaction.run_many(
        "INSERT INTO expunged (mailbox_id, modseq, first_uid, last_uid) VALUES (?, ?, ?, ?)",
        [(mailbox, modseq, first, last) for first, last in runs],
    )


def release_contents(transaction: Transaction, contents: Sequence[int]) -> tuple[str, ...]:
    """One reference less for each; what nothing refers to goes. The files that went with it."""
    transaction.run_many(
        "UPDATE content SET refs = refs - 1 WHERE id = ?", [(number,) for number in contents]
    )
    dead = transaction.rows(
        "SELECT id, blob FROM content WHERE refs <= 0 AND id IN (SELECT value FROM json_each(:ids))",
        {"ids": f"[{','.join(map(str, contents))}]"},
    )
    ids = f"[{','.join(str(number) for number, _ in dead)}]"
    for table, column in (
        ("body", "content_id"),
        ("header", "content_id"),
        ("digest", "content_id"),
        ("content", "id"),
    ):
        transaction.run(
            f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(:ids))",
            {"ids": ids},
        )
    return tuple({blob for _, blob in dead if blob is not None})


def delete_mailbox(transaction: Transaction, mailbox: Mailbox) -> tuple[str, ...]:
    """The mailbox and all in it; the files that may have lost their last reference."""
    rows = transaction.rows(
        "SELECT content_id, size_bytes FROM message WHERE mailbox_id = :id", {"id": mailbox.id}
    )
    _grow(transaction, -len(rows), -sum(size for _, size in rows), None)
    blobs = release_contents(transaction, [number for number, _ in rows])
    for table in ("message", "expunged", "mailbox_keyword", "mailbox_uids"):
        transaction.run(f"DELETE FROM {table} WHERE mailbox_id = :id", {"id": mailbox.id})
    transaction.run("DELETE FROM mailbox WHERE id = :id", {"id": mailbox.id})
    return blobs


def vanished(reader: Reader, mailbox: MailboxId, since_modseq: int) -> UidSet:
    """What was expunged after a modseq. From long ago it is all that is not there (RFC 7162 §3.2.5.2 allows it)."""
    row = reader.row("SELECT uidnext, expunged_floor FROM mailbox WHERE id = :id", {"id": mailbox})
    if row is None:
        raise mailboxes.gone()
    if since_modseq < row[1]:
        there = reader.rows("SELECT uid FROM message WHERE mailbox_id = :id", {"id": mailbox})
        if row[0] == 1:
            return UidSet()
        return UidSet([(1, row[0] - 1)]) - UidSet.from_iterable(uid for (uid,) in there)
    return _expunged_after(reader, mailbox, since_modseq)


def _expunged_after(reader: Reader, mailbox: MailboxId, modseq: int) -> UidSet:
    return UidSet(
        (first, last)
        for first, last in reader.rows(
            "SELECT first_uid, last_uid FROM expunged WHERE mailbox_id = :mailbox AND modseq > :modseq",
            {"mailbox": mailbox, "modseq": modseq},
        )
    )


def _prune_expunged(transaction: Transaction, mailbox: MailboxId) -> None:
    """Keeps the newer half of the notes when there are too many."""
    floor = transaction.value(
        """SELECT modseq FROM expunged WHERE mailbox_id = :id ORDER BY modseq DESC LIMIT 1 OFFSET :kept""",
        {"id": mailbox, "kept": MAX_EXPUNGED_RUNS},
    )
    if floor is None:
        return
    floor = transaction.value(
        """SELECT modseq FROM expunged WHERE mailbox_id = :id ORDER BY modseq DESC LIMIT 1 OFFSET :kept""",
        {"id": mailbox, "kept": MAX_EXPUNGED_RUNS // 2},
    )
    params = {"id": mailbox, "floor": floor}
    transaction.run("DELETE FROM expunged WHERE mailbox_id = :id AND modseq <= :floor", params)
    transaction.run("UPDATE mailbox SET expunged_floor = :floor WHERE id = :id", params)


def load_uids(transaction: Transaction, mailbox: Mailbox) -> UidSet:
    """All UIDs; when that was much work, the runs are stored for the next time."""
    uids = uids_of(transaction, mailbox)
    kept = transaction.value(
        "SELECT uidnext FROM mailbox_uids WHERE mailbox_id = :id", {"id": mailbox.id}
    )
    if mailbox.uidnext - (kept or 1) > KEEP_UIDS_AFTER:
        keep_uids(transaction, mailbox, uids)
    return uids


def uids_of(reader: Reader, mailbox: Mailbox) -> UidSet:
    """All UIDs: from the stored runs and what came after them, else from the messages."""
    row = reader.row(
        """SELECT k.uidnext, k.modseq, k.runs FROM mailbox_uids k JOIN mailbox m ON m.id = k.mailbox_id
           WHERE m.id = :id AND k.modseq >= m.expunged_floor""",
        {"id": mailbox.id},
    )
    uidnext, known = 1, UidSet()
    if row is not None:
        uidnext = row[0]
        known = from_json(row[2]) - _expunged_after(reader, mailbox.id, row[1])
    newer = reader.rows(
        "SELECT uid FROM message WHERE mailbox_id = :id AND uid >= :uidnext ORDER BY uid",
        {"id": mailbox.id, "uidnext": uidnext},
    )
    return known | UidSet.from_iterable(uid for (uid,) in newer)


def keep_uids(transaction: Transaction, mailbox: Mailbox, uids: UidSet) -> None:
    """Stores the runs for the next time; `mailbox` is as of the same moment."""
    _prune_expunged(transaction, mailbox.id)
    transaction.run(
        """INSERT INTO mailbox_uids (mailbox_id, uidnext, modseq, runs) VALUES (:id, :uidnext, :modseq, :runs)
           ON CONFLICT (mailbox_id) DO UPDATE SET uidnext = :uidnext, modseq = :modseq, runs = :runs""",
        {
            "id": mailbox.id,
            "uidnext": mailbox.uidnext,
            "modseq": mailbox.highestmodseq,
            "runs": runs_json(uids),
        },
    )

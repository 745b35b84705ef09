"""Is a data folder's mail in order? Each account's database against itself and against its files.

For `gatepost verify` and for tests; may run beside the server. Repair sets counters right and removes files that nothing
refers to; it never touches a message.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backend.core.clock import Clock, SystemClock
from backend.core.errors import AppError
from backend.core.ids import MailboxId
from backend.core.problems import Problem, Severity
from backend.core.uidset import UidSet
from backend.runtime.threads import Pool, run_blocking
from backend.store import flags, mailboxes, messages, migrations
from backend.store.blobs import TEMPORARY, Blobs, hash_file
from backend.store.database import Database, DatabaseError, Reader, Transaction

MAX_PROBLEMS = 1000  # that one run lists
ORPHAN_AGE_S = 3600.0  # a younger file may be on its way in


@dataclass(slots=True)
class Report:
    accounts: int = 0
    messages: int = 0
    files: int = 0
    pending_deliveries: int = 0
    repaired: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not any(problem.severity is Severity.ERROR for problem in self.problems)


async def verify(folder: Path, *, repair: bool = False, clock: Clock | None = None) -> Report:
    """All accounts of a data folder."""
    report = Report()
    now = (clock or SystemClock()).time()
    accounts = folder / "accounts"
    names = sorted(entry.name for entry in os.scandir(accounts)) if accounts.is_dir() else []
    for name in names:
        if not name.startswith(".") and (accounts / name / "mail.db").exists():
            report.accounts += 1
            await _verify_account(accounts / name, name, report, now, repair=repair)
    await _verify_others(folder, report)
    del report.problems[MAX_PROBLEMS:]
    return report


async def _verify_account(
    folder: Path, name: str, report: Report, now: float, *, repair: bool
) -> None:
    check = _Check(name, report)
    database = Database(folder / "mail.db", migrations.load("mail"))
    blobs = Blobs(folder / "blobs")
    try:
        wanted = await database.read(lambda reader: _check_database(reader, check), slow=True)
        if repair and wanted is not None:
            await database.write(lambda transaction: _repair_counters(transaction, report))
        if wanted is not None:
            await run_blocking(
                Pool.FILES, _check_files, blobs, wanted, check, now - ORPHAN_AGE_S, repair
            )
        await _check_index(folder, database, check)
    except (DatabaseError, AppError, OSError, RuntimeError) as error:
        check.error("store.unreadable", f"The database can't be read: {error}.")
    finally:
        await database.close()


class _Check:
    """Where the checks of one account write what they find."""

    def __init__(self, account: str, report: Report) -> None:
        self._account = account
        self.report = report

    def error(
        self, code: str, message: str, *, fix: str = "", severity: Severity = Severity.ERROR
    ) -> None:
        self.report.problems.append(
            Problem(
                code=code,
                message=f"Account {self._account}: {message}",
                fix=fix,
                severity=severity,
                subject=self._account,
            )
        )


_REPAIR_FIX = "Run `gatepost verify --repair`."


def _check_database(reader: Reader, check: _Check) -> dict[str, int] | None:
    """The files that the database refers to and their sizes; None if it is damaged."""
    damage = [row[0] for row in reader.rows("PRAGMA integrity_check(20)") if row[0] != "ok"]
    for text in damage:
        check.error("store.damaged", f"the database is damaged ({text}).", fix="Restore a backup.")
    if damage:
        return None
    for step in (_check_account, _check_mailboxes, _check_contents, _check_flags, _check_uids):
        step(reader, check)
    check.report.messages += reader.value("SELECT COUNT(*) FROM message")
    return dict(reader.rows("SELECT blob, size_bytes FROM content WHERE blob IS NOT NULL"))


def _check_account(reader: Reader, check: _Check) -> None:
    if reader.value("SELECT COUNT(*) FROM account") != 1:
        check.error("store.damaged", "its counters are missing.")
        return
    stored = reader.row("SELECT messages, size_bytes FROM account")
    real = reader.row("SELECT COUNT(*), coalesce(SUM(size_bytes), 0) FROM message")
    if stored != real:
        check.error("store.counter", f"usage is {real}, noted is {stored}.", fix=_REPAIR_FIX)
    for column, sql in (
        ("modseq", "SELECT coalesce(MAX(highestmodseq), 0) FROM mailbox"),
        ("next_mailbox", "SELECT coalesce(MAX(id), 0) + 1 FROM mailbox"),
        ("next_content", "SELECT coalesce(MAX(id), 0) + 1 FROM content"),
        ("next_uidvalidity", "SELECT coalesce(MAX(uidvalidity), 0) + 1 FROM mailbox"),
    ):
        if reader.value(f"SELECT {column} FROM account") < reader.value(sql):
            check.error("store.number", f"{column} would be given out twice.")


_REAL_COUNTERS = f"""SELECT COUNT(*), coalesce(SUM((flags & {flags.SEEN}) = 0), 0),
    coalesce(SUM((flags & {flags.DELETED}) != 0), 0), coalesce(SUM(size_bytes), 0), coalesce(MAX(uid), 0), coalesce(MAX(modseq), 0)
    FROM message WHERE mailbox_id = :id"""


def _check_mailboxes(reader: Reader, check: _Check) -> None:
    for mailbox in mailboxes.all_of(reader):
        row = reader.row(_REAL_COUNTERS, {"id": mailbox.id})
        assert row is not None  # an aggregate has always one row
        stored = (mailbox.messages, mailbox.unseen, mailbox.deleted, mailbox.size_bytes)
        if row[:4] != stored:
            check.error(
                "store.counter",
                f"mailbox “{mailbox.name}” holds {row[:4]} (messages, unseen, deleted, bytes), noted is {stored}.",
                fix=_REPAIR_FIX,
            )
        if row[4] >= mailbox.uidnext:
            check.error("store.number", f"mailbox “{mailbox.name}” would give out a UID twice.")
        if row[5] > mailbox.highestmodseq:
            check.error(
                "store.number", f"mailbox “{mailbox.name}” has a modseq beyond its highest."
            )
    for (number,) in reader.rows(
        "SELECT DISTINCT mailbox_id FROM message WHERE mailbox_id NOT IN (SELECT id FROM mailbox)"
    ):
        check.error("store.lost", f"there are messages of a mailbox ({number}) that is gone.")


_CONTENT_CHECKS = (
    (
        "messages whose content is missing",
        "SELECT COUNT(*) FROM message m LEFT JOIN content c ON c.id = m.content_id WHERE c.id IS NULL OR c.size_bytes != m.size_bytes",
    ),
    (
        "contents with a wrong number of references",
        """SELECT COUNT(*) FROM content c LEFT JOIN (SELECT content_id, COUNT(*) AS refs FROM message GROUP BY content_id) r
           ON r.content_id = c.id WHERE c.refs != coalesce(r.refs, 0) OR c.refs < 1""",
    ),
    (
        "contents without what was computed of them",
        """SELECT COUNT(*) FROM content c LEFT JOIN digest d ON d.content_id = c.id LEFT JOIN header h ON h.content_id = c.id
           WHERE d.content_id IS NULL OR h.content_id IS NULL OR length(h.data) != c.header_size""",
    ),
    (
        "messages that are cut short or missing",
        """SELECT COUNT(*) FROM content c LEFT JOIN body b ON b.content_id = c.id
           WHERE c.blob IS NULL AND (b.data IS NULL OR length(b.data) != c.size_bytes)""",
    ),
    (
        "messages with another header than the one that is shown",
        """SELECT COUNT(*) FROM content c JOIN body b ON b.content_id = c.id JOIN header h ON h.content_id = c.id
           WHERE substr(b.data, 1, c.header_size) != h.data""",
    ),
    (
        "messages that belong to nothing",
        "SELECT COUNT(*) FROM body WHERE content_id NOT IN (SELECT id FROM content WHERE blob IS NULL)",
    ),
    (
        "UIDs that are there though they were expunged",
        """SELECT COUNT(*) FROM expunged e JOIN message m ON m.mailbox_id = e.mailbox_id
           AND m.uid BETWEEN e.first_uid AND e.last_uid""",
    ),
)


def _check_contents(reader: Reader, check: _Check) -> None:
    for what, sql in _CONTENT_CHECKS:
        if count := reader.value(sql):
            check.error("store.lost", f"{count} {what}.", fix="Restore a backup.")


def _check_flags(reader: Reader, check: _Check) -> None:
    for mask, keywords, stored in reader.rows(
        "SELECT DISTINCT flags, keywords, flags_wire FROM message"
    ):
        ids = flags.to_ids(keywords)
        known = reader.value(
            "SELECT COUNT(*) FROM keyword WHERE id IN (SELECT value FROM json_each(:ids))",
            {"ids": str(list(ids))},
        )
        if known != len(ids) or flags.wire(reader, mask, ids) != stored:
            check.error("store.flags", "some messages show other flags than they have.")
            return


def _check_uids(reader: Reader, check: _Check) -> None:
    for mailbox in mailboxes.all_of(reader):
        if messages.uids_of(reader, mailbox) != _real_uids(reader, mailbox.id):
            check.error(
                "store.counter",
                f"the UIDs kept for mailbox “{mailbox.name}” are not those of its messages.",
                fix=_REPAIR_FIX,
            )


def _real_uids(reader: Reader, mailbox: MailboxId) -> UidSet:
    rows = reader.rows("SELECT uid FROM message WHERE mailbox_id = :id", {"id": mailbox})
    return UidSet.from_iterable(uid for (uid,) in rows)


def _repair_counters(transaction: Transaction, report: Report) -> None:
    for mailbox in mailboxes.all_of(transaction):
        row = transaction.row(_REAL_COUNTERS, {"id": mailbox.id})
        assert row is not None  # an aggregate has always one row
        stored = (mailbox.messages, mailbox.unseen, mailbox.deleted, mailbox.size_bytes)
        if row[:4] != stored:
            transaction.run(
                """UPDATE mailbox SET messages = :messages, unseen = :unseen, deleted = :deleted, size_bytes = :size
                   WHERE id = :id""",
                {
                    "messages": row[0],
                    "unseen": row[1],
                    "deleted": row[2],
                    "size": row[3],
                    "id": mailbox.id,
                },
            )
            report.repaired += 1
        if messages.uids_of(transaction, mailbox) != _real_uids(transaction, mailbox.id):
            transaction.run("DELETE FROM mailbox_uids WHERE mailbox_id = :id", {"id": mailbox.id})
            report.repaired += 1
    report.repaired += transaction.run(
        """UPDATE account SET messages = (SELECT COUNT(*) FROM message),
           size_bytes = (SELECT coalesce(SUM(size_bytes), 0) FROM message)
           WHERE messages != (SELECT COUNT(*) FROM message)
           OR size_bytes != (SELECT coalesce(SUM(size_bytes), 0) FROM message)"""
    )


def _check_files(
    blobs: Blobs, wanted: dict[str, int], check: _Check, before: float, repair: bool
) -> None:
    for name, size in wanted.items():
        path = blobs.path(name)
        if not path.exists():
            check.error(
                "store.file", f"the file of a message is missing: {path}.", fix="Restore a backup."
            )
        elif path.stat().st_size != size or hash_file(path) != name:
            check.error(
                "store.file", f"the file of a message was changed: {path}.", fix="Restore a backup."
            )
        check.report.files += 1
    for path in _orphans(blobs, wanted, before):
        if repair:
            path.unlink(missing_ok=True)
            check.report.repaired += 1
        else:
            check.error(
                "store.orphan",
                f"no message refers to the file {path}.",
                fix=_REPAIR_FIX,
                severity=Severity.WARNING,
            )


def _orphans(blobs: Blobs, wanted: dict[str, int], before: float) -> Iterator[Path]:
    for name in blobs.names():
        path = blobs.folder / name if name.startswith(TEMPORARY) else blobs.path(name)
        if name not in wanted and path.exists() and path.stat().st_mtime < before:
            yield path


async def _check_index(folder: Path, mail: Database, check: _Check) -> None:
    path = folder / "index.db"
    if not path.exists():
        return
    index = Database(path, migrations.load("index"), durable=False)
    try:
        faults = await index.read(_faults_of, slow=True)
        upto: int = await index.read(lambda reader: reader.value("SELECT upto FROM progress"))
        last: int = await mail.read(lambda reader: reader.value("SELECT next_content FROM account"))
    finally:
        await index.close()
    if faults or upto >= last:
        check.error(
            "store.index",
            "the search index is damaged.",
            fix=f"Stop Gatepost and delete {path}; it is built again.",
        )


def _faults_of(reader: Reader) -> list[str]:
    return [row[0] for row in reader.rows("PRAGMA integrity_check(20)") if row[0] != "ok"]


async def _verify_others(folder: Path, report: Report) -> None:
    await _verify_other(folder / "journal.db", "journal", report, _count_pending(report))
    for name in ("queue.db", "sts.db"):
        if (folder / "queue" / name).exists():
            await _verify_other(folder / "queue" / name, "", report, None)


def _count_pending(report: Report) -> Callable[[Reader], None]:
    def count(reader: Reader) -> None:
        report.pending_deliveries = reader.value("SELECT COUNT(*) FROM delivery")

    return count


async def _verify_other(
    path: Path, schema: str, report: Report, also: Callable[[Reader], None] | None
) -> None:
    if not path.exists():
        return
    database = Database(path, migrations.load(schema) if schema else None)
    try:
        faults = await database.read(_faults_of, slow=True)
        if also is not None:
            await database.read(also)
    except (DatabaseError, AppError) as error:
        faults = [str(error)]
    finally:
        await database.close()
    report.problems += [
        Problem(
            code="store.damaged",
            message=f"{path} is damaged ({text}).",
            fix="Restore a backup.",
            subject=str(path),
        )
        for text in faults
    ]

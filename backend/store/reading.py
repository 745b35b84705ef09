"""How are many messages read for FETCH without holding a transaction or much memory? In chunks, each a read of its own."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from backend.core.ids import MailboxId, Uid
from backend.core.uidset import UidSet
from backend.store import mailboxes
from backend.store.blobs import Blobs
from backend.store.database import Reader
from backend.store.ranges import MAX_RUNS, after, first_runs_json
from backend.store.values import Field

CHUNK_BYTES = 2 * 1024 * 1024  # of bodies in memory at once for one reader, a security limit
_ROWS_LIGHT, _ROWS_DIGEST, _ROWS_HEADER, _ROWS_CONTENT = 5000, 1500, 500, 500
ALL_UIDS = UidSet([(1, 2**32 - 1)])

_COLUMNS = {
    Field.UID: "m.uid",
    Field.FLAGS: "m.flags_wire",
    Field.MODSEQ: "m.modseq",
    Field.SIZE: "m.size_bytes",
    Field.RECEIVED_AT: "m.received_at",
    Field.SAVED_AT: "m.saved_at",
    Field.ENVELOPE: "d.envelope",
    Field.BODY: "d.body",
    Field.BODYSTRUCTURE: "d.bodystructure",
    Field.PREVIEW: "d.preview",
    Field.HEADER: "h.data",
    Field.CONTENT: "b.data",
    Field.EMAIL_ID: mailboxes.EMAIL_ID_SQL,
    Field.MESSAGE_ID: "c.message_id",
}
_DIGEST_FIELDS = {Field.ENVELOPE, Field.BODY, Field.BODYSTRUCTURE, Field.PREVIEW}


@dataclass(frozen=True, slots=True)
class Plan:
    """One statement for the wanted fields. `content_at`: where the body stands in a row, -1 if it was not asked for."""

    sql: str
    limit: int
    content_at: int


@lru_cache(maxsize=256)
def plan(fields: tuple[Field, ...]) -> Plan:
    wanted = set(fields)
    joins, limit = "", _ROWS_LIGHT
    columns = [_COLUMNS[field] for field in fields]
    if wanted & _DIGEST_FIELDS:
        joins += " JOIN digest d ON d.content_id = m.content_id"
        limit = _ROWS_DIGEST
    if Field.HEADER in wanted:
        joins += " JOIN header h ON h.content_id = m.content_id"
        limit = _ROWS_HEADER
    if Field.MESSAGE_ID in wanted or Field.CONTENT in wanted:
        joins += " JOIN content c ON c.id = m.content_id"
    if Field.CONTENT in wanted:
        joins += " LEFT JOIN body b ON b.content_id = m.content_id"
        limit = _ROWS_CONTENT
        columns += ["c.blob", "m.size_bytes"]
    sql = f"""SELECT {", ".join(columns)}, m.uid
              FROM json_each(:runs) r CROSS JOIN message m ON m.mailbox_id = :mailbox
              AND m.uid BETWEEN json_extract(r.value, '$[0]') AND json_extract(r.value, '$[1]')
              {joins} LIMIT {limit}"""
    return Plan(sql, limit, fields.index(Field.CONTENT) if Field.CONTENT in wanted else -1)


@dataclass(frozen=True, slots=True)
class Chunk:
    rows: list[tuple[Any, ...]]
    rest: UidSet


def read_chunk(
    reader: Reader, mailbox: MailboxId, uids: UidSet, fields: tuple[Field, ...], blobs: Blobs
) -> Chunk:
    """The first of `uids`, as many as fit; those that are gone are left out."""
    how = plan(fields)
    params = {"runs": first_runs_json(uids), "mailbox": mailbox}
    width = len(fields)
    if how.content_at < 0:
        rows = reader.rows(how.sql, params)
        full = len(rows) == how.limit
    else:
        rows, full = _bodies(reader, how, params, blobs)
    if full:
        rest = after(uids, rows[-1][-1])
    elif uids.run_count > MAX_RUNS:
        rest = after(uids, _last_of_runs(uids))
    else:
        rest = UidSet()
    return Chunk([row[:width] for row in rows if row[0] is not _GONE], rest)


_GONE = object()


def _bodies(
    reader: Reader, how: Plan, params: dict[str, object], blobs: Blobs
) -> tuple[list[tuple[Any, ...]], bool]:
    rows: list[tuple[Any, ...]] = []
    taken = 0
    at = how.content_at
    for row in reader.iterate(how.sql, params):
        taken += row[-2]
        if rows and taken > CHUNK_BYTES:
            return rows, True
        if row[at] is None:
            try:
                data = blobs.read(row[-3])
            except FileNotFoundError:
                # Expunged between the look into the database and the opening of the file.
                rows.append((_GONE, *row[1:]))
                continue
            row = (*row[:at], data, *row[at + 1 :])  # noqa: PLW2901  # the same row, completed
        rows.append(row)
    return rows, len(rows) == how.limit


def _last_of_runs(uids: UidSet) -> int:
    """The last UID of the last run that one statement was given."""
    for number, (_, last) in enumerate(uids.runs(), 1):
        if number == MAX_RUNS:
            return last
    return uids.last


def changed_uids(reader: Reader, mailbox: MailboxId, since: int) -> UidSet:
    """Those whose modseq is above `since`."""
    return UidSet.from_iterable(
        uid
        for (uid,) in reader.rows(
            "SELECT uid FROM message WHERE mailbox_id = :mailbox AND modseq > :since",
            {"mailbox": mailbox, "since": since},
        )
    )


def content_part(
    reader: Reader, mailbox: MailboxId, uid: Uid, offset: int, length: int | None, blobs: Blobs
) -> bytes:
    """A piece of one message.

    Raises:
        NotFoundError: the message is gone.
    """
    row = reader.row(
        """SELECT c.id, c.blob FROM message m JOIN content c ON c.id = m.content_id
           WHERE m.mailbox_id = :mailbox AND m.uid = :uid""",
        {"mailbox": mailbox, "uid": uid},
    )
    if row is None:
        raise mailboxes.no_message()
    number, blob = row
    if blob is not None:
        try:
            return blobs.read(blob, offset, length)
        except FileNotFoundError as error:
            raise mailboxes.no_message() from error
    if length is not None:
        return reader.blob_part("body", "data", number, offset, length)
    data: bytes = reader.value("SELECT data FROM body WHERE content_id = :id", {"id": number})
    return data[offset:] if offset else data

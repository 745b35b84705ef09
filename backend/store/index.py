"""Which messages of an account hold a word? A full-text index in a database of its own, built in the background.

It is no part of what must not be lost: it can be built again from the messages, is written without waiting for the disk,
and having its own file keeps deliveries from ever waiting for it. Messages are added in the order of their content's
number; those beyond `progress` are not indexed yet and are looked into at search time.
"""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from backend.core.errors import TemporaryError
from backend.observe import log as logs
from backend.store import migrations
from backend.store.blobs import Blobs
from backend.store.database import Database, DatabaseError, OpenLimit, Reader, Row, Transaction
from backend.store.words import MAX_INDEXED_CHARS, body_text, header_text, words

T = TypeVar("T")

log = logs.get(__name__)

BATCH_MESSAGES = 50
BATCH_BYTES = 1024 * 1024
_TERMS_PER_QUERY = 100
# When it has grown to that many contents, and so many times those that are there.
STALE_AT_LEAST = 2000
STALE_FACTOR = 3
MAX_BEGINNINGS = 3  # for a damaged index, until the next start
HEADER, BODY = "header", "body"


@dataclass(frozen=True, slots=True)
class Entry:
    """The words of one content."""

    content: int
    header: frozenset[str]
    body: frozenset[str]
    is_partial: bool


@dataclass(frozen=True, slots=True)
class Found:
    """By content number: `sure` hold the needle; `maybe` are to be looked into, and all beyond `upto` too."""

    sure: frozenset[int]
    maybe: frozenset[int]
    upto: int


class Index:
    def __init__(self, folder: Path, blobs: Blobs, limit: OpenLimit) -> None:
        self._path = folder / "index.db"
        self._limit = limit
        self._blobs = blobs
        self._database = self._open()
        self._beginnings = 0

    def _open(self) -> Database:
        return Database(self._path, migrations.load("index"), limit=self._limit, durable=False)

    async def close(self) -> None:
        await self._database.close()

    async def step(self, mail: Database) -> bool:
        """Adds the next few messages; False if there were none. A damaged index is begun anew."""
        upto = await self._sound(lambda database: database.read(_progress))
        if upto is None:
            return True
        entries = await mail.read(lambda reader: self._read(reader, upto), slow=True)
        if entries is not None:
            await self._sound(lambda database: database.write(partial(_add, entries, upto)))
            return True
        alive: int = await mail.read(
            lambda reader: reader.value("SELECT COUNT(*) FROM content"), slow=True
        )
        again = await self._sound(lambda database: database.write(partial(_reset_if_stale, alive)))
        return again is not False

    async def _sound(self, work: Callable[[Database], Awaitable[T]]) -> T | None:
        """None: the index was damaged, and an empty one has taken its place."""
        database = self._database
        try:
            return await work(database)
        except DatabaseError as error:
            if database is self._database:
                self._beginnings += 1
                if self._beginnings > MAX_BEGINNINGS:
                    raise
                log.error("search index is damaged and will be built again", error=error)
                await self._start_over()
            return None

    async def _start_over(self) -> None:
        old, self._database = self._database, self._open()
        await old.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    async def find(self, part: str, needle: str) -> Found:
        """`part` is HEADER or BODY; the needle is folded."""
        try:
            return await self._database.read(lambda reader: _find(reader, part, needle), slow=True)
        except (DatabaseError, TemporaryError) as error:
            # The next step begins a damaged one anew; on a full disk it can't even be opened.
            log.warning("search index can't be read, looking into all messages", cause=str(error))
            return Found(frozenset(), frozenset(), 0)

    def _read(self, reader: Reader, upto: int) -> list[Entry] | None:
        """None: there is nothing after `upto`."""
        rows = reader.iterate(
            """SELECT c.id, h.data, b.data, c.blob, c.size_bytes FROM content c JOIN header h ON h.content_id = c.id
               LEFT JOIN body b ON b.content_id = c.id WHERE c.id > :upto ORDER BY c.id LIMIT :limit""",
            {"upto": upto, "limit": BATCH_MESSAGES},
        )
        entries: list[Entry] = []
        size = 0
        for row in rows:
            entries.append(self._entry(row))
            size += row[4]
            if size > BATCH_BYTES:
                break
        return entries or None

    def _entry(self, row: Row) -> Entry:
        content, header, data, blob, _ = row
        if data is None:
            try:
                data = self._blobs.read(blob)
            except FileNotFoundError:
                data = b""  # expunged meanwhile
        of_header, of_body = header_text(header), body_text(data)
        return Entry(
            content,
            frozenset(words(of_header[:MAX_INDEXED_CHARS])),
            frozenset(words(of_body[:MAX_INDEXED_CHARS])),
            is_partial=max(len(of_header), len(of_body)) > MAX_INDEXED_CHARS,
        )


def _reset_if_stale(alive: int, transaction: Transaction) -> bool:
    """Most of what was indexed is gone: empties the index, to be built again."""
    contents: int = transaction.value("SELECT contents FROM progress")
    if contents < STALE_AT_LEAST or contents < STALE_FACTOR * alive:
        return False
    for part in (HEADER, BODY):
        transaction.run(f"INSERT INTO {part}_words ({part}_words) VALUES ('delete-all')")
    for table in ("word", "vocabulary", "partial"):
        transaction.run(f"DELETE FROM {table}")
    transaction.run("UPDATE progress SET upto = 0, contents = 0")
    return alive > 0


def _progress(reader: Reader) -> int:
    upto: int = reader.value("SELECT upto FROM progress")
    return upto


def _add(entries: Sequence[Entry], upto: int, transaction: Transaction) -> None:
    if transaction.value("SELECT upto FROM progress") != upto:
        return  # another step was quicker
    for part, texts in (
        (HEADER, [(entry.content, " ".join(entry.header)) for entry in entries]),
        (BODY, [(entry.content, " ".join(entry.body)) for entry in entries]),
    ):
        transaction.run_many(f"INSERT INTO {part}_words (rowid, text) VALUES (?, ?)", texts)
    _add_words(transaction, entries)
    transaction.run_many(
        "INSERT INTO partial (content_id) VALUES (?)",
        [(entry.content,) for entry in entries if entry.is_partial],
    )
    transaction.run(
        "UPDATE progress SET upto = :upto, contents = contents + :count",
        {"upto": entries[-1].content, "count": len(entries)},
    )


def _add_words(transaction: Transaction, entries: Sequence[Entry]) -> None:
    seen = frozenset().union(*(entry.header | entry.body for entry in entries))
    known = transaction.rows(
        "SELECT w.text FROM json_each(:words) seen CROSS JOIN word w ON w.text = seen.value",
        {"words": json.dumps(sorted(seen), ensure_ascii=False)},
    )
    new = sorted(seen.difference(text for (text,) in known))
    if new:
        transaction.run_many("INSERT INTO word (text) VALUES (?)", [(text,) for text in new])
        transaction.run(
            "INSERT INTO vocabulary (words) VALUES (:words)", {"words": "\n".join(["", *new, ""])}
        )


def _find(reader: Reader, part: str, needle: str) -> Found:
    upto = _progress(reader)
    cut = frozenset(number for (number,) in reader.rows("SELECT content_id FROM partial"))
    wanted = words(needle)
    if not wanted:
        return Found(frozenset(), frozenset(), 0)  # nothing but punctuation: no word can tell
    found: set[int] | None = None
    for piece in sorted(wanted, key=len, reverse=True):
        with_piece = _contents_with(reader, part, piece)
        found = with_piece if found is None else found & with_piece
        if not found:
            break
    candidates = frozenset(found or ())
    if wanted == [needle]:
        return Found(candidates, cut - candidates, upto)
    return Found(frozenset(), candidates | cut, upto)


def _contents_with(reader: Reader, part: str, piece: str) -> set[int]:
    """The contents that have a word in which the piece stands."""
    inside = re.compile(rf"[^\n]*{re.escape(piece)}[^\n]*")
    terms = [
        word
        for (some,) in reader.rows(
            "SELECT words FROM vocabulary WHERE instr(words, :piece)", {"piece": piece}
        )
        for word in inside.findall(some)
    ]
    found: set[int] = set()
    for start in range(0, len(terms), _TERMS_PER_QUERY):
        query = " OR ".join(f'"{term}"' for term in terms[start : start + _TERMS_PER_QUERY])
        found.update(
            number
            for (number,) in reader.rows(
                f"SELECT rowid FROM {part}_words WHERE {part}_words MATCH :query", {"query": query}
            )
        )
    return found

"""How SQL is run: one writer, some readers, group commit. The only module that knows SQLite.

Used by the account databases, the journal and the outbound queue. Everything above it hands in functions that get a
`Reader` or a `Transaction` and run on a thread; SQL is raw with named parameters.

Writers that wait at the same time share one commit, each with a savepoint of its own. A write that was handed over is
carried out even if its waiter is cancelled. What `after_commit` was given runs on the event loop, in commit order, and
never for work that was rolled back. Connections are opened when needed and closed when idle (`OpenLimit`).
"""

import asyncio
import contextlib
import errno
import sqlite3
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from backend.core.errors import TemporaryError, UserError
from backend.core.problems import Problem
from backend.core.status import DISK_FULL
from backend.runtime import tasks
from backend.runtime.threads import Pool, run_blocking, submit

T = TypeVar("T")

Row = tuple[Any, ...]
Params = Mapping[str, object]
NO_PARAMS: Params = {}
IntegrityError = sqlite3.IntegrityError
DatabaseError = sqlite3.Error

MAX_BATCH = 256  # writes that share one commit
MAX_IDLE_READERS = 2  # reader connections that one database keeps for later
# The log is worked into the database between writes, when that many rows were changed (the second number: even if
# others wait); SQLite itself would do it inside somebody's commit, and does when the log has grown to that many pages.
CHECKPOINT_ROWS, CHECKPOINT_ROWS_BUSY, CHECKPOINT_PAGES = 2500, 10_000, 16_000
WAL_KEPT_BYTES = 32 * 1024 * 1024
WRITER_CACHE_KIB = 4096
READER_CACHE_KIB = 1024
BUSY_TIMEOUT_MS = 15_000
_DISK_FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SQLITE_FULL = 13
_SQLITE_CORRUPT, _SQLITE_NOTADB = 11, 26  # the lower byte; the upper ones tell more
_SQLITE_IOERR_WRITE = 778  # what SQLite makes of EFBIG and EDQUOT


class DamagedError(UserError, sqlite3.DatabaseError):
    """The file is no database, or holds nonsense, or is not the one that was opened."""

    def __init__(self, path: Path, what: str = "is damaged") -> None:
        super().__init__(
            Problem(
                code="store.damaged",
                subject=str(path),
                message=f"The file {path} {what}.",
                fix="Put it back from a backup while the server is stopped; “gatepost verify” tells what else is wrong.",
            )
        )


class Reader:
    """Reads inside one consistent snapshot."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, params: Params = NO_PARAMS) -> list[Row]:
        return self._connection.execute(sql, params).fetchall()

    def row(self, sql: str, params: Params = NO_PARAMS) -> Row | None:
        row: Row | None = self._connection.execute(sql, params).fetchone()
        return row

    def value(self, sql: str, params: Params = NO_PARAMS) -> Any:
        """The first column of the first row, None if there is no row."""
        row = self._connection.execute(sql, params).fetchone()
        return None if row is None else row[0]

    def iterate(self, sql: str, params: Params = NO_PARAMS) -> Iterator[Row]:
        return self._connection.execute(sql, params)

    def blob_part(self, table: str, column: str, row_id: int, offset: int, length: int) -> bytes:
        """A piece of one stored blob, without reading the rest."""
        with self._connection.blobopen(table, column, row_id, readonly=True) as blob:
            blob.seek(min(offset, len(blob)))
            return blob.read(min(length, max(len(blob) - offset, 0)))


class Transaction(Reader):
    """Reads and writes. The function that got it may be run a second time if the first attempt was rolled back."""

    __slots__ = ("_after",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._after: list[Callable[[], None]] = []

    def run(self, sql: str, params: Params = NO_PARAMS) -> int:
        """How many rows were changed."""
        return self._connection.execute(sql, params).rowcount

    def insert(self, sql: str, params: Params = NO_PARAMS) -> int:
        """The number of the row that was added."""
        return self._connection.execute(sql, params).lastrowid or 0

    def run_many(self, sql: str, params: Iterable[Params] | Iterable[Sequence[object]]) -> int:
        return self._connection.executemany(sql, params).rowcount

    def after_commit(self, call: Callable[[], None]) -> None:
        """Runs on the event loop before the waiter goes on, and not at all if this is rolled back."""
        self._after.append(call)


class _Waiter(Generic[T]):
    __slots__ = ("after", "error", "fn", "future", "loop", "result")

    def __init__(self, fn: Callable[[Transaction], T], loop: asyncio.AbstractEventLoop) -> None:
        self.fn = fn
        self.loop = loop
        self.future: asyncio.Future[T] = loop.create_future()
        self.result: T | None = None
        self.error: BaseException | None = None
        self.after: list[Callable[[], None]] = []


class OpenLimit:
    """Bounds how many databases hold open connections: the least recently used are closed. Lives on the event loop."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: OrderedDict[Database, float] = OrderedDict()

    def used(self, database: "Database", now: float) -> None:
        self._open[database] = now
        self._open.move_to_end(database)
        if len(self._open) > self._limit:
            for oldest in list(self._open)[: len(self._open) - self._limit]:
                if oldest is not database and oldest.release():
                    del self._open[oldest]

    def close_idle(self, before: float) -> None:
        """Closes the connections of those that were last used before that time of the loop."""
        for database, used in list(self._open.items()):
            if used >= before:
                break
            if database.release():
                del self._open[database]

    def forget(self, database: "Database") -> None:
        self._open.pop(database, None)

    def __len__(self) -> int:
        return len(self._open)


class Database:
    """One SQLite file. `migrations[n]` is the SQL script that takes it from version n to n + 1."""

    def __init__(
        self,
        path: Path,
        migrations: Sequence[str] | None,
        *,
        limit: OpenLimit | None = None,
        durable: bool = True,
        max_pages: int | None = None,
    ) -> None:
        """`migrations` None: the tables are taken as they are. `durable` False is for what can be built again (the search index). `max_pages` bounds the file."""
        self.path = path
        self._migrations = None if migrations is None else tuple(migrations)
        self._limit = limit
        self._durable = durable
        self._max_pages = max_pages
        self._lock = threading.Lock()
        self._waiting: deque[_Waiter[Any]] = deque()
        self._writing = False
        self._reading = 0
        self._writer: sqlite3.Connection | None = None
        self._opened_file = (0, 0)
        self._idle_readers: list[sqlite3.Connection] = []
        self._changes_checkpointed = 0
        self._migrated = False
        self._closed = False

    async def write(self, fn: Callable[[Transaction], T]) -> T:
        """Runs `fn` in a transaction on the writer's thread; durable on return.

        Raises:
            TemporaryError: the disk is full; nothing was changed.
        """
        if self._closed:
            raise RuntimeError("the database is closed")
        loop = asyncio.get_running_loop()
        if self._limit is not None:
            self._limit.used(self, loop.time())
        waiter = _Waiter(fn, loop)
        with self._lock:
            self._waiting.append(waiter)
            start = not self._writing
            self._writing = True
        if start:
            submit(Pool.DATABASE_WRITE, self._drain)
        return await waiter.future

    async def read(self, fn: Callable[[Reader], T], *, slow: bool = False) -> T:
        """Runs `fn` on a reader's thread; `slow` ones (searches, checks) have threads of their own."""
        if not self._migrated:
            await self.write(_nothing)
        if self._closed:
            raise RuntimeError("the database is closed")
        if self._limit is not None:
            self._limit.used(self, asyncio.get_running_loop().time())
        pool = Pool.DATABASE_SLOW if slow else Pool.DATABASE_READ
        return await run_blocking(pool, self._read, fn)

    def release(self) -> bool:
        """Closes the connections unless they are in use; they are opened again when needed."""
        with self._lock:
            if self._writing or self._waiting or self._reading:
                return False
            if self._writer is None and not self._idle_readers:
                return True
            self._writing = True
        submit(Pool.DATABASE_WRITE, self._close_connections)
        return True

    async def close(self) -> None:
        """Waits for what was handed over, then closes for good."""
        if self._closed:
            return
        if self._writer is not None or self._waiting:
            with contextlib.suppress(DatabaseError):  # told to those who wrote
                await tasks.finish(self.write(_nothing))
        self._closed = True
        if self._limit is not None:
            self._limit.forget(self)
        while True:
            with self._lock:
                busy = self._writing or self._reading > 0
                if not busy:
                    self._writing = True
                    break
            await asyncio.sleep(0.001)
        await run_blocking(Pool.DATABASE_WRITE, self._close_connections)

    # What follows runs on threads.

    def _drain(self) -> None:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
        if batch:
            self._commit(batch)
            _settle_on_loops(batch)
            self._checkpoint_if_due()
        with self._lock:
            more = self._writing = bool(self._waiting)
        if more:
            submit(Pool.DATABASE_WRITE, self._drain)

    def _checkpoint_if_due(self) -> None:
        writer = self._writer
        if writer is None:
            return
        rows = writer.total_changes - self._changes_checkpointed
        if rows > (CHECKPOINT_ROWS_BUSY if self._waiting else CHECKPOINT_ROWS):
            self._changes_checkpointed = writer.total_changes
            with contextlib.suppress(sqlite3.Error):  # a full disk: the next commit tells it
                writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _commit(self, batch: list[_Waiter[Any]]) -> None:
        try:
            connection = self._open_writer()
        except Exception as error:  # told to each waiter
            for waiter in batch:
                waiter.error = translated(error, self.path)
            return
        if len(batch) > 1 and self._commit_together(connection, batch):
            return
        for waiter in batch:
            self._commit_alone(connection, waiter)

    def _commit_together(self, connection: sqlite3.Connection, batch: list[_Waiter[Any]]) -> bool:
        """False: the whole transaction was lost, and each has to be tried on its own."""
        execute = connection.execute
        try:
            execute("BEGIN IMMEDIATE")
            for waiter in batch:
                transaction = Transaction(connection)
                waiter.error = None
                execute("SAVEPOINT waiter")
                try:
                    waiter.result = waiter.fn(transaction)
                    waiter.after = transaction._after
                except Exception as error:
                    if not connection.in_transaction:
                        return False
                    execute("ROLLBACK TO waiter")
                    waiter.error = translated(error, self.path)
                    waiter.after = []
                execute("RELEASE waiter")
            execute("COMMIT")
        except sqlite3.Error:
            _roll_back(connection)
            return False
        return True

    def _commit_alone(self, connection: sqlite3.Connection, waiter: _Waiter[Any]) -> None:
        transaction = Transaction(connection)
        waiter.error, waiter.after = None, []
        try:
            connection.execute("BEGIN IMMEDIATE")
            result = waiter.fn(transaction)
            connection.execute("COMMIT")
        except Exception as error:  # told to the waiter
            _roll_back(connection)
            waiter.error = translated(error, self.path)
        else:
            waiter.result = result
            waiter.after = transaction._after

    def _read(self, fn: Callable[[Reader], T]) -> T:
        with self._lock:
            self._reading += 1
            connection = self._idle_readers.pop() if self._idle_readers else None
        try:
            if connection is None:
                connection = self._connect(READER_CACHE_KIB)
                connection.execute("PRAGMA query_only = 1")
            connection.execute("BEGIN")
            try:
                return fn(Reader(connection))
            finally:
                _roll_back(connection)
        except (sqlite3.Error, OSError) as error:
            raise translated(error, self.path) from error
        finally:
            with self._lock:
                self._reading -= 1
                if connection is not None and len(self._idle_readers) < MAX_IDLE_READERS:
                    self._idle_readers.append(connection)
                    connection = None
            if connection is not None:
                connection.close()

    def _connect(self, cache_kib: int) -> sqlite3.Connection:
        if self._migrated and not self.path.exists():
            raise DamagedError(self.path, _REPLACED)  # SQLite would make an empty one
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            execute = connection.execute
            execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            execute(f"PRAGMA cache_size = -{cache_kib}")
            execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_writer(self) -> sqlite3.Connection:
        if self._writer is not None:
            # What is written to a file that was removed or replaced by hand would be gone, and had been acknowledged.
            if _identity(self.path) != self._opened_file:
                raise DamagedError(self.path, _REPLACED)
            return self._writer
        connection = self._connect(WRITER_CACHE_KIB)
        try:
            execute = connection.execute
            execute("PRAGMA journal_mode = WAL")
            execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
            execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
            execute("PRAGMA secure_delete = FAST")
            if self._max_pages is not None:
                execute(f"PRAGMA max_page_count = {self._max_pages}")
            if not self._migrated and self._migrations is not None:
                _migrate(connection, self._migrations, self.path)
        except BaseException:
            connection.close()
            raise
        self._writer = connection
        self._opened_file = _identity(self.path)
        self._changes_checkpointed = connection.total_changes
        self._migrated = True
        return connection

    def _close_connections(self) -> None:
        with self._lock:
            readers, self._idle_readers = self._idle_readers, []
            writer, self._writer = self._writer, None
        for connection in readers:
            connection.close()
        if writer is not None:
            writer.close()
        with self._lock:
            more = self._writing = bool(self._waiting)
        if more:
            submit(Pool.DATABASE_WRITE, self._drain)


def peek(path: Path, sql: str) -> Row | None:
    """One row of a database that need not be open here, without opening it for good; None when that is not possible.

    Blocking.
    """
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    except sqlite3.Error:
        return None
    try:
        return Reader(connection).row(sql)
    except sqlite3.Error:  # made just now, or damaged: who opens it properly is told
        return None
    finally:
        connection.close()


_REPLACED = "was removed or replaced while the server runs"


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino


def translated(error: Exception, path: Path | None = None) -> Exception:
    """A full disk as what the protocols can say, a damaged file (`path`) in plain words; any other error as it is."""
    code = getattr(error, "sqlite_errorcode", None)
    if path is not None and code is not None and code & 0xFF in (_SQLITE_CORRUPT, _SQLITE_NOTADB):
        damaged = DamagedError(path)
        damaged.__cause__ = error
        return damaged
    full = code in (_SQLITE_FULL, _SQLITE_IOERR_WRITE)
    if full or (isinstance(error, OSError) and error.errno in _DISK_FULL_ERRNOS):
        told = TemporaryError(DISK_FULL)
        told.__cause__ = error
        return told
    return error


def statements(script: str) -> Iterator[str]:
    """The single statements of an SQL script."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _migrate(connection: sqlite3.Connection, migrations: tuple[str, ...], path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(migrations):
        raise RuntimeError(
            f"{path} was written by a newer Gatepost (version {version} of its tables; this one knows {len(migrations)})"
        )
    for number, script in enumerate(migrations[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _settle_on_loops(batch: list[_Waiter[Any]]) -> None:
    loop = batch[0].loop
    try:
        loop.call_soon_threadsafe(_settle, batch)
    except RuntimeError:
        return  # the loop was closed while this was written: nobody waits any more


def _settle(batch: list[_Waiter[Any]]) -> None:
    for waiter in batch:
        for call in waiter.after:
            call()
        if waiter.future.done():
            continue  # the waiter was cancelled; the write stands
        if waiter.error is not None:
            waiter.future.set_exception(waiter.error)
        else:
            waiter.future.set_result(waiter.result)


def _nothing(_: Transaction) -> None:
    """Opens the database and brings its tables up to date."""

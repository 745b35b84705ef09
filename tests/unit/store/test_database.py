"""The generic database: shared commits, savepoints, cancelled waiters, a full disk."""

import asyncio
import contextlib
import resource

import pytest

from backend.core.errors import TemporaryError
from backend.core.status import DISK_FULL
from backend.runtime import threads
from backend.store.database import MAX_IDLE_READERS, DamagedError, Database, OpenLimit

SCHEMA = ("CREATE TABLE thing (id INTEGER PRIMARY KEY, data BLOB UNIQUE);",)


@pytest.fixture
async def database(tmp_path):
    database = Database(tmp_path / "x.db", SCHEMA)
    yield database
    await database.close()
    threads.shut_down()


def insert(data, after=None, fail=False):
    def write(transaction):
        transaction.run("INSERT INTO thing (data) VALUES (:data)", {"data": data})
        if after is not None:
            transaction.after_commit(lambda: after.append(data))
        if fail:
            raise ValueError(data)
        return data

    return write


async def all_of(database):
    rows = await database.read(lambda r: r.rows("SELECT data FROM thing ORDER BY id"))
    return [data for (data,) in rows]


async def test_many_waiters_share_commits_and_are_told_in_commit_order(database):
    told = []
    results = await asyncio.gather(*(database.write(insert(n, told)) for n in range(500)))
    assert results == list(range(500))
    assert told == await all_of(database) == list(range(500))


async def test_one_failing_waiter_does_not_spoil_the_others(database):
    told = []
    results = await asyncio.gather(
        *(database.write(insert(n, told, fail=n % 7 == 3)) for n in range(50)),
        return_exceptions=True,
    )
    good = [n for n in range(50) if n % 7 != 3]
    assert [r for r in results if not isinstance(r, ValueError)] == good
    assert told == await all_of(database) == good


async def test_a_write_finishes_though_its_waiter_is_cancelled(database):
    told = []
    writers = [
        asyncio.get_running_loop().create_task(database.write(insert(n, told))) for n in range(20)
    ]
    await asyncio.sleep(0)
    for writer in writers[::2]:
        writer.cancel()
    await asyncio.wait(writers)
    assert all(writer.cancelled() for writer in writers[::2])
    await database.write(lambda _: None)
    assert told == await all_of(database) == list(range(20))


async def test_the_migrations_run_once_and_a_newer_file_is_refused(database):
    await database.write(insert("old"))
    await database.close()
    newer = Database(database.path, (*SCHEMA, "ALTER TABLE thing ADD COLUMN more TEXT;"))
    assert await newer.read(lambda r: r.rows("SELECT data, more FROM thing")) == [("old", None)]
    await newer.close()
    older = Database(database.path, SCHEMA)
    with pytest.raises(RuntimeError, match="newer Gatepost"):
        await older.read(lambda r: r.rows("SELECT 1"))
    await older.close()


async def test_a_full_database_refuses_and_keeps_what_it_had(tmp_path):
    database = Database(tmp_path / "x.db", SCHEMA, max_pages=50)
    kept = []
    with pytest.raises(TemporaryError) as caught:
        for n in range(100):
            await database.write(insert(bytes([n]) * 10_000, kept))
    assert caught.value.status == DISK_FULL
    assert len(kept) > 5
    assert await all_of(database) == kept
    results = await asyncio.gather(
        database.write(insert("small one", kept)),
        database.write(insert(b"b" * 100_000)),
        database.write(insert("small two", kept)),
        return_exceptions=True,
    )
    assert [type(r) for r in results] == [str, TemporaryError, str]
    assert await all_of(database) == kept
    await database.close()


@contextlib.contextmanager
def no_file_beyond(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_told_as_such_and_passes(database):
    kept = []
    await database.write(insert("first", kept))
    with no_file_beyond(200_000), pytest.raises(TemporaryError) as caught:
        for n in range(100):
            await database.write(insert(bytes([n]) * 10_000, kept))
    assert caught.value.status == DISK_FULL
    await database.write(insert("last", kept))
    assert await all_of(database) == kept


async def test_idle_databases_hold_no_connections(tmp_path):
    limit = OpenLimit(3)
    databases = [Database(tmp_path / f"{n}.db", SCHEMA, limit=limit) for n in range(10)]
    for n, database in enumerate(databases):
        await database.write(insert(n))
        await asyncio.gather(*(all_of(database) for _ in range(6)))
        assert len(database._idle_readers) <= MAX_IDLE_READERS
        assert len(limit) <= 3
    await databases[0].write(insert("again"))
    while len(limit):  # one may be giving back its reader just now
        limit.close_idle(asyncio.get_running_loop().time() + 1)
        await asyncio.sleep(0.001)
    for database in databases:
        while database._writer is not None:
            await asyncio.sleep(0.001)
    assert await all_of(databases[0]) == [0, "again"]
    for database in databases:
        await database.close()
    threads.shut_down()


@pytest.mark.parametrize("idle", [False, True])
@pytest.mark.parametrize("replaced", [False, True])
async def test_nothing_is_acknowledged_that_goes_to_a_file_removed_by_hand(
    database, idle, replaced
):
    await database.write(insert("kept"))
    if idle:
        while not database.release() or database._writer is not None:
            await asyncio.sleep(0.001)
    for suffix in ("", "-wal", "-shm"):
        database.path.with_name(database.path.name + suffix).unlink(missing_ok=True)
    if replaced and not idle:
        database.path.write_bytes(b"")
    with pytest.raises(DamagedError, match="removed or replaced"):
        await database.write(insert("lost"))
    if not replaced:
        assert not database.path.exists()
    await database.close()

"""Writes that come within a moment share one transaction; none is lost, and a failure is told to each."""

import asyncio
import sqlite3

import pytest

from backend.outbound.gathered import Gathered
from backend.runtime import tasks
from backend.store.database import Database

TABLES = ["CREATE TABLE seen (n INTEGER);"]


@pytest.fixture
async def database(tmp_path):
    database = Database(tmp_path / "x.db", TABLES)
    yield database
    await database.close()


def insert(number):
    return lambda tx: tx.run("INSERT INTO seen VALUES (:n)", {"n": number})


async def seen(database):
    return await database.read(lambda reader: [row[0] for row in reader.rows("SELECT n FROM seen")])


async def test_what_comes_together_is_committed_together_in_order(database, monkeypatch):
    commits = []
    write = database.write
    monkeypatch.setattr(database, "write", lambda fn: commits.append(fn) or write(fn))
    gathered = Gathered(database)
    await asyncio.gather(*(gathered.write(insert(n)) for n in range(10)))
    assert await seen(database) == list(range(10))
    assert len(commits) == 1
    await gathered.write(insert(10))
    assert len(commits) == 2


async def test_a_write_whose_caller_is_cancelled_is_carried_out(database):
    gathered = Gathered(database)
    task = tasks.spawn(gathered.write(insert(1)), "writer")
    await asyncio.sleep(0)
    await tasks.stop(task)
    await gathered.flush()
    assert await seen(database) == [1]


async def test_a_failure_is_told_to_each_and_the_next_moment_begins_anew(database, expect_log):
    expect_log("task failed")
    gathered = Gathered(database)

    def broken(tx):
        tx.run("INSERT INTO missing VALUES (1)")

    results = await asyncio.gather(
        gathered.write(insert(1)), gathered.write(broken), return_exceptions=True
    )
    assert [type(result) for result in results] == [sqlite3.OperationalError] * 2
    await gathered.write(insert(2))
    assert await seen(database) == [2]

"""A process that delivers is killed at random points; what it acknowledged is there once, and nothing is there by half."""

import asyncio
import json
import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from backend.core.ids import AccountId
from backend.store.blobs import Blobs
from backend.store.database import Database
from backend.store.store import Store
from backend.store.values import Field
from backend.store.verify import verify
from tests.support import killed_deliverer

KILLS = int(os.environ.get("GATEPOST_KILLS", "200"))
ROOT = Path(__file__).resolve().parents[3]


async def _numbers(store, account_id):
    """How often each message lies in each mailbox of an account; each is whole."""
    account = await store.account(AccountId(account_id))
    found = Counter()
    for mailbox in await account.mailboxes():
        async for rows in account.rows(mailbox.id, None, (Field.CONTENT,), list):
            for (data,) in rows:
                number = re.search(rb"Subject: (\S+)\r\n", data)[1].decode()
                size, _ = killed_deliverer.plan(number)
                assert data == killed_deliverer.content(number, size)
                found[account_id, mailbox.name, number] += 1
    return found


@pytest.mark.kill
async def test_what_was_acknowledged_survives_kills_exactly_once_and_nothing_is_half(tmp_path):
    folder = tmp_path / "data"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.killed_deliverer",
        folder,
        str(KILLS),
        "7",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    rounds = json.loads(output)
    acknowledged = [number for numbers in rounds for number in numbers]
    assert len(rounds) == KILLS
    assert len(acknowledged) > KILLS

    store = Store(folder)
    await store.open()
    found = Counter()
    for account in killed_deliverer.ACCOUNTS:
        found += await _numbers(store, account)
    await store.close()
    for account in killed_deliverer.ACCOUNTS:
        folder_of = folder / "accounts" / account
        database = Database(folder_of / "mail.db", None)
        rows = await database.read(lambda r: r.rows("SELECT blob FROM content WHERE blob NOTNULL"))
        await database.close()
        assert set(Blobs(folder_of / "blobs").names()) == {name for (name,) in rows}
    assert not list(Blobs(folder / "journal").names())

    assert set(found.values()) == {1}
    for number in acknowledged:
        _, targets = killed_deliverer.plan(number)
        assert all(found[account, box, number] == 1 for account, box in targets), number
    for number in {number for _, _, number in found}:
        _, targets = killed_deliverer.plan(number)
        assert all((account, box, number) in found for account, box in targets), number

    report = await verify(folder)
    assert report.problems == []
    assert report.messages == len(found)
    assert report.pending_deliveries == 0

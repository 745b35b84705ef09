"""Accounts, quota, a full disk, the journal and what verify finds."""

import asyncio
import os
import resource

import pytest

from backend.core.errors import TemporaryError, UserError
from backend.core.ids import AccountId
from backend.core.status import DISK_FULL, MAILBOX_FULL
from backend.core.uidset import UidSet
from backend.store.database import Database
from backend.store.store import Store
from backend.store.values import Field, FlagOp, NewMessage, Target
from backend.store.verify import verify
from tests.support.mail import sample_message

ANNA, BEN = AccountId("anna"), AccountId("ben")


def new(text="hello", size=0):
    return NewMessage(sample_message(text, size), 1_700_000_000.0)


async def count(store, account_id, name="INBOX"):
    account = await store.account(account_id)
    return (await account.find_mailbox(name)).messages


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".hidden", "x" * 65, "ä", "a\n", "a b"])
async def test_an_account_name_that_could_leave_the_folder_is_refused(store, name):
    with pytest.raises(UserError):
        await store.account(AccountId(name))


async def test_a_removed_account_is_gone_and_its_name_starts_anew(store):
    account = await store.account(ANNA)
    old = await account.find_mailbox("INBOX")
    await account.append(old.id, [new()])
    await store.remove_account(ANNA)
    assert not account.folder.exists()
    assert await count(store, ANNA) == 0
    await store.remove_account(AccountId("nobody"))


async def test_over_quota_nothing_is_delivered_to_anyone(store):
    limits = {BEN: 1000}
    store.quota = limits.get
    both = [Target(ANNA, "INBOX"), Target(BEN, "INBOX")]
    await store.deliver(new(), both)
    for targets in (both, both[1:]):
        with pytest.raises(TemporaryError) as caught:
            await store.deliver(new(size=2000), targets)
        assert caught.value.status == MAILBOX_FULL
    assert (await count(store, ANNA), await count(store, BEN)) == (1, 1)
    ben = await store.account(BEN)
    inbox = await ben.find_mailbox("INBOX")
    usage = await ben.usage()
    limits[BEN] = usage.size_bytes
    with pytest.raises(TemporaryError):
        await ben.copy(inbox.id, UidSet([(1, 1)]), inbox.id)
    await ben.move(inbox.id, UidSet([(1, 1)]), (await ben.find_mailbox("Archive")).id)
    assert await ben.usage() == usage.__class__(1, usage.size_bytes, usage.size_bytes)


@pytest.mark.parametrize("size", [20_000, 400_000])
async def test_a_full_disk_leaves_nothing_half_and_passes(store, size):
    targets = [Target(ANNA, "INBOX"), Target(BEN, "INBOX")]
    await store.deliver(new("first"), targets)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(TemporaryError) as caught:
            for _ in range(100):
                await store.deliver(new(size=size), targets[:1])
        assert caught.value.status == DISK_FULL
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    delivered = await count(store, ANNA)
    await store.deliver(new("last", size), targets)
    assert await count(store, ANNA) == delivered + 1
    assert await count(store, BEN) == 2
    await store.close()
    report = await verify(store.folder)
    assert report.problems == []
    assert report.accounts == 2


async def test_a_delivery_that_was_interrupted_is_finished_once_at_the_next_start(store):
    targets = [Target(ANNA, "INBOX"), Target(BEN, "Lists/x"), Target(AccountId("gone"), "INBOX")]
    for size in (100, 400_000):
        await store.deliver(new(f"m{size}", size), targets)
    # The accounts have the messages, and the journal is as if the process had died before it could forget them.
    journal = store._journal
    intents = list(journal._done)
    assert len(intents) == 2 or len(intents) == 1  # the second one may have swept the first
    journal._done = []
    await store.remove_account(AccountId("gone"))
    ben = await store.account(BEN)
    await ben.database.write(lambda t: t.run("DELETE FROM delivered"))
    lists = await ben.find_mailbox("Lists/x")
    await store.close()
    again = Store(store.folder)
    await again.open()
    assert await count(again, ANNA) == 2
    assert await count(again, BEN, "Lists/x") == lists.messages + len(intents)
    assert not (again.folder / "accounts" / "gone").exists()
    await again.close()
    assert (await verify(store.folder)).problems == []


async def test_a_delivery_that_one_account_can_not_take_now_is_accepted_and_follows(
    store, expect_log, monkeypatch
):
    monkeypatch.setattr("backend.store.store.RETRY_AFTER_S", 0.01)
    ben = await store.account(BEN)
    real, failures = ben.deliver, [TemporaryError(DISK_FULL)]

    async def deliver(*args, **more):
        if failures:
            raise failures.pop()
        return await real(*args, **more)

    ben.deliver = deliver
    expect_log("delivery will be tried again")
    with store.changes.subscribe(lambda change: change.account == BEN) as changes:
        done = await store.deliver(new(), [Target(ANNA, "INBOX"), Target(BEN, "INBOX")])
        assert [one.uid for one in done] == [1, 0]
        await changes.wait()
    assert await count(store, BEN) == await count(store, ANNA) == 1


async def test_a_cancelled_delivery_leaves_no_pinned_file(store):
    account = await store.account(ANNA)
    work = store.deliver(new("big", 2_000_000), [Target(ANNA, "INBOX")])
    task = asyncio.get_running_loop().create_task(work)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert not account.blobs._pins
    await store.close()
    again = Store(store.folder)
    await again.open()
    await again.account(ANNA)
    await again.close()
    assert (await verify(store.folder)).problems == []
    assert len(list(account.blobs.names())) == (await verify(store.folder)).files


@pytest.mark.parametrize("accounts", [[ANNA], [ANNA, BEN]])
async def test_a_repeated_delivery_id_adds_nothing(store, accounts):
    targets = [Target(account, "INBOX") for account in accounts]
    first = await store.deliver(new("x"), targets, delivery_id="d1")
    await store.deliver(new("y", 400_000), targets, delivery_id="d2")
    assert await store.deliver(new("x"), targets, delivery_id="d1") == first
    await store.deliver(new("y", 400_000), targets, delivery_id="d2")
    assert [await count(store, account) for account in accounts] == [2] * len(accounts)


async def test_unusable_mailbox_names_are_refused_before_anything_is_written(store):
    with pytest.raises(UserError):
        await store.deliver(new(), [Target(ANNA, "INBOX"), Target(BEN, "a//b")])
    assert await count(store, ANNA) == 0


async def test_a_spooled_message_with_a_prefix_is_stored_as_one(store, tmp_path):
    raw = sample_message("spooled", 400_000)
    spool = tmp_path / "in.eml"
    spool.write_bytes(raw)
    prefix = b"Return-Path: <>\r\nReceived: by us;\r\n Fri, 17 Nov 2023 12:00:00 +0000\r\n"
    done = await store.deliver(
        NewMessage(spool, 1.0, prefix=prefix), [Target(ANNA, "INBOX"), Target(BEN, "INBOX")]
    )
    for one in done:
        account = await store.account(one.account)
        assert await account.read_content(one.mailbox_id, one.uid) == prefix + raw
        assert await account.read_content(one.mailbox_id, one.uid, 10, 20) == (prefix + raw)[10:30]
    assert spool.exists()
    rows = account.rows(one.mailbox_id, None, (Field.HEADER,), list)
    assert (await anext(rows))[0][0].startswith(prefix + b"From:")


DAMAGE = {
    "store.counter": "UPDATE mailbox SET unseen = unseen + 1 WHERE id = 1",
    "store.lost": "DELETE FROM body WHERE content_id = 1",
    "store.flags": "UPDATE message SET flags = 1 WHERE uid = 2",
    "store.number": "UPDATE mailbox SET uidnext = 2 WHERE id = 1",
}


@pytest.mark.parametrize(
    "code", [*DAMAGE, "missing file", "changed file", "store.index", "store.damaged"]
)
async def test_verify_finds_damage(store, code):
    account = await store.account(ANNA)
    inbox = await account.find_mailbox("INBOX")
    await account.append(inbox.id, [new("one"), new("two"), new("three", 300_000)])
    await account.select(inbox.id)
    await store.index_now(ANNA)
    await store.close()
    assert (await verify(store.folder)).problems == []
    (blob,) = account.blobs.names()
    if code in DAMAGE:
        database = Database(account.folder / "mail.db", None)
        await database.write(lambda t: t.run(DAMAGE[code]))
        await database.close()
    elif code == "missing file":
        account.blobs.path(blob).unlink()
    elif code == "changed file":
        path = account.blobs.path(blob)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    else:
        name = "index.db" if code == "store.index" else "mail.db"
        with (account.folder / name).open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 3 * 4096)
    report = await verify(store.folder)
    assert code.replace("missing ", "store.").replace("changed ", "store.") in {
        problem.code for problem in report.problems
    } or {problem.code for problem in report.problems} == {"store.unreadable"}
    assert not report.is_clean


async def test_verify_repairs_counters_and_removes_old_orphans(store):
    account = await store.account(ANNA)
    inbox = await account.find_mailbox("INBOX")
    await account.append(inbox.id, [new("one"), new("two")])
    await account.store_flags(inbox.id, UidSet([(1, 1)]), FlagOp.ADD, frozenset({r"\Seen"}))
    account.blobs.unpin(account.blobs.add(b"nobody's"))
    (orphan,) = account.blobs.names()
    os.utime(account.blobs.path(orphan), (1_000_000_000, 1_000_000_000))
    await account.database.write(lambda t: t.run("UPDATE mailbox SET messages = 7, unseen = 9"))
    await account.database.write(lambda t: t.run("UPDATE account SET size_bytes = 1"))
    await store.close()
    report = await verify(store.folder, repair=True)
    assert report.repaired >= 3
    assert not account.blobs.path(orphan).exists()
    assert (await verify(store.folder)).problems == []


async def test_a_damaged_account_is_told_in_plain_words_and_the_others_are_served(
    store, expect_log
):
    expect_log("task failed: load account anna")
    anna = await store.account(ANNA)
    file = anna.database.path
    await store.close()
    file.write_bytes(b"no database at all " * 500)
    again = Store(store.folder)
    await again.open()
    with pytest.raises(UserError) as caught:
        await again.deliver(new("for anna"), [Target(ANNA, "INBOX")])
    assert str(file) in caught.value.problem.message
    assert "backup" in caught.value.problem.fix
    assert await again.deliver(new("for ben"), [Target(BEN, "INBOX")])
    await again.close()


async def test_how_much_accounts_keep_is_read_without_opening_them(store):
    await store.deliver(new(), [Target(ANNA, "INBOX"), Target(ANNA, "Lists/x")])
    opened = await (await store.account(ANNA)).usage()
    again = Store(store.folder)
    nobody = AccountId("nobody")
    usages = await again.usages([ANNA, nobody])
    assert (usages[ANNA].messages, usages[ANNA].size_bytes) == (2, opened.size_bytes)
    assert usages[nobody].messages == 0
    assert not again._accounts
    assert not (store.folder / "accounts" / "nobody").exists()


async def test_an_account_that_can_not_be_read_from_outside_is_opened(store, monkeypatch):
    await store.deliver(new(), [Target(ANNA, "INBOX")])
    monkeypatch.setattr("backend.store.store.peek", lambda path, sql: None)
    again = Store(store.folder)
    assert (await again.usages([ANNA]))[ANNA].messages == 1
    await again.close()

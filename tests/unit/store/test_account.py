"""The account store against a real database."""

from backend.core.events import FlagsChanged, MessagesAdded, MessagesExpunged
from backend.core.ids import AccountId
from backend.core.uidset import UidSet
from backend.store.store import Store
from backend.store.values import Field, FlagOp, NewMessage, Target
from tests.support.mail import sample_message

ANNA = AccountId("anna")


def new(text="hello", flags=(), size=0):
    return NewMessage(sample_message(text, size), 1_700_000_000.0, frozenset(flags))


async def all_rows(account, mailbox, fields, uids=None, **more):
    return [row async for rows in account.rows(mailbox, uids, fields, list, **more) for row in rows]


async def test_a_new_account_has_the_usual_mailboxes_subscribed(store):
    account = await store.account(ANNA)
    boxes = await account.mailboxes()
    assert [box.name for box in boxes] == ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"]
    assert all(box.subscribed for box in boxes)
    assert {box.name: box.special_use for box in boxes}["Sent"] == r"\Sent"
    assert len({box.uidvalidity for box in boxes}) == len({box.mailboxid for box in boxes}) == 6


async def test_an_appended_message_is_counted_announced_and_read_back(store):
    account = await store.account(ANNA)
    inbox = await account.find_mailbox("inbox")
    with account.changes.subscribe() as mine, store.changes.subscribe() as everything:
        uidvalidity, uids = await account.append(
            inbox.id, [new("one"), new("two", [r"\Seen", "$Junk"])]
        )
        assert mine.take() == everything.take() == [MessagesAdded(ANNA, inbox.id, (1, 2), 8)]
    assert (uidvalidity, uids) == (inbox.uidvalidity, [1, 2])
    snapshot = await account.select(inbox.id)
    box = snapshot.mailbox
    assert (box.messages, box.unseen, box.deleted, box.uidnext) == (2, 1, 0, 3)
    assert snapshot.uids == UidSet([(1, 2)])
    assert snapshot.keywords == ("$Junk",)
    rows = await all_rows(account, inbox.id, (Field.UID, Field.FLAGS, Field.CONTENT))
    assert rows == [(1, b"", sample_message("one")), (2, rb"\Seen $Junk", sample_message("two"))]
    assert await account.read_content(inbox.id, 2, 5, 7) == sample_message("two")[5:12]
    assert box.size_bytes == (await account.usage()).size_bytes == sum(len(r[2]) for r in rows)


async def test_a_big_message_is_a_file_that_copies_share_and_expunge_removes(store):
    account = await store.account(ANNA)
    inbox, archive = await account.find_mailbox("INBOX"), await account.find_mailbox("Archive")
    big = new("big", size=300_000)
    await account.append(inbox.id, [big])
    copied = await account.copy(inbox.id, UidSet([(1, 1)]), archive.id)
    assert copied.target_uids == (1,)
    assert len(list(account.blobs.names())) == 1
    assert (await all_rows(account, archive.id, (Field.CONTENT,)))[0][0] == big.content
    assert await account.read_content(archive.id, 1, 100, 50) == big.content[100:150]
    for mailbox in (inbox, archive):
        await account.store_flags(
            mailbox.id, UidSet([(1, 1)]), FlagOp.ADD, frozenset({r"\Deleted"})
        )
        assert (await account.expunge(mailbox.id, None)).uids == UidSet([(1, 1)])
    await account.close()
    assert not list(account.blobs.names())


async def test_flags_are_changed_and_an_unchanged_message_keeps_its_modseq(store):
    account = await store.account(ANNA)
    inbox = await account.find_mailbox("INBOX")
    await account.append(inbox.id, [new(), new(flags=[r"\Seen"]), new()])
    before = (await account.select(inbox.id)).mailbox.highestmodseq
    with account.changes.subscribe() as mine:
        result = await account.store_flags(
            inbox.id, UidSet([(1, 2)]), FlagOp.ADD, frozenset({r"\seen"}), origin=7
        )
        assert mine.take() == [FlagsChanged(ANNA, inbox.id, ((1, rb"\Seen"),), before + 1, 7)]
    assert list(result.changed) == [(1, rb"\Seen", before + 1)]
    assert list(result.unchanged) == [(2, rb"\Seen", before)]
    assert (await account.select(inbox.id)).mailbox.unseen == 1
    result = await account.store_flags(
        inbox.id, UidSet([(1, 3)]), FlagOp.REPLACE, frozenset({"tag"}), unchanged_since=before
    )
    assert result.refused == UidSet([(1, 1)])
    assert [uid for uid, _, _ in result.changed] == [2, 3]
    assert (await account.select(inbox.id)).keywords == ("tag",)
    changed = await all_rows(account, inbox.id, (Field.UID, Field.FLAGS), changed_since=before + 1)
    assert changed == [(2, b"tag"), (3, b"tag")]


async def test_move_and_expunge_leave_a_trace_for_clients_that_come_back(store):
    account = await store.account(ANNA)
    inbox, trash = await account.find_mailbox("INBOX"), await account.find_mailbox("Trash")
    await account.append(inbox.id, [new(str(number)) for number in range(5)])
    before = (await account.select(inbox.id)).mailbox.highestmodseq
    with account.changes.subscribe() as mine:
        moved = await account.move(inbox.id, UidSet([(2, 3), (9, 12)]), trash.id)
        assert [type(event) for event in mine.take()] == [MessagesAdded, MessagesExpunged]
    assert (moved.source_uids, moved.target_uids) == ((2, 3), (1, 2))
    assert (await account.select(inbox.id)).uids == UidSet([(1, 1), (4, 5)])
    assert await account.vanished(inbox.id, before) == UidSet([(2, 3)])
    assert (await account.usage()).messages == 5


async def test_everything_is_there_after_the_store_was_closed(store, tmp_path):
    account = await store.account(ANNA)
    inbox = await account.find_mailbox("INBOX")
    await account.append(inbox.id, [new(str(number)) for number in range(6)])
    await account.move(inbox.id, UidSet([(2, 2)]), inbox.id)
    snapshot = await account.select(inbox.id)
    await store.close()
    again = Store(store.folder)
    await again.open()
    assert await (await again.account(ANNA)).select(inbox.id) == snapshot
    await again.close()


async def test_a_message_reaches_several_accounts_and_mailboxes(store):
    targets = [
        Target(AccountId("a"), "INBOX"),
        Target(AccountId("b"), "Lists/x"),
        Target(AccountId("a"), "Sent"),
    ]
    delivered = await store.deliver(new("all", size=400_000), targets)
    assert [one.account for one in delivered] == ["a", "b", "a"]
    assert all(one.uid == 1 for one in delivered)
    for one in delivered:
        account = await store.account(one.account)
        assert (await all_rows(account, one.mailbox_id, (Field.SIZE,))) == [
            (len(new("all", size=400_000).content),)
        ]


async def test_who_comes_back_after_very_long_is_told_all_that_is_missing(store, monkeypatch):
    monkeypatch.setattr("backend.store.messages.MAX_EXPUNGED_RUNS", 4)
    account = await store.account(ANNA)
    inbox = await account.find_mailbox("INBOX")
    await account.append(inbox.id, [new(str(n)) for n in range(20)])
    start = (await account.select(inbox.id)).mailbox.highestmodseq
    for uid in range(1, 20, 2):
        one = UidSet([(uid, uid)])
        await account.store_flags(inbox.id, one, FlagOp.ADD, frozenset({r"\Deleted"}))
        last = await account.expunge(inbox.id, one)
    snapshot = await account.select(inbox.id)
    await store.close()
    again = Store(store.folder)
    await again.open()
    account = await again.account(ANNA)
    assert (await account.select(inbox.id)) == snapshot
    assert await account.vanished(inbox.id, start) == UidSet((n, n) for n in range(1, 20, 2))
    assert await account.vanished(inbox.id, last.modseq - 1) == UidSet([(19, 19)])
    count = await account.database.read(lambda r: r.value("SELECT COUNT(*) FROM expunged"))
    assert count == 2
    await again.close()

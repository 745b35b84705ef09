"""SEARCH against a real database, with and without the index, against what a plain look finds."""

import resource

import pytest

from backend.core.ids import AccountId
from backend.core.uidset import UidSet
from backend.imap import search as s
from backend.store.values import NewMessage

ANNA = AccountId("anna")
DAY = 86_400


def message(subject="x", body="y", extra="", charset="utf-8", sender="Zoë <zoe@example.org>"):
    head = (
        f"From: {sender}\r\nTo: ben@example.net\r\nSubject: {subject}\r\n{extra}"
        f"Date: Fri, 17 Nov 2023 23:30:00 -0700\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return head.encode() + f"{body}\r\n".encode(charset)


MESSAGES = [
    message("Hello World", "the quick brown fox"),
    message("=?utf-8?q?Gr=C3=BC=C3=9Fe?= aus Wien", "Straße der Äpfel", charset="iso-8859-1"),
    message("third", "brown\r\nfox jumps over; well-known"),
    message("fourth", "日本語の文章です", extra="X-Spam: yes\r\nReferences: <a@b> <c@d>\r\n"),
    message("big", "needle-in-a-haystack " * 20_000, sender="ann@foxes.example"),
]


@pytest.fixture(params=["scanned", "indexed", "half indexed"])
async def mailbox(store, request):
    account = await store.account(ANNA)
    inbox = await account.find_mailbox("INBOX")
    store.indexer.pause()
    for number, raw in enumerate(MESSAGES):
        flags = frozenset({r"\Seen", "$Tag"}) if number % 2 else frozenset()
        await account.append(inbox.id, [NewMessage(raw, 1_700_000_000.0 + number * DAY, flags)])
        if request.param == "indexed" or (request.param == "half indexed" and number == 2):
            await store.index_now(ANNA)

    async def found(*keys, **more):
        key = keys[0] if len(keys) == 1 else s.And(keys)
        return (await account.search(inbox.id, key, **more)).uids

    found.account, found.inbox = account, inbox
    return found


@pytest.mark.parametrize(
    ("key", "uids"),
    [
        (s.Text("QUICK"), [1]),
        (s.Text("uic"), [1]),
        (s.Body("brown fox"), [1, 3]),
        (s.Body("own fo"), [1, 3]),
        (s.Text("fox"), [1, 3, 5]),
        (s.Body("fox"), [1, 3]),
        (s.Body("strasse"), [2]),
        (s.Body("STRASSE DER äpf"), [2]),
        (s.Text("grüße"), [2]),
        (s.Body("grüße"), []),
        (s.Body("語の文"), [4]),
        (s.Body("well-known"), [3]),
        (s.Body(";"), [3]),
        (s.Body("y"), [1 + 4]),
        (s.Text(""), [1, 2, 3, 4, 5]),
        (s.Body("in-a-hay"), [5]),
        (s.Body("haystack needle"), [5]),
        (s.Body("nothing of the kind"), []),
        (s.Text("ben@example.net"), [1, 2, 3, 4, 5]),
        (s.Subject("GRÜSSE AUS"), [2]),
        (s.Subject("o w"), [1]),
        (s.Address("from", "zoë"), [1, 2, 3, 4]),
        (s.Address("to", "EXAMPLE.NET"), [1, 2, 3, 4, 5]),
        (s.Address("cc", "x"), []),
        (s.Header("x-spam", ""), [4]),
        (s.Header("References", "<C@d>"), [4]),
        (s.Header("Subject", "grüße"), [2]),
        (s.Header("X-Nothing", ""), []),
        (s.Flag(r"\Seen"), [2, 4]),
        (s.Flag(r"\seen", present=False), [1, 3, 5]),
        (s.Flag("$TAG"), [2, 4]),
        (s.Flag("other"), []),
        (s.Not(s.Flag("other")), [1, 2, 3, 4, 5]),
        (s.Not(s.Text("fox")), [2, 4]),
        (s.Or(s.Body("quick"), s.Flag(r"\Seen")), [1, 2, 4]),
        (s.And((s.Flag(r"\Seen"), s.Not(s.Body("strasse")))), [4]),
        (s.Uids(UidSet([(2, 3), (9, 20)])), [2, 3]),
        (s.Uids(UidSet((n, n) for n in range(1, 301, 2))), [1, 3, 5]),
        (s.Size(100_000, larger=True), [5]),
        (s.Size(100_000, larger=False), [1, 2, 3, 4]),
        (s.Date(s.DateField.INTERNAL, s.Compare.ON, 1_700_000_000 // DAY + 1), [2]),
        (s.Date(s.DateField.INTERNAL, s.Compare.BEFORE, 1_700_000_000 // DAY + 1), [1]),
        (s.Date(s.DateField.INTERNAL, s.Compare.SINCE, 1_700_000_000 // DAY + 3), [4, 5]),
        (s.Date(s.DateField.SENT, s.Compare.ON, 19678), [1, 2, 3, 4, 5]),
        (s.Date(s.DateField.SENT, s.Compare.BEFORE, 19678), []),
        (s.Date(s.DateField.SAVED, s.Compare.BEFORE, 19678), []),
        (s.Within(10, younger=True), []),
        (s.Within(10, younger=False), [1, 2, 3, 4, 5]),
        (s.All(), [1, 2, 3, 4, 5]),
    ],
    ids=str,
)
async def test_search_finds(mailbox, key, uids):
    assert await mailbox(key) == uids
    assert await mailbox(s.Not(key)) == [uid for uid in range(1, 6) if uid not in uids]
    assert await mailbox(key, s.Text("fox")) == [uid for uid in uids if uid in {1, 3, 5}]


async def test_a_search_tells_the_highest_modseq_of_what_it_found(mailbox):
    result = await mailbox.account.search(mailbox.inbox.id, s.Flag(r"\Seen"), want_modseq=True)
    rows = mailbox.account.rows(mailbox.inbox.id, UidSet([(4, 4)]), ("modseq",), list)
    assert [result.modseq] == [row[0] async for chunk in rows for row in chunk]
    assert await mailbox(s.ModSeqSince(result.modseq)) == [4, 5]


async def test_a_copy_is_found_by_the_email_id_of_its_source(mailbox):
    account, inbox = mailbox.account, mailbox.inbox
    rows = account.rows(inbox.id, UidSet([(2, 2)]), ("email_id",), list)
    email_id = (await anext(rows))[0][0]
    await account.copy(inbox.id, UidSet([(2, 2)]), inbox.id)
    assert await mailbox(s.EmailId(email_id)) == [2, 6]
    assert await mailbox(s.Body("strasse")) == [2, 6]


async def test_a_full_disk_on_which_no_index_can_be_made_is_searched_without(store, expect_log):
    account = await store.account(ANNA)
    inbox = await account.find_mailbox("INBOX")
    await account.append(inbox.id, [NewMessage(raw, 1.0) for raw in MESSAGES])
    expect_log("search index can't be read")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        assert (await account.search(inbox.id, s.Body("quick"))).uids == [1]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_damaged_index_is_built_again(store, expect_log):
    account = await store.account(ANNA)
    inbox = await account.find_mailbox("INBOX")
    await account.append(inbox.id, [NewMessage(raw, 1.0) for raw in MESSAGES])
    await store.index_now(ANNA)
    await account.index.close()
    with (account.folder / "index.db").open("r+b") as file:
        file.write(b"\xff" * 100_000)
    account.index = type(account.index)(account.folder, account.blobs, store._limit)
    expect_log("search index")
    assert (await account.search(inbox.id, s.Body("quick"))).uids == [1]
    await store.index_now(ANNA)
    assert (await account.index.find("body", "quick")).sure == {1}


async def test_an_index_of_messages_that_are_gone_is_emptied(store, monkeypatch):
    monkeypatch.setattr("backend.store.index.STALE_AT_LEAST", 3)
    store.indexer.pause()
    account = await store.account(ANNA)
    inbox = await account.find_mailbox("INBOX")
    flags = frozenset({r"\Deleted"})
    await account.append(inbox.id, [NewMessage(raw, 1.0, flags) for raw in MESSAGES])
    await store.index_now(ANNA)
    await account.expunge(inbox.id, UidSet([(1, 4)]))
    assert (await account.index.find("body", "quick")).sure == {1}
    await store.index_now(ANNA)
    assert (await account.index.find("body", "quick")).sure == frozenset()
    assert (await account.search(inbox.id, s.Body("needle"))).uids == [5]

"""Names, creation, renaming, deletion, subscription."""

import pytest

from backend.core.errors import ConflictError, NotFoundError, UserError
from backend.core.events import MailboxCreated, MailboxDeleted, MailboxRenamed, SubscriptionChanged
from backend.core.ids import AccountId
from backend.core.uidset import UidSet
from backend.store import mailboxes
from backend.store.values import Field, FlagOp, NewMessage
from tests.support.mail import sample_message

ANNA = AccountId("anna")


@pytest.fixture
async def account(store):
    return await store.account(ANNA)


async def names(account):
    return [box.name for box in await account.mailboxes() if not box.special_use]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("inbox", "INBOX"),
        ("Inbox/x", "INBOX/x"),
        ("Cafe\u0301", "Café"),
        ("a/b c", "a/b c"),
        ("../../etc", None),
        ("日本", "日本"),
        ("x" * 200, "x" * 200),
    ],
)
def test_a_name_is_brought_into_its_normal_form(given, stored):
    if stored is None:
        assert mailboxes.normal_name(given) == given  # a name is never a path
    else:
        assert mailboxes.normal_name(given) == stored


@pytest.mark.parametrize(
    "name",
    ["", "/", "a//b", "/a", "a/", "a\x00b", "a%", "a*", "x" * 201, "a/" * 20 + "a", "\ud800", " "],
)
def test_a_name_that_can_not_be_is_refused(name):
    with pytest.raises(UserError):
        mailboxes.normal_name(name)


async def test_creating_makes_the_superiors_too(account):
    with account.changes.subscribe() as mine:
        made = await account.create_mailbox("a/b/c", special_use=r"\Archive")
        assert [event.name for event in mine.take()] == ["a", "a/b", "a/b/c"]
    assert (made.name, made.special_use) == ("a/b/c", r"\Archive")
    with pytest.raises(ConflictError):
        await account.create_mailbox("a/b")
    assert len({box.uidvalidity for box in await account.mailboxes()}) == 9


async def test_renaming_takes_what_lies_below_along(account):
    await account.create_mailbox("a/b")
    await account.create_mailbox("ab")
    before = await account.find_mailbox("a/b")
    with account.changes.subscribe() as mine:
        await account.rename_mailbox("a", "x/y")
        events = mine.take()
    assert [(type(e), e.name) for e in events] == [
        (MailboxCreated, "x"),
        (MailboxRenamed, "x/y"),
        (MailboxRenamed, "x/y/b"),
    ]
    assert await names(account) == ["INBOX", "ab", "x", "x/y", "x/y/b"]
    assert (await account.find_mailbox("x/y/b")).id == before.id
    with pytest.raises(NotFoundError):
        await account.rename_mailbox("a", "b")
    with pytest.raises(ConflictError):
        await account.rename_mailbox("x", "ab")
    with pytest.raises(UserError):
        await account.rename_mailbox("x", "x/y/z")


async def test_renaming_the_inbox_moves_its_messages(account):
    inbox = await account.find_mailbox("INBOX")
    await account.append(inbox.id, [NewMessage(sample_message(), 1.0)] * 3)
    await account.rename_mailbox("inbox", "Old")
    assert (await account.select(inbox.id)).uids == UidSet()
    old = await account.find_mailbox("Old")
    assert (await account.select(old.id)).uids == UidSet([(1, 3)])


async def test_deleting_takes_the_messages_and_leaves_what_lies_below(account):
    box = (await account.create_mailbox("a/b")).id
    top = (await account.find_mailbox("a")).id
    inbox = await account.find_mailbox("INBOX")
    await account.append(
        top, [NewMessage(sample_message(size=300_000), 1.0), NewMessage(sample_message(), 1.0)]
    )
    await account.copy(top, UidSet([(2, 2)]), inbox.id)
    with account.changes.subscribe() as mine:
        await account.delete_mailbox("a")
        assert mine.take() == [MailboxDeleted(ANNA, top, "a")]
    assert (await account.usage()).messages == 1
    assert [m.id for m in await account.status([top, box])] == [box]
    with pytest.raises(NotFoundError):
        await account.select(top)
    with pytest.raises(NotFoundError):
        await account.append(top, [NewMessage(sample_message(), 1.0)])
    with pytest.raises(UserError):
        await account.delete_mailbox("InBox")
    again = await account.create_mailbox("a")
    assert again.id != top
    rows = account.rows(inbox.id, None, (Field.CONTENT,), list)
    assert [row async for chunk in rows for row in chunk] == [(sample_message(),)]


async def test_a_subscription_outlives_its_mailbox(account):
    await account.create_mailbox("a")
    assert not (await account.find_mailbox("a")).subscribed
    with account.changes.subscribe() as mine:
        await account.set_subscribed("a", subscribed=True)
        assert mine.take() == [SubscriptionChanged(ANNA, "a", True)]
    assert (await account.find_mailbox("a")).subscribed
    await account.delete_mailbox("a")
    assert "a" in await account.subscriptions()
    await account.set_subscribed("a", subscribed=False)
    assert "a" not in await account.subscriptions()


async def test_keywords_are_bounded_and_keep_their_first_spelling(account):
    inbox = await account.find_mailbox("INBOX")
    await account.append(inbox.id, [NewMessage(sample_message(), 1.0, frozenset({"Todo"}))])
    one = UidSet([(1, 1)])
    await account.store_flags(inbox.id, one, FlagOp.ADD, frozenset({"TODO", "b"}))
    assert (await account.select(inbox.id)).keywords == ("Todo", "b")
    with pytest.raises(UserError):
        await account.store_flags(inbox.id, one, FlagOp.ADD, frozenset({"x" * 129}))
    many = frozenset(f"k{n}" for n in range(500))
    with pytest.raises(UserError):
        await account.store_flags(inbox.id, one, FlagOp.ADD, many)
    assert (await account.select(inbox.id)).keywords == ("Todo", "b")
    result = await account.store_flags(inbox.id, one, FlagOp.REMOVE, frozenset({"todo", "zzz"}))
    assert [flags for _, flags, _ in result.changed] == [b"b"]

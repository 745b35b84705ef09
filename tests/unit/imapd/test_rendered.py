"""Answers that are kept, and that they are never older than the mailbox."""

from pathlib import Path

from backend.core.clock import FakeClock
from backend.imapd.rendered import MIN_MESSAGES, Rendered
from backend.store.values import NewMessage, Target
from tests.support.imap_server import ANNA, RECEIVED_AT, running_imap

MESSAGE = b"Subject: x\r\n\r\ny\r\n"


def test_the_least_recently_used_go_first() -> None:
    kept = Rendered(max_bytes=40)
    for name in "abcd":
        kept.put(name, b"0123456789")
    assert kept.get("a") is not None
    kept.put("e", b"0123456789")
    assert kept.get("b") is None
    assert kept.get("a") == b"0123456789"


def test_one_answer_never_pushes_all_others_out() -> None:
    kept = Rendered(max_bytes=40)
    kept.put("large", bytes(11))
    assert kept.get("large") is None


async def test_a_kept_answer_follows_every_change(tmp_path: Path) -> None:
    async with running_imap(tmp_path) as imap:
        messages = [NewMessage(MESSAGE, RECEIVED_AT) for _ in range(MIN_MESSAGES)]
        account = await imap.store.account(ANNA)
        inbox = await account.find_mailbox("INBOX")
        await account.append(inbox.id, messages)
        one, two = await (await imap.connect()).login(), await (await imap.connect()).login()
        for client in (one, two):
            await client.ok("SELECT INBOX")

        first = await one.ok("FETCH 1:* (UID FLAGS)")
        assert len(first) == MIN_MESSAGES
        assert await two.ok("FETCH 1:* (UID FLAGS)") == first

        await one.ok("STORE 7 +FLAGS.SILENT (\\Flagged)")
        again = [line for line in await two.ok("FETCH 1:* (UID FLAGS)") if b"\\Flagged" in line]
        assert b"* 7 FETCH (UID 7 FLAGS (\\Flagged))" in again

        await imap.store.deliver(messages[0], [Target(ANNA, "INBOX")])
        await one.ok("NOOP")
        assert (
            len([li for li in await one.ok("FETCH 1:* (UID FLAGS)") if b"FETCH" in li])
            == MIN_MESSAGES + 1
        )

        await one.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
        await one.ok("EXPUNGE")
        lines = await one.ok("FETCH 1:* (UID FLAGS)")
        assert lines[0].startswith(b"* 1 FETCH (UID 2 ")
        assert len(lines) == MIN_MESSAGES


async def test_an_account_that_was_removed_leaves_no_answer_to_the_next_of_its_name(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with running_imap(tmp_path, clock=clock) as imap:
        for size in (10, 20):
            message = NewMessage(MESSAGE + b"x" * size, RECEIVED_AT)
            account = await imap.store.account(ANNA)
            inbox = await account.find_mailbox("INBOX")
            await account.append(inbox.id, [message] * MIN_MESSAGES)
            client = await imap.login(select="INBOX")
            lines = await client.ok("FETCH 1:* (UID RFC822.SIZE)")
            assert lines[0] == b"* 1 FETCH (UID 1 RFC822.SIZE %d)" % (len(MESSAGE) + size)
            await client.ok("UNSELECT")
            await imap.store.remove_account(ANNA)
            clock.advance(60)

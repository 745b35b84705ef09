import asyncio
import email

import pytest

from backend.core.clock import FakeClock
from backend.core.errors import RefusedError, TemporaryError
from backend.core.status import DISK_FULL
from backend.outbound import actions
from backend.outbound.entries import PRACTICE_NOTE
from backend.outbound.listing import find_item
from tests.support.outbound_rig import CONTENT, OutboundRig, rig_config

PORT = 9  # nothing is dialed in these tests


@pytest.fixture
async def rig(tmp_path):
    async with OutboundRig(tmp_path, PORT, run=False, clock=FakeClock()) as rig:
        yield rig


async def test_mail_to_a_neighbour_is_delivered_without_leaving(rig):
    status = await rig.submit("ben@a.test")
    assert status.code == 250
    (stored,) = await rig.mail("ben")
    message = email.message_from_bytes(stored)
    assert message.get_all("Return-Path") == ["<anna@a.test>"]
    assert message["Bcc"] is None
    assert b"secret" not in stored
    assert b"and more" not in stored
    assert message["Received"].startswith("from laptop ([192.0.2.7])")
    assert message["Message-ID"].endswith("@a.test>")
    assert message["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert message.get_payload() == "hello\r\n"
    assert not await rig.items()
    assert [e.kind for e in rig.timeline] == ["received", "delivered"]


async def test_mail_to_a_stranger_waits_in_the_queue(rig):
    assert (await rig.submit("bo@b.test")).code == 250
    (item,) = await rig.items()
    assert (item.sender, item.recipient, item.state, item.attempts) == (
        "anna@a.test",
        "bo@b.test",
        "waiting",
        0,
    )
    detail = await find_item(rig.queue, item.id)
    assert b"\nBcc" not in detail.header
    assert b"Return-Path" not in detail.header
    assert detail.header.startswith(b"Received: from laptop")
    assert [e.kind for e in rig.timeline] == ["received", "queued"]
    assert [(c.queue_id, c.state) for c in rig.changes] == [(item.id, "waiting")]


async def test_local_and_remote_recipients_are_served_each_in_their_way(rig):
    await rig.submit("bo@b.test", "ben@a.test", "cy@c.test", "anna@a.test")
    assert len(await rig.mail("ben")) == 1
    assert len(await rig.mail("anna")) == 1
    assert [i.recipient for i in await rig.items()] == ["bo@b.test", "cy@c.test"]


async def test_a_recipient_named_twice_gets_one_copy(rig):
    await rig.submit("bo@b.test", "bo@b.test", "ben@a.test", "ben@a.test")
    assert len(await rig.mail("ben")) == 1
    assert len(await rig.items()) == 1


async def test_date_and_message_id_of_the_app_are_kept(rig):
    await rig.submit(
        "ben@a.test",
        content=b"From: anna@a.test\r\nDate: Mon, 1 Jan 2024 00:00:00 +0100\r\nMessage-ID: <x@y>\r\n\r\n",
    )
    message = email.message_from_bytes((await rig.mail("ben"))[0])
    assert message.get_all("Date") == ["Mon, 1 Jan 2024 00:00:00 +0100"]
    assert message.get_all("Message-ID") == ["<x@y>"]


@pytest.mark.parametrize("as_file", [True, False])
async def test_a_large_message_lies_in_a_file_while_it_waits(rig, tmp_path, as_file):
    large = CONTENT + b"0123456789abcdef\r\n" * 30_000
    content = large
    if as_file:
        content = tmp_path / "spool"
        content.write_bytes(large)
    await rig.submit("bo@b.test", "ben@a.test", content=content)
    (file,) = rig.queue.files.iterdir()
    body = large.partition(b"\r\n\r\n")[2]
    assert file.read_bytes().endswith(b"\r\n\r\n" + body)
    assert b"secret" not in file.read_bytes()
    assert (await rig.mail("ben"))[0].endswith(b"\r\n\r\n" + body)
    (item,) = await rig.items()
    assert item.size_bytes == file.stat().st_size
    await actions.drop(rig.queue, [item.id])
    await rig.until(lambda: not list(rig.queue.files.iterdir()))
    if as_file:
        assert content.exists()


async def test_a_large_message_for_here_alone_leaves_no_file(rig):
    await rig.submit("ben@a.test", content=CONTENT + b"0123456789abcdef\r\n" * 30_000)
    assert not list(rig.queue.files.iterdir())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sender": "ben@a.test"}, "ben@a.test"),
        ({"sender": "anna@elsewhere.test"}, "anna@elsewhere.test"),
        ({"account": "ben", "sender": "ben@a.test"}, "anna@a.test"),
        ({"content": b"To: x@y\r\n\r\n"}, "no From"),
        ({"content": b"From: undisclosed:;\r\n\r\n"}, "no From"),
        ({"content": b"From: anna@a.test\r\nFrom: anna@a.test\r\n\r\n"}, "more than one From"),
        ({"content": b"From: anna@a.test, ben@a.test\r\n\r\n"}, "ben@a.test"),
        ({"content": b"From: nobody\r\n\r\n"}, "nobody"),
        ({"account": "gone"}, "may not send"),
    ],
)
async def test_only_what_belongs_to_the_account_may_be_sent(rig, change, words):
    with pytest.raises(RefusedError, match=words):
        await rig.submit("bo@b.test", "ben@a.test", **change)
    assert not await rig.items()
    assert not await rig.mail("ben")


async def test_the_null_sender_is_allowed_for_receipts(rig):
    await rig.submit("bo@b.test", "ben@a.test", sender=None)
    assert b"Return-Path: <>\r\n" in (await rig.mail("ben"))[0]
    assert (await rig.items())[0].sender == ""


async def test_an_unknown_neighbour_refuses_the_whole_message(rig):
    with pytest.raises(RefusedError, match=r"nobody@a\.test"):
        await rig.submit("bo@b.test", "ben@a.test", "nobody@a.test")
    assert not await rig.items()
    assert not await rig.mail("ben")


async def test_a_domain_that_is_switched_off_is_temporary(tmp_path):
    config = rig_config(PORT, domains={"a.test": {}, "off.test": {"disabled": True}})
    async with OutboundRig(tmp_path, PORT, run=False, config=config) as rig:
        with pytest.raises(TemporaryError):
            await rig.submit("bo@b.test", "x@off.test")
        assert not await rig.items()


async def test_a_header_of_more_than_a_megabyte_is_refused(rig):
    with pytest.raises(RefusedError, match="header"):
        await rig.submit(content=b"From: anna@a.test\r\n" + b"X: y\r\n" * 200_000 + b"\r\n")


async def test_limits_on_sending_refuse_before_anything_is_kept(tmp_path):
    accounts = {
        "anna": {
            "domain": "a.test",
            "destinations": {"anna@a.test": {}},
            "max_outgoing_messages_per_day": 4,
            "max_first_time_recipients_per_day": 2,
        }
    }
    config = rig_config(PORT, accounts=accounts)
    clock = FakeClock()
    async with OutboundRig(tmp_path, PORT, run=False, config=config, clock=clock) as rig:
        # Behaviour L3's own example.
        await rig.submit("b@x.test", "c@x.test")
        with pytest.raises(TemporaryError, match=r"451 4\.7\.1 max number of new/first-time"):
            await rig.submit("d@x.test")
        await rig.submit("b@x.test", "b@x.test")
        await rig.submit("B@x.test")
        with pytest.raises(TemporaryError, match=r"451 4\.7\.1 max number of messages \(4\)"):
            await rig.submit("anna@a.test", "b@x.test")
        assert len(await rig.items()) == 4
        refused = [entry for entry in rig.timeline if entry.kind == "rejected"]
        assert [entry.details["limit"] for entry in refused] == [
            "recipientlimiterror",
            "messagelimiterror",
        ]
        assert "of the account anna was not taken: max number of messages (4)" in refused[1].text
        clock.advance(24 * 3600 + 1)
        await rig.submit("d@x.test", "anna@a.test")
        with pytest.raises(TemporaryError, match="first-time"):
            await rig.submit("e@x.test")


async def test_practice_on_this_computer_has_no_limits_and_nothing_leaves(tmp_path):
    accounts = {
        "anna": {
            "domain": "a.test",
            "destinations": {"anna@a.test": {}},
            "max_outgoing_messages_per_day": 1,
        }
    }
    config = rig_config(PORT, practice_mode=True, accounts=accounts)
    async with OutboundRig(tmp_path, PORT, config=config) as rig:
        await rig.submit("bo@b.test", peer_is_loopback=True)
        await rig.submit("bo@b.test", peer_is_loopback=True)
        items = await rig.items()
        assert [(i.state, i.note) for i in items] == [("waiting", PRACTICE_NOTE)] * 2
        await actions.kick(rig.queue, [i.id for i in items])
        await rig.outbound._reporter.settle_all()
        assert [(i.state, i.attempts) for i in await rig.items()] == [("waiting", 0)] * 2
        assert not rig.dns.queries


async def test_what_was_written_for_practice_is_held_when_practice_is_over(tmp_path):
    async with OutboundRig(
        tmp_path, PORT, run=False, config=rig_config(PORT, practice_mode=True)
    ) as rig:
        await rig.submit("bo@b.test")
    async with OutboundRig(tmp_path, PORT) as rig:
        (item,) = await rig.items()
        assert item.state == "held"
        assert "practice" in item.note


async def test_a_fault_of_the_local_part_is_made_good_by_the_queue(rig, expect_log):
    expect_log("local part")
    good = rig.store.deliver
    calls = []

    async def failing(message, targets, *, delivery_id=None):
        calls.append(delivery_id)
        if len(calls) == 1:
            raise TemporaryError(DISK_FULL)
        return await good(message, targets, delivery_id=delivery_id)

    rig.outbound.submitter._deliver = failing
    rig.outbound._reporter._deliver = failing
    assert (await rig.submit("bo@b.test", "ben@a.test")).code == 250
    assert not await rig.mail("ben")
    await rig.outbound._reporter.settle_all()
    assert len(await rig.mail("ben")) == 1
    assert calls[0] == calls[1]
    assert len(await rig.items()) == 1


async def test_a_local_part_that_was_delivered_but_not_crossed_out_is_not_delivered_twice(tmp_path):
    async with OutboundRig(tmp_path, PORT, run=False) as rig:
        good = rig.store.deliver

        async def dying(message, targets, *, delivery_id=None):
            await good(message, targets, delivery_id=delivery_id)
            raise asyncio.CancelledError  # as if the process ended here

        rig.outbound.submitter._deliver = dying
        with pytest.raises(asyncio.CancelledError):
            await rig.submit("bo@b.test", "ben@a.test", "anna@a.test")
    async with OutboundRig(tmp_path, PORT, run=False) as rig:
        await rig.outbound._reporter.settle_all()
        assert len(await rig.mail("ben")) == 1
        assert len(await rig.mail("anna")) == 1
        assert len(await rig.items()) == 1


async def test_a_local_part_whose_account_is_gone_comes_back_as_a_report(tmp_path, expect_log):
    expect_log("local part")
    async with OutboundRig(tmp_path, PORT, run=False) as rig:

        async def never(message, targets, *, delivery_id=None):
            raise asyncio.CancelledError

        rig.outbound.submitter._deliver = never
        with pytest.raises(asyncio.CancelledError):
            await rig.submit("bo@b.test", "ben@a.test")
    accounts = {"anna": {"domain": "a.test", "destinations": {"anna@a.test": {}}}}
    async with OutboundRig(
        tmp_path, PORT, run=False, config=rig_config(PORT, accounts=accounts)
    ) as rig:
        await rig.outbound._reporter.settle_all()
        (report,) = await rig.mail("anna")
        assert b"Final-Recipient: rfc822; ben@a.test" in report
        assert [i.recipient for i in await rig.items()] == ["bo@b.test"]


def with_alias(rig, **settings):
    rig.set_config(
        rig_config(
            PORT,
            domains={
                "a.test": {
                    "aliases": {"team": {"members": ["anna@a.test", "ben@a.test"], **settings}}
                }
            },
        )
    )


async def test_mail_to_an_alias_reaches_each_member_once_and_counts_as_one(rig):
    with_alias(rig)
    assert (await rig.submit("team@a.test", "ben@a.test")).code == 250
    assert (await rig.submit("team@a.test", "bo@b.test")).code == 250
    assert len(await rig.mail("anna")) == 2
    assert len(await rig.mail("ben")) == 2
    assert [item.recipient for item in await rig.items()] == ["bo@b.test"]
    rows = await rig.queue.database.read(
        lambda reader: reader.value("SELECT count(*) FROM outgoing")
    )
    assert rows == 4  # limits count recipients as they were written


async def test_only_members_write_to_an_alias_that_is_theirs(rig):
    with_alias(rig, members=["ben@a.test"], post_public=False)
    with pytest.raises(RefusedError, match="Only its members may write"):
        await rig.submit("team@a.test")
    assert (
        await rig.submit(
            "team@a.test",
            sender="ben@a.test",
            account="ben",
            content=CONTENT.replace(b"anna@", b"ben@"),
        )
    ).code == 250

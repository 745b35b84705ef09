"""What has left the queue is remembered for a while, with how it went."""

import pytest

from backend.config.model import Config
from backend.core.clock import FakeClock
from backend.core.ids import QueueId
from backend.outbound import actions, history
from backend.outbound.history_listing import PastFilter, find_past, list_past
from tests.support.outbound_rig import OutboundRig
from tests.support.smtp_sink import ScriptedServer, SmtpSink, drop_after_data

DAY_S = 24 * 3600.0


@pytest.fixture
async def sink():
    async with SmtpSink() as server:
        yield server


@pytest.fixture
async def rig(tmp_path, sink):
    async with OutboundRig(tmp_path, sink.port, clock=FakeClock()) as rig:
        yield rig


def with_days(config: Config, days: int) -> Config:
    outbound = config.server.outbound.model_copy(update={"history_days": days})
    server = config.server.model_copy(update={"outbound": outbound})
    return Config(server, config.domains, config.revision + 1)


async def past(rig, **shown):
    return (await list_past(rig.queue, PastFilter(**shown))).items


async def rows(rig, table: str) -> int:
    return await rig.queue.database.read(
        lambda reader: reader.value(f"SELECT count(*) FROM {table}")
    )


async def test_what_was_delivered_stands_there_with_its_last_answer_and_attempts(rig, sink):
    sink.replies = {"bo@b.test": "451 4.3.0 not now"}
    await rig.submit("bo@b.test")
    await rig.until_tried(1)
    (item,) = await rig.items()
    assert item.subject == "Lunch"
    assert not await past(rig)
    sink.replies = {}
    rig.clock.advance(600)
    rig.outbound.wake()
    await rig.until_empty()
    (left,) = await past(rig)
    assert (left.id, left.trace, left.account) == (item.id, "t1", "anna")
    assert (left.sender, left.recipient, left.subject) == ("anna@a.test", "bo@b.test", "Lunch")
    assert (left.outcome, left.attempts, left.acted_by) == ("delivered", 2, "")
    assert (left.last_answer, left.remote_mta) == ("250 2.0.0 taken", "mx.b.test")
    assert left.message_id.startswith("<")
    assert left.created_at < left.left_at == left.last_attempt_at == rig.clock.time()
    assert "direct delivery" in left.reason
    detail = await find_past(rig.queue, item.id)
    assert [a.entry.succeeded for a in detail.attempts] == [False, True]
    assert "RCPT TO" in detail.attempts[0].entry.excerpt
    assert await find_past(rig.queue, QueueId(999)) is None


async def test_what_failed_goes_there_when_its_sender_was_told(rig, sink):
    sink.replies = {"no@b.test": "550 5.1.1 no such user"}
    await rig.submit("bo@b.test", "no@b.test")
    await rig.until_empty()
    assert {(p.recipient, p.outcome, p.last_answer) for p in await past(rig)} == {
        ("bo@b.test", "delivered", "250 2.0.0 taken"),
        ("no@b.test", "failed", "550 5.1.1 no such user"),
    }
    sink.replies = {"also@b.test": "550 5.1.1 no such user"}
    await rig.submit("also@b.test", sender=None)  # nobody to be told
    await rig.until_empty()
    (silent,) = await past(rig, trace="t2")
    assert (silent.sender, silent.outcome) == ("", "failed")


async def test_who_gave_it_up_or_removed_it_is_named(rig, sink):
    await sink.stop()
    await rig.submit("a@b.test", "b@b.test")
    await rig.until_tried(1)
    one, two = await rig.items()
    await actions.fail(rig.queue, [one.id], by="admin from 192.0.2.1")
    await actions.drop(rig.queue, [two.id], by="root")
    await rig.until_empty()
    assert {(p.recipient, p.outcome, p.acted_by) for p in await past(rig)} == {
        ("a@b.test", "failed", "admin from 192.0.2.1"),
        ("b@b.test", "dropped", "root"),
    }


async def test_it_is_found_by_each_of_its_sides_and_read_page_by_page(rig, sink):
    sink.replies = {"no@b.test": "550 5.1.1 unknown"}
    for n in range(5):
        await rig.submit(f"U{n}@b.test", "no@b.test")
        await rig.until_empty()
        rig.clock.advance(60)
    start = rig.clock.time() - 300
    assert len(await past(rig, result="delivered")) == 5
    assert len(await past(rig, result="failed", account="anna")) == 5
    assert not await past(rig, result="returned")
    assert not await past(rig, account="ben")
    assert [p.recipient for p in await past(rig, recipient="u3@B.test")] == ["U3@b.test"]
    assert len(await past(rig, sender="ANNA@a.test", domain="B.test")) == 10
    assert len(await past(rig, text="unknown")) == 5
    assert len(await past(rig, text="%")) == 0
    assert len(await past(rig, since=start + 60, until=start + 120)) == 2
    seen, after = [], None
    while True:
        page = await list_past(rig.queue, after=after, limit=3)
        assert page.total == 10
        seen += [p.id for p in page.items]
        if page.next is None:
            break
        after = page.next
    assert seen == [p.id for p in await past(rig)]
    assert len(set(seen)) == 10


async def test_it_is_forgotten_after_its_days_with_its_attempts(rig, sink, monkeypatch):
    monkeypatch.setattr(history, "PURGED_AT_ONCE", 2)
    for n in range(5):
        await rig.submit(f"u{n}@b.test")
    await rig.until_empty()
    rig.clock.advance(29 * DAY_S)
    await rig.submit("late@b.test")
    await rig.until_empty()
    await rig.outbound.tidy()
    assert await rows(rig, "history") == 6
    rig.clock.advance(2 * DAY_S)
    await rig.outbound.tidy()
    assert [p.recipient for p in await past(rig)] == ["late@b.test"]
    assert await rows(rig, "attempt") == 1
    rig.set_config(with_days(rig.config, 0))  # counts at once
    await rig.outbound.tidy()
    assert (await rows(rig, "history"), await rows(rig, "attempt")) == (0, 0)
    await rig.submit("none@b.test")
    await rig.until_empty()
    assert (await rows(rig, "history"), await rows(rig, "attempt")) == (0, 0)


async def test_attempts_of_what_has_left_outlive_a_restart(tmp_path, sink):
    async with OutboundRig(tmp_path, sink.port) as rig:
        await rig.submit("bo@b.test")
        await rig.until_empty()
    async with OutboundRig(tmp_path, sink.port) as rig:
        (left,) = await past(rig)
        assert len((await find_past(rig.queue, left.id)).attempts) == 1


async def test_a_subject_is_shown_as_people_read_it_and_cut(rig, sink):
    content = b"From: anna@a.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe=0D=0A?= %s\r\n\r\nx" % (
        b"x" * 500
    )
    await rig.submit("bo@b.test", content=content)
    await rig.until_empty()
    (left,) = await past(rig)
    assert left.subject.startswith("Grüße   x") or left.subject.startswith("Grüße")
    assert "\n" not in left.subject
    assert len(left.subject) <= 200


async def test_a_sending_without_an_answer_is_remembered(tmp_path, sink):
    async with ScriptedServer(drop_after_data) as server:
        port = server.port
        async with OutboundRig(tmp_path, port, clock=FakeClock()) as rig:
            await rig.submit("bo@b.test")
            await rig.submit("cy@b.test")
            await rig.until_tried(1)
            clock = rig.clock
    async with SmtpSink() as late:
        await late.stop()
        await late.start(port)
        clock.advance(600)
        async with OutboundRig(tmp_path, port, clock=clock) as rig:
            await late.wait_for(2)
            await rig.until_empty()
            assert [left.unconfirmed for left in await past(rig)] == [1, 1]
            assert {left.outcome for left in await past(rig)} == {"delivered"}

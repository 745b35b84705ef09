"""The stream of events: order, topics, resuming, falling behind."""

import asyncio

import pytest

from backend.admin import feed as module
from backend.admin.feed import Feed
from backend.api import types as t
from backend.core.clock import FakeClock
from backend.core.events import (
    ConfigApplied,
    MessagesAdded,
    MessagesExpunged,
    ProblemCleared,
    ProblemRaised,
    QueueChanged,
    SignedIn,
    TimelineEntry,
)
from backend.core.ids import AccountId, MailboxId, ModSeq, QueueId, TraceId, Uid
from backend.core.problems import Problem
from tests.support.admin_server import admin_server


def queue_event(number: int) -> QueueChanged:
    return QueueChanged(QueueId(number), "waiting")


async def no_figures() -> t.Counters:
    return t.Counters()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def feed(clock):
    return Feed(clock, no_figures)


def parsed(text: str) -> list[tuple[str, t.EventData]]:
    events = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        events.append((lines["id"], t.EVENT_DATA.validate_json(lines["data"])))
    return events


async def read(reader) -> list[tuple[str, t.EventData]]:
    async with asyncio.timeout(5):
        return parsed(await reader.texts())


async def test_events_arrive_in_order_with_rising_ids(feed):
    reader = feed.subscribe((), "")
    for number in range(3):
        feed.publish(queue_event(number))
    got = await read(reader)
    assert [event.id for _, event in got] == [0, 1, 2]
    assert [int(i.partition("-")[2]) for i, _ in got] == [1, 2, 3]


async def test_a_reader_gets_its_topics_only(feed):
    reader = feed.subscribe(("config",), "")
    feed.publish(queue_event(1))
    feed.publish(ConfigApplied(7, "anna"))
    assert [event.topic for _, event in await read(reader)] == ["config"]


async def test_what_was_missed_comes_first_after_a_break(feed):
    reader = feed.subscribe((), "")
    feed.publish(queue_event(1))
    last = (await read(reader))[-1][0]
    reader.close()
    feed.publish(queue_event(2))
    feed.publish(queue_event(3))
    again = feed.subscribe((), last)
    feed.publish(queue_event(4))
    assert [event.id for _, event in await read(again)] == [2, 3, 4]


async def test_an_id_of_another_run_or_beyond_the_ring_asks_for_everything_anew(
    feed, clock, monkeypatch
):
    reader = feed.subscribe((), "")
    feed.publish(queue_event(1))
    last = (await read(reader))[-1][0]
    for strange in ("other-1", "nonsense", last.partition("-")[0] + "-99"):
        assert (await read(feed.subscribe((), strange)))[0][1].topic == "resync"
    feed.publish(queue_event(2))
    clock.advance(601)
    feed.publish(queue_event(3))
    assert (await read(feed.subscribe((), last)))[0][1].topic == "resync"


async def test_a_full_ring_forgets_the_oldest(clock, monkeypatch):
    monkeypatch.setattr(module, "RING_EVENTS", 3)
    feed = Feed(clock, no_figures)
    reader = feed.subscribe((), "")
    feed.publish(queue_event(0))
    first = (await read(reader))[0][0]
    for number in range(1, 4):
        feed.publish(queue_event(number))
    assert [e.id for _, e in await read(feed.subscribe((), first))] == [1, 2, 3]
    feed.publish(queue_event(4))
    assert (await read(feed.subscribe((), first)))[0][1].topic == "resync"


async def test_a_reader_that_falls_behind_is_told_so(feed):
    reader = feed.subscribe((), "")
    for number in range(1500):
        feed.publish(queue_event(number))
    assert [event.topic for _, event in await read(reader)] == ["resync"]


async def test_changes_of_mailboxes_become_one_event_for_each_account(feed, monkeypatch):
    monkeypatch.setattr(module, "GATHER_S", 0.0)
    reader = feed.subscribe((), "")
    anna, inbox = AccountId("anna"), MailboxId(1)
    feed.publish_mailbox(MessagesAdded(anna, inbox, (Uid(1), Uid(2)), ModSeq(3)))
    feed.publish_mailbox(MessagesExpunged(anna, inbox, (Uid(1),), ModSeq(4)))
    got = await read(reader)
    assert [(e.account, e.added, e.removed) for _, e in got] == [("anna", 2, 1)]


async def test_every_kind_of_event_goes_over_the_wire(feed):
    reader = feed.subscribe((), "")
    problem = Problem(code="disk.low", message="Little room.", subject="/")
    feed.publish(TimelineEntry(TraceId("t1"), 1.0, "received", "It came", {"peer": "192.0.2.1"}))
    feed.publish(ProblemRaised(problem))
    feed.publish(ProblemCleared("disk.low", "/"))
    feed.publish(SignedIn("anna", "anna@example.org", "imap", "192.0.2.1", True, "PLAIN", 2.0))
    feed.publish(ConfigApplied(2, "anna"))
    feed.publish_end(restarting=True)
    got = [event for _, event in await read(reader)]
    assert [e.topic for e in got] == [
        "timeline",
        "problems",
        "problems",
        "sign_ins",
        "config",
        "server",
    ]
    assert got[0].step.details == {"peer": "192.0.2.1"}
    assert (got[1].cleared, got[2].cleared, got[2].problem.code) == (False, True, "disk.low")
    assert got[5].state == "restarting"
    assert feed.is_closed


async def test_events_lost_on_the_way_here_reach_every_reader_as_a_resync(feed):
    reader = feed.subscribe(("queue",), "")
    feed.publish(queue_event(1))
    last = (await read(reader))[-1][0]
    feed.resync()
    assert [e.topic for _, e in await read(reader)] == ["resync"]
    assert (await read(feed.subscribe((), last)))[0][1].topic == "resync"


async def test_readers_are_bounded(feed, monkeypatch):
    monkeypatch.setattr(module, "MAX_READERS", 1)
    first = feed.subscribe((), "")
    assert feed.subscribe((), "") is None
    first.close()
    assert feed.subscribe((), "") is not None


async def test_a_browser_follows_and_resumes_over_http(tmp_path):
    async with admin_server(tmp_path / "data") as rig, rig.local() as client:
        async with asyncio.timeout(10):
            async with client.open_events(["queue"]) as events:
                rig.record(queue_event(1))
                first = await anext(events)
            rig.record(queue_event(2))
            async with client.open_events(["queue"], last_id=first.id) as events:
                assert (await anext(events)).data.id == 2
                rig.services.feed.publish_end(restarting=False)
                rest = [event.data.topic async for event in events]
        assert rest == ["server"]


async def test_an_unknown_topic_is_refused_by_name(tmp_path):
    from backend.api.client import ApiError

    async with admin_server(tmp_path / "data") as rig, rig.local() as client:
        with pytest.raises(ApiError, match="no topic “weather”"):
            async with client.open_events(["weather"]):
                pass


async def test_counters_are_told_while_somebody_listens(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "COUNTERS_EVERY_S", 0.0)
    async with admin_server(tmp_path / "data") as rig, rig.local() as client:
        async with asyncio.timeout(10), client.open_events(["status"]) as events:
            rig.record(
                TimelineEntry(TraceId("t1"), rig.services.clock.time(), "received", "It came")
            )
            event = await anext(events)
        assert event.data.counters.received == 1

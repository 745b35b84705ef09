"""How many deliveries a domain may have, and how many messages are claimed for it: the rules, and the queue at work."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from backend.core.address import parse_address
from backend.core.clock import FakeClock
from backend.core.ids import AccountId, QueueId, TraceId
from backend.outbound import actions
from backend.outbound.claims import Room
from backend.outbound.entries import Batch
from backend.outbound.lanes import GROW_AFTER, MAX_CHUNK, TRAIN, Lane, Lanes
from backend.outbound.listing import count_items
from backend.outbound.session import Limits
from backend.outbound.transport import Outgoing
from tests.support.outbound_rig import OutboundRig, rig_config
from tests.support.smtp_sink import ScriptedServer, SmtpSink, stall


def batch(domain="b.test", number=1) -> Batch:
    return Batch(
        message=number,
        ids=(QueueId(number),),
        account=AccountId("anna"),
        outgoing=Outgoing(
            trace=TraceId("t"),
            sender=None,
            recipients=(parse_address(f"bo@{domain}"),),
            domain=domain,
            size_bytes=1,
            content=b"x",
        ),
        attempts=1,
        next_attempt_at=0.0,
        override=None,
    )


def test_a_domain_begins_with_one_message_at_a_time():
    lanes = Lanes(places=10, per_domain=5)
    assert lanes.room() == Room(places=10, retries=8)
    lanes.add(batch())
    (lane,) = lanes.startable()
    lane.waiting.popleft()
    lane.running = 1
    assert lanes.room() == Room(places=9, retries=8, served={"b.test": 0})


def test_deliveries_grow_while_they_go_well_up_to_the_setting():
    lane = Lane("b.test")
    chunks = []
    for _ in range(6):
        lane.went_well(3)
        chunks.append(lane.chunk)
    assert chunks == [2, 4, 8, MAX_CHUNK, MAX_CHUNK, MAX_CHUNK]
    assert lane.connections == 1, "for nearly all mail it stays at one"
    for _ in range(GROW_AFTER):
        lane.went_well(3)
    assert lane.connections == 2
    for _ in range(GROW_AFTER * 10):
        lane.went_well(3)
    assert lane.connections == 3
    lane.went_badly()
    assert (lane.connections, lane.chunk) == (1, 1)


def test_claims_are_few_and_large():
    lane = Lane("b.test", connections=2, chunk=8, running=2)
    assert (lane.room, lane.is_low) == (14, True)
    lane.waiting.extend(batch(number=n) for n in range(8))
    assert (lane.room, lane.is_low) == (6, False), "enough are there"
    lane.waiting.pop()
    assert (lane.room, lane.is_low) == (7, True)


def test_further_connections_leave_half_of_the_places_to_other_domains():
    lanes = Lanes(places=6, per_domain=10)
    for number in range(30):
        lanes.add(batch(number=number))
    (lane,) = lanes.startable()
    lane.connections = 10
    assert len(lanes.startable()) == 4, "the first, and half of six"
    lane.running = 4
    lanes.add(batch("c.test"))
    assert [found.domain for found in lanes.startable()] == ["c.test"]


def test_a_domain_with_much_mail_gives_its_place_to_one_that_waits():
    lanes = Lanes(places=1, per_domain=1)
    lanes.add(batch())
    (lane,) = lanes.startable()
    lane.running, lane.chunk = 1, 8
    lane.waiting.clear()
    assert lanes.room().served == {"b.test": 7}
    lane.carried = TRAIN
    assert lanes.room() == Room(places=0, retries=0, served={"b.test": 0})
    lane.running = 0
    assert lanes.room() == Room(places=1, retries=1, idle={"b.test": 8})


def running(lanes, domain, *, attempts=1, stalled=False):
    lanes.add(replace(batch(domain), attempts=attempts))
    lane = lanes.served[domain]
    lane.waiting.clear()
    lane.running, lane.stalled = 1, int(stalled)


def test_stalled_deliveries_keep_no_place_until_there_are_too_many():
    lanes = Lanes(places=10, per_domain=5)
    for n in range(30):
        running(lanes, f"d{n}.test", stalled=True)
    assert lanes.room().places == 10
    lanes.add(batch("new.test"))
    assert [lane.domain for lane in lanes.startable()] == ["new.test"]
    lanes.take_waiting()
    for n in range(30, 36):
        running(lanes, f"d{n}.test", stalled=True)
    assert lanes.room().places == 4
    for n in range(36, 50):
        running(lanes, f"d{n}.test", stalled=True)
    assert lanes.room().places == 0
    lanes.add(batch("new.test"))
    assert not lanes.startable()


def test_repeated_attempts_leave_places_to_first_ones():
    lanes = Lanes(places=10, per_domain=5)
    for n in range(5):
        running(lanes, f"d{n}.test", attempts=2)
    room = lanes.room()
    assert (room.places, room.retries) == (5, 3)
    for n in range(5, 8):
        running(lanes, f"d{n}.test", attempts=4)
    room = lanes.room()
    assert (room.places, room.retries) == (2, 0)
    for n in range(50):
        running(lanes, f"s{n}.test", attempts=2, stalled=True)
    assert lanes.room().retries == 0


async def test_where_there_is_room_for_first_attempts_only_others_wait(tmp_path):
    clock = FakeClock()
    async with OutboundRig(tmp_path, 9, run=False, clock=clock) as rig:
        await rig.submit("bo@b.test", "cy@c.test")
        await rig.queue.give_back(await rig.queue.claim(Room(places=1)))
        await rig.queue.database.write(
            lambda tx: tx.run(
                "UPDATE recipient SET attempts = 1, next_attempt_at = 5 WHERE domain = 'b.test'"
            )
        )
        only_first = Room(places=3, retries=0)
        assert await rig.queue.next_due(only_first) > 5
        assert [b.domain for b in await rig.queue.claim(only_first)] == ["c.test"]
        assert await rig.queue.next_due(only_first) is None
        assert await rig.queue.next_due(Room(places=3, retries=0, served={"b.test": 1})) == 5
        assert not await rig.queue.claim(Room(places=3, retries=0, served={"b.test": 0}))
        assert [b.domain for b in await rig.queue.claim(Room(places=1))] == ["b.test"]


async def test_a_crowd_of_stalling_servers_does_not_keep_others_waiting(tmp_path, monkeypatch):
    monkeypatch.setattr("backend.outbound.lanes.STALLED_AFTER_S", 0.1)
    stalling = [ScriptedServer(stall) for _ in range(12)]
    async with AsyncExitStack() as stack:
        for server in stalling:
            await stack.enter_async_context(server)
        sink = await stack.enter_async_context(SmtpSink())
        routes, transports = [], {}
        for n, server in enumerate([*stalling, sink]):
            transports[f"t{n}"] = {
                "smtp": {"host": "127.0.0.1", "port": server.port, "no_starttls": True}
            }
            routes.append({"to_domain": [f"d{n}.test"], "transport": f"t{n}"})
        config = rig_config(9, transports=transports, routes=routes)
        rig = await stack.enter_async_context(
            OutboundRig(tmp_path, 9, config=config, limits=Limits())
        )
        for n in range(12):
            await rig.submit(f"bo@d{n}.test")
        await rig.submit("bo@d12.test")
        await sink.wait_for(1)
        await rig.until(lambda: rig.outbound._scheduler.running == 12)
        await rig.outbound._scheduler.drain(0)


async def test_nothing_is_claimed_for_domains_without_room(tmp_path):
    async with OutboundRig(tmp_path, 9, run=False, clock=FakeClock()) as rig:
        for n in range(5):
            await rig.submit(f"u{n}@b.test")
            await rig.submit(f"u{n}@c.test")
        room = Room(places=0, served={"b.test": 3, "c.test": 0})
        claimed = await rig.queue.claim(room)
        assert [str(b.outgoing.recipients[0]) for b in claimed] == [
            "u0@b.test",
            "u1@b.test",
            "u2@b.test",
        ]
        claimed = await rig.queue.claim(Room(places=1, served={"b.test": 0}, idle={"c.test": 2}))
        assert [b.domain for b in claimed] == ["c.test", "c.test"]
        assert not await rig.queue.claim(Room(places=0, served={"b.test": 0}))


async def test_what_was_claimed_and_not_begun_is_as_if_it_had_never_been(tmp_path):
    async with OutboundRig(tmp_path, 9, run=False, clock=FakeClock()) as rig:
        await rig.submit("bo@b.test")
        before = await rig.items()
        claimed = await rig.queue.claim(Room(places=1))
        assert (await rig.items())[0].state == "sending"
        await rig.queue.give_back(claimed)
        assert await rig.items() == before


async def test_when_the_server_stops_only_what_has_begun_counts_as_tried(tmp_path):
    async with (
        ScriptedServer(stall) as server,
        OutboundRig(tmp_path, server.port, run=False, limits=Limits()) as rig,
    ):
        for n in range(6):
            await rig.submit(f"u{n}@b.test")
        scheduler = rig.outbound._scheduler
        scheduler.lanes.add(batch())
        (lane,) = scheduler.lanes.startable()
        lane.waiting.clear()
        lane.chunk = 8
        rig.start()

        async def all_are_claimed():
            return (await count_items(rig.queue)).sending == 6

        await rig.until(all_are_claimed)
        await scheduler.drain(0)
        assert sorted(i.attempts for i in await rig.items() if i.state == "waiting") == [0] * 5


async def test_many_messages_to_one_domain_all_arrive_over_few_connections(tmp_path):
    async with SmtpSink() as sink, OutboundRig(tmp_path, sink.port, run=False) as rig:
        for n in range(150):
            await rig.submit(f"u{n}@b.test")
        rig.start()
        await rig.until_empty()
        assert sorted(m.recipients[0] for m in sink.messages) == sorted(
            f"u{n}@b.test" for n in range(150)
        )
        assert sink.connections <= 5


async def test_a_domain_that_puts_mail_off_is_tried_by_one_delivery_at_a_time(tmp_path):
    async with SmtpSink() as sink, OutboundRig(tmp_path, sink.port, run=False) as rig:
        sink.data_reply = "451 4.3.0 not now"
        for n in range(20):
            await rig.submit(f"u{n}@b.test")
        rig.start()
        await rig.until_tried(1)
        assert sink.connections == 1


# Recipients of several domains


def relayed(port):
    transport = {"smtp": {"host": "127.0.0.1", "port": port, "no_starttls": True}}
    return rig_config(
        port,
        transports={"relay": transport},
        routes=[{"to_domain": ["b.test", "c.test"], "transport": "relay"}],
    )


async def test_recipients_of_all_domains_go_to_a_relay_in_one_transaction(tmp_path):
    async with SmtpSink() as sink:
        sink.replies = {"no@c.test": "550 5.1.1 no such user"}
        async with OutboundRig(
            tmp_path, sink.port, config=relayed(sink.port), clock=FakeClock()
        ) as rig:
            rig.dns.add("d.test", {"MX": ["10 mx.b.test."]})
            await rig.submit("bo@b.test", "cy@c.test", "no@c.test", "di@d.test")
            await rig.until_empty()
            assert sorted(m.recipients for m in sink.messages) == [
                ("bo@b.test", "cy@c.test"),
                ("di@d.test",),
            ]
            (report,) = await rig.mail("anna")
            assert b"no@c.test" in report


async def test_recipients_in_different_domains_part_when_the_relay_is_gone_at_the_last_moment(
    tmp_path,
):
    async with (
        SmtpSink() as sink,
        OutboundRig(tmp_path, sink.port, config=relayed(sink.port), run=False) as rig,
    ):
        rig.dns.add("c.test", {"MX": ["10 mx.b.test."]})
        await rig.submit("bo@b.test", "cy@c.test")
        (claimed,) = await rig.queue.claim(Room(places=5), rig.outbound.choices.relay_for)
        assert claimed.domains == ("b.test", "c.test")
        rig.set_config(rig_config(sink.port))
        assert await rig.outbound.attempts.attempt(claimed)
        assert sorted(m.recipients for m in sink.messages) == [("bo@b.test",), ("cy@c.test",)]
        assert not await rig.items()


async def test_a_transport_chosen_for_one_recipient_keeps_it_apart(tmp_path):
    async with (
        SmtpSink() as sink,
        OutboundRig(tmp_path, sink.port, config=relayed(sink.port), run=False) as rig,
    ):
        await rig.submit("bo@b.test", "cy@c.test")
        (_, second) = await rig.items()
        await actions.kick(rig.queue, [second.id], override="relay")
        claimed = await rig.queue.claim(Room(places=5), rig.outbound.choices.relay_for)
        assert [b.domains for b in claimed] == [("b.test",), ("c.test",)]


@pytest.mark.parametrize("concurrent", [1, 3])
async def test_domains_take_turns_when_there_are_more_than_places(tmp_path, concurrent):
    async with SmtpSink() as sink, OutboundRig(tmp_path, sink.port, run=False) as rig:
        rig.outbound._scheduler.lanes.places = concurrent
        for d in range(6):
            rig.dns.add(f"d{d}.test", {"MX": ["10 mx.b.test."]})
        for n in range(5):
            for d in range(6):
                await rig.submit(f"u{n}@d{d}.test")
        rig.start()
        async with asyncio.timeout(20):
            await rig.until_empty()
        assert len(sink.messages) == 30

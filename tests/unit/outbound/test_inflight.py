"""What was going out when the process ended: the note, and what the queue makes of it."""

import pytest

from backend.core.clock import FakeClock
from backend.core.ids import QueueId
from backend.outbound import actions, inflight
from backend.outbound.claims import Room
from backend.outbound.inflight import Inflight
from backend.outbound.listing import count_items
from tests.support.outbound_rig import OutboundRig
from tests.support.smtp_sink import ScriptedServer, SmtpSink, drop_after_data, say, up_to_data


def made(path):
    notes = Inflight(path)
    notes.open()
    return notes


def ids(*numbers):
    return tuple(map(QueueId, numbers))


def test_what_was_noted_and_not_settled_is_read_by_the_next_process(tmp_path):
    notes = made(tmp_path / "sending")
    notes.note(ids(1, 2), 1)
    notes.note(ids(3), 4)
    notes.note(ids(3), 4)
    notes.settle(ids(1, 3))
    notes.note(ids(7), 2)  # takes a free place
    assert Inflight(tmp_path / "sending").read() == {(2, 1), (7, 2)}
    notes.close()
    notes.note(ids(9), 1)  # a delivery that ends late; nobody reads that


def test_the_file_does_not_grow_with_the_number_of_messages(tmp_path):
    notes = made(tmp_path / "sending")
    for number in range(1, 1000):
        notes.note(ids(number), 1)
        notes.settle(ids(number))
    assert (tmp_path / "sending").stat().st_size < 100
    notes.close()


@pytest.mark.parametrize("damage", [b"", b"x" * 40, b"\0" * 100])
def test_of_a_damaged_file_nothing_is_known(tmp_path, damage):
    (tmp_path / "sending").write_bytes(damage)
    assert Inflight(tmp_path / "sending").read() is None
    assert Inflight(tmp_path / "missing").read() is None


def test_after_the_computer_was_down_nothing_is_known(tmp_path, monkeypatch):
    notes = made(tmp_path / "sending")
    notes.note(ids(1), 1)
    notes.close()
    (tmp_path / "boot").write_text("0f0f0f0f-0000-0000-0000-000000000000\n")
    monkeypatch.setattr(inflight, "_BOOT_ID", tmp_path / "boot")
    assert Inflight(tmp_path / "sending").read() is None
    monkeypatch.setattr(inflight, "_BOOT_ID", tmp_path / "nowhere")
    made(tmp_path / "sending").close()
    assert Inflight(tmp_path / "sending").read() is None


def test_a_full_disk_keeps_no_message_from_being_sent(tmp_path, expect_log, monkeypatch):
    expect_log("what is being sent can't be noted")
    notes = made(tmp_path / "sending")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    notes.note(ids(1), 1)
    notes.close()


async def test_only_what_may_have_arrived_is_counted_after_a_kill(tmp_path):
    clock = FakeClock()
    async with OutboundRig(tmp_path, 9, clock=clock, run=False) as rig:
        for domain in ("b.test", "c.test", "d.test"):
            await rig.submit(f"bo@{domain}", f"cy@{domain}")
        sent, not_sent, settled = await rig.queue.claim(Room(places=10))
        sent.outgoing.going_out(sent.outgoing.recipients)
        settled.outgoing.going_out(settled.outgoing.recipients)
        rig.queue._inflight.settle(settled.ids)
        assert not_sent.attempts == 1
    async with OutboundRig(tmp_path, 9, clock=clock, run=False) as rig:
        by_address = {item.recipient: item for item in await rig.items()}
        assert {a for a, item in by_address.items() if item.unconfirmed} == {
            "bo@b.test",
            "cy@b.test",
        }
        assert by_address["bo@b.test"].note == (
            "it was being sent when the server stopped; it may arrive twice"
        )
        assert by_address["bo@c.test"].note == "the server was stopped before it was sent"
        (entry,) = rig.timeline
        assert (entry.kind, entry.trace) == ("deferred", "t1")
        assert "being sent to bo@b.test, cy@b.test when the server stopped" in entry.text
        assert (await count_items(rig.queue)).unconfirmed == 2
        await actions.drop(rig.queue, [item.id for item in await rig.items()])
        assert (await count_items(rig.queue)).unconfirmed == 2  # outlives the messages
    async with OutboundRig(tmp_path, 9, clock=clock, run=False) as rig:
        assert not rig.timeline


async def test_without_the_note_each_interrupted_attempt_may_have_arrived(tmp_path):
    async with OutboundRig(tmp_path, 9, run=False) as rig:
        await rig.submit("bo@b.test")
        await rig.queue.claim(Room(places=10))
    (tmp_path / "queue" / "sending").unlink()
    async with OutboundRig(tmp_path, 9, run=False) as rig:
        (item,) = await rig.items()
        assert item.unconfirmed == 1


async def test_a_missing_answer_to_the_message_is_counted_and_told(tmp_path):
    async with (
        ScriptedServer(drop_after_data) as server,
        OutboundRig(tmp_path, server.port, clock=FakeClock()) as rig,
    ):
        await rig.submit("bo@b.test")
        await rig.until_tried(1)
        (item,) = await rig.items()
        assert item.unconfirmed == 1
        assert item.note.endswith("it may have arrived all the same, and may then arrive twice")
        assert "(it may have arrived all the same" in rig.timeline[-1].text
        assert (await count_items(rig.queue)).unconfirmed == 1
        assert rig.queue._inflight.read() == set()


async def test_what_was_answered_is_not_counted(tmp_path):
    async with SmtpSink() as sink, OutboundRig(tmp_path, sink.port, clock=FakeClock()) as rig:
        sink.data_reply = "451 4.3.0 not now"
        await rig.submit("bo@b.test")
        await rig.until_tried(1)
        sink.data_reply = ""
        await rig.submit("cy@c.test")
        assert (await count_items(rig.queue)).unconfirmed == 0
        assert rig.queue._inflight.read() == set()


async def test_a_refusal_by_policy_over_one_kind_of_addresses_is_tried_over_the_other(tmp_path):
    six = SmtpSink(host="::1")
    await six.start()
    async with SmtpSink() as four:
        await four.stop()
        await four.start(six.port)
        async with OutboundRig(tmp_path, six.port, clock=FakeClock()) as rig:
            rig.dns.add("mx.b.test", {"A": ["127.0.0.1"], "AAAA": ["::1"]})
            refused = {
                "bo@b.test": "550 5.7.1 your address is blocked",
                "no@b.test": "550 5.1.1 no such user",
            }
            six.replies = four.replies = refused
            await rig.submit("bo@b.test", "no@b.test")
            await rig.until_tried(1)
            (item,) = await rig.items()
            assert item.recipient == "bo@b.test"
            assert item.last_answer == "550 5.7.1 your address is blocked"
            first, second = (six, four) if six.connections else (four, six)
            assert (first.connections, second.connections) == (1, 0)
            other = 4 if second is four else 6
            assert item.note.endswith(f"; the next attempt goes over IPv{other}")
            second.replies = {}
            rig.clock.advance(600)
            rig.outbound.wake()
            await rig.until_empty()
            assert (first.connections, second.connections) == (1, 1)
            assert [m.recipients for m in second.messages] == [("bo@b.test",)]
            # Meant for good: after the other kind it comes back.
            second.replies = refused
            await rig.submit("bo@b.test")
            await rig.until_tried(1)
            rig.clock.advance(600)
            rig.outbound.wake()
            await rig.until_empty()
            assert len(await rig.mail("anna")) == 2
    await six.stop()


async def test_a_refusal_by_policy_where_there_is_one_kind_of_addresses_is_for_good(tmp_path):
    async with SmtpSink() as sink, OutboundRig(tmp_path, sink.port) as rig:
        sink.replies = {"bo@b.test": "550 5.7.1 blocked"}
        await rig.submit("bo@b.test")
        await rig.until_empty()
        assert sink.connections == 1


async def test_a_kill_in_the_fifth_attempt_does_not_keep_the_delay_from_the_sender(tmp_path):
    clock = FakeClock()
    async with SmtpSink() as sink, OutboundRig(tmp_path, sink.port, clock=clock) as rig:
        sink.replies = {"bo@b.test": "451 4.3.0 not now"}
        await rig.submit("bo@b.test")
        for attempt in range(1, 5):
            await rig.until_tried(attempt)
            clock.advance(10_000)
            if attempt < 4:
                rig.outbound.wake()
        (batch,) = await rig.queue.claim(Room(places=10))
        assert batch.attempts == 5
        batch.outgoing.going_out(batch.outgoing.recipients)
    async with OutboundRig(tmp_path, 9, clock=clock) as rig:

        async def has_mail():
            return bool(await rig.mail("anna"))

        await rig.until(has_mail)
        (report,) = await rig.mail("anna")
        assert b"mail delivery delayed" in report
        assert b"451 4.3.0 not now" in report


async def test_the_report_says_that_the_message_may_have_arrived_all_the_same(tmp_path):
    said = []

    async def at_first_silent(reader, writer):
        await up_to_data(reader, writer)
        await reader.readuntil(b"\r\n.\r\n")
        if said:
            await say(writer, "554 5.6.0 no")
        said.append(1)
        writer.close()

    async with (
        ScriptedServer(at_first_silent) as server,
        OutboundRig(tmp_path, server.port, clock=FakeClock()) as rig,
    ):
        await rig.submit("bo@b.test")
        await rig.until_tried(1)
        rig.clock.advance(600)
        rig.outbound.wake()
        await rig.until_empty()
        (report,) = await rig.mail("anna")
        text = " ".join(report.decode().split())
        assert "mx.b.test said: 554 5.6.0 no But once it was sent whole and no answer came" in text
        assert "Diagnostic-Code: smtp; 554 5.6.0 no Last-Attempt" in text


async def test_what_was_claimed_and_not_sent_is_tried_soon_after_a_kill_but_only_once(tmp_path):
    clock = FakeClock()
    async with OutboundRig(tmp_path, 9, clock=clock, run=False) as rig:
        await rig.submit("bo@b.test", "cy@c.test")
        sent, _ = await rig.queue.claim(Room(places=10))
        sent.outgoing.going_out(sent.outgoing.recipients)
    async with OutboundRig(tmp_path, 9, clock=clock, run=False) as rig:
        items = {item.recipient: item for item in await rig.items()}
        assert items["bo@b.test"].attempts == 1
        assert items["bo@b.test"].next_attempt_at > clock.time() + 400
        free = items["cy@c.test"]
        assert (free.attempts, free.next_attempt_at, free.last_attempt_at) == (
            0,
            clock.time(),
            None,
        )
        (again,) = await rig.queue.claim(Room(places=10))
        assert again.ids == (free.id,)
    async with OutboundRig(tmp_path, 9, clock=clock, run=False) as rig:
        free = {item.recipient: item for item in await rig.items()}["cy@c.test"]
        assert free.attempts == 1, "perhaps it was this very message that ended the process"
        assert free.next_attempt_at > clock.time() + 400
        assert free.note == "the server was stopped during the attempt"
        assert not await rig.queue.claim(Room(places=10))


async def test_an_attempt_that_comes_to_an_end_lets_the_next_one_be_forgiven_again(tmp_path):
    clock = FakeClock()
    async with SmtpSink() as sink:
        sink.replies = {"bo@b.test": "451 4.3.0 not now"}
        async with OutboundRig(tmp_path, sink.port, clock=clock, run=False) as rig:
            await rig.submit("bo@b.test")
            await rig.queue.claim(Room(places=1))
        async with OutboundRig(tmp_path, sink.port, clock=clock) as rig:
            await rig.until_tried(1)
        clock.advance(600)
        async with OutboundRig(tmp_path, sink.port, clock=clock, run=False) as rig:
            (claimed,) = await rig.queue.claim(Room(places=1))
            assert claimed.attempts == 2
        async with OutboundRig(tmp_path, sink.port, clock=clock, run=False) as rig:
            (item,) = await rig.items()
            assert (item.attempts, item.next_attempt_at) == (1, clock.time())

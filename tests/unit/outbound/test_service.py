"""The queue at work: real store, DNS and SMTP servers, the clock moved by hand."""

import email
import email.policy
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest

from backend.core.clock import FakeClock
from backend.core.errors import TemporaryError
from backend.core.ids import QueueId
from backend.core.status import DISK_FULL, MAILBOX_FULL
from backend.outbound import actions, backoff
from backend.outbound.claims import Room
from backend.outbound.listing import Filter, count_items, find_item, list_items
from backend.outbound.session import Limits
from tests.support.outbound_rig import CONTENT, OutboundRig, rig_config
from tests.support.smtp_sink import ScriptedServer, SmtpSink, drop_after_data, stall


@pytest.fixture
async def sink():
    async with SmtpSink() as server:
        yield server


@pytest.fixture
async def rig(tmp_path, sink):
    async with OutboundRig(tmp_path, sink.port, clock=FakeClock()) as rig:
        yield rig


def parsed(raw: bytes):
    return email.message_from_bytes(raw, policy=email.policy.default)


def report_fields(raw: bytes) -> list[dict[str, str]]:
    return [dict(g.items()) for g in list(parsed(raw).iter_parts())[1].get_payload()]


async def test_a_message_leaves_the_queue_when_the_other_side_has_it(rig, sink):
    await rig.submit("bo@b.test", "cy@b.test")
    (taken,) = await sink.wait_for(1)
    assert taken.recipients == ("bo@b.test", "cy@b.test")
    await rig.until_empty()
    assert {c.state for c in rig.changes} == {"waiting", "sending", "done"}
    assert [e.kind for e in rig.timeline] == [
        "received",
        "queued",
        "queued",
        "attempt",
        "sent",
        "sent",
    ]
    assert "mx.b.test took the message for bo@b.test: 250 2.0.0 taken" in rig.timeline[4].text
    assert "direct delivery" in rig.timeline[3].text


async def test_a_server_that_was_down_gets_the_message_once_when_it_is_up(rig, sink):
    await sink.stop()
    await rig.submit("bo@b.test")
    await rig.until_tried(1)
    (item,) = await rig.items()
    assert "the connection was refused" in item.note
    await sink.start()
    rig.clock.advance(600)
    rig.outbound.wake()
    await rig.until_empty()
    assert len(sink.messages) == 1


async def test_the_whole_schedule_ends_in_two_reports(rig, sink):
    sink.replies = {"bo@b.test": "451 4.3.0 not now"}
    start = rig.clock.time()
    await rig.submit("bo@b.test")
    at = []

    async def has_mail():
        return bool(await rig.mail("anna"))

    for attempt in range(1, backoff.MAX_ATTEMPTS + 1):
        if attempt < backoff.MAX_ATTEMPTS:
            await rig.until_tried(attempt)
            (item,) = await rig.items()
            assert item.attempts == attempt
            assert item.last_answer == "451 4.3.0 not now"
            at.append(item.last_attempt_at - start)
            if attempt == backoff.DELAY_NOTICE_AFTER:
                await rig.until(has_mail)  # before the clock moves on
            due = item.next_attempt_at - rig.clock.time()
            rig.clock.advance(due - 1)
            rig.outbound.wake()
            assert (await rig.items())[0].attempts == attempt  # not a second too early
            rig.clock.advance(1.5)
            rig.outbound.wake()
        else:
            await rig.until_empty()
            at.append(rig.clock.time() - start)
    planned = [0, 7.5, 22.5, 52.5, 112.5, 232.5, 472.5, 952.5]
    for seen, minutes in zip(at, planned, strict=True):
        assert abs(seen - minutes * 60) <= 0.02 * minutes * 60 + 1
    assert len(at) == 8

    delayed, failed = await rig.mail("anna")
    assert parsed(delayed)["Subject"] == "mail delivery delayed"
    fields = report_fields(delayed)[1]
    assert (fields["Action"], fields["Status"]) == ("delayed", "4.3.0")
    until = parsedate_to_datetime(fields["Will-Retry-Until"]).timestamp() - start
    assert abs(until - 952.5 * 60) < 200
    assert "in 2 hours, 6 hours and 14 hours" in " ".join(
        parsed(delayed).get_body().get_content().split()
    )
    assert parsed(failed)["Subject"] == "mail delivery failed"
    fields = report_fields(failed)[1]
    assert (fields["Action"], fields["Remote-MTA"]) == ("failed", "dns; mx.b.test")
    assert fields["Diagnostic-Code"] == "smtp; 451 4.3.0 not now"
    assert b"8 attempts were made" in failed


async def test_a_refused_recipient_comes_back_and_the_others_arrive(rig, sink):
    sink.replies = {"no@b.test": "550 5.1.1 no such user"}
    await rig.submit("bo@b.test", "no@b.test")
    await rig.until_empty()
    assert sink.messages[0].recipients == ("bo@b.test",)
    (report,) = await rig.mail("anna")
    message = parsed(report)
    assert report.startswith(b"Return-Path: <>\r\n")
    assert message["From"] == "Mail delivery <postmaster@mail.a.test>"
    assert "Subject: Lunch" in list(message.iter_parts())[2].get_payload()
    assert "Bcc" not in list(message.iter_parts())[2].get_payload()
    assert [f["Final-Recipient"] for f in report_fields(report)[1:]] == ["rfc822; no@b.test"]
    assert "bounced" in [e.kind for e in rig.timeline]


async def test_the_null_sender_never_gets_a_report(rig, sink):
    sink.replies = {"no@b.test": "550 5.1.1 no such user"}
    await rig.submit("no@b.test", sender=None)
    await rig.until_empty()
    assert not await rig.mail("anna")


async def test_the_report_goes_to_the_postmaster_when_the_account_is_gone(rig, sink):
    await sink.stop()
    await rig.submit(
        "no@b.test", content=b"From: ben@a.test\r\n\r\n", sender="ben@a.test", account="ben"
    )
    await rig.until_tried(1)
    accounts = {"anna": {"domain": "a.test", "destinations": {"anna@a.test": {}}}}
    rig.set_config(rig_config(sink.port, accounts=accounts))
    await actions.fail(rig.queue, [i.id for i in await rig.items()])
    await rig.until_empty()
    (report,) = await rig.mail("anna")
    assert b"To: <ben@a.test>" in report


async def test_a_report_that_cannot_be_delivered_is_owed_until_it_can(rig, sink, expect_log):
    expect_log("report could not be delivered yet")
    sink.replies = {"no@b.test": "550 5.1.1 no such user"}
    good, rig.outbound._reporter._deliver = rig.outbound._reporter._deliver, None

    async def full(message, targets, *, delivery_id=None):
        rig.outbound._reporter._deliver = good
        raise TemporaryError(DISK_FULL)

    rig.outbound._reporter._deliver = full
    await rig.submit("no@b.test")
    await rig.until(lambda: rig.outbound._reporter._deliver is good)
    (item,) = await rig.items()
    assert item.state == "failed"
    rig.clock.advance(61)
    rig.outbound.wake()
    await rig.until_empty()
    assert len(await rig.mail("anna")) == 1


async def test_a_report_for_a_mailbox_that_stays_full_is_given_up_after_five_days(
    rig, sink, expect_log
):
    expect_log("report could not be delivered yet")
    expect_log("report is given up")
    sink.replies = {"no@b.test": "550 5.1.1 no such user"}
    tries = []

    async def full(message, targets, *, delivery_id=None):
        tries.append(rig.clock.time())
        raise TemporaryError(MAILBOX_FULL)

    rig.outbound._reporter._deliver = full
    await rig.submit("no@b.test")

    await rig.until(lambda: tries)
    while await rig.items():
        rig.clock.advance(1200)
        await rig.outbound._reporter.settle_all()
    assert tries[-1] - tries[0] > 5 * 24 * 3600
    assert len(tries) < 150
    assert "could not be told what became of it" in rig.timeline[-1].text


async def test_after_a_missing_last_reply_the_message_waits_its_time(tmp_path):
    async with (
        ScriptedServer(drop_after_data) as server,
        OutboundRig(tmp_path, server.port, clock=FakeClock()) as rig,
    ):
        await rig.submit("bo@b.test")
        await rig.until_tried(1)
        assert server.connections == 1
        (item,) = await rig.items()
        assert item.next_attempt_at - rig.clock.time() > 400


async def test_each_attempt_is_logged_with_its_dialogue(rig, sink):
    sink.replies = {"bo@b.test": "451 4.3.0 not now"}
    await rig.submit("bo@b.test")
    await rig.until_tried(1)
    (item,) = await rig.items()
    detail = await find_item(rig.queue, item.id)
    (logged,) = detail.attempts
    assert (logged.entry.host, logged.entry.ip, logged.entry.answer) == (
        "mx.b.test",
        "127.0.0.1",
        "451 4.3.0 not now",
    )
    assert "C: MAIL FROM:<anna@a.test>" in logged.entry.excerpt
    assert "S: 451 4.3.0 not now" in logged.entry.excerpt
    assert logged.at == rig.clock.time()
    assert "direct delivery" in item.transport_reason
    assert await find_item(rig.queue, QueueId(999)) is None


async def test_kick_tries_at_once_and_counts(rig, sink):
    await sink.stop()
    await rig.submit("bo@b.test")
    await rig.until_tried(1)
    (item,) = await rig.items()
    acted = await actions.kick(rig.queue, [item.id, QueueId(999)])
    assert (acted.changed, acted.missing) == ((item.id,), (QueueId(999),))
    await rig.until_tried(2)
    await sink.start()
    await actions.kick(rig.queue, [item.id])
    await rig.until_empty()
    assert len(sink.messages) == 1


async def test_what_is_held_stays_until_it_is_released(rig, sink):
    await sink.stop()
    await rig.submit("bo@b.test", "cy@b.test")
    await rig.until_tried(1)
    one, two = await rig.items()
    assert (await actions.hold(rig.queue, [one.id, two.id])).changed == (one.id, two.id)
    assert (await actions.kick(rig.queue, [one.id])).missing == (one.id,)
    await sink.start()
    rig.clock.advance(10_000)
    rig.outbound.wake()
    assert (await actions.drop(rig.queue, [two.id])).changed == (two.id,)
    assert (await actions.release(rig.queue, [one.id])).changed == (one.id,)
    await rig.until_empty()
    assert [m.recipients for m in sink.messages] == [("bo@b.test",)]
    assert {"held", "dropped"} <= {e.kind for e in rig.timeline}
    assert not await rig.mail("anna")


async def test_giving_up_by_hand_sends_a_report_for_all_that_were_chosen(rig, sink):
    rig.dns.add("c.test", {"MX": ["10 mx.b.test."]})
    await sink.stop()
    await rig.submit("bo@b.test", "cy@c.test")
    await rig.until_tried(1)
    ids = [i.id for i in await rig.items()]
    await actions.hold(rig.queue, ids[:1])
    assert (await actions.fail(rig.queue, ids)).changed == tuple(ids)
    await rig.until_empty()
    (report,) = await rig.mail("anna")
    assert len(report_fields(report)) == 3
    assert b"the administrator" in report


async def test_one_delivery_runs_for_each_domain_and_a_bounded_number_in_all(tmp_path):
    async with (
        ScriptedServer(stall) as server,
        OutboundRig(tmp_path, server.port, run=False, limits=Limits()) as rig,
    ):
        rig.outbound._scheduler.lanes.places = 2
        for domain in ("b.test", "c.test", "d.test"):
            rig.dns.add(domain, {"MX": ["10 mx.b.test."]})
        await rig.submit("bo@b.test")
        await rig.submit("cy@b.test")
        await rig.submit("bo@c.test")
        await rig.submit("bo@d.test")
        rig.start()

        async def two_are_sending():
            return (await count_items(rig.queue)).sending == 2

        await rig.until(two_are_sending)
        page = await list_items(rig.queue)
        sending = {i.recipient for i in page.items if i.state == "sending"}
        assert sending == {"bo@b.test", "bo@c.test"}
        assert rig.outbound._scheduler.running == 2
        assert (page.total, page.counts.waiting + page.counts.sending) == (4, 4)
        await rig.outbound._scheduler.drain(0)


async def test_a_stalling_server_costs_one_attempt_and_then_its_place_is_free(tmp_path):
    async with (
        ScriptedServer(stall) as server,
        OutboundRig(tmp_path, server.port, limits=Limits(step_s=0.05)) as rig,
    ):
        rig.outbound._scheduler.lanes.places = 1
        rig.dns.add("c.test", {"MX": ["0 ."]})
        await rig.submit("bo@b.test")
        await rig.submit("bo@c.test")
        await rig.until_tried(1)
        (item,) = await rig.items()
        assert "no answer within" in item.note


async def test_what_runs_when_the_server_stops_again_comes_back_at_its_written_time(tmp_path):
    clock = FakeClock()
    for _ in range(2):  # the first time it was nothing that counts
        async with (
            ScriptedServer(stall) as server,
            OutboundRig(tmp_path, server.port, clock=clock, limits=Limits()) as rig,
        ):
            if not await rig.items():
                await rig.submit("bo@b.test")

            async def sending(rig=rig):
                return (await count_items(rig.queue)).sending == 1

            await rig.until(sending)
            await rig.outbound._scheduler.drain(0)
    async with OutboundRig(tmp_path, 9, clock=clock, run=False) as rig:
        (item,) = await rig.items()
        assert (item.state, item.attempts) == ("waiting", 1)
        assert 440 < item.next_attempt_at - clock.time() < 460
        assert not await rig.queue.claim(Room(places=10))


async def test_a_route_to_a_transport_that_refuses_gives_its_answer(rig, sink):
    rig.set_config(
        rig_config(
            sink.port,
            transports={"no": {"fail": {"smtp_code": 554, "smtp_message": "Switched off"}}},
            routes=[{"to_domain": [".b.test"], "transport": "no"}],
        )
    )
    await rig.submit("bo@b.test")
    await rig.until_empty()
    (report,) = await rig.mail("anna")
    assert b"Switched off" in report
    assert not sink.messages


async def test_a_transport_chosen_by_hand_wins_and_one_that_is_gone_is_temporary(rig, sink):
    await sink.stop()
    await rig.submit("bo@b.test")
    await rig.until_tried(1)
    (item,) = await rig.items()
    await actions.kick(rig.queue, [item.id], override="gone")
    await rig.until_tried(2)
    (item,) = await rig.items()
    assert 'cannot find transport "gone"' in item.note
    assert rig.outbound.choices.explain(item).transport == "gone"
    await sink.start()
    await actions.kick(rig.queue, [item.id], reset_override=True)
    await rig.until_empty()
    assert len(sink.messages) == 1


async def test_a_fault_of_our_own_is_temporary_for_the_message(tmp_path, sink, expect_log):
    expect_log("delivery failed by a fault")
    async with OutboundRig(tmp_path, sink.port, run=False) as rig:
        await rig.submit("bo@b.test", content=CONTENT + b"0123456789abcdef\r\n" * 30_000)
        (file,) = rig.queue.files.iterdir()
        file.unlink()
        rig.start()
        await rig.until_tried(1)
        (item,) = await rig.items()
        assert item.state == "waiting"
        assert str(file) not in item.note


@pytest.mark.parametrize("after_sending", [False, True])
async def test_a_fault_of_our_own_outside_the_delivery_leaves_nothing_behind(
    rig, sink, expect_log, after_sending
):
    expect_log("delivery attempt ended by a fault of this server")
    holder = rig.outbound.attempts if after_sending else rig.outbound.choices
    name = "_note_result" if after_sending else "_count"
    good, faults = getattr(holder, name), []

    def breaks(*args):
        if not faults:
            faults.append(1)
            raise RuntimeError("a fault")
        return good(*args)

    setattr(holder, name, breaks)
    await rig.submit("bo@b.test")
    await rig.until_tried(1)
    (item,) = await rig.items()
    assert item.note == "a fault of this server ended the attempt"
    assert item.unconfirmed == after_sending
    assert (await count_items(rig.queue)).unconfirmed == after_sending
    rig.clock.advance(600)
    rig.outbound.wake()
    await rig.until(lambda: len(sink.messages) == 1 + after_sending)


async def test_the_list_is_filtered_sorted_and_paged(tmp_path):
    async with OutboundRig(tmp_path, 9, run=False) as rig:
        await rig.submit("bo@b.test", "cy@c.test", "di_a@d.test")
        await actions.hold(rig.queue, [(await rig.items())[2].id])

        async def names(**more):
            page = await list_items(rig.queue, **more)
            return [i.recipient for i in page.items], page.total

        assert await names(sort="recipient", descending=True, limit=2) == (
            ["di_a@d.test", "cy@c.test"],
            3,
        )
        assert await names(shown=Filter(domain="C.test")) == (["cy@c.test"], 1)
        assert await names(shown=Filter(state="held")) == (["di_a@d.test"], 1)
        assert await names(shown=Filter(text="I_A")) == (["di_a@d.test"], 1)
        assert await names(shown=Filter(text="%")) == ([], 0)
        assert await names(shown=Filter(account="ben")) == ([], 0)
        counts = await count_items(rig.queue)
        assert (counts.waiting, counts.held) == (2, 1)


async def test_a_hundred_recipients_at_most_go_in_one_transaction(rig, sink):
    await rig.submit(*(f"u{n}@b.test" for n in range(130)))
    await rig.until_empty()
    assert sorted(len(m.recipients) for m in sink.messages) == [30, 100]


async def test_a_full_disk_does_not_forget_what_was_delivered(rig, sink, expect_log, monkeypatch):
    expect_log("outcome of a delivery")
    monkeypatch.setattr("backend.outbound.attempts.WRITE_RETRY_S", 0.01)
    good, calls = rig.queue.settle, []

    async def full_at_first(*args, **more):
        calls.append(1)
        if len(calls) < 3:
            raise TemporaryError(DISK_FULL)
        await good(*args, **more)

    rig.queue.settle = full_at_first
    await rig.submit("bo@b.test")
    await rig.until_empty()
    assert len(sink.messages) == 1
    assert len(calls) == 3


async def give_up(rig) -> list[float]:
    """Lets the time pass until the queue is empty; when the attempts were, from the first."""
    start, at = rig.clock.time(), []
    for attempt in range(1, 13):
        await rig.until_tried(attempt)
        items = await rig.items()
        if not items:
            break
        at.append(items[0].last_attempt_at - start)
        rig.clock.advance(items[0].next_attempt_at - rig.clock.time() + 1)
        rig.outbound.wake()
    await rig.until_empty()
    return at


async def test_the_setting_says_how_often_a_message_is_tried(rig, sink):
    sink.replies = {"bo@b.test": "451 4.3.0 not now"}
    few = rig_config(sink.port)
    rig.set_config(
        replace(
            few,
            server=few.server.model_copy(
                update={"outbound": few.server.outbound.model_copy(update={"max_attempts": 3})}
            ),
        )
    )
    await rig.submit("bo@b.test")
    assert len(await give_up(rig)) == 2
    assert [entry.kind for entry in rig.timeline].count("attempt") == 3
    (report,) = await rig.mail("anna")
    assert b"3 attempts were made" in report
    assert any("Attempt 3 of 3" in entry.text for entry in rig.timeline)


async def test_for_a_single_message_more_attempts_may_be_chosen_and_its_reports_know(rig, sink):
    sink.replies = {"bo@b.test": "451 4.3.0 not now"}
    start = rig.clock.time()
    await rig.submit("bo@b.test")
    await rig.until_tried(1)
    (item,) = await rig.items()
    done = await actions.limit_attempts(rig.queue, [item.id], 6)
    assert done.changed == (item.id,)
    assert (await rig.items())[0].max_attempts == 6
    at = await give_up(rig)
    assert len(at) == 5
    delayed, failed = await rig.mail("anna")
    until = report_fields(delayed)[1]["Will-Retry-Until"]
    assert abs(parsedate_to_datetime(until).timestamp() - start - 232.5 * 60) < 120
    assert b"6 attempts were made" in failed
    assert "Chosen by hand: 6 attempts in all" in [entry.text for entry in rig.timeline]


async def test_with_no_attempt_left_the_next_one_is_the_last(rig, sink):
    sink.replies = {"bo@b.test": "451 4.3.0 not now"}
    await rig.submit("bo@b.test")
    await rig.until_tried(1)
    (item,) = await rig.items()
    await actions.limit_attempts(rig.queue, [item.id], 1)
    rig.clock.advance(600)
    rig.outbound.wake()
    await rig.until_empty()
    assert [entry.kind for entry in rig.timeline].count("attempt") == 2


async def test_on_a_full_disk_nothing_is_accepted_and_what_waits_stays(tmp_path):
    async with OutboundRig(tmp_path, 9, run=False) as rig:
        await rig.submit("bo@b.test")
        database = rig.queue.database
        # SQLite's own bound says the same as a full disk, in the middle of a real transaction.
        pages = await database.write(lambda tx: tx.value("PRAGMA page_count"))
        await database.write(lambda tx: tx.value(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(TemporaryError, match=r"452 4\.3\.1"):
            for _ in range(50):
                await rig.submit("cy@b.test", content=CONTENT + b"x" * 30_000)
        before = await rig.items()
        with pytest.raises(TemporaryError):
            await rig.submit("di@b.test", content=CONTENT + b"x" * 60_000)
        assert await rig.items() == before
        assert before[0].recipient == "bo@b.test"
        await database.write(lambda tx: tx.value("PRAGMA max_page_count = 100000"))
        await rig.submit("di@b.test", content=CONTENT + b"x" * 60_000)
        assert (await rig.items())[-1].recipient == "di@b.test"

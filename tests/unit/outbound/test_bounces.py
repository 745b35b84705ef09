"""Delivery reports from outside find the message that they are about, and are believed no further than that."""

import pytest

from backend.core.address import parse_address
from backend.core.clock import FakeClock
from backend.core.ids import AccountId, TraceId
from backend.core.status import SmtpStatus
from backend.message import headers
from backend.message.dsn import Action, Report, ReportedRecipient, build_dsn
from backend.outbound import bounces
from backend.outbound.history_listing import PastFilter, find_past, list_past
from backend.outbound.suppressions import list_suppressions
from tests.support.outbound_rig import OutboundRig, rig_config
from tests.support.postfix import Postfix, can_run
from tests.support.relay_rig import Authority
from tests.support.smtp_sink import SmtpSink

DAY_S = 24 * 3600.0
ANNA, BEN = AccountId("anna"), AccountId("ben")


@pytest.fixture
async def sink():
    async with SmtpSink() as server:
        yield server


@pytest.fixture
async def rig(tmp_path, sink):
    async with OutboundRig(tmp_path, sink.port, clock=FakeClock()) as rig:
        yield rig


async def sent(rig, sink, *to: str) -> bytes:
    """The header as it arrived there."""
    await rig.submit(*to)
    await rig.until_empty()
    return headers.split_header(sink.messages[-1].content)[0]


def report(
    header: bytes,
    address: str,
    *,
    action=Action.FAILED,
    code=550,
    enhanced="5.1.1",
    text="user unknown",
) -> bytes:
    return build_dsn(
        Report(
            action=action,
            hostname="mx.b.test",
            sender=parse_address("anna@a.test"),
            recipients=[
                ReportedRecipient(
                    address=parse_address(address),
                    answer=SmtpStatus(code, enhanced, text),
                    remote_mta="inner.b.test",
                )
            ],
            arrived_at=1.0,
            created_at=2.0,
            header=header,
        )
    )


async def take(rig, content, *, accounts=(ANNA,), sender=None):
    return await rig.outbound.bounces.take(accounts, sender, content, TraceId("in1"))


async def suppressed(rig):
    page = await list_suppressions(rig.queue.database, rig.clock.time())
    return [(each.account, each.address) for each in page.items]


async def test_a_failure_is_attached_told_and_the_address_suppressed(rig, sink):
    header = await sent(rig, sink, "bo@b.test", "cy@b.test")
    (each,) = await take(rig, report(header, "Bo@b.test"))
    assert (each.recipient, each.kind, each.certain, each.suppressed) == (
        "bo@b.test",
        "failed",
        True,
        True,
    )
    (past,) = (await list_past(rig.queue, PastFilter(result="returned"))).items
    assert (past.recipient, past.came_back, past.outcome) == ("bo@b.test", "failed", "delivered")
    assert [
        p.recipient for p in (await list_past(rig.queue, PastFilter(result="delivered"))).items
    ] == ["cy@b.test"]
    (told,) = (await find_past(rig.queue, past.id)).came_back
    assert (told.kind, told.status, told.reporter, told.trace) == (
        "failed",
        "5.1.1",
        "mx.b.test",
        "in1",
    )
    assert "user unknown" in told.text
    assert await suppressed(rig) == [("anna", "bo@b.test")]
    mine, incoming = rig.timeline[-2:]
    assert (mine.trace, mine.kind) == ("t1", "bounced")
    assert mine.text.startswith("mx.b.test reported later: the message to bo@b.test could not be")
    assert (incoming.trace, incoming.kind) == ("in1", "reported")


@pytest.mark.parametrize("kept", [b"Message-ID", b"Received"])
async def test_either_the_message_id_or_our_own_trace_is_enough(rig, sink, kept):
    header = await sent(rig, sink, "bo@b.test")
    (each,) = await take(rig, report(headers.select_fields(header, [kept]), "bo@b.test"))
    assert each.certain


async def test_a_file_is_read_as_far_as_needed(rig, sink, tmp_path):
    header = await sent(rig, sink, "bo@b.test")
    path = tmp_path / "report"
    path.write_bytes(report(header, "bo@b.test") + b"x" * 1_000_000)
    assert len(await take(rig, path)) == 1


async def test_what_this_account_did_not_send_to_that_address_is_not_attached(rig, sink):
    header = await sent(rig, sink, "bo@b.test", "cy@b.test")
    forged = header.replace(b"Message-ID: <", b"Message-ID: <not-")
    forged = headers.without_fields(forged, [b"Received"])
    for content, accounts in (
        (report(header, "bo@b.test"), (BEN,)),  # of another account
        (report(header, "boss@b.test"), (ANNA,)),  # of several recipients, and none of them
        (report(forged, "bo@b.test"), (ANNA,)),  # of another message
        (b"From: x@b.test\r\n\r\nhello", (ANNA,)),
    ):
        assert await take(rig, content, accounts=accounts) == ()
    assert not (await list_past(rig.queue, PastFilter(result="returned"))).items
    assert await suppressed(rig) == []
    genuine = report(header, "bo@b.test")
    assert await take(rig, genuine, sender=parse_address("mallory@b.test")) == ()
    assert len(await take(rig, genuine, sender=parse_address("MAILER-DAEMON@mx.b.test"))) == 1


async def test_what_only_fits_is_attached_as_a_guess_and_has_no_effect(rig, sink):
    header = await sent(rig, sink, "bo@b.test")
    (forwarded,) = await take(rig, report(header, "bo@elsewhere.test"))
    bare = b"From: MAILER-DAEMON@b.test\r\n\r\nThis could not be delivered:\r\n\r\n<bo@b.test>:\r\nno such user\r\n"
    (prose,) = await take(rig, bare)
    assert [(e.recipient, e.certain, e.suppressed) for e in (forwarded, prose)] == [
        ("bo@b.test", False, False)
    ] * 2
    (past,) = (await list_past(rig.queue)).items
    assert past.came_back == ""
    assert [c.certain for c in (await find_past(rig.queue, past.id)).came_back] == [False, False]
    assert await suppressed(rig) == []
    assert rig.timeline[-2].text.startswith("It seems that ")
    rig.clock.advance(6 * DAY_S)
    assert await take(rig, bare) == ()


async def test_delays_and_deliveries_are_told_and_a_failure_stays_the_last_word(rig, sink):
    header = await sent(rig, sink, "bo@b.test")
    await take(
        rig,
        report(
            header, "bo@b.test", action=Action.DELAYED, code=451, enhanced="4.2.0", text="later"
        ),
    )
    (past,) = (await list_past(rig.queue)).items
    assert past.came_back == "delayed"
    assert rig.timeline[-2].kind == "reported"
    await take(rig, report(header, "bo@b.test", enhanced="5.2.2", text="mailbox full"))
    await take(
        rig,
        report(
            header, "bo@b.test", action=Action.DELAYED, code=451, enhanced="4.2.0", text="later"
        ),
    )
    (past,) = (await list_past(rig.queue)).items
    assert past.came_back == "failed"
    assert await suppressed(rig) == []  # a full mailbox may have room again


async def test_reports_about_one_row_are_bounded_and_go_with_it(rig, sink, monkeypatch):
    monkeypatch.setattr(bounces, "MAX_REPORTS", 2)
    header = await sent(rig, sink, "bo@b.test")
    for _ in range(4):
        await take(rig, report(header, "bo@b.test"))
    (past,) = (await list_past(rig.queue)).items
    assert len((await find_past(rig.queue, past.id)).came_back) == 2
    rig.clock.advance(31 * DAY_S)
    await rig.outbound.tidy()
    left = await rig.queue.database.read(lambda r: r.value("SELECT count(*) FROM came_back"))
    assert left == 0
    assert await take(rig, report(header, "bo@b.test")) == ()


async def test_what_had_no_sender_suppresses_nobody(rig, sink):
    await rig.submit("bo@b.test", sender=None)
    await rig.until_empty()
    header = headers.split_header(sink.messages[-1].content)[0]
    (each,) = await take(rig, report(header, "bo@b.test"))
    assert (each.certain, each.suppressed) == (True, False)


@pytest.mark.skipif(not can_run(), reason="only root may start Postfix")
async def test_what_postfix_writes_about_a_message_that_it_had_taken(tmp_path):
    authority = Authority(tmp_path)
    authority.issue("relay.test")
    async with SmtpSink() as sink, Postfix(tmp_path / "relay.test.pem", sink.port) as postfix:
        sink.replies = {"no@b.test": "550 5.1.1 no such user here"}
        lan = {"host": "127.0.0.1", "port": postfix.port, "no_starttls": True}
        config = rig_config(1, transports={"lan": {"smtp": lan}}, routes=[{"transport": "lan"}])
        async with OutboundRig(tmp_path, 1, config=config) as rig:
            await rig.submit("no@b.test")
            await rig.until_empty()
            assert [p.outcome for p in (await list_past(rig.queue)).items] == ["delivered"]
            (returned,) = await sink.wait_for(1)
            assert (returned.sender, returned.recipients) == ("", ("anna@a.test",))
            (each,) = await take(rig, returned.content)
            assert (each.recipient, each.certain, each.suppressed) == ("no@b.test", True, True)
            (past,) = (await list_past(rig.queue, PastFilter(result="returned"))).items
            (told,) = (await find_past(rig.queue, past.id)).came_back
            assert (told.status, told.reporter) == ("5.1.1", "relay.test")
            assert "no such user here" in told.text

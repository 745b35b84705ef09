"""Nothing is sent where mail bounced for good, and whoever writes there is told how to change that."""

import email
import email.policy

import pytest

from backend.config.model import Config
from backend.core.clock import FakeClock
from backend.core.errors import RefusedError
from backend.core.status import SmtpStatus
from backend.outbound import suppressions
from backend.outbound.history_listing import list_past
from backend.outbound.suppressions import list_suppressions, suppress
from tests.support.outbound_rig import OutboundRig
from tests.support.smtp_sink import SmtpSink

DAY_S = 24 * 3600.0


@pytest.fixture
async def sink():
    async with SmtpSink() as server:
        server.replies = {"no@b.test": "550 5.1.1 no such user"}
        yield server


@pytest.fixture
async def rig(tmp_path, sink):
    async with OutboundRig(tmp_path, sink.port, clock=FakeClock()) as rig:
        yield rig


async def listed(rig, **shown):
    page = await list_suppressions(rig.queue.database, rig.clock.time(), **shown)
    return [(each.account, each.address, each.automatic) for each in page.items]


async def bounce(rig) -> None:
    await rig.submit("no@b.test")
    await rig.until_empty()


async def test_an_address_that_does_not_exist_is_not_written_to_again(rig, sink):
    await bounce(rig)
    assert await listed(rig) == [("anna", "no@b.test", True)]
    connections = sink.connections
    with pytest.raises(RefusedError) as caught:
        await rig.submit("No@B.test")
    status = caught.value.status
    assert (status.code, status.enhanced) == (550, "5.1.1")
    assert "550 5.1.1 no such user" in status.text
    assert "gatepost queue suppression remove No@b.test --account anna" in status.text
    assert sink.connections == connections
    # Others may find out for themselves.
    content = b"From: ben@a.test\r\nSubject: x\r\n\r\nx"
    await rig.submit("no@b.test", account="ben", sender="ben@a.test", content=content)
    await rig.until_empty()
    assert len(await listed(rig)) == 2


async def test_among_others_it_comes_back_at_once_and_they_arrive(rig, sink):
    await bounce(rig)
    await rig.submit("no@b.test", "bo@b.test", "ben@a.test")
    await rig.until_empty()
    assert sink.messages[-1].recipients == ("bo@b.test",)
    assert len(await rig.mail("ben")) == 1
    _, report = await rig.mail("anna")
    text = email.message_from_bytes(report, policy=email.policy.default).get_body().get_content()
    assert "gatepost queue suppression remove no@b.test --account anna" in " ".join(text.split())
    left = {p.recipient: p.outcome for p in (await list_past(rig.queue)).items if p.trace == "t2"}
    assert left == {"no@b.test": "failed", "bo@b.test": "delivered"}
    told = {
        e.details.get("recipient"): e.kind
        for e in rig.timeline
        if e.trace == "t2" and "recipient" in e.details
    }
    assert told["no@b.test"] == "bounced"


async def test_entries_of_the_server_end_and_those_of_people_stay(rig):
    await bounce(rig)
    now = rig.clock.time()
    await rig.queue.database.write(
        lambda tx: suppress(tx, "", "x@b.test", reason="she asked for it", automatic=False, now=now)
    )
    with pytest.raises(RefusedError, match="she asked for it"):
        await rig.submit("x@b.test")
    rig.clock.advance(61 * DAY_S)
    assert await listed(rig) == [("", "x@b.test", False)]
    await rig.outbound.tidy()
    assert await rig.queue.database.read(lambda r: r.value("SELECT count(*) FROM suppression")) == 1
    await rig.submit("no@b.test")


async def test_by_hand_goes_before_by_itself_and_can_be_taken_back(rig):
    now = rig.clock.time()

    def write(tx):
        for automatic, reason in ((False, "by hand"), (True, "bounced")):
            suppress(tx, "anna", "Bo@b.test", reason=reason, automatic=automatic, now=now)

    await rig.queue.database.write(write)
    assert await listed(rig, account="anna", text="by hand", automatic=False) == [
        ("anna", "bo@b.test", False)
    ]
    assert await suppressions.remove(rig.queue.database, [("", "bo@b.test")]) == 0
    assert await suppressions.remove(rig.queue.database, [("anna", "BO@b.test")]) == 1
    await rig.submit("bo@b.test")


async def test_entries_of_the_server_are_bounded_and_the_oldest_go(rig, monkeypatch):
    monkeypatch.setattr(suppressions, "MAX_SUPPRESSIONS", 3)
    monkeypatch.setattr(suppressions, "FORGOTTEN_AT_ONCE", 0)
    gone, now = SmtpStatus(550, "5.1.1", "user unknown"), rig.clock.time()

    def write(tx):
        suppress(tx, "anna", "kept@b.test", reason="", automatic=False, now=now - 9)
        for n in range(5):
            rig.queue.suppressing.note(tx, "anna", f"u{n}@b.test", gone, "t", now + n)

    await rig.queue.database.write(write)
    assert [address for _, address, _ in await listed(rig)] == [
        "u4@b.test",
        "u3@b.test",
        "kept@b.test",
    ]


async def test_an_account_that_is_gone_leaves_no_entries(rig):
    await bounce(rig)
    await rig.outbound.forget_account("anna")
    assert await listed(rig) == []


async def test_what_has_no_sender_or_no_days_suppresses_nobody(rig):
    await rig.submit("no@b.test", sender=None)
    await rig.until_empty()
    assert await listed(rig) == []
    outbound = rig.config.server.outbound.model_copy(update={"suppression_days": 0})
    server = rig.config.server.model_copy(update={"outbound": outbound})
    rig.set_config(Config(server, rig.config.domains, 2))
    await bounce(rig)
    assert await listed(rig) == []


async def test_policy_and_our_own_findings_suppress_nobody(rig, sink):
    sink.replies = {"no@b.test": "550 5.7.1 no such user for you"}
    await bounce(rig)
    await rig.submit("bo@gone.test")  # no such domain in the DNS of the moment
    await rig.until_empty()
    assert await listed(rig) == []


async def test_suppressed_recipients_do_not_count_towards_limits(rig):
    await bounce(rig)
    before = await rig.queue.database.read(lambda r: r.value("SELECT count(*) FROM outgoing"))
    await rig.submit("no@b.test", "bo@b.test")
    after = await rig.queue.database.read(lambda r: r.value("SELECT count(*) FROM outgoing"))
    assert after - before == 1

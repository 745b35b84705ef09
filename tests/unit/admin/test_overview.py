"""The first page in one reply: the verdict, what needs somebody, what was left as it is, and long work."""

import asyncio

import pytest

from backend.admin.jobs import RATE_AFTER_S, VERIFY, Jobs
from backend.api.client import ApiError
from backend.api.types import AddAccount
from backend.core.clock import FakeClock
from backend.core.events import ProblemCleared, ProblemRaised, TimelineEntry
from backend.core.ids import TraceId
from backend.core.problems import Problem, Severity
from tests.support.admin_server import admin_server


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def client(rig):
    async with rig.local() as client:
        await client.add_account(AddAccount(address="anna@example.org"))
        yield client


def damaged(days=20, severity=Severity.WARNING):
    message = f"The certificate ends in {days} days."
    return ProblemRaised(
        Problem(code="tls.expires", subject="mail", message=message, severity=severity)
    )


async def test_all_is_well(client):
    seen = await client.overview()
    assert (seen.tone, seen.headline, seen.attention) == ("ok", "Mail is working.", [])
    assert [stat.id for stat in seen.stats] == ["received", "sent", "waiting", "rejected"]
    assert [len(stat.days) for stat in seen.stats] == [14, 14, 0, 14]
    assert seen.steps[0].path == "/accounts/anna/connect"


async def test_a_problem_is_a_card_with_what_to_do_and_why(rig, client):
    rig.record(damaged())
    seen = await client.overview()
    assert seen.headline == "Mail is working. 1 thing needs attention."
    card = seen.attention[0]
    assert card.tone == "warn"
    assert card.action.path == "/system/certificates"
    assert "certificate" in card.why


async def test_what_is_acknowledged_stays_away_until_it_says_something_else(rig, client):
    rig.record(damaged(20))
    await client.acknowledge_problem("tls.expires", "mail", "Renewal is on its way")
    rig.record(damaged(19))  # the same, a day later
    seen = await client.overview()
    assert (seen.tone, seen.attention) == ("ok", [])
    assert seen.acknowledged[0].note == "Renewal is on its way"
    assert (await client.status()).verdict == "ok"
    rig.record(damaged(0, Severity.ERROR))
    assert (await client.overview()).tone == "error"


async def test_an_acknowledgement_ends_with_its_problem_or_is_taken_back(rig, client):
    rig.record(damaged())
    await client.acknowledge_problem("tls.expires", "mail")
    await client.unacknowledge_problem("tls.expires", "mail")
    assert len((await client.overview()).attention) == 1
    await client.acknowledge_problem("tls.expires", "mail")
    rig.record(ProblemCleared("tls.expires", "mail"))
    rig.record(damaged())
    assert len((await client.overview()).attention) == 1
    with pytest.raises(ApiError) as caught:
        await client.acknowledge_problem("no.such")
    assert caught.value.status == 404


async def test_acknowledgements_outlive_a_restart(tmp_path):
    async with admin_server(tmp_path / "data") as rig, rig.local() as client:
        rig.record(damaged())
        await client.acknowledge_problem("tls.expires", "mail")
        await client.put_step_away("account")
        again = type(rig.services.activity)(rig.folder.activity)
        again.load()
        assert again.acknowledged.is_put_away("account")
        problem = damaged(3).problem
        assert again.acknowledged.note_of(
            problem.code, problem.subject, problem.severity.value, problem.message
        )


async def test_pausing_is_said_and_ended_from_the_card(client):
    await client.pause_sending()
    seen = await client.overview()
    assert seen.sending_paused
    assert seen.attention[0].action.call == "resume"
    assert not seen.attention[0].may_acknowledge


async def test_a_next_step_can_be_put_away(client):
    await client.put_step_away("connect")
    assert (await client.overview()).steps == []


# --- one message


def tell(rig, trace, kind, text, **details):
    at = rig.services.clock.time()
    rig.record(TimelineEntry(TraceId(trace), at, kind, text, details))


async def test_a_delivered_message_says_where_it_is_and_leads_on(rig, client):
    tell(
        rig, "ab12-1", "received", "Mail came", sender="x@y.test", peer="192.0.2.1", session="ab12"
    )
    tell(rig, "ab12-1", "delivered", "It lies", account="anna", mailbox="INBOX")
    found = await client.trace("ab12-1")
    assert found.sentence == "It was delivered to anna's INBOX at once."
    assert (found.tone, found.question, found.over) == ("ok", "", True)
    assert [link.path for link in found.links] == ["/accounts/anna", "/log/ab12"]


async def test_a_refused_message_says_why(rig, client):
    tell(rig, "ab12-1", "rejected", "Mail for x was refused: No such user", recipient="x@y.test")
    found = await client.trace("ab12-1")
    assert found.question == "Why was this refused?"
    assert found.reasons == ["Mail for x was refused: No such user."]


async def test_a_message_to_several_says_what_became_of_each_group(rig, client):
    tell(rig, "c-1", "received", "Sent", direction="out", account="anna")
    for name, kind in (("a", "sent"), ("b", "sent"), ("c", "deferred"), ("d", "bounced")):
        tell(rig, "c-1", kind, f"{name} {kind}", recipient=f"{name}@x.test")
    found = await client.trace("c-1")
    assert found.sentence == (
        "Of 4 recipients: it was taken for 2, could not be delivered to 1, is tried again for 1."
    )
    assert (found.tone, found.question, found.over) == ("error", "Why?", False)


async def test_a_report_and_its_message_lead_to_each_other(rig, client):
    tell(rig, "out-1", "received", "Sent", direction="out")
    tell(rig, "out-1", "bounced", "mx reported later", recipient="a@x.test", report="in-1")
    tell(rig, "in-1", "received", "Mail came", direction="in")
    tell(rig, "in-1", "reported", "It is a report about the message", message="out-1")
    assert "/activity/in-1" in [link.path for link in (await client.trace("out-1")).links]
    report = await client.trace("in-1")
    assert "/activity/out-1" in [link.path for link in report.links]
    assert report.sentence == "It is a report about the message."


# --- long work


async def test_work_tells_how_fast_it_is_and_its_end_stays_until_seen():
    clock, told, go_on = FakeClock(), [], asyncio.Event()
    jobs = Jobs(clock, told.append)

    async def work(progress):
        progress.update(10, 100)
        clock.advance(RATE_AFTER_S)
        progress.update(50, 100)
        await go_on.wait()
        return []

    job = jobs.start(VERIFY, work)
    assert job.title == "Checking the stored mail"
    while not (now := jobs.get(job.id)).rate:
        await asyncio.sleep(0)
    assert (now.rate, now.remaining_s) == (10.0, 5.0)
    assert not jobs.see(job.id).seen  # it runs
    go_on.set()
    while jobs.get(job.id).state == "running":
        await asyncio.sleep(0)
    assert not jobs.get(job.id).seen
    assert jobs.see(job.id).seen
    assert told[-1].seen
    await jobs.close()

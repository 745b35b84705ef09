"""The day of TLS reports: real deliveries, DNS, SMTP and HTTPS, the clock moved by hand, and a kill in between."""

import asyncio
import email
import email.policy
import gzip
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backend.core.clock import FakeClock
from backend.mailauth.dkim import Outcome, verify
from backend.mailauth.keys import record_name, record_text
from backend.outbound import tls_report_rows as rows
from backend.outbound.tls_ledger import DAY_S
from backend.outbound.tls_outcomes import TlsResult
from backend.outbound.tls_report_rows import State
from backend.outbound.tls_reports import PROBLEM
from tests.support.dkim import key_store
from tests.support.outbound_rig import OutboundRig
from tests.support.relay_rig import Authority
from tests.support.smtp_sink import ScriptedServer, SmtpSink, self_signed, silent
from tests.support.tls_report_rig import (
    SELECTOR,
    HttpsReceiver,
    outcome,
    report_config,
    signer,
    zone,
)

ROOT = Path(__file__).resolve().parents[3]
MAIL = "mailto:tls@b.test"
DATE = "2023-11-14"


@pytest.fixture
async def sink(tmp_path):
    async with SmtpSink(tls=self_signed(tmp_path)) as server:
        yield server


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
async def receiver(authority):
    async with HttpsReceiver(authority) as server:
        yield server


@asynccontextmanager
async def reporting(folder, port, *rua, ca_file=None, run=True, start=1_700_000_000.0, **outbound):
    """A server whose clock stands late on 14 November 2023, and b.test, which wants its reports at `rua`."""
    config = report_config(port, ca_file, **outbound)
    sign = signer(folder, lambda: config).sign
    rig = OutboundRig(folder, port, clock=FakeClock(start), config=config, sign=sign, run=run)
    async with rig:
        for name, kinds in zone(*rua).items() if rua else ():
            rig.dns.add(name, kinds)
        yield rig


def pass_days(rig, days=1):
    """To the morning, when all reports are due."""
    clock = rig.clock
    clock.advance((clock.time() // DAY_S + days) * DAY_S + 4.5 * 3600 - clock.time())
    rig.outbound.wake()


async def reports(rig):
    return (await rows.page(rig.queue.database)).items


async def until(rig, *states):
    async def reached():
        return [row.state for row in await reports(rig)] == list(states)

    await rig.until(reached)
    return await reports(rig)


async def put(rig, *outcomes):
    for each in outcomes or (outcome(),):
        rig.outbound.tls_reports.record(each)
    await rig.outbound.tls_reports.ledger.write()


async def test_who_asks_for_it_gets_a_signed_report_of_the_day_and_only_one(tmp_path, sink):
    async with reporting(tmp_path, sink.port, MAIL) as rig:
        await rig.submit("bo@b.test")
        await rig.until_empty()
        pass_days(rig)
        _, taken = await sink.wait_for(2)
        (row,) = await until(rig, State.SENT)
        assert "took the message for tls@b.test" in row.answer
        assert [e.kind for e in rig.timeline if e.trace == row.trace] == [
            "accepted", "attempt", "sent",
        ]  # fmt: skip
        # The report came by TLS too, which is nobody's business: it would never end.
        pass_days(rig)
        await rig.outbound.tls_reports.work()
        pass_days(rig)
        await rig.outbound.tls_reports.work()
        assert len(await reports(rig)) == 1
    assert len(sink.messages) == 2
    assert (taken.sender, taken.recipients) == ("postmaster@a.test", ("tls@b.test",))
    key = key_store(tmp_path / "secrets").load("a.test", SELECTOR)
    records = {record_name("a.test", SELECTOR): record_text(key)}
    assert [checked.outcome for checked in verify(taken.content, records)] == [Outcome.PASS]
    message = email.message_from_bytes(taken.content, policy=email.policy.default)
    assert message["From"].addresses[0].addr_spec == "postmaster@a.test"
    assert message["TLS-Required"] == "No"
    report = json.loads(gzip.decompress(list(message.iter_parts())[1].get_content()))
    assert report["date-range"] == {
        "start-datetime": f"{DATE}T00:00:00Z",
        "end-datetime": f"{DATE}T23:59:59Z",
    }
    assert report["report-id"] == f"{DATE}.b.test@a.test"
    (policy,) = report["policies"]
    assert policy == {
        "policy": {"policy-type": "no-policy-found", "policy-domain": "b.test"},
        "summary": {"total-successful-session-count": 1, "total-failure-session-count": 0},
    }


async def test_a_server_without_tls_is_told_so(tmp_path):
    async with SmtpSink() as sink, reporting(tmp_path, sink.port, MAIL) as rig:
        await rig.submit("bo@b.test")
        await rig.until_empty()
        await rig.outbound.tls_reports.ledger.write()
        (counted,) = (await rig.outbound.tls_reports.ledger.page()).items
    (detail,) = counted.details
    assert (counted.successes, counted.failures) == (0, 1)
    assert detail.result is TlsResult.STARTTLS_NOT_SUPPORTED
    assert (detail.receiving_host, detail.receiving_ip, detail.receiving_helo, detail.sending_ip) == (
        "mx.b.test", "127.0.0.1", "sink.test", "127.0.0.1",
    )  # fmt: skip


async def test_a_report_is_posted_where_the_domain_says(tmp_path, sink, authority, receiver):
    async with reporting(tmp_path, sink.port, receiver.url, ca_file=authority.file) as rig:
        await put(rig, outcome(), outcome(), outcome(result=TlsResult.VALIDATION_FAILURE))
        pass_days(rig)
        (row,) = await until(rig, State.SENT)
        assert row.answer == "201 Created"
    (request,) = receiver.requests
    assert request.headers["Content-Type"] == "application/tlsrpt+gzip"
    (report,) = receiver.reports
    assert report["policies"][0]["summary"] == {
        "total-successful-session-count": 2,
        "total-failure-session-count": 1,
    }
    assert report["policies"][0]["failure-details"] == [
        {"result-type": "validation-failure", "failed-session-count": 1}
    ]


async def test_a_receiver_in_trouble_is_tried_again_for_a_day(tmp_path, sink, authority, receiver):
    receiver.statuses = [503, 429, 200]
    async with reporting(tmp_path, sink.port, receiver.url, ca_file=authority.file) as rig:
        await put(rig)
        pass_days(rig)
        for attempts in (1, 2):

            async def tried(attempts=attempts):
                found = [(row.state, row.attempts) for row in await reports(rig)]
                return found == [(State.WAITING, attempts)]

            await rig.until(tried)
            rig.clock.advance(1801)
            rig.outbound.wake()
        await until(rig, State.SENT)
    assert len(receiver.reports) == 3
    assert len({report["report-id"] for report in receiver.reports}) == 1


async def test_no_redirection_is_followed(tmp_path, sink, authority, receiver):
    receiver.statuses = [307]
    async with reporting(tmp_path, sink.port, receiver.url, ca_file=authority.file) as rig:
        await put(rig)
        pass_days(rig)
        (row,) = await until(rig, State.FAILED)
    assert "redirections are not followed" in row.answer
    assert len(receiver.requests) == 1


async def test_private_addresses_get_no_post(tmp_path, sink, authority, receiver):
    urls = (
        receiver.url,
        f"https://127.0.0.1:{receiver.port}/v1",
        f"https://[::1]:{receiver.port}/",
    )
    async with reporting(
        tmp_path, sink.port, *urls, ca_file=authority.file, allow_loopback=False
    ) as rig:
        await put(rig)
        pass_days(rig)
        await until(rig, State.WAITING, State.FAILED, State.FAILED)

        async def told():
            answers = [row.answer for row in await reports(rig)]
            return all("inside" in answer or "itself" in answer for answer in answers)

        await rig.until(told)
    assert not receiver.requests


async def test_an_untrusted_certificate_gets_no_report(tmp_path, sink, authority, receiver):
    async with reporting(tmp_path, sink.port, receiver.url) as rig:
        await put(rig)
        pass_days(rig)

        async def tried():
            return any(row.answer for row in await reports(rig))

        await rig.until(tried)
        (row,) = await reports(rig)
    assert "certificate" in row.answer
    assert not receiver.requests


async def test_domains_that_do_not_ask_get_nothing(tmp_path, sink):
    async with reporting(tmp_path, sink.port) as rig:
        rig.dns.add("_smtp._tls.c.test", {"TXT": ['"v=TLSRPTv1; rua=ftp://c.test/"']})
        rig.dns.broken.add("_smtp._tls.d.test")
        await put(rig, outcome("b.test"), outcome("c.test"), outcome("d.test"), outcome("a.test"))
        pass_days(rig)
        found = await until(rig, State.UNASKED, State.UNASKED, State.WAITING)

        async def asked():
            return bool((await reports(rig))[2].answer)

        await rig.until(asked)
        assert [row.domain for row in found] == ["b.test", "c.test", "d.test"]
        page = await rows.page(rig.queue.database, asked_only=True)
        assert page.total == 1
    assert not sink.messages


async def test_switched_off_nothing_is_asked_and_nothing_leaves(tmp_path, sink):
    async with reporting(tmp_path, sink.port, MAIL, tls_reports=False) as rig:
        await put(rig)
        pass_days(rig)
        await until(rig, State.OFF)
        assert not any(name.startswith("_smtp._tls") for name, _, _ in rig.dns.queries)
    assert not sink.messages


async def test_in_practice_mode_nothing_leaves(tmp_path, sink):
    async with reporting(tmp_path, sink.port, MAIL, run=False) as rig:
        await put(rig)
    config = report_config(sink.port)
    practice = config.server.model_copy(update={"practice_mode": True})
    async with OutboundRig(
        tmp_path,
        sink.port,
        clock=FakeClock(1_700_000_000.0 + DAY_S),
        config=type(config)(practice, config.domains),
    ) as rig:
        rig.outbound.wake()
        await rig.submit("bo@b.test")
        assert not await reports(rig)


async def test_a_computer_that_slept_makes_up_for_it_but_not_for_ever(tmp_path, sink):
    async with reporting(tmp_path, sink.port, MAIL) as rig:
        await put(rig)
        pass_days(rig, days=3)
        await sink.wait_for(1)
        await until(rig, State.SENT)
        await put(rig, outcome("c.test"))
        pass_days(rig, days=9)
        late, _ = await until(rig, State.LATE, State.SENT)
        assert late.domain == "c.test"
    assert DATE.encode() in sink.messages[0].content


async def test_a_report_for_one_of_our_own_mailboxes_stays_here(tmp_path, sink):
    async with reporting(tmp_path, sink.port, "mailto:anna@a.test", "mailto:x@a.test") as rig:
        await put(rig)
        pass_days(rig)
        here, nobody = await until(rig, State.SENT, State.FAILED)
        assert (here.destination, nobody.answer) == (
            "mailto:anna@a.test",
            "there is no mailbox x@a.test on this server",
        )
        rig.clock.advance(601)
        rig.outbound.wake()

        async def arrived():
            return len(await rig.mail("anna")) == 1

        await rig.until(arrived)
    assert not sink.messages


async def test_a_report_that_bounces_makes_no_further_mail(tmp_path, sink):
    sink.replies = {"tls@b.test": "550 5.1.1 nobody here"}
    async with reporting(tmp_path, sink.port, MAIL) as rig:
        await put(rig)
        pass_days(rig)
        (row,) = await until(rig, State.FAILED)
        assert "550 5.1.1 nobody here" in row.answer
        await rig.until_empty()
        assert not await rig.mail("anna")


async def test_reports_that_fail_again_and_again_are_a_problem_until_one_succeeds(tmp_path, sink):
    raised, cleared = [], []
    async with reporting(tmp_path, sink.port, run=False) as rig:
        service = rig.outbound.tls_reports
        service._on_problem, service._on_clear = raised.append, lambda *key: cleared.append(key)
        for domain in ("b.test", "c.test", "d.test", "e.test"):
            where = "x" if domain != "e.test" else "anna"
            rig.dns.add(
                f"_smtp._tls.{domain}", {"TXT": [f'"v=TLSRPTv1; rua=mailto:{where}@a.test"']}
            )
        await put(rig, *map(outcome, ("b.test", "c.test", "d.test")))
        pass_days(rig)
        await service.work()
        (problem,) = raised
        assert (problem.code, problem.severity.value) == (PROBLEM, "info")
        await put(rig, outcome("e.test"))
        pass_days(rig)
        await service.work()
    assert cleared == [(PROBLEM, "")]


async def test_a_fault_of_ours_holds_up_no_other_report(tmp_path, sink, expect_log):
    expect_log("TLS report failed by a fault of this server")
    async with reporting(tmp_path, sink.port, MAIL, run=False) as rig:

        async def broken(*_):
            raise RuntimeError("broken")

        rig.dns.add("_smtp._tls.c.test", {"TXT": ['"v=TLSRPTv1; rua=mailto:anna@a.test"']})
        await put(rig, outcome("b.test"), outcome("c.test"))
        pass_days(rig)
        service = rig.outbound.tls_reports
        service._sign, sign = broken, service._sign
        await service.work()
        assert [row.state for row in await reports(rig)] == [State.WAITING, State.WAITING]
        service._sign = sign
        rig.clock.advance(1000)
        await service.work()
        assert [row.state for row in await reports(rig)] == [State.QUEUED, State.SENT]


@pytest.mark.parametrize("remembered", [True, False])
async def test_what_left_the_queue_when_the_process_died_is_found_in_the_history(
    tmp_path, sink, remembered
):
    days = {} if remembered else {"history_days": 0}
    async with reporting(tmp_path, sink.port, MAIL, run=False, **days) as rig:
        await put(rig)
        pass_days(rig)
        await rig.outbound.tls_reports.work()
        assert [row.state for row in await reports(rig)] == [State.QUEUED]
        rig.outbound.tls_reports._carried.clear()  # so that it does not hear of it
        rig.start()
        await sink.wait_for(1)
        await rig.until_empty()
        assert [row.state for row in await reports(rig)] == [State.QUEUED]
    async with reporting(tmp_path, sink.port, MAIL, run=False, **days) as rig:
        (row,) = await reports(rig)
    assert row.state is (State.SENT if remembered else State.UNKNOWN)
    assert ("mx.b.test: 250" if remembered else "was stopped") in row.answer


@asynccontextmanager
async def child(folder, port, dns, ca_file, at):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.killed_reporter",
        str(folder), str(port), dns, str(ca_file), str(at),
        cwd=ROOT,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.kill
async def test_killed_while_it_sends_no_report_goes_out_twice(tmp_path, sink, authority, receiver):
    rua, later = (MAIL, receiver.url), 1_700_000_000.0 + DAY_S
    folder, reached = tmp_path / "data", asyncio.Event()
    folder.mkdir()
    async with reporting(folder, sink.port, *rua, run=False) as rig:
        await put(rig)

    async def connected(reader, writer):
        reached.set()
        await silent(reader, writer)

    async def hold():
        await asyncio.Event().wait()

    receiver.hold = hold
    # The mail is with a server that says nothing, the POST with one that does not answer.
    async with (
        ScriptedServer(connected) as stalled,
        reporting(tmp_path, 9, *rua, run=False) as other,
        child(folder, stalled.port, other.dns.endpoint, authority.file, later) as process,
    ):
        async with asyncio.timeout(20):
            await reached.wait()
        await receiver.wait_for(1)
        process.kill()
        await process.wait()
    receiver.hold = None
    async with reporting(folder, sink.port, *rua, ca_file=authority.file, start=later + 600) as rig:
        await sink.wait_for(1)
        _, post = await until(rig, State.SENT, State.UNKNOWN)
        assert post.answer == "the server was stopped while it was sent"
        for _ in range(2):
            pass_days(rig)
            await rig.outbound.tls_reports.work()
        assert len(await reports(rig)) == 2
    assert len(sink.messages) == 1
    assert len(receiver.reports) == 1

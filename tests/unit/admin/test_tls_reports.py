"""What came of TLS, and the reports about it, over the API and on the command line."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from app.cli import main
from backend.api.client import ApiError
from backend.api.tls_reports import TlsPageQuery, TlsReportQuery
from backend.outbound import tls_report_rows as rows
from backend.outbound.tls_ledger import DAY_S, day_of
from backend.outbound.tls_outcomes import TlsResult
from backend.outbound.tls_report_rows import State
from tests.support.admin_server import admin_server
from tests.support.tls_report_rig import outcome


@pytest.fixture
async def served(tmp_path):
    """A server that has delivered to some domains yesterday, and the client of it."""
    async with admin_server(tmp_path / "data") as rig, rig.local() as client:
        outbound = rig.services.outbound
        service, database = outbound.tls_reports, outbound.queue.database
        for each in (
            outcome("b.test"),
            outcome("b.test", TlsResult.CERTIFICATE_EXPIRED),
            outcome("c.test"),
        ):
            service.record(each)
        await service.ledger.write()
        now = rig.services.clock.time()
        await rows.plan(
            database,
            today=day_of(now) + 1,
            oldest=0,
            now=now,
            enabled=True,
            jitter_s=lambda: -2.0 * DAY_S,
        )
        first = await rows.next_due(database, now)
        await rows.address_to(database, first, ["mailto:tls@b.test"], now)
        other = await rows.next_due(database, now)
        await rows.settle(database, other, State.UNASKED, "it asks for no reports", now)
        yield client


async def test_outcomes_come_by_day_and_domain(served):
    page = await served.tls_outcomes()
    assert [(each.domain, each.successes, each.failures) for each in page.items] == [
        ("b.test", 1, 1),
        ("c.test", 1, 0),
    ]
    assert [(f.result, f.count) for f in page.items[0].details] == [("certificate-expired", 1)]
    page = await served.tls_outcomes(TlsPageQuery(limit=1, offset=1))
    assert ([each.domain for each in page.items], page.total) == (["c.test"], 2)
    assert (await served.tls_outcomes(TlsPageQuery(domain="C.test."))).total == 1
    with pytest.raises(ApiError):
        await served.tls_outcomes(TlsPageQuery(domain="a b"))


async def test_reports_tell_where_to_and_what_came_of_them(served):
    page = await served.tls_reports()
    (report,) = page.items
    assert page.enabled
    assert (report.domain, report.destination, report.state) == (
        "b.test",
        "mailto:tls@b.test",
        "waiting",
    )
    assert report.next_attempt_at is not None
    page = await served.tls_reports(TlsReportQuery(unasked=True, domain="c.test"))
    assert [(each.state, each.answer) for each in page.items] == [
        ("unasked", "it asks for no reports")
    ]


async def test_the_command_line_shows_both(served, tmp_path):
    async def run(*words):
        result = await asyncio.to_thread(
            CliRunner().invoke, main, ["tls", *words, "--dir", str(tmp_path / "data")]
        )
        assert result.exit_code == 0, result.output
        return result.output

    shown = await run("outcomes")
    assert "b.test" in shown and "certificate-expired" in shown
    assert json.loads(await run("outcomes", "c.test", "--json"))["total"] == 1
    assert "Nothing was delivered" in await run("outcomes", "x.test")
    assert "mailto:tls@b.test" in await run("reports")
    assert "it asks for no reports" in await run("reports", "--all")
    assert json.loads(await run("reports", "--json"))["enabled"] is True

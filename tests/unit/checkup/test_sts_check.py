"""Is our MTA-STS policy where others look for it? Asked over real HTTPS."""

import pytest
from aiohttp import web

from backend.checkup.dns import DnsCheckup
from backend.checkup.facts import gather_facts
from backend.checkup.records import expected_records
from backend.checkup.sts_check import check_policy
from backend.dns.resolver import DnsResolver
from backend.observe.http import make_runner
from backend.outbound.sts_fetch import PolicyFetcher
from backend.tls.contexts import client_context
from backend.tls.own_policy import own_policy
from backend.web.site import Site
from tests.support.dns_server import DnsServer
from tests.support.relay_rig import Authority
from tests.support.settings import config_of

WEB = {
    "hostname": "mail.a.test",
    "outbound": {"allow_loopback": True},
    "listeners": {"public": {"addresses": ["0.0.0.0"], "https_port": 443}},
}
HOST = "mta-sts.a.test"


def config(mode="enforce"):
    return config_of(WEB, domains={"a.test": {"mta_sts": {"mode": mode}}})


@pytest.fixture
async def published(tmp_path):
    """`published.mode` is what the web server says; `published.fetch` asks as others do."""
    authority = Authority(tmp_path)

    class Published:
        mode = "enforce"

        def text(self, domain):
            found = own_policy(config(self.mode), domain)
            return found.text if found is not None else None

    it = Published()
    runner = make_runner(Site(domains=tuple, ports=tuple, mta_sts=it.text).build())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=authority.issue(HOST).context)
    await site.start()

    async def context():
        return client_context(authority.file)

    async with DnsServer(
        {HOST: {"A": ["127.0.0.1"]}, "a.test": {"MX": ["10 mail.a.test."]}}
    ) as dns:
        it.resolver = DnsResolver([dns.endpoint])
        it.fetch = PolicyFetcher(
            it.resolver, context=context, allow_private=True, port=runner.addresses[0][1]
        ).fetch
        it.dns = dns
        yield it
    await runner.cleanup()


async def judge(published, mode="enforce"):
    return await check_policy(gather_facts(config(mode), "a.test"), published.fetch)


async def test_the_policy_of_the_settings_is_right(published):
    (check,) = await judge(published)
    assert (check.code, check.result, check.name) == ("mta_sts_policy", "ok", HOST)
    assert check.found == check.expected


async def test_another_one_is_told(published):
    published.mode = "testing"
    (check,) = await judge(published)
    assert check.result == "different"
    assert "mode: testing" in check.found
    assert "mode: enforce" in check.expected


async def test_one_that_can_not_be_fetched_is_told_with_the_cause(published):
    published.mode = "off"
    (check,) = await judge(published)
    assert check.result == "missing"
    assert "404" in check.summary
    assert "Port 443" in check.fix.text


async def test_without_a_policy_nobody_is_asked(published):
    assert await judge(published, "off") == []


async def test_the_proposed_records_carry_its_id(published):
    facts = gather_facts(config(), "a.test")
    found = {record.code: record for record in expected_records(facts)}
    assert found["mta_sts"].values == (f"v=STSv1; id={own_policy(config(), 'a.test').id}",)
    assert found["mta_sts_host"].values == ("mail.a.test",)


async def test_the_whole_check_has_it_among_the_others(published):
    checkup = DnsCheckup(
        published.resolver, config=config, fetch_policy=published.fetch, port=published.dns.port
    )
    report = await checkup.check("a.test")
    results = {check.code: check.result for check in report.checks}
    assert results["mta_sts_policy"] == "ok"
    assert results["mta_sts"] == "missing"

"""Direct delivery under MTA-STS: the policy from a real web server, SMTP servers with good and bad certificates (behaviour T1)."""

from contextlib import AsyncExitStack

import pytest

from backend.core.clock import SystemClock
from backend.dns.resolver import DnsResolver
from backend.outbound.dial import SocksProxy
from backend.outbound.direct import DirectTransport
from backend.outbound.session import Limits
from backend.outbound.sts import StsPolicies
from backend.outbound.sts_cache import StsCache
from backend.outbound.sts_fetch import PolicyFetcher
from backend.outbound.tls_findings import TlsFindings
from backend.outbound.tls_outcomes import PolicyType, TlsResult
from backend.outbound.tls_ways import Checks, DirectTls
from backend.tls.contexts import client_context
from tests.support.certificates import make
from tests.support.dns_server import DnsServer
from tests.support.microsocks import Microsocks
from tests.support.outgoing import message
from tests.support.policy_server import PolicyServer, policy_text
from tests.support.smtp_sink import SmtpSink

ROOT = make("Test root", is_ca=True)
GOOD = make("mx1.b.test", issuer=ROOT)
OTHER_NAME = make("elsewhere.test", issuer=ROOT)
OLD = make("mx1.b.test", issuer=ROOT, days=(-30, -1))
UNTRUSTED = make("mx1.b.test")
NO_TLS = None


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.outcomes = []
        self.offers = ()
        self.dns = DnsServer(
            {
                "b.test": {"MX": ["10 mx1.b.test.", "20 mx2.b.test."]},
                "mx1.b.test": {"A": ["127.0.0.1"]},
                "mx2.b.test": {"A": ["127.0.0.2"]},
                "_mta-sts.b.test": {"TXT": ['"v=STSv1; id=1"']},
                "mta-sts.b.test": {"A": ["127.0.0.1"]},
            }
        )

    async def deliver(self, policy, first, second=GOOD, *, proxy=None, **more):
        """`first` is the certificate of mx1.b.test."""
        ca = self.folder / "ca.pem"
        ca.write_bytes(ROOT.pem)

        async def context():
            return client_context(ca)

        def server(certified):
            return None if certified is None else certified.context(self.folder)

        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            self.first = await enter(SmtpSink(tls=server(first), offers=self.offers))
            self.second = SmtpSink(host="127.0.0.2", tls=server(second))
            await self.second.start(self.first.port)
            stack.push_async_callback(self.second.stop)
            await enter(self.dns)
            leaf = make("mta-sts.b.test", issuer=ROOT)
            self.web = await enter(PolicyServer(policy, leaf.context(self.folder)))
            resolver = DnsResolver([self.dns.endpoint], query_timeout_s=0.3, lookup_timeout_s=0.6)
            clock = SystemClock()
            policies = StsPolicies(
                resolver,
                PolicyFetcher(resolver, context=context, allow_private=True, port=self.web.port),
                StsCache(self.folder, clock),
                clock,
            )
            stack.push_async_callback(policies.close)
            port = self.first.port
            transport = DirectTransport(
                resolver,
                hostname="mail.a.test",
                port=port,
                allow_private=True,
                limits=Limits(connect_s=5, step_s=5, session_s=20),
                proxy=proxy,
                tls=DirectTls(
                    findings=TlsFindings(resolver, port=port, find_sts=policies.find),
                    checks=Checks(clock, context),
                    record=self.outcomes.append,
                ),
            )
            stack.push_async_callback(transport.close)
            return await transport.deliver(message(**more))

    @property
    def told(self):
        return [(o.policies[0].type, o.result) for o in self.outcomes]


ENFORCE = policy_text("enforce", "mx1.b.test")
ENFORCE_ALL = policy_text("enforce", "*.b.test")
TESTING = policy_text("testing", "mx1.b.test")
STS, NONE = PolicyType.STS, PolicyType.NONE


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


async def test_enforce_delivers_to_a_listed_server_with_a_good_certificate(bench):
    delivery = await bench.deliver(ENFORCE, GOOD)
    assert bench.first.messages[0].tls
    assert "MTA-STS of b.test (enforce)" in delivery.tries[0].policy
    assert bench.told == [(STS, TlsResult.SUCCESS)]
    assert bench.outcomes[0].policies[0].mx_hosts == ("mx1.b.test",)
    assert "mode: enforce" in bench.outcomes[0].policies[0].strings


@pytest.mark.parametrize(
    ("certificate", "result"),
    [
        (OTHER_NAME, TlsResult.CERTIFICATE_HOST_MISMATCH),
        (OLD, TlsResult.CERTIFICATE_EXPIRED),
        (UNTRUSTED, TlsResult.CERTIFICATE_NOT_TRUSTED),
        (NO_TLS, TlsResult.STARTTLS_NOT_SUPPORTED),
    ],
)
async def test_enforce_gives_nothing_to_a_server_that_fails_and_tries_the_next(
    bench, certificate, result
):
    delivery = await bench.deliver(ENFORCE_ALL, certificate, make("mx2.b.test", issuer=ROOT))
    assert bench.first.messages == []
    assert bench.second.messages[0].tls
    assert delivery.results[0].status.is_success
    assert bench.told == [(STS, result), (STS, TlsResult.SUCCESS)]


async def test_enforce_waits_when_no_server_is_as_it_must_be(bench):
    delivery = await bench.deliver(ENFORCE, UNTRUSTED)
    assert bench.first.messages == bench.second.messages == []
    assert bench.second.connections == 0
    status = delivery.results[0].status
    assert status.is_temporary
    assert "not trusted" in delivery.tries[0].answer
    assert "MTA-STS" in delivery.tries[0].answer
    assert "does not list mx2.b.test" in delivery.tries[1].answer
    assert bench.told == [
        (STS, TlsResult.CERTIFICATE_NOT_TRUSTED),
        (STS, TlsResult.VALIDATION_FAILURE),
    ]


@pytest.mark.parametrize(
    ("certificate", "result", "connections"),
    [
        (GOOD, TlsResult.SUCCESS, 1),
        (OTHER_NAME, TlsResult.CERTIFICATE_HOST_MISMATCH, 2),
        (UNTRUSTED, TlsResult.CERTIFICATE_NOT_TRUSTED, 2),
        (NO_TLS, TlsResult.STARTTLS_NOT_SUPPORTED, 1),
    ],
)
async def test_testing_delivers_in_any_case_and_tells_what_would_have_been(
    bench, certificate, result, connections
):
    delivery = await bench.deliver(TESTING, certificate)
    assert delivery.results[0].status.is_success
    assert len(bench.first.messages) == 1
    assert bench.first.messages[0].tls is (certificate is not NO_TLS)
    assert bench.first.connections == connections
    assert bench.told == [(STS, result)]


async def test_testing_tells_of_a_server_that_is_not_listed(bench):
    await bench.deliver(policy_text("testing", "other.b.test"), UNTRUSTED)
    assert bench.first.messages[0].tls
    assert bench.told == [(STS, TlsResult.VALIDATION_FAILURE)]


async def test_the_mode_none_asks_for_nothing(bench):
    await bench.deliver(policy_text("none"), UNTRUSTED)
    assert bench.first.messages[0].tls
    assert bench.told == [(NONE, TlsResult.SUCCESS)]


async def test_a_policy_that_can_not_be_had_is_none_and_told(bench):
    delivery = await bench.deliver("<html>", UNTRUSTED)
    assert bench.first.messages[0].tls
    assert "announced" in delivery.tries[0].policy
    assert bench.told == [(STS, TlsResult.STS_POLICY_INVALID), (NONE, TlsResult.SUCCESS)]


@pytest.mark.parametrize(("certificate", "arrives"), [(GOOD, True), (UNTRUSTED, False)])
async def test_when_the_dns_does_not_say_encryption_is_strict(bench, certificate, arrives):
    bench.dns.broken.add("_mta-sts.b.test")
    delivery = await bench.deliver(ENFORCE, certificate, UNTRUSTED)
    assert delivery.results[0].status.is_success is arrives
    assert bench.first.messages == [] or bench.first.messages[0].tls
    assert bench.second.messages == []
    assert "can't be told" in delivery.tries[0].policy


@pytest.mark.parametrize(
    ("policy", "certificate", "arrives"),
    [(ENFORCE, GOOD, True), (ENFORCE, UNTRUSTED, False), (policy_text("none"), GOOD, False)],
)
async def test_requiretls_goes_to_a_verified_server_that_promises_it(
    bench, policy, certificate, arrives
):
    bench.offers = ("REQUIRETLS",)
    delivery = await bench.deliver(policy, certificate, require_tls=True)
    assert delivery.results[0].status.is_success is arrives
    assert bool(bench.first.messages) is arrives
    assert bench.first.parameters == (["REQUIRETLS"] if arrives else [])
    assert bench.second.messages == []


async def test_requiretls_goes_to_a_listed_server_that_passes_it_on_only(bench):
    delivery = await bench.deliver(ENFORCE, GOOD, require_tls=True)
    assert bench.first.messages == []
    assert not delivery.results[0].status.is_success
    assert bench.told[0] == (STS, TlsResult.SUCCESS)


async def test_requiretls_does_not_go_where_only_an_unsigned_mx_record_leads(bench):
    del bench.dns.records["_mta-sts.b.test"]
    delivery = await bench.deliver(ENFORCE, GOOD, require_tls=True)
    assert bench.first.connections == 0
    assert str(delivery.results[0].status).startswith("550 5.7.30")


@pytest.mark.parametrize(("certificate", "arrives"), [("localhost", True), ("mx1.b.test", False)])
async def test_what_is_demanded_holds_behind_a_proxy_as_well(bench, certificate, arrives):
    # The proxy asks the system for addresses: this is the one name that every computer knows.
    # No policy can list it, so this is the one for when nothing is known.
    bench.dns.broken.add("_mta-sts.b.test")
    bench.dns.add("b.test", {"MX": ["10 localhost."]})
    bench.dns.add("localhost", {"A": ["127.0.0.1"]})
    async with Microsocks() as socks:
        delivery = await bench.deliver(
            ENFORCE,
            make(certificate, issuer=ROOT),
            proxy=SocksProxy(host="127.0.0.1", port=socks.port),
        )
    assert delivery.results[0].status.is_success is arrives
    assert len(bench.first.messages) == arrives

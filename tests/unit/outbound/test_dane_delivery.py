"""Direct delivery under DANE: signed zones in nsd behind a validating unbound, real SMTP servers with certificates (RFC 7672)."""

from contextlib import asynccontextmanager

import pytest

from backend.core.clock import SystemClock
from backend.dns.resolver import DnsResolver
from backend.outbound.direct import DirectTransport
from backend.outbound.session import Limits
from backend.outbound.tls_findings import TlsFindings
from backend.outbound.tls_outcomes import PolicyType, TlsResult
from backend.outbound.tls_ways import Checks, DirectTls
from backend.outbound.transport import TlsChoice
from backend.tls.contexts import client_context
from tests.support.certificates import make
from tests.support.outgoing import message
from tests.support.signed_dns import SignedDns, Zone
from tests.support.smtp_sink import SmtpSink

ROOT = make("Test root", is_ca=True)
LEAF = make("mx1.b.test", issuer=ROOT)
STRANGER = make("mx1.b.test")


def zone(port, tlsa=(), *, kind="signed", **more):
    """b.test with two servers, mx1 on 127.0.0.1 with TLSA records, mx2 on 127.0.0.2 without."""
    records = {
        "b.test": {"MX": ["10 mx1.b.test.", "20 mx2.b.test."]},
        "mx1.b.test": {"A": ["127.0.0.1"]},
        "mx2.b.test": {"A": ["127.0.0.2"]},
        f"_{port}._tcp.mx1.b.test": {"TLSA": list(tlsa)} if tlsa else {},
    }
    return Zone("b.test", records | more.get("records", {}), kind)


class Bench:
    """Two sinks on one port; `deliver` sends to b.test as the given zones have it."""

    def __init__(self, folder):
        self.folder = folder
        self.outcomes = []

    @asynccontextmanager
    async def sinks(self, first=LEAF, second=None):
        def context(certified):
            return None if certified is None else certified.context(self.folder)

        async with SmtpSink(tls=context(first)) as self.first:
            self.second = SmtpSink(host="127.0.0.2", tls=context(second))
            await self.second.start(self.first.port)
            yield self.first.port
            await self.second.stop()

    async def deliver(self, *zones, **more):
        async with SignedDns(*zones) as dns:
            resolver = DnsResolver([dns.endpoint])

            async def verifying():
                return client_context()

            port = self.first.port
            transport = DirectTransport(
                resolver,
                hostname="mail.a.test",
                port=port,
                allow_private=True,
                limits=Limits(connect_s=5, step_s=5, session_s=20),
                tls=DirectTls(
                    findings=TlsFindings(resolver, port=port),
                    checks=Checks(SystemClock(), verifying),
                    record=self.outcomes.append,
                ),
            )
            delivery = await transport.deliver(message(**more))
            await transport.close()
            return delivery


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.mark.parametrize(
    "tlsa", [LEAF.tlsa(3, 1, 1), LEAF.tlsa(3, 0, 2), ROOT.tlsa(2, 0, 1), ROOT.tlsa(2, 1, 0)]
)
async def test_a_server_that_the_records_vouch_for_gets_the_mail(bench, tlsa):
    async with bench.sinks() as port:
        delivery = await bench.deliver(zone(port, [tlsa]))
    assert bench.first.messages[0].tls
    assert delivery.results[0].status.is_success
    assert delivery.tries[0].policy.startswith("DANE: mx1.b.test must show a certificate")
    (outcome,) = bench.outcomes
    assert outcome.result is TlsResult.SUCCESS
    assert (outcome.policies[0].type, outcome.policies[0].domain) == (PolicyType.TLSA, "mx1.b.test")
    assert outcome.policies[0].strings == (tlsa,)
    assert (outcome.receiving_ip, outcome.sending_ip) == ("127.0.0.1", "127.0.0.1")


async def test_another_certificate_gets_nothing_and_the_next_server_is_tried(bench):
    async with bench.sinks(STRANGER) as port:
        delivery = await bench.deliver(zone(port, [LEAF.tlsa(3)]))
    assert bench.first.messages == []
    assert len(bench.second.messages) == 1
    assert delivery.results[0].status.is_success
    assert [entry.succeeded for entry in delivery.tries] == [False, True]
    assert "not the one that the TLSA records in the DNS name" in delivery.tries[0].answer
    refused, taken = bench.outcomes
    assert (refused.result, refused.reason) == (TlsResult.VALIDATION_FAILURE, "tlsa-mismatch")
    assert (taken.policies[0].type, taken.result) == (
        PolicyType.NONE,
        TlsResult.STARTTLS_NOT_SUPPORTED,
    )


async def test_without_another_server_it_waits(bench):
    async with bench.sinks(STRANGER) as port:
        await bench.second.stop()
        delivery = await bench.deliver(zone(port, [LEAF.tlsa(3)]))
    status = delivery.results[0].status
    assert status.is_temporary
    assert bench.first.messages == []


async def test_records_promise_tls_so_plain_text_is_not_good_enough(bench):
    async with bench.sinks(None) as port:
        delivery = await bench.deliver(zone(port, [LEAF.tlsa(3)]))
    assert bench.first.messages == []
    assert len(bench.second.messages) == 1
    assert bench.outcomes[0].result is TlsResult.STARTTLS_NOT_SUPPORTED
    assert "does not offer TLS" in delivery.tries[0].answer
    assert "DANE" in delivery.tries[0].answer


async def test_below_an_anchor_the_name_must_be_the_servers_or_the_domains(bench):
    async with bench.sinks(make("elsewhere.test", issuer=ROOT)) as port:
        await bench.deliver(zone(port, [ROOT.tlsa(2)]))
    assert bench.first.messages == []
    assert bench.outcomes[0].result is TlsResult.CERTIFICATE_HOST_MISMATCH
    async with bench.sinks(make("b.test", issuer=ROOT)) as port:
        await bench.deliver(zone(port, [ROOT.tlsa(2)]))
    assert len(bench.first.messages) == 1


async def test_records_that_mail_does_not_use_demand_tls_with_any_certificate(bench):
    async with bench.sinks(STRANGER) as port:
        delivery = await bench.deliver(zone(port, [LEAF.tlsa(1), LEAF.tlsa(0)]))
    assert bench.first.messages[0].tls
    assert "kinds that mail does not use" in delivery.tries[0].policy
    async with bench.sinks(None) as port:
        await bench.deliver(zone(port, [LEAF.tlsa(1)]))
    assert bench.first.messages == []
    assert len(bench.second.messages) == 1


async def test_records_that_fail_their_check_keep_the_mail_from_that_server(bench):
    async with bench.sinks() as port:
        name = f"_{port}._tcp.mx1.b.test"
        delivery = await bench.deliver(
            zone(port, records={name: {"CNAME": ["shared.bogus.test."]}}),
            Zone("bogus.test", {"shared.bogus.test": {"TLSA": [LEAF.tlsa(3)]}}, "bogus"),
        )
    assert bench.first.connections == 0
    assert len(bench.second.messages) == 1
    assert "can't be told" in delivery.tries[0].answer
    assert bench.outcomes[0].result is TlsResult.DNSSEC_INVALID


@pytest.mark.parametrize("tlsa", [LEAF.tlsa(3), ROOT.tlsa(2)])
async def test_in_a_zone_that_is_not_signed_records_count_for_nothing(bench, tlsa):
    async with bench.sinks(STRANGER) as port:
        other = Zone("other.test", {"x.other.test": {"A": ["127.0.0.1"]}})
        delivery = await bench.deliver(zone(port, [tlsa], kind="plain"), other)
    assert len(bench.first.messages) == 1
    assert delivery.tries[0].policy.startswith("no policy")


async def test_signed_records_of_a_server_that_an_unsigned_domain_names_are_not_asked_for(bench):
    async with bench.sinks(STRANGER) as port:
        delivery = await bench.deliver(
            Zone("b.test", {"b.test": {"MX": ["10 mx.c.test."]}}, "plain"),
            Zone(
                "c.test",
                {
                    "mx.c.test": {"A": ["127.0.0.1"]},
                    f"_{port}._tcp.mx.c.test": {"TLSA": [LEAF.tlsa(3)]},
                },
            ),
        )
    assert len(bench.first.messages) == 1
    assert delivery.tries[0].policy.startswith("no policy")


async def test_a_domain_that_is_its_own_mail_server_may_have_records(bench):
    records = {"b.test": {"A": ["127.0.0.1"]}}
    async with bench.sinks(STRANGER) as port:
        owner = f"_{port}._tcp.b.test"
        good = Zone("b.test", records | {owner: {"TLSA": [STRANGER.tlsa(3)]}})
        delivery = await bench.deliver(good)
        assert delivery.tries[0].policy.startswith("DANE: b.test")
        delivery = await bench.deliver(Zone("b.test", records | {owner: {"TLSA": [LEAF.tlsa(3)]}}))
        assert not delivery.results[0].status.is_success
    assert len(bench.first.messages) == 1


def aliased(port, kind, at, *records):
    """mx1.b.test is an alias of host.c.test; the records stand at `at`."""
    b = {
        "b.test": {"MX": ["10 mx1.b.test."]},
        "mx1.b.test": {"CNAME": ["host.c.test."]},
    }
    c = {"host.c.test": {"A": ["127.0.0.1"]}}
    (b if at.endswith("b.test") else c)[f"_{port}._tcp.{at}"] = {"TLSA": list(records)}
    return Zone("b.test", b), Zone("c.test", c, kind)


@pytest.mark.parametrize(
    ("kind", "at"),
    [("signed", "host.c.test"), ("signed", "mx1.b.test"), ("plain", "mx1.b.test")],
)
async def test_the_records_of_an_alias_stand_at_its_end_or_its_beginning(bench, kind, at):
    async with bench.sinks(make(at, issuer=ROOT)) as port:
        delivery = await bench.deliver(*aliased(port, kind, at, ROOT.tlsa(2)))
    assert delivery.results[0].status.is_success
    assert bench.outcomes[0].policies[0].domain == at
    async with bench.sinks(STRANGER) as port:
        delivery = await bench.deliver(*aliased(port, kind, at, ROOT.tlsa(2)))
    assert not delivery.results[0].status.is_success


@pytest.mark.parametrize("more", [{"tls_choice": TlsChoice.INSECURE}, {"tls_optional": True}])
async def test_who_says_that_arriving_matters_more_is_not_stopped(bench, more):
    async with bench.sinks(STRANGER) as port:
        delivery = await bench.deliver(zone(port, [LEAF.tlsa(3)]), **more)
    assert len(bench.first.messages) == 1
    assert delivery.tries[0].succeeded
    assert bench.outcomes == []


async def test_a_choice_of_verified_encryption_is_content_with_dane(bench):
    async with bench.sinks() as port:
        delivery = await bench.deliver(zone(port, [LEAF.tlsa(3)]), tls_choice=TlsChoice.VERIFIED)
    assert delivery.results[0].status.is_success
    assert delivery.tries[0].policy.startswith("chosen by hand")


async def test_a_choice_of_verified_encryption_refuses_what_nobody_vouches_for(bench):
    async with bench.sinks(STRANGER, STRANGER) as port:
        delivery = await bench.deliver(zone(port), tls_choice=TlsChoice.VERIFIED)
    assert bench.first.messages == bench.second.messages == []
    assert delivery.results[0].status.is_temporary
    assert len(delivery.tries) == 2
    assert all(o.result is TlsResult.CERTIFICATE_NOT_TRUSTED for o in bench.outcomes)

"""MTA-STS policies, from the DNS and a real web server into the cache and out of it (RFC 8461 §3, §5)."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from backend.core.clock import FakeClock
from backend.dns.resolver import DnsResolver
from backend.outbound import sts as module
from backend.outbound.sts import StsPolicies
from backend.outbound.sts_cache import StsCache
from backend.outbound.sts_fetch import FetchError, PolicyFetcher
from backend.outbound.tls_outcomes import TlsResult
from backend.tls.contexts import client_context
from backend.tls.sts import MAX_POLICY_OCTETS, Mode
from tests.support.certificates import make
from tests.support.dns_server import DnsServer
from tests.support.policy_server import PolicyServer, policy_text

ROOT = make("Test root", is_ca=True)
DAY_S = 86_400.0


class Rig:
    """b.test announces the policy `1`; the web server gives it. `restart` begins anew with the same folder."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.stack = AsyncExitStack()
        self.policies = None

    async def __aenter__(self):
        await self.stack.__aenter__()
        leaf = make("mta-sts.b.test", issuer=ROOT)
        self.web = await self.stack.enter_async_context(
            PolicyServer(policy_text("enforce", "mx1.b.test"), leaf.context(self.folder))
        )
        self.dns = await self.stack.enter_async_context(
            DnsServer(
                {
                    "_mta-sts.b.test": {"TXT": ['"v=STSv1; id=1"']},
                    "mta-sts.b.test": {"A": ["127.0.0.1"]},
                },
                ttl_s=0,
            )
        )
        self.ca = self.folder / "ca.pem"
        self.ca.write_bytes(ROOT.pem)
        await self.restart()
        return self

    async def __aexit__(self, *_):
        await self.policies.close()
        await self.stack.aclose()

    def fetcher(self, **more):
        async def context():
            return client_context(self.ca)

        return PolicyFetcher(
            DnsResolver([self.dns.endpoint]),
            context=context,
            **{"allow_private": True, "port": self.web.port} | more,
        )

    async def restart(self, **more):
        if self.policies is not None:
            await self.policies.close()
        self.resolver = DnsResolver(
            [self.dns.endpoint], clock=self.clock, query_timeout_s=0.2, lookup_timeout_s=0.4
        )
        self.policies = StsPolicies(
            self.resolver, self.fetcher(**more), StsCache(self.folder, self.clock), self.clock
        )

    def announce(self, *texts):
        self.dns.add("_mta-sts.b.test", {"TXT": [f'"{text}"' for text in texts]})

    async def find(self, domain="b.test"):
        self.resolver.forget()
        return await self.policies.find(domain)


@pytest.fixture
async def rig(tmp_path):
    async with Rig(tmp_path) as made:
        yield made


async def test_a_policy_is_fetched_once_and_kept_over_a_restart(rig):
    finding = await rig.find()
    assert (finding.policy.mode, finding.policy.mx, finding.policy_id) == (
        Mode.ENFORCE,
        ("mx1.b.test",),
        "1",
    )
    assert finding.expires_at == rig.clock.time() + 604_800
    await rig.find()
    await rig.restart()
    assert (await rig.find()).policy == finding.policy
    assert rig.web.requests == ["mta-sts.b.test/.well-known/mta-sts.txt"]


async def test_a_domain_without_a_record_has_no_policy_and_nobody_is_asked(rig):
    for domain in ("c.test", "test"):
        finding = await rig.find(domain)
        assert (finding.policy, finding.is_unsure, finding.fault) == (None, False, "")
    assert rig.web.requests == []


async def test_a_new_id_in_the_dns_brings_the_new_policy(rig):
    await rig.find()
    rig.announce("v=STSv1; id=2")
    rig.web.body = policy_text("testing", "*.b.test")
    assert (await rig.find()).policy.mode is Mode.TESTING


async def test_the_mode_none_takes_the_place_of_what_was_demanded(rig):
    await rig.find()
    rig.announce("v=STSv1; id=2")
    rig.web.body = policy_text("none")
    assert (await rig.find()).policy.mode is Mode.NONE
    await rig.restart()
    assert (await rig.find()).policy.mode is Mode.NONE


@pytest.mark.parametrize("lost", ["record gone", "dns fails", "dns is silent", "web fails"])
async def test_a_known_policy_holds_whatever_is_kept_from_us(rig, lost):
    await rig.find()
    rig.web.status = 500
    match lost:
        case "record gone":
            del rig.dns.records["_mta-sts.b.test"]
        case "dns fails":
            rig.dns.broken.add("_mta-sts.b.test")
        case "dns is silent":
            rig.dns.silent.add("_mta-sts.b.test")
        case _:
            rig.announce("v=STSv1; id=2")
    finding = await rig.find()
    assert (finding.policy.mode, finding.is_unsure) == (Mode.ENFORCE, False)


async def test_a_policy_ends_when_its_time_is_over(rig):
    await rig.find()
    del rig.dns.records["_mta-sts.b.test"]
    rig.clock.advance(7 * DAY_S - 1)
    assert (await rig.find()).policy is not None
    rig.clock.advance(2)
    assert (await rig.find()).policy is None


async def test_policies_in_use_are_fetched_again_each_day(rig):
    first = await rig.find()
    await rig.policies.refresh()
    assert len(rig.web.requests) == 1
    rig.clock.advance(DAY_S + 1)
    await rig.policies.refresh()
    assert len(rig.web.requests) == 2
    assert (await rig.find()).expires_at == first.expires_at + DAY_S + 1


async def test_a_refresh_that_fails_leaves_the_policy_as_it_is(rig):
    first = await rig.find()
    rig.clock.advance(DAY_S + 1)
    rig.web.status = 404
    await rig.policies.refresh()
    again = await rig.find()
    assert (again.policy, again.expires_at) == (first.policy, first.expires_at)


async def test_policies_that_nobody_needs_any_more_are_not_fetched_again(rig):
    rig.web.body = policy_text("enforce", "mx1.b.test", max_age_s=31_557_600)
    await rig.find()
    rig.clock.advance(61 * DAY_S)
    await rig.policies.refresh()
    assert len(rig.web.requests) == 1


@pytest.mark.parametrize("lost", ["broken", "silent"])
async def test_when_the_dns_does_not_say_it_is_unsure(rig, lost):
    getattr(rig.dns, lost).add("_mta-sts.b.test")
    finding = await rig.find()
    assert (finding.policy, finding.is_unsure) == (None, True)
    assert finding.fault


@pytest.mark.parametrize(
    ("texts", "result"),
    [
        (["v=STSv1; id=1", "v=STSv1; id=2"], TlsResult.STS_POLICY_INVALID),
        (["v=STSv1; id=!"], TlsResult.STS_POLICY_INVALID),
    ],
)
async def test_a_record_that_breaks_the_rules_is_none_and_reported(rig, texts, result):
    rig.announce(*texts)
    finding = await rig.find()
    assert (finding.policy, finding.is_unsure, finding.fault_result) == (None, False, result)
    assert rig.web.requests == []


async def test_a_fetch_that_fails_is_tried_again_later_and_not_at_once(rig):
    rig.web.status = 503
    for _ in range(3):
        finding = await rig.find()
        assert (finding.policy, finding.is_unsure) == (None, False)
        assert finding.fault_result is TlsResult.STS_POLICY_FETCH_ERROR
    assert len(rig.web.requests) == 1
    rig.clock.advance(module.FIRST_BACKOFF_S + 1)
    await rig.find()
    rig.clock.advance(module.FIRST_BACKOFF_S + 1)
    await rig.find()
    assert len(rig.web.requests) == 2
    rig.web.status = 200
    rig.clock.advance(module.FIRST_BACKOFF_S)
    assert (await rig.find()).policy is not None


async def test_deliveries_that_come_together_share_one_fetch_and_may_give_up_alone(rig):
    rig.web.gate.clear()
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(rig.find()) for _ in range(5)]
        await rig.web.asked.wait()
        waiting[0].cancel()
        rig.web.gate.set()
    assert [task.cancelled() for task in waiting] == [True, False, False, False, False]
    assert {task.result().policy_id for task in waiting[1:]} == {"1"}
    assert len(rig.web.requests) == 1


async def fault_of(rig, **more):
    with pytest.raises(FetchError) as caught:
        await rig.fetcher(**more).fetch("b.test")
    return caught.value


async def test_the_certificate_of_the_web_server_must_be_right(rig, tmp_path):
    for leaf in (make("b.test", issuer=ROOT), make("mta-sts.b.test")):
        async with PolicyServer(rig.web.body, leaf.context(tmp_path)) as web:
            fault = await fault_of(rig, port=web.port)
        assert fault.result is TlsResult.STS_WEBPKI_INVALID
        assert "certificate" in str(fault)
        assert web.requests == []


async def test_redirects_are_not_followed(rig):
    rig.web.status, rig.web.headers = 302, {"Location": "/elsewhere.txt"}
    assert "302" in str(await fault_of(rig))
    assert len(rig.web.requests) == 1


async def test_only_plain_text_is_taken(rig):
    rig.web.content_type = "text/html"
    assert (await fault_of(rig)).result is TlsResult.STS_POLICY_FETCH_ERROR


async def test_a_policy_without_end_is_left_alone(rig):
    rig.web.body += "x: " + "y" * MAX_POLICY_OCTETS
    assert (await fault_of(rig)).result is TlsResult.STS_POLICY_INVALID


async def test_nonsense_is_no_policy(rig):
    rig.web.body = "<html>Welcome</html>"
    assert (await fault_of(rig)).result is TlsResult.STS_POLICY_INVALID


async def test_a_web_server_that_keeps_silent_is_waited_for_so_long_only(rig):
    rig.web.gate.clear()
    assert "did not answer within" in str(await fault_of(rig, timeout_s=0.2))


async def test_no_web_server_inside_the_own_network_is_asked(rig):
    fault = await fault_of(rig, allow_private=False)
    assert "private networks" in str(fault)
    assert rig.web.requests == []


async def test_a_web_server_without_address_or_that_refuses_is_a_fault_in_words(rig):
    assert "can't be asked" in str(await fault_of(rig, port=1))
    del rig.dns.records["mta-sts.b.test"]
    assert "no address" in str(await fault_of(rig))


async def test_a_damaged_file_is_begun_anew_and_holds_up_no_mail(rig, expect_log):
    expect_log("damaged and begun anew")
    await rig.find()
    await rig.policies.close()
    (rig.folder / "sts.db").write_bytes(b"no database at all " * 1000)
    rig.policies = None
    await rig.restart()
    assert (await rig.find()).policy.mode is Mode.ENFORCE
    await rig.restart()
    assert (await rig.find()).policy.mode is Mode.ENFORCE
    assert len(rig.web.requests) == 2

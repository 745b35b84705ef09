"""Checks that run by themselves: when, how often, and when a fault becomes everybody's."""

import asyncio

import pytest

from backend.checkup.dns import DnsCheckup
from backend.checkup.health import Health
from backend.checkup.service import AGAIN_S, AGAIN_WAVERING_S, LOOK_EVERY_S, Checkups
from backend.core.clock import FakeClock
from backend.dns.resolver import DnsResolver
from tests.support.dns_server import DnsServer
from tests.support.settings import config_of
from tests.unit.checkup.test_health import Fakes

ZONE = {
    "a.test": {
        "SOA": ["ns.a.test. me.a.test. 1 3600 600 86400 60"],
        "NS": ["ns.a.test."],
        "MX": ["10 elsewhere.test."],
        "TXT": ['"v=spf1 mx ~all"'],
    },
    "ns.a.test": {"A": ["127.0.0.1"]},
    "mail.a.test": {"A": ["203.0.113.9"]},
    "elsewhere.test": {"A": ["203.0.113.9"]},
    "9.113.0.203.in-addr.arpa": {"PTR": ["mail.a.test."]},
    "_dmarc.a.test": {"TXT": ['"v=DMARC1; p=none"']},
}


class Rig:
    """`told`: the problems that are open now."""

    def __init__(self, folder, zone, **server):
        self.clock = FakeClock(1_700_000_000.0)
        self.config = config_of(
            {
                "hostname": "mail.a.test",
                "outbound": {"allow_loopback": True},
                "listeners": {
                    "public": {"addresses": ["0.0.0.0"], "public_addresses": ["203.0.113.9"]}
                },
                **server,
            },
            domains={"a.test": {}},
        )
        self.told = {}
        self.zone = zone
        self.folder = folder
        self.checkups = self.make()

    def make(self):
        resolver = DnsResolver([self.zone.endpoint], clock=self.clock)
        return Checkups(
            DnsCheckup(resolver, config=lambda: self.config, clock=self.clock, port=self.zone.port),
            Health(Fakes(), config=lambda: self.config, clock=self.clock),
            folder=self.folder,
            config=lambda: self.config,
            clock=self.clock,
            on_problem=lambda problem: self.told.update({(problem.code, problem.subject): problem}),
            on_clear=lambda code, subject: self.told.pop((code, subject)),
        )

    async def look_after(self, seconds):
        self.clock.advance(seconds)
        await self.checkups.look()

    @property
    def checked_at(self):
        return self.checkups.last("a.test").report.checked_at


@pytest.fixture
async def zone():
    async with DnsServer(ZONE, authority=True) as server:
        yield server


@pytest.fixture
def rig(tmp_path, zone):
    return Rig(tmp_path / "checks", zone)


async def test_a_fault_becomes_a_problem_when_it_is_confirmed_and_goes_at_once(rig, zone):
    await rig.look_after(LOOK_EVERY_S)
    assert not rig.told
    await rig.look_after(AGAIN_WAVERING_S)
    assert not rig.told
    await rig.look_after(AGAIN_WAVERING_S)
    (problem,) = rig.told.values()
    assert problem.message == "The DNS of a.test is not as it should be: “Where mail for you goes”."
    zone.add("a.test", {"MX": ["10 mail.a.test."]})
    await rig.checkups.check_domain("A.test")
    assert not rig.told


async def test_a_flapping_record_tells_nobody(rig, zone):
    for _ in range(4):
        await rig.look_after(AGAIN_WAVERING_S)
        zone.add("a.test", {"MX": ["10 mail.a.test."]})
        await rig.look_after(AGAIN_WAVERING_S)
        zone.add("a.test", {"MX": ["10 elsewhere.test."]})
        await rig.look_after(AGAIN_S)
        assert not rig.told


async def test_what_is_as_it_was_is_looked_at_a_few_times_a_day(rig, zone):
    zone.add("a.test", {"MX": ["10 mail.a.test."]})
    await rig.look_after(LOOK_EVERY_S)
    first = rig.checked_at
    await rig.look_after(AGAIN_S - 1)
    assert rig.checked_at == first
    await rig.look_after(1)
    assert rig.checked_at == first + AGAIN_S


async def test_a_confirmed_fault_is_told_again_after_a_restart_and_not_once_acknowledged(rig):
    for _ in range(3):
        await rig.look_after(AGAIN_WAVERING_S)
    assert rig.told
    rig.told.clear()
    again = rig.make()
    await again.open()
    assert list(rig.told) == [("dns.domain", "a.test")]
    await again.acknowledge("a.test", "mx MX a.test", "on purpose", "admin")
    assert not rig.told


async def test_a_domain_that_is_removed_is_forgotten(rig):
    for _ in range(3):
        await rig.look_after(AGAIN_WAVERING_S)
    assert rig.told
    rig.config = config_of({"hostname": "mail.a.test"})
    await rig.checkups.look()
    assert not rig.told
    assert [file.name for file in rig.folder.iterdir()] == ["_server.json"]


async def test_two_who_ask_at_the_same_time_get_one_check(rig, zone):
    one, other = await asyncio.gather(
        rig.checkups.check_domain("a.test"), rig.checkups.check_domain("a.test")
    )
    assert one is other
    assert zone.queries.count(("a.test", "MX", "udp")) == 1


async def test_in_practice_mode_nobody_is_asked_and_nothing_of_the_dns_is_kept(tmp_path, zone):
    rig = Rig(tmp_path / "checks", zone, practice_mode=True)
    await rig.checkups.look()
    await rig.checkups.check_domain("a.test")
    assert not zone.queries
    assert rig.checkups.last("a.test") is None
    server = rig.checkups.last_of_server()
    assert server.report.headline == "No fault was found, but not everything could be told."
    assert not [check for check in server.report.checks if check.area == "domains"]


async def test_the_server_says_how_its_domains_are(rig):
    await rig.checkups.check_domain("a.test")
    kept = await rig.checkups.check_server()
    (row,) = [check for check in kept.report.checks if check.area == "domains"]
    assert (row.state, row.fix.path) == ("fail", "/domains/a.test/dns")
    assert kept.report.headline == "To be mended: “DNS of a.test”."

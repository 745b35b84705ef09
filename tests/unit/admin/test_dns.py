"""The DNS of a domain over the API, against real name servers on loopback."""

import pytest

from backend.api.client import ApiError
from backend.dns.resolver import DnsResolver
from tests.support.admin_server import admin_server
from tests.support.dns_server import DnsServer

ZONE = {
    "example.org": {
        "SOA": ["ns.example.org. me.example.org. 1 3600 600 86400 60"],
        "NS": ["ns.example.org."],
        "MX": ["10 elsewhere.test."],
        "TXT": ['"v=spf1 include:spf.example.net -all"'],
    },
    "ns.example.org": {"A": ["127.0.0.1"]},
    "spf.example.net": {"TXT": ['"v=spf1 -all"']},
}


@pytest.fixture
async def zone():
    async with DnsServer(ZONE, authority=True) as server:
        yield server


@pytest.fixture
async def client(tmp_path, zone):
    async with (
        admin_server(
            tmp_path / "data",
            resolver=DnsResolver([zone.endpoint]),
            dns_port=zone.port,
            outbound={"allow_loopback": True},
        ) as rig,
        rig.local() as client,
    ):
        yield client


async def test_the_records_come_with_their_purpose_and_as_a_zone(client, zone):
    reply = await client.dns_records("example.org")
    assert not zone.queries
    (mx,) = [each for each in reply.items if each.code == "mx"]
    assert (mx.values, mx.severity) == (["10 mail.example.org"], "required")
    assert mx.lines == ["example.org. 3600 IN MX 10 mail.example.org."]
    assert mx.lines[0] in reply.zone
    assert mx.purpose
    assert not reply.practice_mode


async def test_a_check_says_what_is_there_and_what_should_be(client):
    reply = await client.check_dns("example.org")
    (mx,) = [each for each in reply.items if each.code == "mx"]
    assert (mx.result, mx.found, mx.direct) == ("different", ["10 elsewhere.test"], True)
    assert mx.expected == ["10 mail.example.org"]
    assert {each.label: each.value for each in mx.fix.values} == {
        "Name": "example.org",
        "Type": "MX",
        "Priority": "10",
        "Value": "mail.example.org",
    }
    assert "can't be received" in reply.headline
    (spf,) = [each for each in reply.items if each.code == "spf"]
    assert spf.expected == ["v=spf1 include:spf.example.net mx -all"]


async def test_an_unknown_domain_is_not_found(client):
    for question in (client.dns_records, client.check_dns):
        with pytest.raises(ApiError) as caught:
            await question("other.org")
        assert (caught.value.status, caught.value.code) == (404, "domain.unknown")

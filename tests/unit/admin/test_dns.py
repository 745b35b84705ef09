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


async def test_what_was_found_is_kept_with_its_time_and_its_score(client):
    before = await client.dns_check("example.org")
    assert (before.checked_at, before.items, before.state) == (None, [], "unknown")
    assert (await client.domains())[0].dns is None
    checked = await client.check_dns("example.org")
    kept = await client.dns_check("example.org")
    assert kept == checked
    summary = (await client.domains())[0].dns
    assert (summary.state, summary.checked_at) == ("fail", checked.checked_at)
    assert summary.score.endswith(" of 4")


async def test_groups_tell_how_far_they_have_come(client):
    reply = await client.check_dns("example.org")
    groups = {each.area: each for each in reply.groups}
    assert groups["receive"].title == "Needed to receive"
    assert groups["receive"].progress == "0 of 2"
    assert (groups["receive"].state, groups["protection"].state) == ("fail", "optional")
    assert reply.state == "fail"
    assert reply.source == "by asking your DNS servers directly"
    (tlsrpt,) = [each for each in reply.items if each.code == "tlsrpt"]
    assert (tlsrpt.state, tlsrpt.word) == ("optional", "optional")


async def test_differences_are_marked_on_both_sides(client):
    reply = await client.check_dns("example.org")
    (mx,) = [each for each in reply.items if each.code == "mx"]
    assert [(span.mark, span.text) for span in mx.now[0]] == [
        ("same", "10 "),
        ("gone", "elsewhere.test"),
    ]
    assert [(span.mark, span.text) for span in mx.should[0]] == [
        ("same", "10 "),
        ("new", "mail.example.org"),
    ]


async def test_fields_come_in_the_providers_format(client, zone):
    zone.add("example.org", {"NS": ["ada.ns.cloudflare.com."]})
    zone.add("ada.ns.cloudflare.com", {"A": ["127.0.0.1"]})
    zone.add("mail.example.org", {"A": ["9.9.9.9"]})
    reply = await client.check_dns("example.org")
    assert (reply.provider.name, len(reply.provider.steps)) == ("Cloudflare", 4)
    (mx,) = [each for each in reply.items if each.code == "mx"]
    assert [(each.label, each.value) for each in mx.entries[0].fields] == [
        ("Name", "@"),
        ("Priority", "10"),
        ("Mail server", "mail.example.org"),
    ]
    assert (mx.where, mx.in_zone) == ("To enter at Cloudflare", True)
    (ptr,) = [each for each in reply.items if each.code == "ptr"]
    assert ptr.where == "To be set by whoever gives you the address, such as your provider"
    assert not ptr.in_zone


async def test_a_change_is_news(client, zone):
    await client.check_dns("example.org")
    zone.add("example.org", {"MX": ["10 mail.example.org."]})
    reply = await client.check_dns("example.org")
    assert reply.news.startswith("“Where mail for you goes” now matches. ")


async def test_a_line_is_acknowledged_and_comes_back_when_it_changes(client, zone):
    reply = await client.check_dns("example.org")
    (mx,) = [each for each in reply.items if each.code == "mx"]
    await client.acknowledge_check("example.org", mx.id, "moving on Monday")
    reply = await client.dns_check("example.org")
    (mx,) = [each for each in reply.items if each.code == "mx"]
    assert (mx.acknowledged.note, mx.acknowledged.by) == ("moving on Monday", "local owner")
    (receive,) = [each for each in reply.groups if each.area == "receive"]
    assert (receive.hidden, receive.progress) == (1, "0 of 1")
    assert "Where mail for you goes" not in reply.headline
    await client.unacknowledge_check("example.org", mx.id)
    reply = await client.dns_check("example.org")
    assert all(each.acknowledged is None for each in reply.items)
    with pytest.raises(ApiError) as caught:
        await client.acknowledge_check("example.org", "no such line")
    assert caught.value.code == "check.unknown"


async def test_public_resolvers_that_the_settings_name_are_asked_as_well(tmp_path, zone):
    async with (
        DnsServer({"example.org": {"MX": ["10 elsewhere.test."]}}) as elsewhere,
        admin_server(
            tmp_path / "data",
            resolver=DnsResolver([zone.endpoint]),
            dns_port=zone.port,
            outbound={"allow_loopback": True, "public_resolvers": [elsewhere.endpoint]},
        ) as rig,
        rig.local() as client,
    ):
        zone.add("example.org", {"MX": ["10 mail.example.org."]})
        reply = await client.check_dns("example.org")
        (mx,) = [each for each in reply.items if each.code == "mx"]
        assert mx.worldwide.startswith(f"Not everybody sees it yet: {elsewhere.endpoint} still has")
        assert {each[:2] for each in elsewhere.queries} == {("example.org", "MX")}

"""Asking one server that holds a zone, and finding which zone a name lies in."""

import pytest

from backend.dns.answers import Found, LookupFailed, NoDomain, NoRecord
from backend.dns.resolver import DnsResolver
from tests.support.dns_server import DnsServer

ZONE = {
    "a.test": {
        "SOA": ["ns.a.test. me.a.test. 1 3600 600 86400 60"],
        "NS": ["NS.a.test."],
        "MX": ["10 MX.a.test.", "0 ."],
        "TXT": ['"v=spf1" " -all"', '"gr\\195\\188n"'],
        "CAA": ['0 issue "ca.test"'],
    },
    "www.a.test": {"CNAME": ["Web.b.test."]},
    "_imaps._tcp.a.test": {"SRV": ["0 1 993 Mail.a.test.", "0 0 0 ."]},
    "_25._tcp.a.test": {"TLSA": ["3 1 1 " + "00FF" * 16]},
    "deep.a.test": {"A": ["192.0.2.1"]},
    "6.test": {"AAAA": ["2001:db8::1"]},
}


@pytest.fixture
async def dns():
    async with DnsServer(ZONE, authority=True) as server:
        yield server


async def asked(dns, name, kind):
    return await DnsResolver(["127.0.0.1:9"]).ask(dns.endpoint, name, kind)


@pytest.mark.parametrize(
    ("name", "kind", "records"),
    [
        ("a.test", "MX", ("10 mx.a.test", "0 .")),
        ("A.Test.", "NS", ("ns.a.test",)),
        ("a.test", "TXT", ("v=spf1 -all", "grün")),
        ("a.test", "CAA", ('0 issue "ca.test"',)),
        ("_imaps._tcp.a.test", "SRV", ("0 1 993 mail.a.test", "0 0 0 .")),
        ("_25._tcp.a.test", "TLSA", ("3 1 1 " + "00ff" * 16,)),
        ("www.a.test", "CNAME", ("web.b.test",)),
        ("6.test", "AAAA", ("2001:db8::1",)),
    ],
)
async def test_records_come_as_text(dns, name, kind, records):
    direct = await asked(dns, name, kind)
    assert isinstance(direct, Found)
    assert sorted(direct.records) == sorted(records)
    through = await DnsResolver([dns.endpoint]).records(name, kind)
    assert isinstance(through, Found)
    assert sorted(through.records) == sorted(records)


async def test_an_alias_is_told_and_not_followed(dns):
    answer = await asked(dns, "www.a.test", "A")
    assert answer == NoRecord(canonical="web.b.test", aliases=1)


async def test_none_and_nothing_are_told_apart(dns):
    assert isinstance(await asked(dns, "deep.a.test", "MX"), NoRecord)
    assert await asked(dns, "no.a.test", "MX") == NoDomain()


async def test_a_server_that_does_not_hold_the_zone_is_not_believed(dns):
    dns.authority = False
    answer = await asked(dns, "a.test", "MX")
    assert isinstance(answer, LookupFailed)
    assert "does not hold" in answer.reason


async def test_a_refusal_and_a_name_that_is_none_are_failures(dns):
    dns.broken.add("a.test")
    assert "SERVFAIL" in (await asked(dns, "a.test", "MX")).reason
    assert isinstance(await asked(dns, "a..test", "MX"), LookupFailed)
    assert isinstance(await asked(dns, "x" * 64 + ".test", "MX"), LookupFailed)


async def test_the_zone_of_a_name_is_found_whether_the_name_exists_or_not(dns):
    resolver = DnsResolver([dns.endpoint])
    for name in ("a.test", "deep.a.test", "no.such.a.test", "_dmarc.a.test"):
        assert await resolver.zone_of(name) == Found(("a.test",))
    assert await resolver.zone_of("elsewhere.test") == NoDomain()
    dns.broken.add("a.test")
    assert isinstance(await resolver.zone_of("a.test"), LookupFailed)
    assert isinstance(await resolver.zone_of("a..test"), LookupFailed)

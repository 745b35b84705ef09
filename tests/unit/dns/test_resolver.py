import asyncio

import dns.asyncquery as dns_asyncquery
import pytest

from backend.core.clock import FakeClock
from backend.dns.answers import Found, LookupFailed, Mx, NoDomain, NoRecord
from backend.dns.resolver import MAX_ALIASES, DnsResolver, _parse_server
from tests.support.dns_server import DnsServer


@pytest.fixture
async def dns():
    async with DnsServer(
        {
            "a.test": {"MX": ["20 mx2.a.test.", "10 MX1.a.test."], "TXT": ['"v=spf1" " -all"']},
            "mx1.a.test": {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"]},
            "mx2.a.test": {"A": ["192.0.2.2"]},
            "null.test": {"MX": ["0 ."]},
            "www.test": {"CNAME": ["web.test."]},
            "web.test": {"A": ["192.0.2.80"]},
            "1.2.0.192.in-addr.arpa": {"PTR": ["mx1.a.test."]},
            "_25._tcp.mx1.a.test": {"TLSA": ["3 1 1 " + "00ff" * 16 + ""]},
            "big.test": {
                "TXT": [f'"{"x" * 250}"' for _ in range(1)]
                + [f'"{i} {"y" * 240}"' for i in range(12)]
            },
        }
    ) as server:
        yield server


async def test_mx_records_come_sorted_and_in_lower_case(dns):
    answer = await DnsResolver([dns.endpoint]).mx("a.test")
    assert answer == Found((Mx(10, "mx1.a.test"), Mx(20, "mx2.a.test")), False, "a.test", 0)


async def test_the_null_mx_has_an_empty_host(dns):
    answer = await DnsResolver([dns.endpoint]).mx("null.test")
    assert isinstance(answer, Found)
    assert answer.records == (Mx(0, ""),)


async def test_addresses_of_both_families_come_ipv4_first(dns):
    answer = await DnsResolver([dns.endpoint]).addresses("mx1.a.test")
    assert isinstance(answer, Found)
    assert answer.records == ("192.0.2.1", "2001:db8::1")


async def test_one_family_alone_is_found_too(dns):
    answer = await DnsResolver([dns.endpoint]).addresses("mx2.a.test")
    assert isinstance(answer, Found)
    assert answer.records == ("192.0.2.2",)


async def test_strings_of_a_txt_record_are_joined(dns):
    answer = await DnsResolver([dns.endpoint]).txt("a.test")
    assert isinstance(answer, Found)
    assert answer.records == (b"v=spf1 -all",)


async def test_an_address_has_its_names(dns):
    answer = await DnsResolver([dns.endpoint]).ptr("192.0.2.1")
    assert isinstance(answer, Found)
    assert answer.records == ("mx1.a.test",)


async def test_tlsa_is_read_whole(dns):
    answer = await DnsResolver([dns.endpoint]).tlsa("_25._tcp.mx1.a.test")
    assert isinstance(answer, Found)
    assert (answer.records[0].usage, answer.records[0].data) == (3, b"\x00\xff" * 16)


async def test_no_domain_and_no_record_are_told_apart(dns):
    resolver = DnsResolver([dns.endpoint])
    assert await resolver.mx("nowhere.test") == NoDomain(False)
    assert isinstance(await resolver.mx("web.test"), NoRecord)
    assert isinstance(await resolver.addresses("a.test"), NoRecord)


async def test_a_large_answer_is_fetched_over_tcp(dns):
    answer = await DnsResolver([dns.endpoint]).txt("big.test")
    assert isinstance(answer, Found)
    assert len(answer.records) == 13
    assert ("big.test", "TXT", "tcp") in dns.queries


@pytest.mark.parametrize("whole", [True, False])
async def test_an_alias_is_followed_and_counted(dns, whole):
    dns.whole_chains = whole
    answer = await DnsResolver([dns.endpoint]).addresses("www.test")
    assert isinstance(answer, Found)
    assert (answer.records, answer.canonical, answer.aliases) == (("192.0.2.80",), "web.test", 1)


@pytest.mark.parametrize("whole", [True, False])
async def test_sixteen_aliases_are_followed_and_seventeen_are_a_permanent_fault(dns, whole):
    dns.whole_chains = whole
    for i in range(MAX_ALIASES + 1):
        dns.add(f"c{i}.test", {"CNAME": [f"c{i + 1}.test."]})
    dns.add(f"c{MAX_ALIASES + 1}.test", {"MX": ["10 mx1.a.test."]})
    resolver = DnsResolver([dns.endpoint])
    assert isinstance(await resolver.mx("c1.test"), Found)
    failed = await resolver.mx("c0.test")
    assert isinstance(failed, LookupFailed)
    assert not failed.temporary


@pytest.mark.parametrize("whole", [True, False])
async def test_a_loop_of_aliases_is_a_permanent_fault(dns, whole):
    dns.whole_chains = whole
    dns.add("x.test", {"CNAME": ["y.test."]})
    dns.add("y.test", {"CNAME": ["x.test."]})
    failed = await DnsResolver([dns.endpoint]).mx("x.test")
    assert isinstance(failed, LookupFailed)
    assert not failed.temporary


async def test_a_server_that_fails_is_a_temporary_fault(dns):
    dns.broken.add("a.test")
    failed = await DnsResolver([dns.endpoint]).mx("a.test")
    assert isinstance(failed, LookupFailed)
    assert failed.temporary
    assert "SERVFAIL" in failed.reason


async def test_a_server_that_is_silent_is_a_temporary_fault(dns):
    dns.silent.add("a.test")
    failed = await DnsResolver([dns.endpoint], query_timeout_s=0.05).mx("a.test")
    assert isinstance(failed, LookupFailed)
    assert failed.temporary


async def test_the_whole_lookup_is_bounded_too(dns):
    dns.silent.add("a.test")
    resolver = DnsResolver([dns.endpoint], query_timeout_s=60, lookup_timeout_s=0.05)
    failed = await resolver.mx("a.test")
    assert isinstance(failed, LookupFailed)
    assert failed.temporary


async def test_the_second_server_answers_when_the_first_does_not(dns):
    async with DnsServer() as dead:
        dead.silent.add("a.test")
        resolver = DnsResolver([dead.endpoint, dns.endpoint], query_timeout_s=0.05)
        assert isinstance(await resolver.mx("a.test"), Found)


async def test_an_answer_is_asked_for_once_within_its_ttl(dns):
    clock = FakeClock()
    resolver = DnsResolver([dns.endpoint], clock=clock)
    await resolver.mx("a.test")
    await resolver.mx("A.TEST")
    assert len(dns.queries) == 1
    clock.advance(61)
    await resolver.mx("a.test")
    assert len(dns.queries) == 2


async def test_a_failed_lookup_is_not_kept(dns):
    resolver = DnsResolver([dns.endpoint])
    dns.broken.add("a.test")
    assert isinstance(await resolver.mx("a.test"), LookupFailed)
    dns.broken.clear()
    assert isinstance(await resolver.mx("a.test"), Found)


@pytest.mark.parametrize(
    ("server", "believed", "authentic"),
    [
        ("127.0.0.1", False, True),
        ("127.0.0.1", True, True),
        ("192.0.2.53", False, False),
        ("192.0.2.53", True, True),
    ],
)
async def test_a_resolver_far_away_is_not_believed_unless_the_settings_say_so(
    dns, monkeypatch, server, believed, authentic
):
    real = dns_asyncquery.udp_with_fallback

    async def from_there(question, where, **more):
        assert where == server
        return await real(question, "127.0.0.1", **more)

    monkeypatch.setattr(dns_asyncquery, "udp_with_fallback", from_there)
    dns.authentic = True
    answer = await DnsResolver([f"{server}:{dns.port}"], believed=believed).mx("a.test")
    assert isinstance(answer, Found)
    assert answer.authentic is authentic


async def test_an_answer_is_authentic_when_the_named_resolver_says_so(dns):
    dns.authentic = True
    answer = await DnsResolver([dns.endpoint]).mx("a.test")
    assert isinstance(answer, Found)
    assert answer.authentic


async def test_what_is_no_name_is_a_permanent_fault(dns):
    resolver = DnsResolver([dns.endpoint])
    failed = await resolver.mx("a..test")
    assert isinstance(failed, LookupFailed)
    assert not failed.temporary
    assert not dns.queries


async def test_a_lookup_never_swallows_a_cancellation(dns):
    async def look_up_and_wait():
        await DnsResolver([dns.endpoint]).mx("a.test")
        await asyncio.Event().wait()

    for turns in range(25):  # one of them meets the moment in which the answer comes
        task = asyncio.get_running_loop().create_task(look_up_and_wait())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        _, pending = await asyncio.wait([task], timeout=5)
        assert not pending, f"lost after {turns} turns of the loop"


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1", "127.0.0.1", 53),
        ("127.0.0.1:5300", "127.0.0.1", 5300),
        ("::1", "::1", 53),
        ("[::1]:5300", "::1", 5300),
    ],
)
def test_servers_are_written_with_and_without_port(text, host, port):
    server = _parse_server(text)
    assert (server.host, server.port) == (host, port)

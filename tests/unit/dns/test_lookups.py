import pytest

from backend.dns.lookups import NULL_MX, MailHosts, NoMailHosts, find_mail_hosts
from backend.dns.resolver import DnsResolver
from tests.support.dns_server import DnsServer


@pytest.fixture
async def dns():
    async with DnsServer(
        {
            "a.test": {"MX": ["20 b.a.test.", "5 a.a.test."]},
            "null.test": {"MX": ["0 ."]},
            "odd.test": {"MX": ["0 .", "10 mx.odd.test."]},
            "bare.test": {"A": ["192.0.2.1"]},
            "alias.test": {"CNAME": ["bare.test."]},
        }
    ) as server:
        yield server


async def test_hosts_come_in_the_order_of_preference(dns):
    found = await find_mail_hosts(DnsResolver([dns.endpoint]), "a.test")
    assert isinstance(found, MailHosts)
    assert found.hosts == ((5, "a.a.test"), (20, "b.a.test"))
    assert not found.implicit


async def test_a_null_mx_refuses_all_mail_for_good(dns):
    found = await find_mail_hosts(DnsResolver([dns.endpoint]), "null.test")
    assert found == NoMailHosts(NULL_MX, permanent=True, enhanced="5.1.10")


async def test_a_null_mx_beside_others_is_skipped(dns):
    found = await find_mail_hosts(DnsResolver([dns.endpoint]), "odd.test")
    assert isinstance(found, MailHosts)
    assert found.hosts == ((10, "mx.odd.test"),)


async def test_a_domain_without_mx_is_its_own_host(dns):
    found = await find_mail_hosts(DnsResolver([dns.endpoint]), "bare.test")
    assert isinstance(found, MailHosts)
    assert (found.hosts, found.implicit) == (((0, "bare.test"),), True)


async def test_an_alias_without_mx_leads_to_the_host_at_its_end(dns):
    found = await find_mail_hosts(DnsResolver([dns.endpoint]), "alias.test")
    assert isinstance(found, MailHosts)
    assert found.hosts == ((0, "bare.test"),)


async def test_a_domain_that_does_not_exist_is_permanent(dns):
    found = await find_mail_hosts(DnsResolver([dns.endpoint]), "gone.test")
    assert isinstance(found, NoMailHosts)
    assert (found.permanent, found.enhanced) == (True, "5.1.2")


async def test_a_lookup_that_fails_is_temporary_and_a_loop_is_not(dns):
    dns.broken.add("a.test")
    dns.add("loop.test", {"CNAME": ["loop.test."]})
    resolver = DnsResolver([dns.endpoint])
    broken = await find_mail_hosts(resolver, "a.test")
    loop = await find_mail_hosts(resolver, "loop.test")
    assert isinstance(broken, NoMailHosts)
    assert isinstance(loop, NoMailHosts)
    assert (broken.permanent, broken.enhanced) == (False, "4.4.3")
    assert (loop.permanent, loop.enhanced) == (True, "5.4.4")

"""Checks against real name servers on loopback: every kind of record, right, missing, wrong, and not to be told."""

import pytest

from backend.checkup.dns import PRACTICE_NOTE, DnsCheckup
from backend.checkup.facts import DkimRecord, TlsFacts
from backend.core.clock import FakeClock
from backend.core.errors import NotFoundError
from backend.dns.resolver import DnsResolver
from tests.support.dns_server import DnsServer
from tests.support.server_process import free_ports
from tests.support.settings import config_of
from tests.support.unbound import Unbound

IP, IP6, PROXY = "203.0.113.9", "2001:db8::9", "203.0.113.20"
TLSA = "3 1 1 " + "ab" * 32
KEY = DkimRecord("2026a", "v=DKIM1; k=ed25519; p=MCowBQYDK2VwAyEA")
POINTER, POINTER6 = "9.113.0.203.in-addr.arpa", "9" + ".0" * 23 + ".8.b.d.0.1.0.0.2.ip6.arpa"
PROXY_POINTER = "20.113.0.203.in-addr.arpa"

GOOD = {
    "a.test": {
        "SOA": ["ns.a.test. me.a.test. 1 3600 600 86400 60"],
        "NS": ["ns.a.test."],
        "MX": ["10 mail.a.test."],
        "TXT": [f'"v=spf1 mx ip4:{PROXY} include:spf.relay.test ~all"', '"something else"'],
        "CAA": ['0 issue "letsencrypt.org"'],
    },
    "ns.a.test": {"A": ["127.0.0.1"]},
    "mail.a.test": {"A": [IP], "AAAA": [IP6]},
    "spf.relay.test": {"TXT": ['"v=spf1 ip4:198.51.100.0/24 -all"']},
    "2026a._domainkey.a.test": {"TXT": ['"v=DKIM1; k=ed25519;" " p=MCowBQ YDK2VwAyEA"']},
    "_dmarc.a.test": {"TXT": ['"v=DMARC1; p=none"']},
    "_smtp._tls.a.test": {"TXT": ['"v=TLSRPTv1; rua=mailto:x@a.test"']},
    "_25._tcp.mail.a.test": {"TLSA": [TLSA.upper()]},
    "_imaps._tcp.a.test": {"SRV": ["5 5 993 mail.a.test."]},
    "_submissions._tcp.a.test": {"SRV": ["0 1 465 mail.a.test."]},
    "autoconfig.a.test": {"CNAME": ["mail.a.test."]},
    POINTER: {"PTR": ["mail.a.test."]},
    POINTER6: {"PTR": ["mail.a.test."]},
    PROXY_POINTER: {"PTR": ["out.a.test."]},
    "out.a.test": {"A": [PROXY]},
}


def keys(*found):
    async def find(domain):
        assert domain == "a.test"
        return found

    return find


async def certificate():
    return TlsFacts(TLSA, "letsencrypt.org")


def config(public=(IP, IP6), transports=True, **server):
    return config_of(
        {
            "hostname": "mail.a.test",
            "outbound": {"allow_loopback": True},
            "listeners": {
                "public": {
                    "addresses": ["0.0.0.0"],
                    "public_addresses": list(public),
                    "submissions_port": 465,
                    "imaps_port": 993,
                    "http_port": 80,
                }
            },
            **server,
        },
        domains={"a.test": {}},
        transports={
            "proxy": {
                "socks": {
                    "address": "127.0.0.1:1080",
                    "remote_ips": [PROXY],
                    "remote_hostname": "out.a.test",
                }
            },
            "relay": {"submission": {"host": "smtp.relay.test", "spf_include": "spf.relay.test"}},
        }
        if transports
        else {},
    )


@pytest.fixture
async def zone():
    async with DnsServer(GOOD, authority=True) as server:
        yield server


async def report_of(zone, *, settings=None, resolver=None, time_limit_s=20.0, port=0, **more):
    settings = settings or config()
    more = {"dkim": keys(KEY), "tls": certificate, **more}
    asker = DnsResolver([resolver or zone.endpoint], query_timeout_s=0.2)
    checkup = DnsCheckup(
        asker, config=lambda: settings, clock=FakeClock(), port=port or zone.port, time_limit_s=time_limit_s, **more
    )  # fmt: skip
    return await checkup.check("A.test")


def one(report, code, kind=None):
    (check,) = [c for c in report.checks if c.code == code and kind in {None, c.type}]
    return check


async def test_a_domain_that_is_set_up_is_ok_in_every_line(zone):
    report = await report_of(zone)
    wrong = [(c.code, c.name, c.result, c.summary) for c in report.checks if c.result != "ok"]
    assert not wrong
    assert {c.code for c in report.checks} == {
        "address", "mx", "spf", "socks_spf", "dkim", "dmarc", "ptr", "socks_ptr", "srv", "autoconfig",
        "tlsrpt", "tlsa", "caa",
    }  # fmt: skip
    assert report.headline == "Mail can be received and sent: all records that matter are right."
    assert all(c.fix is None for c in report.checks)
    assert any("“relay”" in note for note in report.notes)


async def test_the_servers_of_the_zone_are_asked_first(zone):
    # The resolver in front knows only yesterday's records.
    old = {**GOOD, "a.test": {**GOOD["a.test"], "MX": ["10 old.a.test."]}}
    async with DnsServer(old) as cache:
        report = await report_of(zone, resolver=cache.endpoint)
    check = one(report, "mx")
    assert (check.result, check.direct, check.found) == ("ok", True, ("10 mail.a.test",))


async def test_behind_a_real_resolver_the_servers_of_the_zone_are_found(zone):
    async with Unbound(zone.port) as unbound:
        report = await report_of(zone, resolver=unbound.endpoint)
    assert (one(report, "mx").result, one(report, "mx").direct) == ("ok", True)


async def test_where_no_server_of_the_zone_is_known_the_resolver_tells(zone):
    del zone.records["a.test"]["NS"]
    async with Unbound(zone.port) as unbound:
        report = await report_of(zone, resolver=unbound.endpoint)
    assert (one(report, "dmarc").result, one(report, "dmarc").direct) == ("ok", False)


async def test_where_the_servers_of_the_zone_are_silent_the_resolver_tells(zone):
    (closed,) = free_ports("127.0.0.1", 1)
    report = await report_of(zone, port=closed)
    assert {c.direct for c in report.checks} == {False}
    assert one(report, "mx").result == "ok"


async def test_name_servers_in_private_networks_are_not_asked(zone):
    report = await report_of(zone, settings=config(outbound={"allow_loopback": False}))
    assert (one(report, "mx").result, one(report, "mx").direct) == ("ok", False)


async def test_an_empty_zone_has_everything_missing_and_nothing_optional_is_spoken_of(zone):
    zone.records = {
        "a.test": {"SOA": GOOD["a.test"]["SOA"], "NS": ["ns.a.test."]},
        "ns.a.test": {"A": ["127.0.0.1"]},
    }
    report = await report_of(zone)
    results = {c.code: c.result for c in report.checks}
    assert {results.pop("socks_spf")} == {"different"}
    assert set(results.values()) == {"missing"}
    assert report.headline.startswith("Mail can't be received yet")
    assert all(c.fix is not None and c.fix.text for c in report.checks)
    spf = one(report, "spf")
    assert spf.expected == (f"v=spf1 mx ip4:{PROXY} include:spf.relay.test ~all",)
    assert [(c.label, c.value) for c in one(report, "mx").fix.copy] == [
        ("Name", "a.test"),
        ("Type", "MX"),
        ("Priority", "10"),
        ("Value", "mail.a.test"),
    ]


async def test_a_domain_that_does_not_exist_has_everything_missing(zone):
    zone.records = {"other.test": {"A": ["192.0.2.1"]}}
    report = await report_of(zone)
    assert one(report, "mx").result == "missing"
    assert one(report, "mx").summary == "a.test does not say who takes its mail."


@pytest.mark.parametrize(
    ("name", "kind", "values", "code", "said"),
    [
        ("a.test", "MX", ["0 ."], "mx", "takes no mail at all"),
        ("a.test", "MX", ["10 mx.google.test."], "mx", "goes to mx.google.test, not to this server"),
        ("a.test", "MX", ["5 backup.test.", "10 mail.a.test."], "mx", "goes to backup.test first"),
        ("a.test", "TXT", ['"v=spf1 -all"'], "spf", "status is not “pass” but “fail” (-all)"),
        ("a.test", "TXT", ['"v=spf1 mx -all"', '"v=spf1 a -all"'], "spf", "You have 2 SPF records"),
        ("a.test", "TXT", ['"v=spf1 ipv4:1.2.3.4 -all"'], "spf", "can't read the SPF record"),
        ("a.test", "TXT", [f'"v=spf1 mx ip4:{PROXY} -all"'], "spf", "spf.relay.test is not in it"),
        ("a.test", "TXT", [f'"v=spf1 include:none.test mx ip4:{PROXY} include:spf.relay.test -all"'], "spf", "none.test has no SPF record"),
        ("mail.a.test", "A", ["203.0.113.99"], "address", "leads to 203.0.113.99"),
        ("mail.a.test", "A", [IP, "203.0.113.99"], "address", "203.0.113.99"),
        ("2026a._domainkey.a.test", "TXT", ['"v=DKIM1; p="'], "dkim", "withdrawn"),
        ("2026a._domainkey.a.test", "TXT", ['"v=DKIM1; k=ed25519; p=AAAA"'], "dkim", "not the one"),
        ("2026a._domainkey.a.test", "TXT", ['"v=DKIM1; p=MCowBQYDK2VwAyEA"'], "dkim", "(k=) is wrong"),
        ("2026a._domainkey.a.test", "TXT", ['"p=a"', '"p=b"'], "dkim", "several records"),
        ("_dmarc.a.test", "TXT", ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"'], "dmarc", "several DMARC"),
        ("_dmarc.a.test", "TXT", ['"v=DMARC1; p=whatever"'], "dmarc", "no policy"),
        ("_smtp._tls.a.test", "TXT", ['"v=TLSRPTv1"'], "tlsrpt", "where reports go"),
        ("_25._tcp.mail.a.test", "TLSA", ["3 1 1 " + "00" * 32], "tlsa", "does not fit the certificate"),
        ("_imaps._tcp.a.test", "SRV", ["0 1 993 other.test."], "srv", "leads elsewhere"),
        ("_imaps._tcp.a.test", "SRV", ["0 0 0 ."], "srv", "leads elsewhere"),
        ("autoconfig.a.test", "CNAME", ["other.test."], "autoconfig", "leads elsewhere"),
        ("a.test", "CAA", ['0 issue "other.test"'], "caa", "it can't be renewed"),
        (POINTER, "PTR", ["dyn.isp.test."], "ptr", "203.0.113.9 has the name dyn.isp.test"),
        (PROXY_POINTER, "PTR", ["x.test."], "socks_ptr", "203.0.113.20 has the name x.test"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_different_and_says_what_to_do(zone, name, kind, values, code, said):
    zone.add(name, {kind: values})
    report = await report_of(zone)
    checks = [c for c in report.checks if c.code == code]
    (check,) = [c for c in checks if said in c.summary]
    assert check.result == "different"
    assert check.fix is not None
    assert check.found
    others = {c.code for c in report.checks if c.result != "ok"} - {code}
    assert others <= {"ptr", "autoconfig", "socks_spf", "spf"}


async def test_two_spf_records_become_one_that_keeps_what_others_put_there(zone):
    zone.add("a.test", {"TXT": ['"v=spf1 include:old.test -all"', '"v=spf1 mx -all"']})
    check = one(await report_of(zone), "spf")
    assert len(check.found) == 2
    assert check.expected == (
        f"v=spf1 include:old.test mx ip4:{PROXY} include:spf.relay.test -all",
    )


async def test_proxies_are_told_each_for_itself(zone):
    zone.add("a.test", {"TXT": ['"v=spf1 mx include:spf.relay.test -all"']})
    check = one(await report_of(zone), "socks_spf")
    assert check.summary == (
        "IP “203.0.113.20” does not pass the SPF evaluation: its status is not “pass” but “fail” (-all)."
    )


async def test_the_host_of_an_mx_must_not_be_an_alias(zone):
    del zone.records["mail.a.test"]
    zone.add("mail.a.test", {"CNAME": ["real.a.test."]})
    zone.add("real.a.test", {"A": [IP], "AAAA": [IP6]})
    report = await report_of(zone)
    checks = [c for c in report.checks if c.code == "address"]
    assert {c.result for c in checks} == {"different"}
    assert "alias (CNAME) of real.a.test" in checks[0].summary
    assert one(report, "autoconfig").result == "ok"


async def test_a_name_must_lead_back_to_its_address(zone):
    zone.add("mail.a.test", {"A": ["203.0.113.99"]})
    checks = [c for c in (await report_of(zone)).checks if c.code == "ptr" and c.name == POINTER]
    assert "both ways must agree" in checks[0].summary


async def test_autoconfig_may_be_an_address_as_well(zone):
    zone.records["autoconfig.a.test"] = {"A": [IP]}
    assert one(await report_of(zone), "autoconfig").result == "ok"
    zone.records["autoconfig.a.test"] = {"A": ["203.0.113.99"]}
    assert one(await report_of(zone), "autoconfig").result == "different"


async def test_a_wrong_tlsa_or_caa_is_not_optional(zone):
    zone.add("_25._tcp.mail.a.test", {"TLSA": ["3 1 1 " + "00" * 32]})
    report = await report_of(zone)
    assert one(report, "tlsa").severity == "required"
    assert "“Your certificate in the DNS”" in report.headline
    del zone.records["_25._tcp.mail.a.test"]
    assert one(await report_of(zone), "tlsa").severity == "optional"


async def test_an_announced_rule_that_nobody_publishes_is_told(zone):
    zone.add("_mta-sts.a.test", {"TXT": ['"v=STSv1; id=1"']})
    assert "publishes none" in one(await report_of(zone), "mta_sts").summary


@pytest.mark.parametrize("fault", ["broken", "silent"])
async def test_what_can_not_be_asked_is_unknown_and_the_rest_stands(zone, fault):
    names = {"_dmarc.a.test", "_imaps._tcp.a.test", "2026a._domainkey.a.test", POINTER}
    getattr(zone, fault).update(names)
    report = await report_of(zone, time_limit_s=3.0)
    unknown = {c.name for c in report.checks if c.result == "unknown"}
    assert unknown == names
    assert all(
        c.summary.startswith("Could not tell") and c.fix is None
        for c in report.checks
        if c.name in names
    )
    assert one(report, "mx").result == "ok"
    assert "not everything could be told" in report.headline


async def test_an_spf_record_that_leads_to_silence_is_unknown(zone):
    zone.add("a.test", {"TXT": ['"v=spf1 include:slow.test -all"']})
    zone.broken.add("slow.test")
    check = one(await report_of(zone, settings=config(transports=False)), "spf")
    assert check.result == "unknown"


async def test_without_any_dns_nothing_is_red(zone):
    await zone.stop()
    report = await report_of(zone, time_limit_s=2.0)
    assert {c.result for c in report.checks} == {"unknown"}


async def test_a_fault_in_one_check_leaves_the_others(zone, expect_log, monkeypatch):
    expect_log("dns check failed")

    def crash(record, get):
        raise ZeroDivisionError

    monkeypatch.setitem(__import__("backend.checkup.compare").checkup.compare.COMPARE, "mx", crash)
    report = await report_of(zone)
    assert one(report, "mx").result == "unknown"
    assert one(report, "spf").result == "ok"


async def test_without_a_named_address_that_of_the_name_is_looked_at(zone):
    zone.add("mail.a.test", {"A": ["9.9.9.9"], "AAAA": []})
    zone.add("9.9.9.9.in-addr.arpa", {"PTR": ["mail.a.test."]})
    report = await report_of(zone, settings=config(public=(), transports=False))
    assert (one(report, "address").result, one(report, "ptr").result) == ("ok", "ok")
    assert "the settings do not say" in one(report, "address").summary
    assert one(report, "spf").result == "ok"
    assert any("public_addresses" in note for note in report.notes)
    zone.add("mail.a.test", {"A": ["192.168.1.5"]})
    report = await report_of(zone, settings=config(public=(), transports=False))
    assert "nobody can reach" in one(report, "address").summary


async def test_practice_mode_asks_nobody(zone):
    settings = config(practice_mode=True)
    report = await report_of(zone, settings=settings)
    assert (report.practice_mode, report.checks, report.headline) == (True, (), PRACTICE_NOTE)
    assert not zone.queries
    checkup = DnsCheckup(DnsResolver([zone.endpoint]), config=lambda: settings)
    proposal = await checkup.records("a.test")
    assert (proposal.records, proposal.zone, proposal.notes) == ((), "", (PRACTICE_NOTE,))


async def test_a_domain_that_is_not_ours_is_refused(zone):
    checkup = DnsCheckup(DnsResolver([zone.endpoint]), config=config)
    for name in ("b.test", "a..test"):
        with pytest.raises(NotFoundError):
            await checkup.records(name)
        with pytest.raises(NotFoundError):
            await checkup.check(name)


async def test_records_are_proposed_without_asking(zone):
    checkup = DnsCheckup(DnsResolver([zone.endpoint]), config=config, dkim=keys(KEY))
    proposal = await checkup.records("a.test")
    assert "2026a._domainkey.a.test. 3600 IN TXT" in proposal.zone
    assert not zone.queries

"""Which records a domain needs."""

import dns.zone
import pytest

from backend.checkup.facts import DkimRecord, TlsFacts, gather_facts
from backend.checkup.records import expected_records, format_zone, split_text, zone_line
from tests.support.settings import config_of

KEY = DkimRecord("2026a", "v=DKIM1; k=rsa; p=" + "A" * 392)
TRANSPORTS = {
    "proxy": {
        "socks": {
            "address": "127.0.0.1:1080",
            "remote_ips": ["203.0.113.20", "2001:db8::20"],
            "remote_hostname": "out.example.net",
        }
    },
    "relay": {
        "submissions": {"host": "smtp.example.com", "spf_include": "include:spf.example.com"}
    },
    "lan": {"smtp": {"host": "lan.example.com"}},
}


def facts_of(
    *, public=("203.0.113.9", "2001:db8::9"), hostname="mail.example.org", transports=None, **more
):
    config = config_of(
        {
            "hostname": hostname,
            "listeners": {
                "public": {
                    "addresses": ["0.0.0.0"],
                    "public_addresses": list(public),
                    "smtp_port": 25,
                    "submissions_port": 465,
                    "imaps_port": 993,
                    "https_port": 443,
                }
            },
        },
        domains={"example.org": {}},
        transports=transports or {},
    )  # fmt: skip
    return gather_facts(config, "example.org", **more)


def values(records, code):
    return [(r.name, r.type, r.values) for r in records if r.code == code]


def test_a_plain_domain_needs_these_records():
    records = expected_records(facts_of())
    assert [(r.code, r.type) for r in records] == [
        ("address", "A"),
        ("address", "AAAA"),
        ("mx", "MX"),
        ("spf", "TXT"),
        ("dmarc", "TXT"),
        ("ptr", "PTR"),
        ("ptr", "PTR"),
        ("srv", "SRV"),
        ("srv", "SRV"),
        ("autoconfig", "CNAME"),
        ("tlsrpt", "TXT"),
    ]
    assert values(records, "mx") == [("example.org", "MX", ("10 mail.example.org",))]
    assert values(records, "spf") == [("example.org", "TXT", ("v=spf1 mx ~all",))]
    assert values(records, "ptr")[0] == (
        "9.113.0.203.in-addr.arpa",
        "PTR",
        ("mail.example.org",),
    )
    assert ("_imaps._tcp.example.org", "SRV", ("0 1 993 mail.example.org",)) in values(records, "srv")  # fmt: skip
    assert {r.severity for r in records if r.code in {"address", "mx", "spf", "ptr"}} == {
        "required"
    }
    assert {r.severity for r in records if r.code in {"srv", "tlsrpt", "autoconfig"}} == {
        "optional"
    }
    assert all(len(r.purpose) > 20 and r.title for r in records)


def test_proxies_and_relays_stand_in_the_spf_record_and_others_terms_stay():
    facts = facts_of(transports=TRANSPORTS)
    (spf,) = values(expected_records(facts), "spf")
    assert spf[2] == ("v=spf1 mx ip4:203.0.113.20 ip6:2001:db8::20 include:spf.example.com ~all",)
    (spf,) = values(expected_records(facts, existing_spf=["v=spf1 include:old.test -all"]), "spf")
    assert spf[2][0].startswith("v=spf1 include:old.test mx ")
    assert facts.relays == ("relay", "lan")
    proxied = values(expected_records(facts), "socks_ptr")
    assert [each[2] for each in proxied] == [("out.example.net",)] * 2


def test_keys_certificate_and_policy_add_their_records():
    facts = facts_of(dkim=[KEY], tls=TlsFacts("3 1 1 " + "ab" * 32, "letsencrypt.org"))
    records = expected_records(facts)
    assert values(records, "dkim") == [("2026a._domainkey.example.org", "TXT", (KEY.text,))]
    assert "p=reject" in values(records, "dmarc")[0][2][0]
    assert values(records, "tlsa")[0][0] == "_25._tcp.mail.example.org"
    assert values(records, "caa") == [("example.org", "CAA", ('0 issue "letsencrypt.org"',))]
    spare = DkimRecord("2026b", "v=DKIM1; p=A", signs=False)
    records = expected_records(facts_of(dkim=[spare]))
    assert [r.severity for r in records if r.code == "dkim"] == ["optional"]
    assert "p=none" in values(records, "dmarc")[0][2][0]
    assert "p=none" in values(expected_records(facts_of()), "dmarc")[0][2][0]


def test_an_address_that_the_settings_do_not_name_is_left_to_the_owner():
    records = expected_records(facts_of(public=()))
    assert values(records, "address") == [("mail.example.org", "A", ())]
    zone = format_zone("example.org", records)
    assert "; mail.example.org. 3600 IN A <the public address of this server>" in zone


def test_public_listen_addresses_are_known_without_being_named():
    config = config_of(
        {"listeners": {"a": {"addresses": ["9.9.9.9", "192.168.1.2", "127.0.0.1"]}}},
        domains={"example.org": {}},
    )
    assert gather_facts(config, "example.org").addresses == ("9.9.9.9",)


def test_ports_that_only_this_computer_reaches_are_not_proposed():
    config = config_of(
        {
            "listeners": {
                "local": {"addresses": ["127.0.0.1", "::1"], "imap_port": 143, "http_port": 80},
                "mail": {"addresses": ["0.0.0.0"], "smtp_port": 25},
                "apps": {"addresses": ["192.168.1.2"], "imaps_port": 993, "imap_port": 1143},
            }
        },
        domains={"example.org": {}},
    )
    facts = gather_facts(config, "example.org")
    assert (facts.services, facts.has_web) == ((("imaps", 993), ("imap", 1143)), False)


@pytest.mark.parametrize("hostname", ["mail.example.org", "mail.elsewhere.net"])
def test_the_zone_text_is_one_that_name_servers_read(hostname):
    facts = facts_of(
        hostname=hostname,
        transports=TRANSPORTS,
        dkim=[KEY],
        tls=TlsFacts("3 1 1 " + "ab" * 32, "letsencrypt.org"),
    )
    text = format_zone("example.org", expected_records(facts))
    head = "example.org. 1 IN SOA a. b. 1 1 1 1 1\nexample.org. 1 IN NS a.\n"
    zone = dns.zone.from_text(head + text, "example.org.", relativize=False)
    assert zone.get_rdataset("example.org.", "MX")[0].exchange.to_text() == f"{hostname}."
    key = zone.get_rdataset("2026a._domainkey.example.org.", "TXT")[0]
    assert b"".join(key.strings).decode() == KEY.text
    has_host = zone.get_rdataset(f"{hostname}.", "A") is not None if "example.org" in hostname else False  # fmt: skip
    assert has_host == (hostname == "mail.example.org")
    assert "; to be set by whoever gives you the address: 9.113.0.203.in-addr.arpa." in text


def test_texts_are_cut_and_escaped_for_zone_files():
    assert split_text("") == [""]
    assert [len(part) for part in split_text("x" * 600)] == [255, 255, 90]
    assert split_text('a"b\\c ä') == ['a\\"b\\\\c \\195\\164']
    assert zone_line("a.test", "MX", "0 .") == "a.test. 3600 IN MX 0 ."

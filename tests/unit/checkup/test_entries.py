"""Fields as the forms of providers want them."""

import pytest

from backend.checkup.entries import entry, long_text_note
from backend.checkup.providers import GENERIC, PROVIDERS, provider_of


def fields(kind, name, value, provider="", zone="a.test"):
    chosen = next((each for each in PROVIDERS if each.id == provider), GENERIC)
    return [
        (each.label, each.value) for each in entry(kind, name, value, zone=zone, provider=chosen)
    ]


@pytest.mark.parametrize(
    ("servers", "name"),
    [
        (["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"], "Cloudflare"),
        (["hydrogen.ns.hetzner.com", "helium.ns.hetzner.de"], "Hetzner"),
        (["dns10.ovh.net", "ns10.ovh.net"], "OVHcloud"),
        (["NS01.domaincontrol.com."], "GoDaddy"),
        (["dns1.registrar-servers.com"], "Namecheap"),
        (["ns1045.ui-dns.de", "ns1045.ui-dns.org"], "IONOS"),
        (["docks15.rzone.de"], "STRATO"),
        (["ns-12-a.gandi.net"], "Gandi"),
        (["ns-2048.awsdns-64.com", "ns-1.awsdns-1.co.uk"], "Amazon Route 53"),
        (["ns1.desec.io", "ns2.desec.org"], "deSEC"),
        (["ns1.example.net"], ""),
        (["ada.ns.cloudflare.com", "ns1.example.net"], ""),
        (["notovh.net"], ""),
        ([], ""),
    ],
)
def test_a_provider_is_known_by_its_name_servers(servers, name):
    assert provider_of(servers).name == name


def test_an_mx_has_its_priority_in_a_field_of_its_own():
    assert fields("MX", "a.test", "10 mail.a.test") == [
        ("Name", "@"),
        ("Priority", "10"),
        ("Value", "mail.a.test"),
    ]


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("cloudflare", [("Name", "@"), ("Priority", "10"), ("Mail server", "mail.a.test")]),
        ("hetzner", [("Name", "@"), ("Priority", "10"), ("Mail server", "mail.a.test.")]),
        ("ovh", [("Sub-domain", ""), ("Priority", "10"), ("Target", "mail.a.test.")]),
        ("route53", [("Record name", ""), ("Value", "10 mail.a.test")]),
        ("desec", [("Subname", ""), ("Preference", "10"), ("Hostname", "mail.a.test.")]),
    ],
)
def test_each_provider_gets_its_own_fields(provider, expected):
    assert fields("MX", "a.test", "10 mail.a.test", provider) == expected


def test_names_are_told_below_their_zone():
    assert fields("TXT", "_dmarc.a.test", "v=DMARC1", "cloudflare")[0] == ("Name", "_dmarc")
    # The domain itself may lie within the zone of another one.
    assert fields("MX", "sub.a.test", "10 m.test")[0] == ("Name", "sub")
    assert fields("MX", "a.test", "10 m.test", zone="")[0] == ("Name", "a.test")


def test_an_srv_record_comes_in_four_fields_or_in_one():
    apart = fields("SRV", "_imaps._tcp.a.test", "0 1 993 mail.a.test")
    assert apart[1:] == [
        ("Priority", "0"),
        ("Weight", "1"),
        ("Port", "993"),
        ("Target", "mail.a.test"),
    ]
    whole = fields("SRV", "_imaps._tcp.a.test", "0 1 993 mail.a.test", "route53")
    assert whole[1:] == [("Value", "0 1 993 mail.a.test")]


def test_long_texts_are_split_only_where_one_has_to_do_it_by_hand():
    long = "v=DKIM1; p=" + "A" * 400
    assert fields("TXT", "a.test", long)[1] == ("Value", long)
    quoted = fields("TXT", "a.test", long, "route53")[1][1]
    assert quoted.startswith('"v=DKIM1')
    assert '" "' in quoted
    assert max(len(part) for part in quoted.strip('"').split('" "')) == 255
    assert "411 characters" in long_text_note("TXT", long)
    assert long_text_note("TXT", "short") == long_text_note("MX", "x" * 300) == ""


def test_every_provider_has_steps_with_its_own_words():
    for provider in PROVIDERS:
        assert len(provider.steps) == 4
        assert provider.label("Name", "TXT") in provider.steps[2]
        assert provider.servers
        assert provider.button in provider.steps[1]
    assert len({each.id for each in PROVIDERS}) == len(PROVIDERS) > 10

import pytest

from backend.config.check import check
from tests.support.settings import config_of

RELAY = {"submissions": {"host": "smtp.example.net"}}


def found(server=None, **domains) -> list[tuple[str, str]]:
    config = config_of(server, **domains)
    return [(p.path, p.message) for p in check(config.server, config.domains)]


def messages(**domains) -> str:
    return "\n".join(message for _, message in found(**domains))


def account(*keys, domain="example.org"):
    return {"domain": domain, "destinations": {key: {} for key in keys}}


def test_a_sound_configuration_has_no_faults():
    assert not found(
        {"listeners": {"a": {"addresses": ["::", "0.0.0.0"], "smtp_port": 25, "imaps_port": 993}}},
        domains={"example.org": {"routes": [{"transport": "relay"}]}},
        accounts={"a": account("a@example.org", "@example.org")},
        transports={"relay": RELAY, "direct": {}},
        routes=[{"transport": "direct"}],
    )


def test_two_services_on_one_port_are_found():
    server = {
        "listeners": {
            "a": {"addresses": ["::"], "smtp_port": 25},
            "b": {"addresses": ["::"], "imap_port": 25},
            "c": {"addresses": ["::1"], "imap_port": 25},
        }
    }
    assert [path for path, _ in found(server)] == ["/listeners/b/imap_port"]


def test_files_mode_needs_both_files():
    paths = [path for path, _ in found({"tls": {"mode": "files"}})]
    assert paths == ["/tls/certificate_file", "/tls/key_file"]


def test_addresses_must_be_in_a_domain_of_this_server():
    text = messages(accounts={"a": account("@other.org", domain="example.org")})
    assert 'unknown domain for address "@other.org" in account "a"' in text
    assert "The domain example.org of the account “a”" in text


def test_a_domain_has_one_catch_all():
    text = messages(
        domains={"example.org": {}},
        accounts={"a": account("@example.org"), "b": account("@example.org")},
    )
    assert "catchall address already configured for domain" in text


def test_an_address_belongs_to_one_account_whatever_its_case():
    domains = {"example.org": {}}
    accounts = {"a": account("x@example.org"), "b": account("X@example.org")}
    assert "belongs to the account “a” already" in messages(domains=domains, accounts=accounts)
    assert not messages(
        domains={"example.org": {"localpart_case_sensitive": True}}, accounts=accounts
    )
    same = {"a": account("x@example.org", "X@example.org")}
    assert "already" in messages(domains=domains, accounts=same)


def test_an_address_may_not_hold_the_separator():
    text = messages(
        domains={"example.org": {"catchall_separator": "+"}},
        accounts={"a": account("a+b@example.org")},
    )
    assert "holds the separator “+”" in text


def test_the_postmaster_must_exist():
    assert found(postmaster_account="nobody")[0][0] == "/postmaster_account"


@pytest.mark.parametrize(
    ("transport", "words"),
    [
        ({**RELAY, "direct": {}}, "transport t: cannot have multiple methods in a transport"),
        ({"smtp": {"host": "a b"}}, "transport t: bad host a b: "),
        (
            {"submissions": {"host": "h", "starttls_insecure_skip_verify": True}},
            "cannot have STARTTLSInsecureSkipVerify with immediate TLS",
        ),
        (
            {"submissions": {"host": "h", "no_starttls": True}},
            "cannot have NoSTARTTLS with immediate TLS",
        ),
        (
            {"submission": {"host": "h", "auth": {"username": "u", "mechanisms": ["X"]}}},
            "unknown authentication mechanism X",
        ),
        (
            {"smtp": {"host": "h", "auth": {"username": "u", "mechanisms": ["PLAIN", "PLAIN"]}}},
            "duplicate authentication mechanism PLAIN",
        ),
        ({"socks": {"address": "h", "remote_hostname": "o.org"}}, "bad address"),
        (
            {"socks": {"address": "h:1", "remote_hostname": "o.org", "remote_ips": ["x"]}},
            "bad ip x",
        ),
        ({"socks": {"address": "h:1", "remote_hostname": ""}}, "bad hostname"),
        ({"direct": {"disable_ipv4": True, "disable_ipv6": True}}, "nothing can be delivered"),
        (
            {"smtp": {"host": "h", "no_starttls": True, "starttls_insecure_skip_verify": True}},
            "no certificate to accept",
        ),
    ],
)
def test_transports_that_contradict_themselves(transport, words):
    assert words in messages(transports={"t": transport})


def test_a_relay_may_be_an_ip_address():
    assert not messages(transports={"t": {"smtp": {"host": "192.0.2.1"}}})


def test_routes_name_transports_that_exist():
    missing = [{"transport": "gone"}]
    text = messages(
        routes=missing,
        domains={"example.org": {"routes": missing}},
        accounts={"anna": {"domain": "example.org", "routes": missing}},
    )
    for what in ("global routes", "routes for domain example.org", "routes for account anna"):
        assert f"{what}: route references undefined transport gone" in text


def test_selectors_that_are_missing_or_named_twice():
    text = messages(
        domains={
            "example.org": {
                "dkim": {
                    "sign": ["a", "b", "a"],
                    "selectors": {"a": {}},
                    "rotation": {
                        "phase": "publish",
                        "new": ["c"],
                        "old": ["a"],
                        "since": "2026-11-23T20:15:00Z",
                    },
                }
            }
        }
    )
    assert "The domain example.org has no selector “b”" in text
    assert "The domain example.org has no selector “c”" in text
    assert "names a signing selector twice" in text

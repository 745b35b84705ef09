import pytest

from backend.config.describe import all_fields, is_live, ui_of
from backend.config.model import Account, DomainsConfig, ServerConfig
from backend.core.errors import ConfigError
from tests.support.settings import config_of

# Of server.toml, which is read at the start; these are looked up at each use.
LIVE = {
    "outbound",
    "outbound.tls_reports",
    "outbound.history_days",
    "outbound.max_attempts",
    "outbound.public_resolvers",
    "outbound.suppression_days",
}
FIELDS = [(m, n, f) for m in (ServerConfig, DomainsConfig) for n, f in all_fields(m)]


@pytest.mark.parametrize(("model", "name", "field"), FIELDS, ids=[n for _, n, _ in FIELDS])
def test_every_setting_says_what_it_is(model, name, field):
    ui = ui_of(field)
    assert ui is not None, f"{name} has no UI(...)"
    assert ui.title and ui.title[0].isupper() and not ui.title.endswith(".")
    assert len(ui.help) >= 10 and ui.help.endswith(".")
    assert ui.example, f"{name} has no example"
    assert ui.level in {"basic", "advanced"}
    assert isinstance(ui.live, bool)
    if field.annotation is int:
        assert ui.unit, f"{name} is a number without a unit"
    if name.endswith("_bytes"):
        assert ui.unit == "bytes"
    if model is ServerConfig:
        assert ui.live is (name in LIVE), "server.toml is read at the start"
    else:
        assert ui.live, "domains.toml is live"


def test_all_levels_of_tables_are_walked():
    names = {name for _, name, _ in FIELDS}
    assert "listeners.*.smtp_port" in names
    assert "accounts.*.destinations.*.mailbox" in names
    assert "transports.*.submissions.auth.username" in names
    assert "domains.*.routes.*.minimum_attempts" in names


def test_live_and_restart_are_told_apart():
    assert not is_live(ServerConfig, ("limits", "recipients"))
    assert not is_live(ServerConfig, ("outbound", "smtp_port"))
    assert is_live(ServerConfig, ("outbound", "tls_reports"))
    assert is_live(ServerConfig, ("outbound", "history_days"))
    assert is_live(DomainsConfig, ("accounts", "anna", "full_name"))


def test_names_come_out_in_their_normal_form():
    config = config_of(
        {"hostname": "Mail.EXAMPLE.org."},
        domains={"München.de": {}},
        accounts={
            "a": {"domain": "münchen.de", "destinations": {"Anna@MÜNCHEN.de": {"mailbox": "inbox"}}}
        },
    )
    assert config.server.hostname == "mail.example.org"
    assert list(config.domains.domains) == ["xn--mnchen-3ya.de"]
    assert config.domains.accounts["a"].destinations.keys() == {"Anna@xn--mnchen-3ya.de"}
    assert config.domains.accounts["a"].destinations["Anna@xn--mnchen-3ya.de"].mailbox == "INBOX"


def test_a_number_in_quotes_is_refused():
    with pytest.raises(ConfigError, match="whole number"):
        config_of({"limits": {"recipients": "200"}})


def test_zero_limits_mean_the_defaults():
    account = Account(
        domain="example.org",
        max_outgoing_messages_per_day=0,
        max_first_time_recipients_per_day=0,
    )
    assert (account.outgoing_limit, account.first_time_limit) == (1000, 200)


def test_the_main_address_is_the_first_of_the_own_domain():
    config = config_of(
        domains={"a.org": {}, "b.org": {}},
        accounts={
            "x": {"domain": "b.org", "destinations": {"@b.org": {}, "x@a.org": {}, "x@b.org": {}}},
            "y": {"domain": "b.org", "destinations": {"y@a.org": {}}},
            "z": {"domain": "b.org", "destinations": {"@a.org": {}}},
        },
    )
    accounts = config.domains.accounts
    assert [accounts[n].main_address for n in "xyz"] == ["x@b.org", "y@a.org", ""]

"""What this server publishes for encrypted delivery to its own domains."""

import pytest

from backend.config.check import check
from backend.core.errors import ConfigError
from backend.tls.contexts import certificate_names
from backend.tls.own_policy import own_policy
from backend.tls.sts import parse_policy, parse_record
from tests.support.settings import config_of

WEB = {"listeners": {"public": {"addresses": ["0.0.0.0"], "https_port": 443}}}


def config(server=WEB, **mta_sts):
    return config_of(server, domains={"example.org": {"mta_sts": mta_sts}, "plain.test": {}})


def test_until_somebody_chooses_one_there_is_none():
    assert own_policy(config(), "example.org") is None
    assert own_policy(config(mode="enforce"), "plain.test") is None
    assert own_policy(config(mode="enforce"), "other.test") is None


def test_the_text_is_what_others_understand():
    own = own_policy(config(mode="testing"), "example.org")
    assert own.text == (
        "version: STSv1\r\nmode: testing\r\nmx: mail.example.org\r\nmax_age: 86400\r\n"
    )
    assert parse_policy(own.text.encode()) == own.policy
    assert parse_record([f"v=STSv1; id={own.id}".encode()]) == own.id
    several = config(mode="enforce", mx=["MX1.example.net", "*.example.net"], max_age_s=1_000_000)
    assert own_policy(several, "example.org").policy.lines[2:] == (
        "mx: mx1.example.net",
        "mx: *.example.net",
        "max_age: 1000000",
    )


def test_the_id_changes_with_the_policy_and_with_nothing_else():
    ids = [
        own_policy(config(**settings), "example.org").id
        for settings in (
            {"mode": "testing"},
            {"mode": "testing", "mx": ["mail.example.org"]},
            {"mode": "enforce"},
            {"mode": "enforce", "max_age_s": 90_000},
            {"mode": "enforce", "policy_id": "20261123T201500"},
        )
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4
    assert ids[-1] == "20261123T201500"


def test_our_own_certificate_names_where_it_is_fetched():
    assert "mta-sts.example.org" in certificate_names(config(mode="testing"))
    assert "mta-sts.plain.test" not in certificate_names(config(mode="testing"))


def test_without_a_web_port_it_can_not_be_on():
    without = config({}, mode="testing")
    (problem,) = check(without.server, without.domains)
    assert (problem.code, problem.path) == (
        "mta_sts.no_listener",
        "/domains/example.org/mta_sts/mode",
    )
    for fine in (config({}), config(mode="testing")):
        assert check(fine.server, fine.domains) == []


@pytest.mark.parametrize(
    "wrong", [{"policy_id": "a-b"}, {"mx": ["*"]}, {"mx": ["a b"]}, {"max_age_s": 60}]
)
def test_what_others_would_not_understand_is_refused(wrong):
    with pytest.raises(ConfigError):
        config(mode="testing", **wrong)

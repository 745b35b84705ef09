import pytest

from backend.config.dkim import checked_selector, moment, moment_text
from backend.config.load import domains_from_data
from backend.config.render import render_domains
from backend.core.errors import ConfigError


@pytest.mark.parametrize("name", ["", "A", "2026_a", "-a", "a-", "a.b", "a" * 64, "ä", "a b"])
def test_a_selector_is_one_label_of_a_domain(name):
    with pytest.raises(ValueError, match="selector"):
        checked_selector(name)
    with pytest.raises(ConfigError):
        domains_from_data({"domains": {"a.test": {"dkim": {"selectors": {name: {}}}}}})


def test_moments_are_read_and_written():
    assert moment_text(1_700_000_000.9) == "2023-11-14T22:13:20Z"
    assert moment("2023-11-14T22:13:20Z") == 1_700_000_000
    with pytest.raises(ValueError, match="not a time"):
        moment("yesterday")


def test_a_domain_that_does_not_sign_says_nothing_of_it():
    text = render_domains(domains_from_data({"domains": {"a.test": {}}}))
    assert "a.test.dkim" not in text.replace('"', "").replace("domains.", "")
    dkim = {"sign": ["2026a"], "selectors": {"2026a": {}}}
    text = render_domains(domains_from_data({"domains": {"a.test": {"dkim": dkim}}}))
    assert 'sign = ["2026a"]' in text
    assert '[domains."a.test".dkim.selectors.2026a]' in text

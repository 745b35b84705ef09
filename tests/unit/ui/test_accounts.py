from datetime import UTC, datetime

import pytest

from tests.support.fake_admin import an_account
from ui.presenters import accounts

NOW = datetime.now(UTC)


def test_an_account_is_shown_with_its_room() -> None:
    account = an_account(
        "anna",
        "Anna",
        "anna@example.org",
        "@example.org",
        used_bytes=1_300_000_000,
        quota_bytes=5_000_000_000,
        messages=18342,
    )
    shown = accounts.present_account(account, NOW)
    assert shown.addresses == "anna@example.org, @example.org (catch-all)"
    assert shown.used == "1.3 GB of 5.0 GB in 18\u202f342 messages"
    assert (shown.state, shown.last_sign_in) == ("in use", "never")


def test_disabled_and_full_accounts_are_told() -> None:
    assert accounts.present_account(an_account("a", state="disabled"), NOW).state == "switched off"
    full = an_account("a", state="full")
    assert accounts.present_account(full, NOW).state == "full"


def test_the_main_address_is_no_catch_all() -> None:
    assert accounts.main_address(an_account("a", "", "@x.org", "a@x.org")) == "a@x.org"
    assert accounts.main_address(an_account("a").model_copy(update={"addresses": []})) == "a"


@pytest.mark.parametrize("name", ["example.org", "EXAMPLE.org.", "bücher.example", "a.b.c"])
def test_good_domain_names_pass(name: str) -> None:
    assert accounts.check_domain_name(name) == ""


@pytest.mark.parametrize(
    "name", ["", "localhost", "a@example.org", "exa mple.org", "https://example.org", "gmail.com"]
)
def test_bad_domain_names_say_why(name: str) -> None:
    assert accounts.check_domain_name(name)


def test_local_parts_and_passwords_are_checked() -> None:
    assert accounts.check_local_part("anna") == ""
    assert all(accounts.check_local_part(bad) for bad in ("", "a@b", "a b"))
    assert accounts.check_password("") == ""
    assert accounts.check_password("short")
    assert accounts.check_password("long enough to be fine") == ""

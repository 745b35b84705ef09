from datetime import UTC, datetime

import pytest

from backend.api import types as t
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
    assert (shown.state, shown.last_sign_in) == ("active", "never")


def test_disabled_and_full_accounts_are_told() -> None:
    assert accounts.present_account(an_account("a", disabled=True), NOW).state == "disabled"
    full = an_account("a", used_bytes=10, quota_bytes=10)
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


def test_a_domain_with_people_in_it_stays() -> None:
    domain = t.Domain(name="example.org", unicode="example.org")
    people = [an_account(f"p{n}", "", f"p{n}@example.org") for n in range(7)]
    allowed, text = accounts.removal_of_domain(domain, people)
    assert not allowed
    assert "7 accounts still live in it" in text
    assert "and 2 more" in text


def test_a_domain_takes_foreign_addresses_with_it() -> None:
    domain = t.Domain(name="example.org", unicode="example.org")
    other = an_account("kim", "", "kim@other.org", "kim@example.org")
    allowed, text = accounts.removal_of_domain(domain, [other])
    assert allowed
    assert "kim@example.org" in text
    assert accounts.removal_of_domain(domain, [])[1] == "Mail to it will be refused from now on."


def test_removing_an_account_counts_what_is_lost() -> None:
    text = accounts.removal_of_account(an_account("a", messages=12, used_bytes=2000))
    assert "12 messages, 2.0 KB" in text
    assert "can't be undone" in text


def test_a_domain_row_says_who_gets_the_rest() -> None:
    shown = accounts.present_domain(t.Domain(name="x.org", unicode="x.org", catch_all="anna"))
    assert shown.catch_all == "anna"
    assert accounts.present_domain(t.Domain(name="x.org", unicode="x.org")).catch_all == "refused"

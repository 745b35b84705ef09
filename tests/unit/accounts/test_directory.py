import pytest

from backend.accounts.directory import Directory, Local, Unavailable, UnknownDomain, UnknownUser
from backend.core.address import parse_address, parse_domain
from tests.support.settings import config_of, two_accounts


def where(directory, address):
    found = directory.resolve(parse_address(address))
    return (found.account, found.mailbox) if isinstance(found, Local) else type(found)


@pytest.fixture
def directory():
    return Directory(two_accounts())


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("anna@example.org", ("anna", "INBOX")),
        ("ANNA@Example.ORG", ("anna", "INBOX")),
        ("anna+shop@example.org", ("anna", "INBOX")),
        ("Anna+Shop+x@example.org", ("anna", "INBOX")),
        ("a.meier@example.org", ("anna", "Work")),
        ("nobody@example.org", ("bob", "Rest")),
        ("+x@example.org", ("bob", "Rest")),
        ("anna@example.net", UnknownDomain),
        ("anna@sub.example.org", UnknownDomain),
        ("anna@[192.0.2.1]", UnknownDomain),
    ],
)
def test_the_exact_address_comes_before_the_catch_all(directory, address, expected):
    assert where(directory, address) == expected


def test_the_rule_that_took_the_mail_is_told(directory):
    assert directory.resolve(parse_address("x@example.org")).rule == "@example.org"
    assert directory.resolve(parse_address("ANNA@example.org")).rule == "anna@example.org"


def test_case_and_separator_follow_the_domain():
    directory = Directory(
        config_of(
            domains={"a.org": {"localpart_case_sensitive": True}, "b.org": {}},
            accounts={"x": {"domain": "a.org", "destinations": {"Max@a.org": {}, "Max@b.org": {}}}},
        )
    )
    assert where(directory, "Max@a.org") == ("x", "INBOX")
    assert where(directory, "max@a.org") is UnknownUser
    assert where(directory, "max@b.org") == ("x", "INBOX")
    assert where(directory, "max+x@b.org") is UnknownUser


def test_addresses_beyond_ascii_are_the_same_however_they_are_composed():
    directory = Directory(
        config_of(
            domains={"münchen.de": {}},
            accounts={
                "x": {"domain": "münchen.de", "destinations": {"j\u00fcrgen@münchen.de": {}}}
            },
        )
    )
    assert where(directory, "Ju\u0308rgen@xn--mnchen-3ya.de") == ("x", "INBOX")


def postmaster_config(**more):
    return config_of(
        domains={"example.org": {}, "example.net": {}, "example.com": {}},
        accounts={
            "off": {"domain": "example.org", "disabled": True},
            "anna": {"domain": "example.org", "destinations": {"@example.net": {"mailbox": "All"}}},
            "bob": {
                "domain": "example.org",
                "destinations": {"postmaster@example.com": {"mailbox": "PM"}},
            },
        },
        **more,
    )


def test_postmaster_goes_to_the_first_account_unless_something_else_is_set():
    directory = Directory(postmaster_config())
    assert where(directory, "PostMaster@example.org") == ("anna", "INBOX")
    # Behaviour C2: the catch-all wins over the fallback, the own address over both.
    assert where(directory, "postmaster@example.net") == ("anna", "All")
    assert where(directory, "postmaster@example.com") == ("bob", "PM")
    assert where(directory, "postmaster@mail.example.org") == ("anna", "INBOX")
    assert where(directory, "anna@mail.example.org") is UnknownDomain
    assert where(directory, "postmaster@[192.0.2.1]") == ("anna", "INBOX")
    assert directory.postmaster().account == "anna"


def test_the_postmaster_can_be_chosen():
    directory = Directory(postmaster_config(postmaster_account="bob", postmaster_mailbox="P"))
    assert where(directory, "postmaster@example.org") == ("bob", "P")


def test_postmaster_of_the_host_name_comes_before_its_catch_all():
    directory = Directory(
        config_of(
            domains={"mail.example.org": {}},
            accounts={
                "a": {"domain": "mail.example.org", "destinations": {"a@mail.example.org": {}}},
                "b": {"domain": "mail.example.org", "destinations": {"@mail.example.org": {}}},
            },
        )
    )
    assert where(directory, "postmaster@mail.example.org") == ("a", "INBOX")
    assert where(directory, "x@mail.example.org") == ("b", "INBOX")


def test_without_accounts_nobody_is_postmaster():
    directory = Directory(config_of(domains={"example.org": {}}))
    assert directory.postmaster() is None
    assert where(directory, "postmaster@example.org") is UnknownUser
    assert where(directory, "postmaster@mail.example.org") is UnknownUser


def test_a_domain_that_is_switched_off_is_put_off():
    directory = Directory(
        config_of(
            domains={"example.org": {"disabled": True}},
            accounts={"a": {"domain": "example.org", "destinations": {"a@example.org": {}}}},
        )
    )
    assert where(directory, "a@example.org") is Unavailable
    assert where(directory, "x@example.org") is Unavailable
    assert not directory.may_send_as("a", parse_address("a@example.org"))
    assert directory.account_of_login("a@example.org") == "a"


def test_one_sends_as_ones_own_addresses_and_what_ones_catch_all_takes(directory):
    def may(account, address):
        return directory.may_send_as(account, parse_address(address))

    assert may("anna", "anna@example.org")
    assert may("anna", "Anna+shop@example.org")
    assert not may("anna", "bob@example.org")
    assert not may("anna", "other@example.org")
    assert may("bob", "other@example.org")
    assert not may("bob", "anna@example.org")
    assert not may("bob", "bob@example.net")
    assert not may("gone", "bob@example.org")
    assert not may("bob", "bob@[192.0.2.1]")


def test_an_account_that_is_switched_off_takes_mail_and_sends_none():
    directory = Directory(
        config_of(
            domains={"example.org": {}},
            accounts={
                "a": {
                    "domain": "example.org",
                    "disabled": True,
                    "destinations": {"a@example.org": {}},
                }
            },
        )
    )
    assert where(directory, "a@example.org") == ("a", "INBOX")
    assert not directory.may_send_as("a", parse_address("a@example.org"))
    assert directory.is_disabled("a")
    assert directory.is_disabled("gone")


def test_one_signs_in_with_any_own_address_but_not_through_a_catch_all(directory):
    assert directory.account_of_login("A.Meier@example.org") == "anna"
    assert directory.account_of_login("other@example.org") is None
    assert directory.account_of_login("@example.org") is None
    assert directory.account_of_login("anna") is None
    assert directory.account_of_login("anna@example.net") is None


def test_a_new_configuration_is_taken_over(directory):
    directory.update(config_of(domains={"example.net": {}}))
    assert where(directory, "anna@example.org") is UnknownDomain
    assert directory.is_local_domain(parse_domain("example.net"))
    assert not directory.is_local_domain(parse_domain("example.org"))
    assert directory.accounts() == []


def test_the_addresses_of_an_account_are_listed(directory):
    assert directory.addresses_of("bob") == ["bob@example.org", "@example.org"]
    assert directory.addresses_of("gone") == []

import pytest

from backend.accounts.aliases import add_alias, change_alias, find_alias, remove_alias
from backend.accounts.directory import Directory, Group, Local
from backend.accounts.passwords import Passwords
from backend.accounts.service import AccountService
from backend.config.check import check
from backend.config.secrets import SecretStore
from backend.core.address import parse_address
from backend.core.errors import ConfigError, ConflictError, NotFoundError, UserError
from tests.support.settings import config_of, new_folder, open_store, two_accounts

BY = {"author": "test"}


def with_alias(members, localpart="family", **settings):
    config = two_accounts().domains.model_dump(mode="json")
    config["domains"]["example.org"]["aliases"] = {localpart: {"members": members, **settings}}
    return config_of(**{name: config[name] for name in ("domains", "accounts")})


def codes(config):
    return [problem.code for problem in check(config.server, config.domains)]


def test_mail_for_an_alias_goes_to_each_member_once():
    config = with_alias(["anna@example.org", "a.meier@example.org", "bob+list@example.org"])
    assert codes(config) == []
    found = Directory(config).resolve(parse_address("Family+x@example.org"))
    assert isinstance(found, Group)
    assert found.rule == "family@example.org"
    assert [(m.account, m.mailbox) for m in found.members] == [("anna", "INBOX"), ("bob", "INBOX")]


def test_an_alias_comes_before_the_catch_all():
    directory = Directory(with_alias(["anna@example.org"]))
    assert isinstance(directory.resolve(parse_address("family@example.org")), Group)
    assert isinstance(directory.resolve(parse_address("familie@example.org")), Local)


@pytest.mark.parametrize(
    ("settings", "account", "posts", "sends"),
    [
        ({}, None, True, False),
        ({}, "anna", True, False),
        ({"send_as": True}, "anna", True, True),
        ({"send_as": True}, "bob", True, False),
        ({"post_public": False}, None, False, False),
        ({"post_public": False}, "anna", True, False),
        ({"post_public": False}, "bob", False, False),
    ],
)
def test_who_may_write_to_it_and_as_it(settings, account, posts, sends):
    directory = Directory(with_alias(["anna@example.org"], **settings))
    address = parse_address("family@example.org")
    found = directory.resolve(address)
    assert found.may_post(account) is posts
    assert directory.may_send_as(account or "", address) is sends


def test_nobody_signs_in_as_an_alias():
    directory = Directory(with_alias(["anna@example.org"]))
    assert directory.account_of_login("family@example.org") is None


@pytest.mark.parametrize(
    ("members", "localpart", "expected"),
    [
        ([], "family", ["alias.empty"]),
        (["cleo@example.org"], "family", ["alias.unknown_member"]),
        (["@example.org"], "family", ["alias.unknown_member"]),
        (["x@elsewhere.test", "anna@example.org"], "family", ["alias.unknown_member"]),
        (["anna@example.org"], "ANNA", ["alias.exists"]),
        (["anna@example.org"], "family+x", ["alias.separator"]),
        (["family@example.org"], "family", ["alias.unknown_member"]),
    ],
)
def test_what_can_not_work_is_told(members, localpart, expected):
    assert codes(with_alias(members, localpart)) == expected


@pytest.fixture
async def office(tmp_path):
    folder = new_folder(tmp_path / "data")
    config = await open_store(folder)
    passwords = Passwords(SecretStore(folder.secrets))
    await passwords.open()
    service = AccountService(config, passwords)
    for name in ("anna", "bob"):
        await service.add_account(f"{name}@example.org", password="correct horse battery", **BY)
    service.config = config
    return service


async def test_an_alias_from_adding_to_removing(office):
    config = office.config
    members = ["Anna@example.org", "bob@example.org"]
    made = await add_alias(config, "family@Example.org", {"members": members}, **BY)
    assert made.address == "family@example.org"
    assert made.alias.post_public
    changed = await change_alias(config, "FAMILY@example.org", {"post_public": False}, **BY)
    assert (changed.alias.post_public, len(changed.alias.members)) == (False, 2)
    assert (await config.revisions())[0].note == "Changed the alias FAMILY@example.org"
    await remove_alias(config, "family@example.org", **BY)
    with pytest.raises(NotFoundError):
        find_alias(config.current.domains, "family@example.org")


async def test_what_exists_already_or_is_nowhere_is_refused(office):
    config = office.config
    await add_alias(config, "family@example.org", {"members": ["anna@example.org"]}, **BY)
    with pytest.raises(ConflictError):
        await add_alias(config, "family@example.org", {"members": ["bob@example.org"]}, **BY)
    with pytest.raises(UserError, match="not one of this server's"):
        await add_alias(config, "family@other.test", {"members": ["bob@example.org"]}, **BY)
    with pytest.raises(ConfigError, match="belongs to the account “anna”"):
        await add_alias(config, "anna@example.org", {"members": ["bob@example.org"]}, **BY)
    with pytest.raises(UserError):
        await add_alias(config, "family", {"members": []}, **BY)
    with pytest.raises(ConflictError, match="is an alias already"):
        await office.add_address("anna", "Family@example.org", **BY)


async def test_a_member_that_goes_leaves_its_aliases_unless_it_is_the_last(office):
    config = office.config
    await add_alias(
        config, "family@example.org", {"members": ["anna@example.org", "bob@example.org"]}, **BY
    )
    await office.remove_account("bob", **BY)
    assert find_alias(config.current.domains, "family@example.org").alias.members == [
        "anna@example.org"
    ]
    with pytest.raises(ConflictError, match="is the only member of the alias"):
        await office.remove_account("anna", **BY)

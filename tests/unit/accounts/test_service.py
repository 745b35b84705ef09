import pytest

from backend.accounts.passwords import Passwords
from backend.accounts.service import AccountService
from backend.config.secrets import SecretStore
from backend.core.errors import ConfigError, ConflictError, NotFoundError, UserError
from tests.support.settings import new_folder, open_store

PASSWORD = "correct horse battery"
BY = {"author": "test"}


class Office:
    def __init__(self, folder, config):
        self.folder, self.config = folder, config
        secrets = SecretStore(folder.secrets)
        self.passwords = Passwords(secrets)
        self.removed = []
        self.service = AccountService(
            config, self.passwords, on_removed=self._removed, new_domain=lambda: self.new_domain
        )
        self.new_domain = {}

    async def _removed(self, account):
        self.removed.append(account)


@pytest.fixture
async def office(tmp_path):
    folder = new_folder(tmp_path / "data")
    office = Office(folder, await open_store(folder))
    await office.passwords.open()
    return office


async def test_an_account_is_added_with_a_generated_password(office):
    made = await office.service.add_account("Anna@Example.org", full_name="Anna Meier", **BY)
    assert (made.id, made.address) == ("anna", "Anna@example.org")
    assert made.password not in repr(made)
    assert await office.passwords.check("anna", made.password)
    account = office.service.get_account("anna")
    assert account.full_name == "Anna Meier"
    assert list(account.destinations) == ["Anna@example.org"]
    assert "[accounts.anna]" in office.folder.domains_toml.read_text()
    assert (await office.config.revisions())[0].note == "Added the account anna"


async def test_a_new_domain_starts_with_the_settings_for_it(office):
    office.new_domain = {"dkim": {"selectors": {"2026a": {}}}}
    await office.service.add_domain("one.test", description="One", **BY)
    await office.service.add_account("b@two.test", add_domain=True, **BY)
    domains = office.service.domains()
    assert domains["one.test"].description == "One"
    for name in ("one.test", "two.test"):
        assert list(domains[name].dkim.selectors) == ["2026a"]
    assert not domains["example.org"].dkim.selectors


async def test_a_chosen_password_is_kept_and_not_told_again(office):
    made = await office.service.add_account("anna@example.org", password=PASSWORD, **BY)
    assert made.password == ""
    assert await office.passwords.check("anna", PASSWORD)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("Jürgen.M@example.org", "jurgen.m"),
        ('"a b"@example.org', "a-b"),
        ("日本@example.org", "account"),
        ("+@example.org", "account"),
    ],
)
async def test_names_of_accounts_come_from_their_address(office, address, name):
    assert (await office.service.add_account(address, **BY)).id == name


async def test_the_same_localpart_in_two_domains_makes_two_accounts(office):
    await office.service.add_domain("example.net", **BY)
    first = await office.service.add_account("anna@example.org", **BY)
    second = await office.service.add_account("anna@example.net", **BY)
    assert (first.id, second.id) == ("anna", "anna-2")
    assert await office.passwords.check("anna", first.password)
    assert await office.passwords.check("anna-2", second.password)


async def test_what_stands_against_an_account_is_said_with_its_fix(office):
    service = office.service
    await service.add_account("anna@example.org", **BY)

    async def fault(error, code, address, **arguments):
        with pytest.raises(error) as caught:
            await service.add_account(address, **arguments, **BY)
        assert caught.value.problem.code == code
        assert caught.value.problem.fix

    await fault(ConflictError, "address.exists", "ANNA@example.org")
    await fault(ConflictError, "account.exists", "b@example.org", name="anna")
    await fault(UserError, "address.invalid", "no address")
    await fault(UserError, "domain.unknown", "anna@example.net")
    await fault(UserError, "account.catchall", "@example.org")
    await fault(UserError, "password.short", "b@example.org", password="short")
    with pytest.raises(ConfigError, match="not a usable name"):
        await service.add_account("b@example.org", name="Not Usable", **BY)
    assert list(service.accounts()) == ["anna"]
    assert len(await office.config.revisions()) == 2


async def test_a_failed_change_leaves_no_password_behind(office):
    async def refuses(old, new):
        raise ConfigError([])

    office.config.prepare_with(refuses)
    with pytest.raises(ConfigError):
        await office.service.add_account("anna@example.org", **BY)
    assert not office.passwords.has_password("anna")


async def test_the_domain_can_be_added_along(office):
    made = await office.service.add_account("me@gatepost.test", add_domain=True, **BY)
    assert made.id == "me"
    assert "gatepost.test" in office.service.domains()


async def test_in_practice_any_password_will_do(tmp_path):
    folder = new_folder(tmp_path / "practice", practice_mode=True)
    office = Office(folder, await open_store(folder))
    await office.passwords.open()
    await office.service.add_account("me@example.org", password="x", **BY)
    assert await office.passwords.check("me", "x")


async def test_an_account_is_removed_with_password_and_mail(office):
    await office.service.add_account("anna@example.org", **BY)
    await office.service.remove_account("anna", **BY)
    assert office.removed == ["anna"]
    assert not office.passwords.has_password("anna")
    assert office.service.accounts() == {}
    with pytest.raises(NotFoundError):
        await office.service.remove_account("anna", **BY)
    assert office.removed == ["anna"]


async def test_the_postmaster_setting_goes_with_its_account(office):
    await office.service.add_account("anna@example.org", **BY)
    domains = office.config.current.domains.model_copy(update={"postmaster_account": "anna"})
    await office.config.apply(domains, **BY)
    await office.service.remove_account("anna", **BY)
    assert office.config.current.domains.postmaster_account == ""


async def test_accounts_are_found_by_name_or_address(office):
    await office.service.add_account("Anna@example.org", **BY)
    assert office.service.find_account("anna") == "anna"
    assert office.service.find_account("anna@EXAMPLE.org") == "anna"
    with pytest.raises(NotFoundError):
        office.service.find_account("bob@example.org")
    with pytest.raises(NotFoundError):
        office.service.find_account("bob")


async def test_passwords_are_set_and_generated(office):
    await office.service.add_account("anna@example.org", **BY)
    assert await office.service.set_password("anna", PASSWORD) == ""
    assert await office.passwords.check("anna", PASSWORD)
    made = await office.service.set_password("anna")
    assert await office.passwords.check("anna", made)
    with pytest.raises(UserError):
        await office.service.set_password("anna", "short")
    with pytest.raises(NotFoundError):
        await office.service.set_password("gone", PASSWORD)


async def test_addresses_are_added_and_removed(office):
    service = office.service
    await service.add_account("anna@example.org", **BY)
    assert await service.add_address("anna", "Sales@EXAMPLE.org", mailbox="Sales", **BY)
    assert await service.add_address("anna", "@example.org", **BY) == "@example.org"
    destinations = service.get_account("anna").destinations
    assert list(destinations) == ["anna@example.org", "Sales@example.org", "@example.org"]
    assert destinations["Sales@example.org"].mailbox == "Sales"
    await service.remove_address("anna", "@example.org", **BY)
    await service.remove_address("anna", "Sales@example.org", **BY)
    assert list(service.get_account("anna").destinations) == ["anna@example.org"]
    with pytest.raises(NotFoundError):
        await service.remove_address("anna", "Sales@example.org", **BY)
    with pytest.raises(NotFoundError):
        await service.add_address("gone", "x@example.org", **BY)


async def test_addresses_that_are_taken_or_never_reached_are_refused(office):
    service = office.service
    await service.add_account("anna@example.org", **BY)
    await service.add_account("bob@example.org", **BY)
    await service.update_domain("example.org", {"catchall_separator": "+"}, **BY)
    await service.add_address("anna", "@example.org", **BY)
    for error, code, address in (
        (ConflictError, "address.exists", "Anna@example.org"),
        (ConflictError, "address.catchall_exists", "@example.org"),
        (UserError, "address.separator", "x+y@example.org"),
        (UserError, "domain.unknown", "@example.net"),
        (UserError, "address.invalid", "x"),
    ):
        with pytest.raises(error) as caught:
            await service.add_address("bob", address, **BY)
        assert caught.value.problem.code == code


async def test_domains_are_added_and_removed(office):
    service = office.service
    assert (await service.add_domain("Münster.example", **BY)).ascii == "xn--mnster-3ya.example"
    with pytest.raises(ConflictError):
        await service.add_domain("xn--mnster-3ya.example", **BY)
    with pytest.raises(UserError):
        await service.add_domain("no domain", **BY)
    await service.remove_domain("münster.example", **BY)
    assert list(service.domains()) == ["example.org"]
    with pytest.raises(NotFoundError):
        await service.remove_domain("münster.example", **BY)
    await service.add_account("anna@example.org", **BY)
    with pytest.raises(ConflictError, match="used by the account anna"):
        await service.remove_domain("example.org", **BY)


async def test_settings_are_changed_by_their_names(office):
    await office.service.add_account("anna@example.org", **BY)
    await office.service.update_account("anna", {"quota_bytes": 5, "disabled": True}, **BY)
    account = office.service.get_account("anna")
    assert (account.quota_bytes, account.disabled) == (5, True)
    assert list(account.destinations) == ["anna@example.org"]
    with pytest.raises(ConfigError, match="Did you mean"):
        await office.service.update_account("anna", {"quota_byte": 5}, **BY)
    with pytest.raises(NotFoundError):
        await office.service.update_account("gone", {}, **BY)


async def test_a_change_from_an_old_revision_is_a_conflict(office):
    first = office.config.current.revision
    await office.service.add_domain("example.net", **BY)
    with pytest.raises(ConflictError):
        await office.service.add_domain("example.com", base_revision=first, **BY)

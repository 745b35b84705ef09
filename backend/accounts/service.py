"""Adding and removing domains, accounts and addresses, and setting passwords: what the faces and the command line do.

All changes of settings go through the ConfigStore; this module finds the words for what is wrong with them.
"""

import asyncio
import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from backend.accounts.aliases import without_members
from backend.accounts.passwords import Passwords, check_password_rules, generate_password
from backend.config.fields import normal_address
from backend.config.load import domains_from_data
from backend.config.model import Account, Config, Destination, DomainsConfig, MailDomain
from backend.config.plan import to_lean
from backend.config.store import Applied, ConfigStore
from backend.core.address import AddressError, Domain, parse_address, parse_domain
from backend.core.errors import ConflictError, NotFoundError, UserError
from backend.core.ids import AccountId
from backend.core.problems import Problem
from backend.observe import log as logs

log = logs.get(__name__)


Also = Callable[[Config], Config]
"""What else a change of the configuration does, so that it is one."""


def _as_is(config: Config) -> Config:
    return config


@dataclass(frozen=True, slots=True)
class NewAccount:
    """`password` is set when it was generated here: to be shown once."""

    id: AccountId
    address: str
    password: str = field(default="", repr=False)


class AccountService:
    def __init__(
        self,
        config: ConfigStore,
        passwords: Passwords,
        *,
        on_removed: Callable[[AccountId], Awaitable[None]] | None = None,
        new_domain: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        """`on_removed` clears away the mail of an account that is gone from the configuration; `new_domain` gives the
        settings that a new domain starts with.
        """
        self._config = config
        self._passwords = passwords
        self._on_removed = on_removed
        self._new_domain = new_domain
        self._adding = asyncio.Lock()

    # --- domains -----------------------------------------------------------------------------------------------------

    def domains(self) -> dict[str, MailDomain]:
        return dict(self._config.current.domains.domains)

    async def add_domain(
        self,
        name: str,
        *,
        description: str = "",
        also: Also = _as_is,
        author: str,
        base_revision: int | None = None,
    ) -> Domain:
        """Raises:
        UserError: not a domain, or (ConflictError) it is there already.
        """
        domain = _domain(name)

        def change(config: Config) -> Config:
            if domain.ascii in config.domains.domains:
                raise _conflict(
                    "domain.exists",
                    f"The domain {domain.unicode} is here already.",
                    "Add accounts or addresses to it, or choose another name.",
                    "/name",
                )
            settings = {**self._new_domain(), "description": description}
            return also(_with(config, ("domains", domain.ascii), settings))

        await self._edit(change, author, f"Added the domain {domain}", base_revision)
        return domain

    async def remove_domain(
        self, name: str, *, author: str, base_revision: int | None = None
    ) -> None:
        """Raises:
        NotFoundError: there is no such domain.
        ConflictError: accounts have addresses in it.
        """
        domain = _domain(name)

        def change(config: Config) -> Config:
            _require_domain(config, domain.ascii)
            users = [
                account
                for account, settings in config.domains.accounts.items()
                if settings.domain == domain.ascii
                or any(key.endswith(f"@{domain.ascii}") for key in settings.destinations)
            ]
            if users:
                raise _conflict(
                    "domain.in_use",
                    f"The domain {domain.unicode} is used by the account{'s' if len(users) > 1 else ''} {', '.join(users[:5])}.",
                    "Remove those accounts, or their addresses in that domain, first.",
                )
            rest = {k: v for k, v in config.domains.domains.items() if k != domain.ascii}
            return _replaced(config, domains=rest)

        await self._edit(change, author, f"Removed the domain {domain}", base_revision)

    # --- accounts ----------------------------------------------------------------------------------------------------

    def accounts(self) -> dict[AccountId, Account]:
        return {AccountId(n): a for n, a in self._config.current.domains.accounts.items()}

    def get_account(self, account: str) -> Account:
        """Raises:
        NotFoundError: there is no such account.
        """
        return _require_account(self._config.current, account)

    def find_account(self, name: str) -> AccountId:
        """An account by its name or by one of its addresses.

        Raises:
            NotFoundError: there is none.
        """
        accounts = self._config.current.domains.accounts
        if name in accounts:
            return AccountId(name)
        try:
            key = normal_address(name)
        except AddressError:
            key = ""
        for account, settings in accounts.items():
            if key and any(key.lower() == other.lower() for other in settings.destinations):
                return AccountId(account)
        raise _no_account(name)

    async def add_account(
        self,
        address: str,
        *,
        password: str | None = None,
        name: str = "",
        full_name: str = "",
        add_domain: bool = False,
        more_addresses: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
        also: Also = _as_is,
        author: str,
        base_revision: int | None = None,
    ) -> NewAccount:
        """`password` None generates one. `name` empty takes it from the address. `add_domain` adds a missing domain.
        `settings`: others of the account, by their names.

        Raises:
            UserError: the address or password can't be used, the domain is not here, or (ConflictError) it exists.
            ConfigError: other faults.
        """
        key = _address(address)
        if key.startswith("@"):
            # Behaviour C2: a catch-all is added to an account that exists.
            raise UserError(
                Problem(
                    code="account.catchall",
                    path="/address",
                    message="An account can't be made with a catch-all address.",
                    fix="Make it with a full address, then add the catch-all to it.",
                )
            )
        self._require_password(password)
        secret = generate_password() if password is None else password
        keys = list(dict.fromkeys([key, *map(_address, more_addresses)]))
        domain_name = parse_address(key).domain.ascii
        made: list[str] = []

        def change(config: Config) -> Config:
            if domain_name not in config.domains.domains:
                if not add_domain:
                    raise _unknown_domain(domain_name)
                config = _with(config, ("domains", domain_name), self._new_domain())
            for each in keys:
                _require_free(config.domains, each)
            account = _account_name(config.domains, name, key)
            made[:] = [account]
            wanted = {
                **(settings or {}),
                "domain": domain_name,
                "full_name": full_name,
                "destinations": {each: {} for each in keys},
            }
            return also(_with(config, ("accounts", account), wanted))

        async with self._adding:
            # The password comes first: an account that nobody can sign in to would be worse than a password of nobody.
            await self._config.reload_from_disk()
            change(self._config.current)
            account = AccountId(made[0])
            await self._passwords.set(account, secret)
            try:
                await self._edit(change, author, f"Added the account {account}", base_revision)
            except BaseException:
                await self._passwords.remove(account)
                raise
            if made[0] != account:  # an edit of the file took the name in between
                await self._passwords.remove(account)
                account = AccountId(made[0])
                await self._passwords.set(account, secret)
        log.info("account added", account=account)
        return NewAccount(account, key, secret if password is None else "")

    async def remove_account(
        self, account: str, *, author: str, base_revision: int | None = None
    ) -> None:
        """Takes it out of the configuration, forgets its password, and has its mail cleared away.

        Raises:
            NotFoundError: there is no such account.
        """

        def change(config: Config) -> Config:
            gone = set(_require_account(config, account).destinations)
            config = replace(config, domains=without_members(config.domains, gone))
            rest = {k: v for k, v in config.domains.accounts.items() if k != account}
            new = _replaced(config, accounts=rest)
            if config.domains.postmaster_account == account:
                new = _replaced(new, postmaster_account="")
            return new

        await self._edit(change, author, f"Removed the account {account}", base_revision)
        await self._passwords.remove(AccountId(account))
        if self._on_removed is not None:
            await self._on_removed(AccountId(account))
        log.info("account removed", account=account)

    async def update_account(
        self,
        account: str,
        changes: dict[str, Any],
        *,
        author: str,
        base_revision: int | None = None,
    ) -> Applied:
        """Sets some of an account's settings, by their names.

        Raises:
            NotFoundError: there is no such account.
            ConfigError: a setting that does not exist or a value that can't be used.
        """

        def change(config: Config) -> Config:
            old = _require_account(config, account)
            return _with(config, ("accounts", account), {**to_lean(old), **changes})

        return await self._edit(change, author, f"Changed the account {account}", base_revision)

    async def update_domain(
        self,
        name: str,
        changes: dict[str, Any],
        *,
        author: str,
        base_revision: int | None = None,
    ) -> Applied:
        """As `update_account`, for a domain."""
        domain = _domain(name)

        def change(config: Config) -> Config:
            old = _require_domain(config, domain.ascii)
            return _with(config, ("domains", domain.ascii), {**to_lean(old), **changes})

        return await self._edit(change, author, f"Changed the domain {domain}", base_revision)

    # --- passwords ---------------------------------------------------------------------------------------------------

    def _require_password(self, password: str | None) -> None:
        if password is None:
            return
        practice = self._config.current.server.practice_mode
        problem = check_password_rules(password, practice=practice)
        if problem is not None:
            raise UserError(problem)

    async def set_password(self, account: str, password: str | None = None) -> str:
        """Sets the one given, or generates one and returns it (else an empty text).

        Raises:
            NotFoundError: there is no such account.
            UserError: the password can't be used.
        """
        _require_account(self._config.current, account)
        self._require_password(password)
        secret = generate_password() if password is None else password
        await self._passwords.set(AccountId(account), secret)
        log.info("password set", account=account)
        return secret if password is None else ""

    # --- addresses ---------------------------------------------------------------------------------------------------

    async def add_address(
        self,
        account: str,
        address: str,
        *,
        mailbox: str = "INBOX",
        author: str,
        base_revision: int | None = None,
    ) -> str:
        """`@example.org` adds the catch-all of the domain. Returns the address as it was written to the configuration.

        Raises:
            UserError: it can't be used, or (ConflictError) belongs to someone already.
            NotFoundError: there is no such account.
        """
        key = _address(address)

        def change(config: Config) -> Config:
            old = _require_account(config, account)
            _require_free(config.domains, key)
            destinations = {**to_lean(old).get("destinations", {}), key: {"mailbox": mailbox}}
            return _with(
                config, ("accounts", account), {**to_lean(old), "destinations": destinations}
            )

        await self._edit(change, author, f"Added the address {key} to {account}", base_revision)
        return key

    async def change_address(
        self, account: str, address: str, *, mailbox: str, author: str
    ) -> None:
        """Mail to it goes into that mailbox from now on.

        Raises:
            NotFoundError: the account, or the address in it, does not exist.
        """
        key = _address(address)

        def change(config: Config) -> Config:
            old = _require_account(config, account)
            _require_address(old, account, key)
            lean = to_lean(old)
            destinations = {**lean["destinations"], key: {"mailbox": mailbox}}
            return _with(config, ("accounts", account), {**lean, "destinations": destinations})

        await self._edit(change, author, f"Mail to {key} goes into {mailbox}", None)

    async def remove_address(
        self, account: str, address: str, *, author: str, base_revision: int | None = None
    ) -> None:
        """Mail to it is rejected from now on, unless a catch-all takes it.

        Raises:
            NotFoundError: the account, or the address in it, does not exist.
            ConflictError: it is the only member of an alias.
        """
        key = _address(address)

        def change(config: Config) -> Config:
            old = _require_account(config, account)
            _require_address(old, account, key)
            rest: dict[str, Destination] = {k: v for k, v in old.destinations.items() if k != key}
            new = old.model_copy(update={"destinations": rest})
            config = replace(config, domains=without_members(config.domains, {key}))
            return _replaced(config, accounts={**config.domains.accounts, account: new})

        note = f"Removed the address {key} from {account}"
        await self._edit(change, author, note, base_revision)

    async def _edit(
        self,
        change: Callable[[Config], Config],
        author: str,
        note: str,
        base_revision: int | None,
    ) -> Applied:
        return await self._config.edit(
            change, author=author, note=note, base_revision=base_revision
        )


def _conflict(code: str, message: str, fix: str, path: str = "") -> ConflictError:
    return ConflictError(Problem(code=code, path=path, message=message, fix=fix))


def _domain(name: str) -> Domain:
    try:
        return parse_domain(name)
    except AddressError as error:
        raise UserError(
            Problem(
                code="domain.invalid",
                path="/name",
                message=f"{error}.",
                fix="Enter a domain such as example.org.",
            )
        ) from error


def _address(text: str) -> str:
    try:
        return normal_address(text)
    except AddressError as error:
        raise UserError(
            Problem(
                code="address.invalid",
                path="/address",
                message=f"{error}.",
                fix="Enter an address such as anna@example.org.",
            )
        ) from error


def _no_account(name: str) -> NotFoundError:
    return NotFoundError(
        Problem(
            code="account.unknown",
            subject=name,
            message=f"There is no account “{name}”.",
            fix="See the accounts with: gatepost account list",
        )
    )


def _unknown_domain(name: str) -> UserError:
    return UserError(
        Problem(
            code="domain.unknown",
            path="/address",
            subject=name,
            message=f"The domain {name} is not one of this server's.",
            fix=f"Add it first: gatepost domain add {name}",
        )
    )


def _require_account(config: Config, name: str) -> Account:
    account = config.domains.accounts.get(name)
    if account is None:
        raise _no_account(name)
    return account


def _require_address(settings: Account, account: str, key: str) -> None:
    if key not in settings.destinations:
        raise NotFoundError(
            Problem(
                code="address.unknown",
                subject=key,
                message=f"The account “{account}” has no address {key}.",
                fix="Its addresses are: " + ", ".join(settings.destinations) + ".",
            )
        )


def _require_domain(config: Config, name: str) -> MailDomain:
    domain = config.domains.domains.get(name)
    if domain is None:
        raise NotFoundError(
            Problem(
                code="domain.unknown",
                subject=name,
                message=f"There is no domain {name} here.",
                fix="See the domains with: gatepost domain list",
            )
        )
    return domain


def _require_free(domains: DomainsConfig, key: str) -> None:
    """Behaviour C2 and C3, before anything is changed."""
    localpart, _, domain_name = key.rpartition("@")
    domain = domains.domains.get(domain_name)
    if domain is None:
        raise _unknown_domain(domain_name)
    local = parse_address(key).localpart if localpart else ""
    if local and domain.catchall_separator and domain.catchall_separator in local:
        raise UserError(
            Problem(
                code="address.separator",
                path="/address",
                message=f"The address may not hold “{domain.catchall_separator}”: the domain uses it for variants of an address.",
                fix=f"Use {local.split(domain.catchall_separator)[0]}@{domain_name}, which takes mail for all its variants.",
            )
        )
    if local and any(
        domain.canonical_localpart(name) == domain.canonical_localpart(local)
        for name in domain.aliases
    ):
        raise _conflict(
            "address.exists",
            f"The address {key} is an alias already.",
            "Choose another address, or remove the alias first.",
            "/address",
        )
    for account, settings in domains.accounts.items():
        for other in settings.destinations:
            other_local, _, other_domain = other.rpartition("@")
            if other_domain != domain_name or bool(other_local) != bool(localpart):
                continue
            if not localpart:
                raise _conflict(
                    "address.catchall_exists",
                    f"catchall address already configured for domain {domain_name}, in account “{account}”.",
                    "Remove it there first.",
                    "/address",
                )
            theirs = domain.canonical_localpart(parse_address(other).localpart)
            if theirs == domain.canonical_localpart(local):
                raise _conflict(
                    "address.exists",
                    f"The address {key} belongs to the account “{account}” already.",
                    "Choose another address, or remove it there first.",
                    "/address",
                )


def _account_name(domains: DomainsConfig, wanted: str, address: str) -> str:
    if wanted:
        if wanted in domains.accounts:
            raise _conflict(
                "account.exists",
                f"There is an account “{wanted}” already.",
                "Choose another name.",
                "/name",
            )
        return wanted
    localpart = parse_address(address).localpart
    plain = unicodedata.normalize("NFKD", localpart).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9._-]+", "-", plain).strip("-._")[:48] or "account"
    candidates = [base, *(f"{base}-{number}" for number in range(2, 100_002))]
    return next(name for name in candidates if name not in domains.accounts)


def _replaced(config: Config, **changes: object) -> Config:
    return replace(config, domains=config.domains.model_copy(update=changes))


def _with(config: Config, path: tuple[str, str], settings: dict[str, Any]) -> Config:
    """The configuration with a table set, checked by the models."""
    data = to_lean(config.domains)
    group, key = path
    data[group] = {**data.get(group, {}), key: settings}
    return replace(config, domains=domains_from_data(data))

"""Adding, changing and removing aliases, and what becomes of them when a member's address goes."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from backend.config.alias import Alias
from backend.config.fields import normal_address
from backend.config.load import domains_from_data
from backend.config.model import Config, DomainsConfig, MailDomain
from backend.config.plan import to_lean
from backend.config.store import ConfigStore
from backend.core.address import AddressError, parse_address, quote_localpart
from backend.core.errors import ConflictError, NotFoundError, UserError
from backend.core.problems import Problem


@dataclass(frozen=True, slots=True)
class Named:
    """An alias with its address."""

    localpart: str
    domain: str
    alias: Alias

    @property
    def address(self) -> str:
        return f"{quote_localpart(self.localpart)}@{self.domain}"


def list_aliases(domains: DomainsConfig, domain: str = "") -> list[Named]:
    """Of one domain, or of all, by their addresses."""
    found = [
        Named(localpart, name, alias)
        for name, settings in domains.domains.items()
        if not domain or name == domain
        for localpart, alias in settings.aliases.items()
    ]
    return sorted(found, key=lambda each: (each.domain, each.localpart))


def find_alias(domains: DomainsConfig, address: str) -> Named:
    """Raises:
    NotFoundError: there is none with that address.
    """
    with suppress(UserError):
        localpart, domain_name = _split(address)
        domain = domains.domains.get(domain_name, MailDomain())
        for name, alias in domain.aliases.items():
            if domain.canonical_localpart(name) == domain.canonical_localpart(localpart):
                return Named(name, domain_name, alias)
    raise NotFoundError(
        Problem(
            code="alias.unknown",
            subject=address,
            message=f"There is no alias {address}.",
            fix="See the aliases with: gatepost alias list",
        )
    )


async def add_alias(
    config: ConfigStore,
    address: str,
    settings: dict[str, Any],
    *,
    author: str,
    base_revision: int | None = None,
) -> Named:
    """`settings` by their names in `config.alias.Alias`; members as addresses.

    Raises:
        UserError: the address can't be used, or (ConflictError) it is an alias already.
        ConfigError: other faults, such as a member that is no address here.
    """
    localpart, domain_name = _split(address)

    def change(current: Config) -> Config:
        domain = current.domains.domains.get(domain_name)
        if domain is None:
            raise UserError(
                Problem(
                    code="domain.unknown",
                    path="/address",
                    subject=domain_name,
                    message=f"The domain {domain_name} is not one of this server's.",
                    fix=f"Add it first: gatepost domain add {domain_name}",
                )
            )
        if localpart in domain.aliases:
            raise ConflictError(
                Problem(
                    code="alias.exists",
                    path="/address",
                    message=f"There is an alias {address} already.",
                    fix="Change that one, or choose another address.",
                )
            )
        return _with_alias(current, domain_name, localpart, settings)

    await config.edit(
        change, author=author, note=f"Added the alias {address}", base_revision=base_revision
    )
    return find_alias(config.current.domains, address)


async def change_alias(
    config: ConfigStore,
    address: str,
    settings: dict[str, Any],
    *,
    author: str,
    base_revision: int | None = None,
) -> Named:
    """Sets those that are given.

    Raises:
        NotFoundError: there is no such alias.
        ConfigError: a value that can't be used.
    """

    def change(current: Config) -> Config:
        named = find_alias(current.domains, address)
        values = {**to_lean(named.alias), **settings}
        return _with_alias(current, named.domain, named.localpart, values)

    await config.edit(
        change, author=author, note=f"Changed the alias {address}", base_revision=base_revision
    )
    return find_alias(config.current.domains, address)


async def remove_alias(
    config: ConfigStore, address: str, *, author: str, base_revision: int | None = None
) -> None:
    """Mail to it is rejected from now on, unless a catch-all takes it.

    Raises:
        NotFoundError: there is no such alias.
    """

    def change(current: Config) -> Config:
        named = find_alias(current.domains, address)
        return _with_alias(current, named.domain, named.localpart, None)

    await config.edit(
        change, author=author, note=f"Removed the alias {address}", base_revision=base_revision
    )


def without_members(domains: DomainsConfig, gone: set[str]) -> DomainsConfig:
    """The settings after these addresses have left all aliases.

    Raises:
        ConflictError: an alias would have no members left.
    """
    changed = dict(domains.domains)
    for named in list_aliases(domains):
        left = [member for member in named.alias.members if member not in gone]
        if len(left) == len(named.alias.members):
            continue
        if not left:
            raise ConflictError(
                Problem(
                    code="alias.last_member",
                    subject=named.address,
                    message=f"{named.alias.members[0]} is the only member of the alias {named.address}.",
                    fix=f"Give the alias another member first, or remove it: gatepost alias remove {named.address}",
                )
            )
        domain = changed[named.domain]
        alias = named.alias.model_copy(update={"members": left})
        aliases = {**domain.aliases, named.localpart: alias}
        changed[named.domain] = domain.model_copy(update={"aliases": aliases})
    return domains.model_copy(update={"domains": changed})


def _split(text: str) -> tuple[str, str]:
    try:
        address = parse_address(normal_address(text))
    except AddressError as error:
        raise UserError(
            Problem(
                code="address.invalid",
                path="/address",
                message=f"{error}.",
                fix="Enter an address such as family@example.org.",
            )
        ) from error
    return address.localpart, address.domain.ascii


def _with_alias(
    config: Config, domain: str, localpart: str, settings: dict[str, Any] | None
) -> Config:
    data = to_lean(config.domains)
    aliases = {**data["domains"][domain].get("aliases", {}), localpart: settings}
    kept = {name: values for name, values in aliases.items() if values is not None}
    data["domains"] = {
        **data["domains"],
        domain: {**data["domains"][domain], "aliases": kept},
    }
    return replace(config, domains=domains_from_data(data))

"""Aliases: one address for several people."""

from collections.abc import Sequence

from backend.accounts.aliases import (
    Named,
    add_alias,
    change_alias,
    find_alias,
    list_aliases,
    remove_alias,
)
from backend.admin.call import Call, Handler
from backend.api import aliases as a
from backend.api import types as t
from backend.config.model import DomainsConfig
from backend.core.address import Address, AddressError, parse_address, parse_domain


def _describe(domains: DomainsConfig, named: Named) -> a.Alias:
    return _all_described(domains, [named])[0]


def _all_described(domains: DomainsConfig, aliases: Sequence[Named]) -> list[a.Alias]:
    owners = {
        key.lower(): name
        for name, account in domains.accounts.items()
        for key in account.destinations
    }
    return [
        a.Alias(
            address=named.address,
            localpart=named.localpart,
            domain=named.domain,
            description=named.alias.description,
            members=[
                a.AliasMember(address=key, account=owners.get(_plain(domains, key), ""))
                for key in named.alias.members
            ],
            post_public=named.alias.post_public,
            list_members=named.alias.list_members,
            send_as=named.alias.send_as,
        )
        for named in aliases
    ]


def _plain(domains: DomainsConfig, key: str) -> str:
    """Without the variant behind the separator."""
    address = parse_address(key)
    domain = domains.domains.get(address.domain.ascii)
    local = domain.canonical_localpart(address.localpart) if domain else address.localpart
    return str(Address(local, address.domain)).lower()


async def aliases(call: Call) -> a.Aliases:
    domain = call.query(a.AliasQuery).domain
    try:
        domain = parse_domain(domain).ascii if domain else ""
    except AddressError:
        return a.Aliases(items=[])
    domains = call.services.config.current.domains
    return a.Aliases(items=_all_described(domains, list_aliases(domains, domain)))


async def alias(call: Call) -> a.Alias:
    named = find_alias(call.services.config.current.domains, call.path("address"))
    return _describe(call.services.config.current.domains, named)


async def add(call: Call) -> a.Alias:
    body = call.body(a.AddAlias)
    settings = body.model_dump(exclude={"address"})
    named = await add_alias(call.services.config, body.address, settings, author=call.author)
    return _describe(call.services.config.current.domains, named)


async def change(call: Call) -> a.Alias:
    settings = call.body(a.ChangeAlias).model_dump(exclude_none=True)
    address = call.path("address")
    named = await change_alias(call.services.config, address, settings, author=call.author)
    return _describe(call.services.config.current.domains, named)


async def remove(call: Call) -> t.Empty:
    await remove_alias(call.services.config, call.path("address"), author=call.author)
    return t.Empty()


HANDLERS: dict[str, Handler] = {
    "aliases": aliases,
    "alias": alias,
    "add_alias": add,
    "change_alias": change,
    "remove_alias": remove,
}

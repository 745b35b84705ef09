"""Domains: list, look at, add, remove; all addresses with whose they are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.admin.checks import summarise
from backend.admin.services import Services
from backend.api import domains as d
from backend.api import types as t
from backend.api.summaries import DnsSummary
from backend.config.model import Config, DomainsConfig, MailDomain
from backend.core.address import AddressError, Domain, parse_domain
from backend.core.errors import NotFoundError
from backend.core.problems import Problem
from backend.mailauth.selectors import DomainKeys

OLD_KEY_S = 400 * 86_400
"""Keys should be changed about once a year (M3AAWG); a month of grace."""


@dataclass(slots=True)
class _Counts:
    accounts: int = 0
    addresses: int = 0
    catch_all: str = ""


def _counts(domains: DomainsConfig) -> dict[str, _Counts]:
    """Of all domains, in one go over the accounts."""
    counts = {name: _Counts() for name in domains.domains}
    for name, account in domains.accounts.items():
        present = {account.domain}
        for key in account.destinations:
            local, _, domain = key.rpartition("@")
            present.add(domain)
            if domain not in counts:
                continue
            if local:
                counts[domain].addresses += 1
            else:
                counts[domain].catch_all = name
        for domain in present & counts.keys():
            counts[domain].accounts += 1
    return counts


def _describe(
    name: str, settings: MailDomain, counts: _Counts, keys: DomainKeys, dns: DnsSummary | None
) -> t.Domain:
    ages = [each.made_at for each in keys.selectors if each.signs and each.made_at is not None]
    return t.Domain(
        name=name,
        unicode=Domain(name).unicode,
        description=settings.description,
        disabled=settings.disabled,
        accounts=counts.accounts,
        addresses=counts.addresses,
        aliases=len(settings.aliases),
        catch_all=counts.catch_all,
        catchall_separator=settings.catchall_separator,
        localpart_case_sensitive=settings.localpart_case_sensitive,
        signed=bool(keys.sign),
        dkim_made_at=wire.at(min(ages)) if ages else None,
        mta_sts=settings.mta_sts.mode,
        dns=dns,
    )


async def _describe_one(services: Services, name: str) -> t.Domain:
    domains = services.config.current.domains
    keys = await services.dkim.describe(name)
    dns = summarise(services.checkups.last(name))
    return _describe(name, domains.domains[name], _counts(domains)[name], keys, dns)


def named(call: Call) -> str:
    """The domain in the path, in A-labels.

    Raises:
        NotFoundError: there is none of that name.
    """
    given = call.path("domain")
    try:
        name = parse_domain(given).ascii
    except AddressError:
        name = given
    if name not in call.services.config.current.domains.domains:
        raise NotFoundError(
            Problem(
                code="domain.unknown",
                message=f"There is no domain {given} here.",
                fix="It may have been removed; the list of domains shows those that there are.",
            )
        )
    return name


async def domains(call: Call) -> t.Domains:
    services = call.services
    config = services.config.current.domains
    counts = _counts(config)
    items = []
    for name in sorted(config.domains):
        keys = await services.dkim.describe(name)
        dns = summarise(services.checkups.last(name))
        items.append(_describe(name, config.domains[name], counts[name], keys, dns))
    return t.Domains(items=items)


async def domain(call: Call) -> d.DomainView:
    name = named(call)
    found = await _describe_one(call.services, name)
    steps = _steps(found, call.services.config.current, call.services.clock.time())
    return d.DomainView(domain=found, steps=list(steps))


def _steps(domain: t.Domain, config: Config, now: float) -> Iterator[d.NextStep]:
    page = f"/domains/{quote(domain.name)}"
    if domain.disabled:
        yield d.NextStep(
            id="disabled",
            severity="required",
            title="The domain is switched off",
            text="Mail for it is put off, and nobody can send from it.",
            verb="Open the settings",
            page=f"{page}/settings",
        )
    if not domain.addresses and not domain.aliases and not domain.catch_all:
        yield d.NextStep(
            id="address",
            severity="required",
            title="Nobody has an address here yet",
            text="Mail to the domain is refused until somebody has one.",
            verb="Add an account",
            page=f"/accounts/new?domain={quote(domain.name)}",
        )
    if not config.server.practice_mode:
        yield from _dns_step(domain, page)
    if not domain.signed:
        yield d.NextStep(
            id="unsigned",
            severity="recommended",
            title="Mail leaves without a signature",
            text="Others can't tell that it is really from you, and may treat it as junk.",
            verb="Choose a key",
            page=f"{page}/dkim",
        )
    elif domain.dkim_made_at is not None and now - domain.dkim_made_at.timestamp() > OLD_KEY_S:
        yield d.NextStep(
            id="old_key",
            severity="optional",
            title="The key for signatures is more than a year old",
            text="A new one once a year limits the harm of a key that somebody copied.",
            verb="Change the keys",
            page=f"{page}/dkim/rotate",
        )
    if not config.server.practice_mode and domain.mta_sts == "off":
        yield d.NextStep(
            id="mta_sts",
            severity="optional",
            title="Mail to the domain may come unencrypted",
            text="A rule (MTA-STS) asks other servers to deliver over verified TLS only.",
            verb="Open the policies",
            page=f"{page}/policies",
        )


def _dns_step(domain: t.Domain, page: str) -> Iterator[d.NextStep]:
    if domain.dns is None:
        yield d.NextStep(
            id="dns",
            severity="recommended",
            title="See whether the DNS records are published",
            text="Without them mail from elsewhere does not find the way here.",
            verb="Check the DNS records",
            page=f"{page}/dns",
        )
    elif domain.dns.state in {"fail", "warn"}:
        yield d.NextStep(
            id="dns",
            severity="required" if domain.dns.state == "fail" else "recommended",
            title=domain.dns.headline,
            text=f"{domain.dns.score} records that matter are as they should be.",
            verb="Open the DNS records",
            page=f"{page}/dns",
        )


async def add_domain(call: Call) -> t.Domain:
    body = call.body(t.AddDomain)
    added = await call.services.accounts.add_domain(
        body.name, description=body.description, author=call.author
    )
    return await _describe_one(call.services, added.ascii)


async def remove_domain(call: Call) -> t.Empty:
    await call.services.accounts.remove_domain(call.path("domain"), author=call.author)
    return t.Empty()


# --- addresses -----------------------------------------------------------------------------------------------------------


def _entries(config: DomainsConfig, domain: str) -> Iterator[d.AddressEntry]:
    for name, account in config.accounts.items():
        for key, destination in account.destinations.items():
            local, _, where = key.rpartition("@")
            if domain and where != domain:
                continue
            yield d.AddressEntry(
                address=key,
                kind="account" if local else "catch_all",
                owner=name,
                title=account.full_name or name,
                mailbox=destination.mailbox,
                page=f"/accounts/{quote(name)}/addresses",
            )
    for where in [domain] if domain else config.domains:
        for local, alias in config.domains[where].aliases.items():
            address = f"{local}@{where}"
            yield d.AddressEntry(
                address=address,
                kind="alias",
                owner=address,
                title=alias.description or "Alias",
                members=len(alias.members),
                page=f"/aliases/{quote(address, safe='@')}",
            )


async def addresses(call: Call) -> d.AddressEntries:
    query, config = call.query(d.AddressQuery), call.services.config.current.domains
    try:
        domain = parse_domain(query.domain).ascii if query.domain else ""
    except AddressError:
        domain = query.domain
    if domain and domain not in config.domains:
        return d.AddressEntries(items=[])
    words = query.search.casefold().split()
    found = [
        each
        for each in _entries(config, domain)
        if (not query.kind or each.kind == query.kind) and _has(each, words)
    ]
    column = query.sort.lstrip("-") or "address"
    found.sort(key=lambda each: _sort_key(each, column), reverse=query.sort.startswith("-"))
    page = found[query.offset :][: query.limit or len(found)]
    return d.AddressEntries(items=page, total=len(found))


def _has(entry: d.AddressEntry, words: Iterable[str]) -> bool:
    text = f"{entry.address} {entry.owner} {entry.title}".casefold()
    return all(word in text for word in words)


def _sort_key(entry: d.AddressEntry, column: str) -> Any:
    return str(getattr(entry, column)).casefold(), entry.address


HANDLERS: dict[str, Handler] = {
    "domains": domains,
    "domain": domain,
    "add_domain": add_domain,
    "remove_domain": remove_domain,
    "addresses": addresses,
}

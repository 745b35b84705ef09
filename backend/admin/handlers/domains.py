"""Domains: list, add, remove."""

from backend.admin.call import Call, Handler
from backend.admin.checks import summarise
from backend.api import types as t
from backend.api.summaries import DnsSummary
from backend.config.model import Config
from backend.core.address import Domain


def describe(config: Config, name: str, *, dns: DnsSummary | None = None) -> t.Domain:
    settings = config.domains.domains[name]
    ending = f"@{name}"
    addresses, accounts, catch_all = 0, 0, ""
    for account, owner in config.domains.accounts.items():
        own = [key for key in owner.destinations if key.endswith(ending)]
        addresses += len([key for key in own if key != ending])
        accounts += 1 if own or owner.domain == name else 0
        if ending in own:
            catch_all = account
    return t.Domain(
        name=name,
        unicode=Domain(name).unicode,
        description=settings.description,
        disabled=settings.disabled,
        accounts=accounts,
        addresses=addresses,
        catch_all=catch_all,
        catchall_separator=settings.catchall_separator,
        localpart_case_sensitive=settings.localpart_case_sensitive,
        dns=dns,
    )


async def domains(call: Call) -> t.Domains:
    config = call.services.config.current
    checkups = call.services.checkups
    return t.Domains(
        items=[
            describe(config, name, dns=summarise(checkups.last(name)))
            for name in sorted(config.domains.domains)
        ]
    )


async def add_domain(call: Call) -> t.Domain:
    body = call.body(t.AddDomain)
    added = await call.services.accounts.add_domain(
        body.name, description=body.description, author=call.author
    )
    return describe(call.services.config.current, added.ascii)


async def remove_domain(call: Call) -> t.Empty:
    await call.services.accounts.remove_domain(call.path("domain"), author=call.author)
    return t.Empty()


HANDLERS: dict[str, Handler] = {
    "domains": domains,
    "add_domain": add_domain,
    "remove_domain": remove_domain,
}

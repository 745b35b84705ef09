"""What the wizards of transports and routes share: a rule in words, whose list it stands in, and what SPF has to say."""

from collections.abc import Mapping, Sequence
from typing import Any

from backend.admin.flows.steps import Visit
from backend.admin.forms.form import checked, with_domains
from backend.api import forms as f
from backend.checkup.facts import gather_facts
from backend.checkup.records import expected_records, wanted_spf
from backend.config.model import Config
from backend.config.routing import Route
from backend.outbound.catalogue import Place
from backend.outbound.forecast import sentence, spans
from backend.outbound.route import Level

MAX_SPF_DOMAINS = 20  # that are spoken of one by one
SAMPLE = "example.net"  # stands for any other domain


def routes_at(config: Config, level: Level, owner: str) -> Sequence[Route]:
    match level:
        case Level.ACCOUNT:
            account = config.domains.accounts.get(owner)
            return account.routes if account is not None else ()
        case Level.DOMAIN:
            domain = config.domains.domains.get(owner)
            return domain.routes if domain is not None else ()
        case _:
            return config.domains.routes


def with_route(config: Config, place: Place, settings: Mapping[str, Any]) -> Config:
    """`place.position` 0 appends it."""
    route = checked(Route, settings)
    routes = list(routes_at(config, place.level, place.owner))
    index = len(routes) if place.position < 1 else min(place.position - 1, len(routes))
    routes.insert(index, route)
    domains = config.domains
    match place.level:
        case Level.ACCOUNT:
            account = domains.accounts[place.owner].model_copy(update={"routes": routes})
            return with_domains(config, accounts={**domains.accounts, place.owner: account})
        case Level.DOMAIN:
            domain = domains.domains[place.owner].model_copy(update={"routes": routes})
            return with_domains(config, domains={**domains.domains, place.owner: domain})
        case _:
            return with_domains(config, routes=routes)


def in_words(route: Route) -> str:
    """The rule as a sentence."""
    sender = _either(route.from_domain)
    to = _either(route.to_domain)
    parts = [f"Mail{f' from {sender}' if sender else ''} to {to or 'anyone'}"]
    if route.minimum_attempts:
        times = (
            "one failed attempt"
            if route.minimum_attempts == 1
            else f"{route.minimum_attempts} failed attempts"
        )
        parts.append(f"after {times}")
    return f"{', '.join(parts)}: through “{route.transport}”."


def _either(names: Sequence[str]) -> str:
    shown = [f"{each[1:]} and all below it" if each.startswith(".") else each for each in names]
    if len(shown) > 5:
        return f"{', '.join(shown[:5])} or {len(shown) - 5} more"
    return " or ".join(shown)


def forecast(visit: Visit, new: Config, place: Place, route: Route) -> str:
    """What the tester says of a message that the rule could be for."""
    account, sender = "", (route.from_domain or [""])[0].lstrip(".")
    if place.level is Level.ACCOUNT:
        account = place.owner
        sender = sender or new.domains.accounts[place.owner].domain
    elif place.level is Level.DOMAIN:
        sender = sender or place.owner
    to = (route.to_domain or [SAMPLE])[0].lstrip(".")
    # The owner's list as it would be, beside those that hold for such a message today.
    drafts = {place.level: routes_at(new, place.level, place.owner)}
    in_all = new.server.outbound.max_attempts
    ways = [
        visit.services.outbound.choices.evaluate(
            account=account, sender_domain=sender, recipient_domain=to, attempts=n, drafts=drafts
        )
        for n in range(in_all)
    ]
    return (
        f"A message{f' from {sender}' if sender else ''} to {to}: {sentence(spans(ways), in_all)}."
    )


def spf_effects(old: Config, new: Config) -> list[f.Effect]:
    """The SPF record of each domain, where it must change."""
    effects = []
    names = list(new.domains.domains)
    for name in names[:MAX_SPF_DOMAINS]:
        before = wanted_spf(gather_facts(old, name))
        after = wanted_spf(gather_facts(new, name))
        if before != after:
            records = expected_records(gather_facts(new, name))
            value = next(each.values[0] for each in records if each.code == "spf")
            text = f"DNS record to change for {name}: TXT {name}: {value}"
            effects.append(f.Effect(text=text, kind="dns", page=f"/domains/{name}/dns"))
    if effects and len(names) > MAX_SPF_DOMAINS:
        text = "The records of other domains change in the same way."
        effects.append(f.Effect(text=text, kind="dns", page="/domains"))
    return effects

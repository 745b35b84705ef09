"""Adding a route: whose mail, from where, to where, after how many attempts, through which transport, at which place."""

from typing import Any

from backend.admin.flows import parts, routing
from backend.admin.flows.state import FlowState
from backend.admin.flows.steps import DoneStep, FlowType, FormStep, ReviewStep, Step, Visit
from backend.admin.forms.form import Values, checked
from backend.admin.specs.check import Fault
from backend.admin.specs.compile import SOURCES, compile_fields
from backend.api import flows as w
from backend.api import forms as f
from backend.api.conditions import is_in
from backend.config.model import Config
from backend.config.routing import Route
from backend.outbound.catalogue import Place
from backend.outbound.route import Level

MAX_PLACES = 200  # that can be chosen from; a longer list is arranged on its page


def place_of(visit: Visit) -> Place:
    text = visit.text("scope", "level")
    level = Level(text) if text in set(Level) else Level.SERVER
    owner = {Level.ACCOUNT: "account", Level.DOMAIN: "domain"}.get(level)
    at = visit.values("place").get("position", 0)
    return Place(
        level, visit.text("scope", owner) if owner else "", int(at) if isinstance(at, int) else 0
    )


def settings_of(visit: Visit) -> dict[str, Any]:
    return {**Rule().plain(visit), **Way().plain(visit)}


class Scope(FormStep):
    id = "scope"
    title = "Whose mail?"
    short = "Whose mail"
    intro = "A route decides which way out mail takes."
    why = "The routes of the account are looked at first, then those of the sender's domain, then those of the server. The first that matches is taken."

    def fields(self, visit: Visit) -> list[f.Field]:
        has_accounts = "" if visit.config.domains.accounts else "There is no account yet."
        has_domains = "" if visit.config.domains.domains else "There is no domain yet."
        return [
            f.Field(
                key="level",
                kind="choice",
                label="The route is for",
                default="server",
                widget="radio",
                choices=[
                    f.Choice(value="server", label="All mail that leaves"),
                    f.Choice(value="domain", label="Mail from one domain", disabled=has_domains),
                    f.Choice(
                        value="account", label="Mail that one account sends", disabled=has_accounts
                    ),
                ],
            ),
            parts.domain_field(visit).model_copy(
                update={
                    "show_if": is_in("level", "domain"),
                    "label": "Domain",
                    "help": "Of the sender.",
                }
            ),
            parts.account_choice(show_if=is_in("level", "account")),
        ]

    def first(self, visit: Visit) -> Values:
        context, domains = visit.state.context, visit.config.domains
        if context.get("account", "") in domains.accounts:
            return {"level": "account", "account": context["account"]}
        if context.get("domain", "") in domains.domains:
            return {"level": "domain", "domain": context["domain"]}
        return {"domain": next(iter(domains.domains), "")}

    async def check(self, visit: Visit) -> list[Fault]:
        place = place_of(visit)
        domains = visit.config.domains
        if place.level is Level.ACCOUNT and place.owner not in domains.accounts:
            return [
                Fault(
                    "account.unknown",
                    ("account",),
                    "There is no such account.",
                    "Choose one of the list.",
                )
            ]
        if place.level is Level.DOMAIN and place.owner not in domains.domains:
            return [
                Fault(
                    "domain.unknown",
                    ("domain",),
                    "There is no such domain.",
                    "Choose one of the list.",
                )
            ]
        return []


class Rule(FormStep):
    id = "rule"
    title = "Which of it?"
    short = "Which of it"
    intro = "What is left empty fits everything."
    why = "“.example.org” stands for example.org and all domains below it."

    def fields(self, visit: Visit) -> list[f.Field]:
        wanted = ["to_domain", "minimum_attempts"]
        if visit.text("scope", "level") != "domain":
            wanted.insert(0, "from_domain")
        return [
            each.model_copy(update={"level": "basic"})
            for each in compile_fields(Route, only=wanted)
        ]

    async def check(self, visit: Visit) -> list[Fault]:
        checked(Route, {**self.plain(visit), "transport": "any"})
        return []


class Way(FormStep):
    id = "way"
    title = "Through which transport?"
    short = "Transport"

    def fields(self, visit: Visit) -> list[f.Field]:  # noqa: ARG002  # the same for all
        transport, comment = compile_fields(Route, only=["transport", "comment"])
        source = SOURCES["transports"].model_copy(update={"create": "/transports/new"})
        return [transport.model_copy(update={"choices_from": source}), comment]

    def first(self, visit: Visit) -> Values:
        known = list(visit.config.domains.transports)
        wanted = visit.state.context.get("transport", "")
        if wanted in known:
            return {"transport": wanted}
        return {"transport": known[0]} if len(known) == 1 else {}

    async def check(self, visit: Visit) -> list[Fault]:
        if visit.text("way", "transport") not in visit.config.domains.transports:
            text, fix = "There is no such transport.", "Choose one of the list, or add it first."
            return [Fault("route.unknown_transport", ("transport",), text, fix)]
        checked(Route, settings_of(visit))
        return []


class Where(FormStep):
    id = "place"
    title = "At which place?"
    short = "Place"
    intro = "The first route that matches is taken, so the order counts."

    def fields(self, visit: Visit) -> list[f.Field]:
        place = place_of(visit)
        routes = routing.routes_at(visit.config, place.level, place.owner)
        choices = [f.Choice(value=0, label="At the end")]
        choices += [
            f.Choice(value=number, label=f"Before {number}. {routing.in_words(each)}")
            for number, each in enumerate(routes[:MAX_PLACES], 1)
        ]
        return [
            f.Field(
                key="position",
                kind="choice",
                label="Place",
                default=0,
                widget="radio" if len(choices) < 6 else "",
                choices=choices,
            )
        ]


class Review(ReviewStep):
    id = "review"
    title = "Add the route"
    intro = "Nothing has been changed so far."
    primary = "Add the route"

    def rows(self, visit: Visit) -> list[w.ReviewRow]:
        place = place_of(visit)
        whose = {
            Level.SERVER: "all mail that leaves",
            Level.DOMAIN: f"mail from {place.owner}",
            Level.ACCOUNT: f"mail of the account “{place.owner}”",
        }[place.level]
        where = f"before the present {place.position}." if place.position else "at the end"
        return [
            w.ReviewRow(label="For", value=whose, step="scope"),
            w.ReviewRow(label="Rule", value=routing.in_words(_route(visit)), step="rule"),
            w.ReviewRow(label="Through", value=visit.text("way", "transport"), step="way"),
            w.ReviewRow(label="Place", value=where, step="place"),
        ]

    async def effects(self, visit: Visit) -> list[f.Effect]:
        new = parts.planned(visit, lambda config: _change(visit, config))
        if new is None:
            return []
        return [
            f.Effect(text=routing.in_words(_route(visit)), page="/routes"),
            f.Effect(
                text=routing.forecast(visit, new, place_of(visit), _route(visit)), kind="note"
            ),
            *routing.spf_effects(visit.config, new),
            f.Effect(
                text="Mail that waits takes it at its next attempt. No restart is needed.",
                kind="note",
            ),
        ]

    def refusals(self, visit: Visit) -> list[Fault]:
        if visit.text("way", "transport") not in visit.config.domains.transports:
            text = "The transport is not there any more."
            return [Fault("route.unknown_transport", (), text, "Go back and choose another.")]
        place, domains = place_of(visit), visit.config.domains
        accounts, names = domains.accounts, domains.domains
        if (place.level is Level.ACCOUNT and place.owner not in accounts) or (
            place.level is Level.DOMAIN and place.owner not in names
        ):
            text = f"“{place.owner}” is not there any more."
            return [Fault("route.unknown_owner", (), text, "Go back and choose another.")]
        return []

    async def commit(self, visit: Visit) -> None:
        place = place_of(visit)
        visit.state.made["same"] = str(_count(visit))
        await visit.services.flows.save(visit.state)
        await visit.services.catalogue.add_route(place, settings_of(visit), author=visit.author)

    async def is_applied(self, visit: Visit) -> bool:
        return _count(visit) > int(visit.state.made.get("same", "0"))


def _route(visit: Visit) -> Route:
    return checked(Route, settings_of(visit))


def _count(visit: Visit) -> int:
    """How many routes just like it there are."""
    place = place_of(visit)
    wanted = _route(visit)
    return sum(each == wanted for each in routing.routes_at(visit.config, place.level, place.owner))


def _change(visit: Visit, config: Config) -> Config:
    return routing.with_route(config, place_of(visit), settings_of(visit))


class Done(DoneStep):
    title = "The route is ready"

    def links(self, visit: Visit) -> list[w.Link]:  # noqa: ARG002  # the same for all
        return [
            parts.link("All routes", "/routes", "route", "With a tester.", primary=True),
            parts.link("Add another", "/routes/new", "plus"),
        ]


class AddRoute(FlowType):
    id = "route"
    name = "Add a route"
    icon = "route"

    def steps(self, visit: Visit) -> list[Step]:
        place = place_of(visit)
        has_others = bool(routing.routes_at(visit.config, place.level, place.owner))
        middle: list[Step] = [Where()] if has_others else []
        return [Scope(), Rule(), Way(), *middle, Review(), Done()]

    def about(self, state: FlowState) -> str:
        return str(state.draft.get("way", {}).get("transport") or "")

"""Adding a transport: the kind of way out, its settings, a test, what it is used for; transport, password and route in one go."""

from typing import Any

from pydantic import JsonValue

from backend.admin.flows import parts, routing
from backend.admin.flows.state import FlowState
from backend.admin.flows.steps import (
    DoneStep,
    FlowType,
    FormStep,
    MenuStep,
    ReviewStep,
    Step,
    Visit,
)
from backend.admin.forms.form import Form, InvalidError, Secrets, Values, checked
from backend.admin.forms.table import by_id
from backend.admin.specs.check import Fault
from backend.admin.specs.compile import compile_fields
from backend.api import flows as w
from backend.api import forms as f
from backend.api.conditions import is_in
from backend.api.pages import NEW
from backend.config.check import check
from backend.config.model import Config
from backend.config.routing import Route, Transport
from backend.outbound.catalogue import Place, signs_in
from backend.outbound.route import Level

PASSWORD = ("auth", "password")
RESULTS: dict[bool | None, w.CheckResult] = {True: "ok", False: "fail", None: "skipped"}


def _form() -> Form:
    return by_id()["transport"]


def _variant(visit: Visit) -> f.Variant:
    return next(
        each
        for each in _form().spec.fields[0].variants
        if each.value == (visit.choice("kind") or "submissions")
    )


def name_of(visit: Visit) -> str:
    return visit.text("settings", "name")


def via_of(visit: Visit) -> dict[str, JsonValue]:
    """As the form of transports has it, without the password."""
    plain = Settings().plain(visit)
    values = {key: value for key, value in plain.items() if key not in {"name", "test_domain"}}
    return {"kind": _variant(visit).value, **values}


def transport_of(visit: Visit) -> Transport:
    """Raises:
    InvalidError: its settings can't be used.
    """
    config = _form().write(visit.config, name_of(visit) or "draft", {"via": via_of(visit)})
    return config.domains.transports[name_of(visit) or "draft"]


class Kind(MenuStep):
    id = "kind"
    title = "How shall mail leave?"
    short = "Kind"
    intro = "A transport is a way out. Without any, mail goes directly to the recipient's server."
    why = "At home, port 25 is often closed, and others refuse mail from such connections. Then a provider that takes your mail and passes it on is the way."

    def options(self, visit: Visit) -> list[w.MenuOption]:  # noqa: ARG002  # the same for all
        return [
            w.MenuOption(
                value=each.value,
                title=each.title,
                help=each.help,
                icon=each.icon,
                recommended="The usual choice" if each.value == "submissions" else "",
            )
            for each in _form().spec.fields[0].variants
        ]


class Settings(FormStep):
    id = "settings"
    title = "Its settings"
    short = "Settings"
    intro = "What the operator of the server has told you."
    why = "The test connects, checks the certificate and signs in. It sends nothing, and nothing is saved yet."
    test = w.StepAction(id="test", title="Test it", icon="plug", gate=True)

    def fields(self, visit: Visit) -> list[f.Field]:
        variant = _variant(visit)
        name = _form().spec.key_field
        assert name is not None
        by_host = {"submissions", "submission", "smtp"}
        fields = [
            *[each for each in variant.fields if each.level == "basic"],
            name.model_copy(
                update={
                    "suggest_from": "host" if variant.value in by_host else "",
                    "autofocus": False,
                    "placeholder": "relay",
                }
            ),
            *[each for each in variant.fields if each.level != "basic"],
        ]
        if variant.value in {"direct", "socks"}:
            fields.append(
                f.Field(
                    key="test_domain",
                    kind="text",
                    label="Domain to test it with",
                    help="Its mail server is asked whether it would take mail from here. Nothing is sent.",
                    placeholder="example.net",
                    max_length=253,
                )
            )
        return fields

    def first(self, visit: Visit) -> Values:
        # Who chooses a way with a sign-in has been given a user name.
        if visit.choice("kind") in {"submissions", "submission"}:
            return {"auth": {"username": "", "password": {"set": False}, "mechanisms": []}}
        return {}

    async def check(self, visit: Visit) -> list[Fault]:
        name, form = name_of(visit), _form()
        found = [Fault(e.code, ("name",), e.message, e.fix) for e in form.check_key(name)]
        if name == NEW:
            text = "“new” stands for one that is to be made."
            found.append(Fault("transport.name", ("name",), text, "Choose another name."))
        if name in visit.config.domains.transports:
            text = f"There is a transport “{name}” already."
            found.append(Fault("transport.exists", ("name",), text, "Choose another name."))
        try:
            settings = transport_of(visit)
        except InvalidError as error:
            return found + [_here(each) for each in error.faults]
        password = visit.secret("settings", *PASSWORD)
        if password is not None:
            given = Secrets({("via", *PASSWORD): password}, frozenset())
            found += [_here(each) for each in form.check_secrets(given)]
        elif signs_in(settings):
            found.append(Fault("transport.password", PASSWORD, "Enter the password."))
        if found:
            return found
        return [_here(each) for each in config_faults(visit, name, settings)]

    async def act(self, visit: Visit) -> w.Report:
        report = await visit.services.outbound.try_transport(
            transport_of(visit),
            visit.secret("settings", *PASSWORD),
            sender="",
            domain=visit.text("settings", "test_domain"),
        )
        return w.Report(
            ok=report.ok,
            message=report.message,
            fix="" if "gatepost " in report.fix else report.fix,
            steps=[
                w.CheckItem(
                    id=str(number),
                    title=each.name,
                    text=each.text,
                    result=RESULTS[each.ok],
                )
                for number, each in enumerate(report.steps)
            ],
            excerpt=report.excerpt,
        )


def config_faults(visit: Visit, name: str, settings: Transport) -> list[Fault]:
    """What `config.check` says of it, at the fields of the form."""
    transports = {**visit.config.domains.transports, name: settings}
    domains = visit.config.domains.model_copy(update={"transports": transports})
    found = []
    for problem in check(visit.config.server, domains):
        path = tuple(problem.path.split("/")[1:])
        if path[:2] == ("transports", name):
            below = _form().path_of(path[2:])
            found.append(Fault(problem.code, below, problem.message, problem.fix))
    return found


def _here(fault: Fault) -> Fault:
    path = fault.path[1:] if fault.path[:1] == ("via",) else fault.path
    return Fault(fault.code, path, fault.message, fault.fix, dict(fault.params))


class Use(FormStep):
    id = "use"
    title = "What is it used for?"
    short = "Use"
    intro = "A route says which mail takes this way. It can be changed at any time."
    why = "Routes are looked at from the top; the first that matches is taken. Where none does, mail goes out directly."

    def fields(self, visit: Visit) -> list[f.Field]:  # noqa: ARG002  # the same for all
        domains = {
            each.key: each for each in compile_fields(Route, only=["from_domain", "to_domain"])
        }
        return [
            f.Field(
                key="what",
                kind="choice",
                label="Use it for",
                default="all",
                widget="radio",
                choices=[
                    f.Choice(value="all", label="All mail that leaves"),
                    f.Choice(
                        value="retry",
                        label="Mail that did not go out directly",
                        help="After some failed attempts, this way is tried.",
                    ),
                    f.Choice(value="to", label="Mail to some domains"),
                    f.Choice(value="from", label="Mail from some domains"),
                    f.Choice(
                        value="nothing",
                        label="Nothing yet",
                        help="Only for messages for which it is chosen by hand.",
                    ),
                ],
            ),
            f.Field(
                key="attempts",
                kind="int",
                label="After how many failed attempts",
                help="3 means that the fourth attempt takes this way.",
                default=3,
                min=1,
                max=100,
                width="xs",
                show_if=is_in("what", "retry"),
            ),
            *[
                domains[key].model_copy(
                    update={
                        "show_if": is_in("what", what),
                        "required_if": is_in("what", what),
                        "ask": "Name at least one domain",
                        "required": False,
                    }
                )
                for key, what in (("to_domain", "to"), ("from_domain", "from"))
            ],
        ]

    async def check(self, visit: Visit) -> list[Fault]:
        if (route := route_of(visit)) is not None:
            checked(Route, route)
        return []


def route_of(visit: Visit) -> dict[str, Any] | None:
    values = visit.values("use")
    settings: dict[str, Any] = {"transport": name_of(visit)}
    match values.get("what", "all"):
        case "nothing":
            return None
        case "retry":
            attempts = values.get("attempts", 3)
            settings["minimum_attempts"] = int(attempts) if isinstance(attempts, int | float) else 3
        case "to":
            settings["to_domain"] = values.get("to_domain") or []
        case "from":
            settings["from_domain"] = values.get("from_domain") or []
    return settings


def _change(visit: Visit, config: Config) -> Config:
    config = _form().write(config, name_of(visit), {"via": via_of(visit)})
    route = route_of(visit)
    return config if route is None else routing.with_route(config, _place(visit, config), route)


def _place(visit: Visit, config: Config) -> Place:
    """What is for some mail only goes in front of what is for all."""
    what = visit.values("use").get("what", "all")
    if what in {"to", "from"}:
        return Place(Level.SERVER, "", 1)
    rules = config.domains.routes
    general = [i for i, each in enumerate(rules, 1) if not (each.to_domain or each.from_domain)]
    return Place(Level.SERVER, "", general[0] if general and what == "all" else 0)


class Review(ReviewStep):
    id = "review"
    title = "Add the transport"
    intro = "Nothing has been changed so far."
    primary = "Add the transport"
    why = "The records that are named here tell others that this way may send for your domains. Without them, mail that takes it is often treated as junk."

    def rows(self, visit: Visit) -> list[w.ReviewRow]:
        via = via_of(visit)
        auth = via.get("auth")
        where = str(via.get("host") or via.get("address") or "")
        port = via.get("port")
        rows = [
            w.ReviewRow(label="Name", value=name_of(visit), step="settings"),
            w.ReviewRow(label="Kind", value=_variant(visit).title, step="kind"),
        ]
        if where:
            value = f"{where}, port {port}" if port else where
            rows.append(w.ReviewRow(label="Server", value=value, step="settings"))
        if isinstance(auth, dict):
            rows.append(
                w.ReviewRow(
                    label="Signs in as", value=str(auth.get("username", "")), step="settings"
                )
            )
        report = visit.state.reports.get("settings")
        tried = "not tried" if report is None else report.message
        rows.append(w.ReviewRow(label="Test", value=tried, step="settings"))
        route = route_of(visit)
        used = "nothing yet" if route is None else routing.in_words(checked(Route, route))
        rows.append(w.ReviewRow(label="Used for", value=used, step="use"))
        return rows

    async def effects(self, visit: Visit) -> list[f.Effect]:
        effects = [f.Effect(text=f"The transport “{name_of(visit)}” is added.")]
        if visit.secret("settings", *PASSWORD):
            effects.append(
                f.Effect(text="Its password is kept with the secrets of the server.", kind="secret")
            )
        new = parts.planned(visit, lambda config: _change(visit, config))
        route = route_of(visit)
        if route is not None and new is not None:
            effects.append(f.Effect(text=routing.in_words(checked(Route, route)), page="/routes"))
            effects.append(f.Effect(text=_forecast(visit, new, route), kind="note"))
        effects += [] if new is None else routing.spf_effects(visit.config, new)
        effects.append(f.Effect(text="No restart is needed.", kind="note"))
        return effects

    def refusals(self, visit: Visit) -> list[Fault]:
        if name_of(visit) in visit.config.domains.transports:
            text = f"A transport “{name_of(visit)}” has been added in the meantime."
            return [Fault("transport.exists", (), text, "Give this one another name.")]
        return []

    async def commit(self, visit: Visit) -> None:
        name = name_of(visit)
        # SECURITY: a password left over from another transport of that name must not go to this one's server.
        password = visit.secret("settings", *PASSWORD)
        wanted = password if signs_in(transport_of(visit)) else None
        await visit.services.catalogue.keep_password(name, wanted)
        note = f"Added the transport {name}"
        await visit.services.config.edit(
            lambda config: _change(visit, config), author=visit.author, note=note
        )
        visit.secrets.clear()

    async def is_applied(self, visit: Visit) -> bool:
        applied = name_of(visit) in visit.config.domains.transports
        if applied:
            visit.secrets.clear()
        return applied


def _forecast(visit: Visit, new: Config, route: dict[str, Any]) -> str:
    rule = checked(Route, route)
    return routing.forecast(visit, new, _place(visit, new), rule)


class Done(DoneStep):
    title = "The transport is ready"

    def links(self, visit: Visit) -> list[w.Link]:  # noqa: ARG002  # the same for all
        return [
            parts.link(
                "Routes",
                "/routes",
                "route",
                "Which mail takes which way, with a tester.",
                primary=True,
            ),
            parts.link("All transports", "/transports", "plug"),
            parts.link("DNS records", "/domains", "world"),
        ]


class AddTransport(FlowType):
    id = "transport"
    name = "Add a transport"
    icon = "plug"

    def steps(self, visit: Visit) -> list[Step]:  # noqa: ARG002  # always the same
        return [Kind(), Settings(), Use(), Review(), Done()]

    def about(self, state: FlowState) -> str:
        values = state.draft.get("settings", {})
        return str(values.get("name") or values.get("host") or "")

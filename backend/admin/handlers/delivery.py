"""Transports and routes."""

from collections.abc import Sequence
from typing import Any

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.api import delivery as w
from backend.api import types as t
from backend.api.pages import match
from backend.config.check import check
from backend.config.model import Config
from backend.config.routing import Transport
from backend.core.address import AddressError, parse_domain
from backend.core.errors import ConfigError
from backend.outbound.catalogue import Place, routes_of, signs_in, uses_of
from backend.outbound.lint import Useless, useless_routes
from backend.outbound.relay import port_of, relay_of
from backend.outbound.route import Level
from backend.outbound.route_lists import RouteList, with_lists
from backend.outbound.route_words import sentence

# ---- transports


def _settings(transport: Transport) -> w.TransportSettings:
    relay = relay_of(transport)
    if relay is not None:
        method, found = relay
        values: dict[str, Any] = {
            "kind": method,
            "host": found.host,
            "port": found.port,
            "starttls_insecure_skip_verify": found.starttls_insecure_skip_verify,
            "no_starttls": found.no_starttls,
            "spf_include": found.spf_include,
        }
        if found.auth is not None:
            values |= {"username": found.auth.username, "mechanisms": found.auth.mechanisms}
    elif transport.socks is not None:
        socks = transport.socks
        values = {
            "kind": "socks",
            "address": socks.address,
            "username": socks.username,
            "remote_ips": socks.remote_ips,
            "remote_hostname": socks.remote_hostname,
        }
    elif transport.fail is not None:
        values = {"kind": "fail", **transport.fail.model_dump()}
    else:
        direct = transport.direct.model_dump() if transport.direct is not None else {}
        values = {"kind": "direct", **direct}
    return w.TransportSettings.model_validate(values)


def _as_in_the_file(settings: w.TransportSettings) -> dict[str, Any]:
    """Only what differs from the defaults, so that the file stays short."""
    given = settings.model_dump(exclude_defaults=True, exclude={"kind"})
    username, mechanisms = given.pop("username", ""), given.pop("mechanisms", [])
    if username or mechanisms:
        if settings.kind == "socks":
            given["username"] = username
        else:
            given["auth"] = {"username": username}
            if mechanisms:
                given["auth"]["mechanisms"] = mechanisms
    return {settings.kind: given}


def _summary(transport: Transport) -> str:
    relay = relay_of(transport)
    if relay is not None:
        method, found = relay
        how = "TLS" if method == "submissions" else "STARTTLS"
        if found.no_starttls:
            how = "no TLS"
        elif found.starttls_insecure_skip_verify:
            how = "STARTTLS, any certificate"
        who = f", signs in as {found.auth.username}" if found.auth is not None else ""
        return f"relay {found.host}:{port_of(method, found)} with {how}{who}"
    if transport.socks is not None:
        who = f" as {transport.socks.username}" if transport.socks.username else ""
        return f"direct, through the SOCKS proxy {transport.socks.address}{who}"
    if transport.fail is not None:
        return f"refused with {transport.fail.smtp_code} {transport.fail.smtp_message}"
    if transport.direct is not None and transport.direct.disable_ipv4:
        return "direct, over IPv6 only"
    if transport.direct is not None and transport.direct.disable_ipv6:
        return "direct, over IPv4 only"
    return "direct"


def _describe(call: Call, name: str) -> w.Transport:
    catalogue = call.services.catalogue
    transport = catalogue.transport(name)
    config = call.services.config.current
    last = call.services.outbound.tally.last_result(name)
    users = uses_of(config.domains, name)
    return w.Transport(
        name=name,
        settings=_settings(transport),
        summary=_summary(transport),
        needs_password=signs_in(transport),
        has_password=catalogue.has_password(name),
        used_by=[str(place) for place in users],
        places=[
            w.RoutePlace(
                level=place.level.value,
                owner=place.owner,
                position=place.position,
                text=str(place),
            )
            for place in users
        ],
        spf=_spf(config, transport),
        spf_hint=_spf_hint(transport),
        last_result=None
        if last is None
        else w.TransportResult(at=wire.at(last.at), ok=last.ok, text=last.text, tested=last.tested),
        revision=config.revision,
    )


def _spf(config: Config, transport: Transport) -> list[w.SpfNote]:
    """What the way asks of the SPF records of the domains that are here."""
    terms: list[str] = []
    if (relay := relay_of(transport)) is not None and relay[1].spf_include:
        terms = [f"include:{relay[1].spf_include}"]
    elif transport.socks is not None:
        terms = [f"ip{'6' if ':' in each else '4'}:{each}" for each in transport.socks.remote_ips]
    if not terms:
        return []
    shown = " ".join(terms)
    return [
        w.SpfNote(
            domain=domain,
            text=f"Add “{shown}” to the SPF record of {domain}.",
            page=_dns_page(domain),
        )
        for domain in list(config.domains.domains)[: w.MAX_SPF_NOTES]
    ]


def _dns_page(domain: str) -> str:
    path = f"/domains/{domain}/dns"
    found = match(path)
    return path if found is not None and found[0].id == "dns" else ""


def _spf_hint(transport: Transport) -> str:
    if (relay := relay_of(transport)) is not None:
        # Behaviour T7: of such transports nothing can be checked, and that is said.
        unchecked = "From which addresses that server sends is not known here: the DNS check does not look at them."
        if relay[1].spf_include:
            return unchecked
        return f"Ask whoever runs this server what your SPF records need, and enter it below as “Name for SPF”. Otherwise others may take mail that comes through it for forged. {unchecked}"
    if transport.socks is not None and not transport.socks.remote_ips:
        return "Enter below under which addresses the proxy reaches other servers: they belong into your SPF records."
    return ""


async def transports(call: Call) -> w.Transports:
    config = call.services.config.current
    return w.Transports(
        items=[_describe(call, name) for name in config.domains.transports],
        revision=config.revision,
    )


async def transport(call: Call) -> w.Transport:
    return _describe(call, call.path("transport"))


async def add_transport(call: Call) -> w.Transport:
    body = call.body(w.AddTransport)
    await call.services.catalogue.add_transport(
        body.name, _as_in_the_file(body.settings), password=body.password, author=call.author
    )
    return _describe(call, body.name)


async def edit_transport(call: Call) -> w.Transport:
    name, body = call.path("transport"), call.body(w.EditTransport)
    await call.services.catalogue.edit_transport(
        name,
        _as_in_the_file(body.settings),
        password=body.password,
        keep_password=body.keep_password,
        author=call.author,
        base_revision=call.revision,
    )
    call.services.outbound.tally.forget(name)
    return _describe(call, name)


async def remove_transport(call: Call) -> t.Empty:
    name = call.path("transport")
    await call.services.catalogue.remove_transport(name, author=call.author)
    call.services.outbound.tally.forget(name)
    return t.Empty()


async def set_transport_password(call: Call) -> w.Transport:
    name = call.path("transport")
    await call.services.catalogue.set_password(name, call.body(w.SetTransportPassword).password)
    return _describe(call, name)


async def test_transport(call: Call) -> w.TransportTest:
    name, body = call.path("transport"), call.body(w.TransportTestQuestion)
    call.services.catalogue.transport(name)
    report = await call.services.outbound.test_transport(
        name, sender=body.sender, domain=body.domain
    )
    return w.TransportTest(
        ok=report.ok,
        message=report.message,
        fix=report.fix,
        steps=[w.TransportTestStep(name=s.name, ok=s.ok, text=s.text) for s in report.steps],
        excerpt=report.excerpt,
    )


# ---- routes


def _owner(call: Call, level: Level, owner: str) -> str:
    """As the settings spell it."""
    if level is Level.ACCOUNT:
        return call.services.accounts.find_account(owner)
    if level is Level.SERVER:
        return ""
    try:
        return parse_domain(owner).ascii
    except AddressError:
        return owner


async def mail_routes(call: Call) -> w.MailRoutes:
    return _listed(
        call, call.services.config.current, call.services.outbound.choices.useless_routes()
    )


def _listed(call: Call, config: Config, useless: Sequence[Useless]) -> w.MailRoutes:
    tally = call.services.outbound.tally
    reasons = {each.place: each.reason for each in useless}
    return w.MailRoutes(
        items=[
            w.MailRoute(
                level=place.level.value,
                owner=place.owner,
                position=place.position,
                settings=w.RouteSettings.model_validate(route.model_dump()),
                sentence=sentence(route),
                warning=reasons.get(place, ""),
                hits=tally.hits(place.level, place.owner, route),
            )
            for place, route in routes_of(config.domains)
        ],
        revision=config.revision,
        warnings=[wire.problem(each.problem()) for each in useless],
    )


async def set_route_lists(call: Call) -> w.MailRoutes:
    body = call.body(w.SetRouteLists)
    lists = [
        RouteList(
            Level(each.level),
            _owner(call, Level(each.level), each.owner),
            [route.model_dump(exclude_defaults=True) for route in each.routes],
        )
        for each in body.lists
    ]
    if not body.dry_run:
        await call.services.catalogue.set_lists(
            lists, author=call.author, base_revision=call.revision
        )
        return await mail_routes(call)
    config = with_lists(call.services.config.current, lists)
    if problems := check(config.server, config.domains):
        raise ConfigError(problems)
    useless = useless_routes(config.domains, config.server.outbound.max_attempts)
    return _listed(call, config, useless)


async def add_mail_route(call: Call) -> w.MailRoutes:
    body = call.body(w.AddMailRoute)
    level = Level(body.level)
    await call.services.catalogue.add_route(
        Place(level, _owner(call, level, body.owner), body.position),
        body.route.model_dump(exclude_defaults=True),
        author=call.author,
        base_revision=body.revision,
    )
    return await mail_routes(call)


async def set_mail_routes(call: Call) -> w.MailRoutes:
    body = call.body(w.SetMailRoutes)
    level = Level(body.level)
    await call.services.catalogue.set_routes(
        level,
        _owner(call, level, body.owner),
        [each.model_dump(exclude_defaults=True) for each in body.routes],
        author=call.author,
        base_revision=call.revision,
    )
    return await mail_routes(call)


async def remove_mail_route(call: Call) -> w.MailRoutes:
    body = call.body(w.RemoveMailRoute)
    level = Level(body.level)
    await call.services.catalogue.remove_route(
        Place(level, _owner(call, level, body.owner), body.position),
        author=call.author,
        base_revision=body.revision,
    )
    return await mail_routes(call)


HANDLERS: dict[str, Handler] = {
    "transports": transports,
    "transport": transport,
    "add_transport": add_transport,
    "edit_transport": edit_transport,
    "remove_transport": remove_transport,
    "set_transport_password": set_transport_password,
    "test_transport": test_transport,
    "mail_routes": mail_routes,
    "add_mail_route": add_mail_route,
    "set_mail_routes": set_mail_routes,
    "set_route_lists": set_route_lists,
    "remove_mail_route": remove_mail_route,
}

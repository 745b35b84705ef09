"""Ways out for mail: relays, proxies, direct delivery, refusal."""

import sys
from typing import TYPE_CHECKING, Any

import click

from app.cli.link import EXIT_REFUSED, ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import facts, moment, one_line, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from backend.api.client import Client
    from backend.api.delivery import Transport

_KINDS = {
    "relay-tls": "submissions",
    "relay-starttls": "submission",
    "smarthost": "smtp",
    "socks": "socks",
    "direct": "direct",
    "refuse": "fail",
}
_RELAYS = {"submissions", "submission", "smtp"}
_MARKS = {True: "ok", False: "FAILED", None: "-"}


@click.group()
def transport() -> None:
    """Ways out for mail: list, show, add, edit, remove, test, password."""


@transport.command("list")
@common
def list_transports(folder: Folder, as_json: bool) -> None:
    """Show all transports; which is used for what, the routes say."""
    found = ask(resolve(folder), lambda client: client.transports(), as_json=as_json)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
        return
    table(
        ("NAME", "WAY", "PASSWORD", "USED BY", "LAST RESULT"),
        [(t.name, t.summary, _password_state(t), _uses(t), _last_result(t)) for t in found],
        empty="There is no transport: mail goes directly to each domain's own servers. See: gatepost transport add --help",
    )


@transport.command("show")
@click.argument("name")
@common
def show_transport(folder: Folder, as_json: bool, name: str) -> None:
    """Show one transport with all its settings."""
    found = ask(resolve(folder), lambda client: client.transport(name), as_json=as_json)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    settings = found.settings.model_dump(exclude_defaults=True, exclude={"kind"})
    facts(
        [
            ("Name", found.name),
            ("Way", found.summary),
            ("Password", _password_state(found)),
            ("Used by", ", ".join(found.used_by) or "no route"),
            ("Last result", _last_result(found)),
            *((key, _shown(value)) for key, value in settings.items()),
        ]
    )


def _settings_options(command: "Callable[..., None]") -> "Callable[..., None]":
    """What a transport may be told; not given is None or empty."""
    options = (
        click.option("--host", help="Name of the relay; its certificate must be for it."),
        click.option("--port", type=click.IntRange(0, 65535), help="Default, or 0: the usual one."),
        click.option("--user", "username", help="User name for the relay or proxy."),
        click.option(
            "--password-stdin", is_flag=True, help="Read the password from standard input."
        ),
        click.option("--mechanism", "mechanisms", multiple=True, help="Allowed ways to sign in."),
        click.option(
            "--any-certificate/--check-certificate",
            "starttls_insecure_skip_verify",
            default=None,
            help="Don't check the certificate after STARTTLS.",
        ),
        click.option(
            "--no-tls/--tls",
            "no_starttls",
            default=None,
            help="Never use TLS: in a trusted network only.",
        ),
        click.option(
            "--spf-include", help="What the relay's operator wants in your SPF record as include."
        ),
        click.option("--proxy", "address", help="SOCKS5 proxy as host:port."),
        click.option(
            "--proxy-ip", "remote_ips", multiple=True, help="An address that the proxy sends from."
        ),
        click.option(
            "--proxy-hostname", "remote_hostname", help="The name that belongs to those addresses."
        ),
        click.option(
            "--ipv4-only", "family", flag_value="ipv4", help="Direct delivery over IPv4 only."
        ),
        click.option(
            "--ipv6-only", "family", flag_value="ipv6", help="Direct delivery over IPv6 only."
        ),
        click.option("--any-family", "family", flag_value="any", help="Direct delivery over both."),
        click.option(
            "--code", "smtp_code", type=click.IntRange(400, 599), help="For refuse: SMTP code."
        ),
        click.option("--text", "smtp_message", help="For refuse: what the sender is told."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _given(values: "Mapping[str, Any]") -> dict[str, Any]:
    """The settings that were named on the command line. Lists are replaced; an empty text in one empties it."""
    given = {key: value for key, value in values.items() if value is not None and value != ()}
    given.pop("password_stdin", None)
    family = given.pop("family", None)
    if family is not None:
        given |= {"disable_ipv4": family == "ipv6", "disable_ipv6": family == "ipv4"}
    for key in ("mechanisms", "remote_ips"):
        if key in given:
            given[key] = [each for each in given[key] if each]
    if "mechanisms" in given:
        given["mechanisms"] = [each.upper() for each in given["mechanisms"]]
    return given


@transport.command("add")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(list(_KINDS)),
    default="relay-tls",
    show_default=True,
    help="relay-tls: sign-in over TLS (465); relay-starttls: over STARTTLS (587); smarthost: SMTP (25), mostly without sign-in.",
)
@_settings_options
@common
def add_transport(folder: Folder, as_json: bool, name: str, kind: str, **values: Any) -> None:
    """Add a transport. It is used once a route names it: gatepost route add --transport NAME"""
    from backend.api.delivery import AddTransport, TransportSettings

    if _KINDS[kind] in _RELAYS and not values["host"]:
        raise click.UsageError("Name the server: --host smtp.example.net")
    if kind == "socks" and not values["address"]:
        raise click.UsageError("Name the proxy: --proxy 127.0.0.1:1080")
    request = AddTransport(
        name=name,
        settings=TransportSettings.model_validate({"kind": _KINDS[kind], **_given(values)}),
        password=_read_password() if values["password_stdin"] else None,
    )
    added = ask(resolve(folder), lambda client: client.add_transport(request), as_json=as_json)
    _print_changed("Added", added, as_json=as_json)


@transport.command("edit")
@click.argument("name")
@click.option("--kind", type=click.Choice(list(_KINDS)), help="Default: the kind that it is.")
@click.option(
    "--keep-password/--forget-password",
    default=None,
    help="What becomes of the stored password when the server is another one now.",
)
@_settings_options
@common
def edit_transport(
    folder: Folder,
    as_json: bool,
    name: str,
    kind: str | None,
    keep_password: bool | None,
    **values: Any,
) -> None:
    """Change settings of a transport; what is not named stays, the password too.

    A stored password is for one server. With another --host or --proxy say what becomes of it.
    """
    from backend.api.delivery import EditTransport, TransportSettings

    given = _given(values)
    password = _read_password() if values["password_stdin"] else None
    if kind is None and not given and password is None:
        raise click.UsageError("Say what to change, see --help.")

    async def edit(client: "Client") -> "Transport":
        found = await client.transport(name)
        old = found.settings
        new_kind = old.kind if kind is None else _KINDS[kind]
        # What one relay asks for is of use for another kind of relay, but not for a proxy.
        alike = new_kind == old.kind or {old.kind, new_kind} <= _RELAYS
        kept = old.model_dump(exclude_defaults=True) if alike else {}
        settings = TransportSettings.model_validate({**kept, **given, "kind": new_kind})
        request = EditTransport(settings=settings, password=password, keep_password=keep_password)
        return await client.edit_transport(name, request, revision=found.revision)

    _print_changed("Changed", ask(resolve(folder), edit, as_json=as_json), as_json=as_json)


def _print_changed(what: str, found: "Transport", *, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    click.echo(f"{what} {found.name}: {found.summary}.")
    if found.needs_password and not found.has_password:
        click.echo(f"It needs a password: gatepost transport password {found.name}")
    click.echo(f"Try it: gatepost transport test {found.name}")


@transport.command("remove")
@click.argument("name")
@common
def remove_transport(folder: Folder, as_json: bool, name: str) -> None:
    """Remove a transport with its password; refused while a route uses it."""
    ask(resolve(folder), lambda client: client.remove_transport(name), as_json=as_json)
    if as_json:
        print_json({"removed": name})
    else:
        click.echo(f"Removed the transport {name}.")


@transport.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read it from standard input.")
@click.option("--forget", is_flag=True, help="Delete it.")
@common
def set_password(
    folder: Folder, as_json: bool, name: str, password_stdin: bool, forget: bool
) -> None:
    """Set the password that a transport signs in with; it is kept apart from the settings."""
    if forget:
        password = None
    elif password_stdin:
        password = _read_password()
    else:
        password = click.prompt(f"Password for {name}", hide_input=True)
    found = ask(
        resolve(folder),
        lambda client: client.set_transport_password(name, password),
        as_json=as_json,
    )
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        click.echo("The password is deleted." if forget else "The password is set.")


@transport.command("test")
@click.argument("name")
@click.option("--sender", default="", help="Address to send as. Default: one of this server.")
@click.option("--to", "domain", default="", help="For direct delivery: a domain to try it with.")
@click.option("--verbose", is_flag=True, help="Show the dialogue as well.")
@common
def test_transport(
    folder: Folder, as_json: bool, name: str, sender: str, domain: str, verbose: bool
) -> None:
    """Connect, check the certificate, sign in, try the sender. Nothing is sent."""
    result = ask(
        resolve(folder),
        lambda client: client.test_transport(name, sender=sender, domain=domain),
        as_json=as_json,
    )
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        for step in result.steps:
            click.echo(one_line(f"{_MARKS[step.ok]:7} {step.name}: {step.text}"))
        if verbose and result.excerpt:
            lines = [one_line(line) for line in result.excerpt.splitlines()]
            click.echo("\n".join(["", *lines, ""]))
        click.echo(one_line(result.message))
        if result.fix:
            click.echo(f"    {result.fix}")
    if not result.ok:
        raise SystemExit(EXIT_REFUSED)


def _password_state(found: "Transport") -> str:
    if not found.needs_password:
        return "none needed"
    return "set" if found.has_password else "MISSING"


def _uses(found: "Transport") -> str:
    count = len(found.used_by)
    return "-" if not count else f"{count} route{'s' if count > 1 else ''}"


def _last_result(found: "Transport") -> str:
    last = found.last_result
    if last is None:
        return "-"
    what = "test" if last.tested else "delivery"
    verdict = "ok" if last.ok else f"FAILED: {last.text}"
    return f"{moment(last.at)} {what} {verdict}"


def _shown(value: object) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _read_password() -> str:
    return sys.stdin.readline().rstrip("\n")

"""Ways out for mail: relays, proxies, direct delivery, refusal."""

import sys
from typing import TYPE_CHECKING

import click

from app.cli.link import EXIT_REFUSED, ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import facts, one_line, table

if TYPE_CHECKING:
    from backend.api.delivery import Transport

_KINDS = {
    "relay-tls": "submissions",
    "relay-starttls": "submission",
    "smarthost": "smtp",
    "socks": "socks",
    "direct": "direct",
    "refuse": "fail",
}
_MARKS = {True: "ok", False: "FAILED", None: "-"}


@click.group()
def transport() -> None:
    """Ways out for mail: list, show, add, remove, test, password."""


@transport.command("list")
@common
def list_transports(folder: Folder, as_json: bool) -> None:
    """Show all transports; which is used for what, the routes say."""
    found = ask(resolve(folder), lambda client: client.transports(), as_json=as_json)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
        return
    table(
        ("NAME", "WAY", "PASSWORD", "USED BY"),
        [(t.name, t.summary, _password_state(t), ", ".join(t.used_by) or "-") for t in found],
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
            *((key, _shown(value)) for key, value in settings.items()),
        ]
    )


@transport.command("add")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(list(_KINDS)),
    default="relay-tls",
    show_default=True,
    help="relay-tls: sign-in over TLS (465); relay-starttls: over STARTTLS (587); smarthost: SMTP (25), mostly without sign-in.",
)
@click.option("--host", default="", help="Name of the relay; its certificate must be for it.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: the usual one.")
@click.option("--user", "username", default="", help="User name for the relay or proxy.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--mechanism", "mechanisms", multiple=True, help="Allowed ways to sign in.")
@click.option("--any-certificate", is_flag=True, help="Don't check the certificate after STARTTLS.")
@click.option("--no-tls", is_flag=True, help="Never use TLS: in a trusted network only.")
@click.option("--proxy", default="", help="SOCKS5 proxy as host:port.")
@click.option("--proxy-ip", "ips", multiple=True, help="An address that the proxy sends from.")
@click.option("--proxy-hostname", default="", help="The name that belongs to those addresses.")
@click.option("--ipv4-only", is_flag=True, help="Direct delivery over IPv4 only.")
@click.option("--ipv6-only", is_flag=True, help="Direct delivery over IPv6 only.")
@click.option("--code", type=click.IntRange(400, 599), default=554, help="For refuse: SMTP code.")
@click.option("--text", default="", help="For refuse: what the sender is told.")
@common
def add_transport(
    folder: Folder,
    as_json: bool,
    name: str,
    kind: str,
    host: str,
    port: int,
    username: str,
    password_stdin: bool,
    mechanisms: tuple[str, ...],
    any_certificate: bool,
    no_tls: bool,
    proxy: str,
    ips: tuple[str, ...],
    proxy_hostname: str,
    ipv4_only: bool,
    ipv6_only: bool,
    code: int,
    text: str,
) -> None:
    """Add a transport. It is used once a route names it: gatepost route add --transport NAME"""
    from backend.api.delivery import AddTransport, TransportSettings

    if kind in {"relay-tls", "relay-starttls", "smarthost"} and not host:
        raise click.UsageError("Name the server: --host smtp.example.net")
    if kind == "socks" and not proxy:
        raise click.UsageError("Name the proxy: --proxy 127.0.0.1:1080")
    request = AddTransport(
        name=name,
        settings=TransportSettings.model_validate(
            {
                "kind": _KINDS[kind],
                "host": host,
                "port": port,
                "username": username,
                "mechanisms": [each.upper() for each in mechanisms],
                "starttls_insecure_skip_verify": any_certificate,
                "no_starttls": no_tls,
                "address": proxy,
                "remote_ips": list(ips),
                "remote_hostname": proxy_hostname,
                "disable_ipv4": ipv6_only,
                "disable_ipv6": ipv4_only,
                "smtp_code": code,
                "smtp_message": text,
            }
        ),
        password=_read_password() if password_stdin else None,
    )
    added = ask(resolve(folder), lambda client: client.add_transport(request), as_json=as_json)
    if as_json:
        print_json(added.model_dump(mode="json"))
        return
    click.echo(f"Added {added.name}: {added.summary}.")
    if added.needs_password and not added.has_password:
        click.echo(f"It needs a password: gatepost transport password {added.name}")
    click.echo(f"Try it: gatepost transport test {added.name}")


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


def _shown(value: object) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _read_password() -> str:
    return sys.stdin.readline().rstrip("\n")

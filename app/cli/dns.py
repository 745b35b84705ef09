"""The DNS of a domain."""

import textwrap
from typing import TYPE_CHECKING

import click

from app.cli.link import EXIT_REFUSED, ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import table

if TYPE_CHECKING:
    from backend.api.dns import Check

_WIDTH = 100


@click.group()
def dns() -> None:
    """The DNS of a domain: the records it needs, and whether they are there."""


@dns.command("records")
@click.argument("name", metavar="DOMAIN")
@click.option("--zone", is_flag=True, help="Print them as text for a zone file.")
@common
def records(folder: Folder, as_json: bool, name: str, zone: bool) -> None:
    """Show the records that a domain needs, and what each is for."""
    reply = ask(resolve(folder), lambda client: client.dns_records(name), as_json=as_json)
    if as_json:
        print_json(reply.model_dump(mode="json"))
        return
    if zone:
        click.echo(reply.zone, nl=False)
        for note in reply.notes:
            click.echo(f"; {note}")
        return
    for record in reply.items:
        click.echo(click.style(f"{record.title} ({record.severity})", bold=True))
        _wrapped(record.purpose)
        for value in record.values or [f"<{record.note}>"]:
            click.echo(f"    {record.name}  {record.type}  {value}")
        if not record.in_zone and record.type == "PTR":
            _wrapped("Set by whoever gives you the address, not in the DNS of the domain.")
        click.echo()
    _notes(reply.notes)


@dns.command("check")
@click.argument("name", metavar="DOMAIN")
@common
def check(folder: Folder, as_json: bool, name: str) -> None:
    """Compare what is published with what the domain needs. Exit code 1 if something required is wrong."""
    reply = ask(resolve(folder), lambda client: client.check_dns(name), as_json=as_json)
    if as_json:
        print_json(reply.model_dump(mode="json"))
    else:
        click.echo(reply.headline)
        if reply.items:
            click.echo()
            table(
                ("RESULT", "NEED", "TYPE", "NAME", "WHAT"),
                [(_word(c), c.severity, c.type, c.name, c.title) for c in reply.items],
                empty="",
            )
        for each in reply.items:
            if each.result != "ok" and each.acknowledged is None:
                _explain(each)
        if reply.notes:
            click.echo()
            _notes(reply.notes)
    if any(c.state == "fail" and c.acknowledged is None for c in reply.items):
        raise SystemExit(EXIT_REFUSED)


@dns.command("hide")
@click.argument("name", metavar="DOMAIN")
@click.argument("line", metavar="LINE")
@click.option("--note", default="", help="Why that is fine.")
@common
def hide(folder: Folder, as_json: bool, name: str, line: str, note: str) -> None:
    """Acknowledge a line of the check until its finding changes. LINE is its id in --json, such as “spf TXT example.org”."""
    ask(resolve(folder), lambda client: client.acknowledge_check(name, line, note), as_json=as_json)
    _done(f"“{line}” is hidden until it changes.", as_json=as_json)


@dns.command("show")
@click.argument("name", metavar="DOMAIN")
@click.argument("line", metavar="LINE")
@common
def show(folder: Folder, as_json: bool, name: str, line: str) -> None:
    """Take the acknowledgement of a line back."""
    ask(resolve(folder), lambda client: client.unacknowledge_check(name, line), as_json=as_json)
    _done(f"“{line}” is shown again.", as_json=as_json)


def _word(check: "Check") -> str:
    return check.word if check.acknowledged is None else "hidden"


def _done(text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({})
    else:
        click.echo(text)


def _explain(check: "Check") -> None:
    click.echo()
    click.echo(click.style(f"{check.title} ({check.type} {check.name})", bold=True))
    _wrapped(check.summary)
    for label, values in (("Found:", check.found), ("Should be:", check.expected)):
        for value in values:
            click.echo(f"    {label:10} {_one_line(value)}")
    if check.fix is not None:
        _wrapped(check.fix.text)


def _notes(notes: list[str]) -> None:
    for note in notes:
        click.echo("\n".join(textwrap.wrap(_one_line(note), _WIDTH)))


def _wrapped(text: str) -> None:
    click.echo(
        "\n".join(
            textwrap.wrap(_one_line(text), _WIDTH, initial_indent="    ", subsequent_indent="    ")
        )
    )


def _one_line(text: str) -> str:
    # What stands in somebody's zone must not steer the terminal.
    return "".join(char if char.isprintable() else " " for char in text)

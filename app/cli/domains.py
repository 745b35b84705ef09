"""Domains."""

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import table


@click.group()
def domain() -> None:
    """Domains: list, add, remove, and their DKIM keys."""


@domain.command("list")
@common
def list_domains(folder: Folder, as_json: bool) -> None:
    """Show all domains."""
    domains = ask(resolve(folder), lambda client: client.domains(), as_json=as_json)
    if as_json:
        print_json([each.model_dump(mode="json") for each in domains])
        return
    table(
        ("DOMAIN", "ACCOUNTS", "ADDRESSES", "CATCH-ALL", "STATE", "DESCRIPTION"),
        [
            (
                each.unicode,
                str(each.accounts),
                str(each.addresses),
                each.catch_all or "-",
                "switched off" if each.disabled else "ok",
                each.description,
            )
            for each in domains
        ],
        empty="There is no domain yet. Add one with: gatepost domain add example.org",
    )


@domain.command("show")
@click.argument("name")
@common
def show_domain(folder: Folder, as_json: bool, name: str) -> None:
    """Show one domain, and what is still to do in it."""
    view = ask(resolve(folder), lambda client: client.domain(name), as_json=as_json)
    if as_json:
        print_json(view.model_dump(mode="json"))
        return
    found = view.domain
    click.echo(f"{found.unicode}: {'switched off' if found.disabled else 'in use'}")
    click.echo(f"  accounts {found.accounts}, addresses {found.addresses}, aliases {found.aliases}")
    click.echo(f"  other addresses go to: {found.catch_all or 'nobody'}")
    click.echo(f"  mail that leaves: {'signed' if found.signed else 'not signed'}")
    for step in view.steps:
        click.echo(f"- {step.title}{' (optional)' if step.severity == 'optional' else ''}")
        click.echo(f"  {step.text}")


@domain.command("addresses")
@click.argument("name")
@common
def list_addresses(folder: Folder, as_json: bool, name: str) -> None:
    """Show all addresses of a domain, and whose they are."""
    from backend.api.domains import AddressQuery

    query = AddressQuery(domain=name)
    entries = ask(resolve(folder), lambda client: client.addresses(query), as_json=as_json).items
    if as_json:
        print_json([each.model_dump(mode="json") for each in entries])
        return
    table(
        ("ADDRESS", "KIND", "WHOSE", "MAILBOX"),
        [(each.address, each.kind, each.owner, each.mailbox or "-") for each in entries],
        empty="Nobody has an address there yet. Add one with: gatepost account add NAME@" + name,
    )


@domain.command("add")
@click.argument("name")
@click.option("--description", default="", help="A note for yourself.")
@common
def add_domain(folder: Folder, as_json: bool, name: str, description: str) -> None:
    """Add a domain."""
    added = ask(
        resolve(folder),
        lambda client: client.add_domain(name, description=description),
        as_json=as_json,
    )
    if as_json:
        print_json(added.model_dump(mode="json"))
    else:
        click.echo(
            f"Added {added.unicode}. Add an account with: gatepost account add NAME@{added.name}"
        )


@domain.command("remove")
@click.argument("name")
@common
def remove_domain(folder: Folder, as_json: bool, name: str) -> None:
    """Remove a domain; refused while accounts have addresses in it."""
    ask(resolve(folder), lambda client: client.remove_domain(name), as_json=as_json)
    if as_json:
        print_json({"removed": name})
    else:
        click.echo(f"Removed {name}. Mail to it is refused from now on.")

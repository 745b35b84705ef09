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

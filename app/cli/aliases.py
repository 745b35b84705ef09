"""Aliases: one address for several people."""

from typing import TYPE_CHECKING

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import facts, table

if TYPE_CHECKING:
    from backend.api.aliases import Alias


@click.group()
def alias() -> None:
    """Aliases: one address whose mail goes to several people here."""


@alias.command("list")
@click.option("--domain", default="", help="Only those of this domain.")
@common
def list_aliases(folder: Folder, as_json: bool, domain: str) -> None:
    """Show all aliases."""
    found = ask(resolve(folder), lambda client: client.aliases(domain), as_json=as_json)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
        return
    table(
        ("ALIAS", "MEMBERS", "WHO MAY WRITE", "DESCRIPTION"),
        [
            (
                each.address,
                ", ".join(member.address for member in each.members),
                "everybody" if each.post_public else "members",
                each.description,
            )
            for each in found
        ],
        empty="There is no alias yet. Add one with: gatepost alias add family@example.org anna@example.org",
    )


@alias.command("add")
@click.argument("address")
@click.argument("members", nargs=-1, required=True)
@click.option("--description", default="", help="A note for yourself.")
@click.option("--members-only", is_flag=True, help="Only members may write to it.")
@click.option("--hide-members", is_flag=True, help="Members do not see who else gets the mail.")
@click.option("--send-as", is_flag=True, help="Members may send as it.")
@common
def add_alias(
    folder: Folder,
    as_json: bool,
    address: str,
    members: tuple[str, ...],
    description: str,
    members_only: bool,
    hide_members: bool,
    send_as: bool,
) -> None:
    """Add an alias; MEMBERS are addresses of accounts here."""
    from backend.api.aliases import AddAlias

    body = AddAlias(
        address=address,
        members=list(members),
        description=description,
        post_public=not members_only,
        list_members=not hide_members,
        send_as=send_as,
    )
    made = ask(resolve(folder), lambda client: client.add_alias(body), as_json=as_json)
    _show(made, as_json=as_json)


@alias.command("change")
@click.argument("address")
@click.option("--member", "members", multiple=True, help="All members anew; may be repeated.")
@click.option("--description", help="A note for yourself.")
@click.option("--members-only/--public", "members_only", default=None, help="Who may write to it.")
@click.option("--hide-members/--show-members", default=None, help="Whether members see each other.")
@click.option("--send-as/--no-send-as", default=None, help="Whether members may send as it.")
@common
def change_alias(
    folder: Folder,
    as_json: bool,
    address: str,
    members: tuple[str, ...],
    description: str | None,
    members_only: bool | None,
    hide_members: bool | None,
    send_as: bool | None,
) -> None:
    """Change an alias; what is not given stays."""
    from backend.api.aliases import ChangeAlias

    body = ChangeAlias(
        members=list(members) or None,
        description=description,
        post_public=None if members_only is None else not members_only,
        list_members=None if hide_members is None else not hide_members,
        send_as=send_as,
    )
    changed = ask(
        resolve(folder), lambda client: client.change_alias(address, body), as_json=as_json
    )
    _show(changed, as_json=as_json)


@alias.command("remove")
@click.argument("address")
@common
def remove_alias(folder: Folder, as_json: bool, address: str) -> None:
    """Remove an alias; its members keep their own addresses."""
    ask(resolve(folder), lambda client: client.remove_alias(address), as_json=as_json)
    if as_json:
        print_json({"removed": address})
    else:
        click.echo(f"Removed {address}. Mail to it is refused from now on.")


def _show(found: "Alias", *, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    facts(
        (
            ("Alias", found.address),
            ("Members", ", ".join(member.address for member in found.members)),
            ("Who may write", "everybody" if found.post_public else "members who are signed in"),
            ("Members see each other", "yes" if found.list_members else "no"),
            ("Members may send as it", "yes" if found.send_as else "no"),
            *((("Description", found.description),) if found.description else ()),
        )
    )

"""DKIM keys of a domain."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import moment, table

if TYPE_CHECKING:
    from backend.api.client import Client
    from backend.api.dkim import Dkim, DkimAlgorithm


@click.group()
def dkim() -> None:
    """Proof that mail is really from the domain: its keys and their DNS records."""


@dkim.command("list")
@click.argument("name")
@click.option("--check", is_flag=True, help="Look the records up in the DNS.")
@common
def list_selectors(folder: Folder, as_json: bool, name: str, check: bool) -> None:
    """Show the keys of a domain."""
    found = _ask(folder, lambda client: client.dkim(name, check=check), as_json=as_json)
    if found is None:
        return
    table(
        ("SELECTOR", "ALGORITHM", "SIGNS", "IN DNS", "MADE"),
        [
            (
                each.name,
                each.algorithm,
                "yes" if each.signs else "-",
                {True: "yes", False: "no", None: "could not tell" if check else "-"}[each.in_dns],
                moment(each.made_at) or "the key is missing",
            )
            for each in found.selectors
        ],
        empty=f"{found.domain} has no key. Make one with: gatepost domain dkim add {found.domain}",
    )
    _say_state(found)


@dkim.command("records")
@click.argument("name")
@common
def show_records(folder: Folder, as_json: bool, name: str) -> None:
    """Show the DNS records to publish, as they stand in a zone file."""
    found = ask(resolve(folder), lambda client: client.dkim(name), as_json=as_json)
    records = [each.record for each in found.selectors if each.record is not None]
    if as_json:
        print_json([record.model_dump(mode="json") for record in records])
        return
    for record in records:
        text = " ".join(f'"{string}"' for string in record.strings)
        click.echo(f"{record.name}. {record.type} {text}")
    if not records:
        click.echo(f"There is nothing to publish: {found.domain} has no key.")


@dkim.command("add")
@click.argument("name")
@click.option("--selector", default="", help="Its name; by default the year and a letter.")
@click.option(
    "--algorithm",
    type=click.Choice(["rsa2048", "ed25519"]),
    default="rsa2048",
    show_default=True,
    help="Use ed25519 beside rsa2048, never alone: many can't read it yet.",
)
@click.option("--sign", is_flag=True, help="Sign with it at once, before the DNS has its record.")
@common
def add_selector(
    folder: Folder,
    as_json: bool,
    name: str,
    selector: str,
    algorithm: "DkimAlgorithm",
    sign: bool,
) -> None:
    """Make a key."""
    found = _ask(
        folder,
        lambda client: client.add_dkim_selector(
            name, selector=selector, algorithm=algorithm, sign=sign
        ),
        as_json=as_json,
    )
    if found is not None:
        click.echo(f"Made a key. Publish its record: gatepost domain dkim records {found.domain}")
        _say_state(found)


@dkim.command("sign")
@click.argument("name")
@click.argument("selectors", nargs=-1)
@click.option("--none", "nothing", is_flag=True, help="Sign with none: mail leaves unsigned.")
@common
def choose_selectors(
    folder: Folder, as_json: bool, name: str, selectors: tuple[str, ...], nothing: bool
) -> None:
    """Sign with these selectors from now on; ends a change of keys that is under way."""
    if nothing == bool(selectors):
        raise click.UsageError("Name the selectors to sign with, or use --none.")
    found = _ask(
        folder,
        lambda client: client.choose_dkim_selectors(name, list(selectors)),
        as_json=as_json,
    )
    if found is not None:
        _say_state(found)


@dkim.command("rotate")
@click.argument("name")
@click.option(
    "--now",
    is_flag=True,
    help="Don't wait for the DNS, nor for others to notice: for a key that was stolen.",
)
@common
def rotate(folder: Folder, as_json: bool, name: str, now: bool) -> None:
    """Change the keys for new ones, or see how far that is. The server goes on with it by itself."""
    found = _ask(folder, lambda client: client.rotate_dkim(name, skip_waiting=now), as_json=as_json)
    if found is None:
        return
    _say_state(found)
    if found.rotation is not None and found.rotation.phase == "publish":
        click.echo(f"Show the records with: gatepost domain dkim records {found.domain}")


@dkim.command("remove")
@click.argument("name")
@click.argument("selector")
@click.option("--even-if-signing", is_flag=True, help="Also when mail is signed with it.")
@common
def remove_selector(
    folder: Folder, as_json: bool, name: str, selector: str, even_if_signing: bool
) -> None:
    """Remove a key for good; refused while mail is signed with it."""
    found = _ask(
        folder,
        lambda client: client.remove_dkim_selector(name, selector, even_if_signing=even_if_signing),
        as_json=as_json,
    )
    if found is not None:
        click.echo(
            f"Removed {selector}. Its record {selector}._domainkey.{found.domain} can go from the DNS as well."
        )
        _say_state(found)


def _ask(
    folder: Folder, question: "Callable[[Client], Awaitable[Dkim]]", *, as_json: bool
) -> "Dkim | None":
    """None when the answer has been printed as JSON."""
    found = ask(resolve(folder), question, as_json=as_json)
    if not as_json:
        return found
    print_json(found.model_dump(mode="json"))
    return None


def _say_state(found: "Dkim") -> None:
    if found.sign:
        click.echo(f"Mail from {found.domain} is signed with {', '.join(found.sign)}.")
    else:
        click.echo(f"Mail from {found.domain} leaves unsigned.")
    if found.rotation is not None:
        click.echo(found.rotation.next)

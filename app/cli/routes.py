"""Which transport is used for what, and the tester."""

from typing import IO, TYPE_CHECKING, Any, Literal

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from backend.api.client import Client
    from backend.api.delivery import DraftRoutes, MailRoute, MailRoutes, RouteSettings

Level = Literal["account", "domain", "server"]


def _list_options(command: "Callable[..., None]") -> "Callable[..., None]":
    for option in (
        click.option("--domain", default="", help="In the list of this domain of yours."),
        click.option("--account", default="", help="In the list of this account."),
    ):
        command = option(command)
    return command


@click.group()
def route() -> None:
    """Which transport is used for what: list, add, edit, move, enable, disable, remove, test."""


@route.command("list")
@common
def list_routes(folder: Folder, as_json: bool) -> None:
    """Show all routes, in the order in which they are looked at."""
    found = ask(resolve(folder), lambda client: client.mail_routes(), as_json=as_json)
    _print(found, as_json=as_json)


@route.command("add")
@click.option("--transport", required=True, help="Name of the transport to use.")
@click.option(
    "--from", "from_domain", multiple=True, help="Sender's domain; .example.org with all below."
)
@click.option("--to", "to_domain", multiple=True, help="Recipient's domain.")
@click.option(
    "--after",
    "minimum_attempts",
    type=click.IntRange(0, 100),
    default=0,
    help="Failed attempts before.",
)
@click.option("--account", default="", help="Only for mail that this account sends.")
@click.option("--domain", default="", help="Only for mail from this domain of yours.")
@click.option(
    "--at", "position", type=click.IntRange(1), help="Place in its list. Default: the end."
)
@click.option("--disabled", is_flag=True, help="Keep it switched off.")
@click.option("--comment", default="", help="A note for people.")
@common
def add_route(
    folder: Folder,
    as_json: bool,
    transport: str,
    from_domain: tuple[str, ...],
    to_domain: tuple[str, ...],
    minimum_attempts: int,
    account: str,
    domain: str,
    position: int | None,
    disabled: bool,
    comment: str,
) -> None:
    """Add a route: all that it asks for must hold, and the first route that matches wins."""
    from backend.api.delivery import AddMailRoute, RouteSettings

    level, owner = _place(account, domain)
    request = AddMailRoute(
        level=level,
        owner=owner,
        position=position or 0,
        route=RouteSettings(
            from_domain=list(from_domain),
            to_domain=list(to_domain),
            minimum_attempts=minimum_attempts,
            transport=transport,
            disabled=disabled,
            comment=comment,
        ),
    )
    found = ask(resolve(folder), lambda client: client.add_mail_route(request), as_json=as_json)
    _print(found, as_json=as_json)


@route.command("edit")
@click.argument("position", type=click.IntRange(1))
@click.option("--transport", help="Name of the transport to use.")
@click.option("--from", "from_domain", multiple=True, help="Sender's domains; '' for any.")
@click.option("--to", "to_domain", multiple=True, help="Recipient's domains; '' for any.")
@click.option("--after", "minimum_attempts", type=click.IntRange(0, 100), help="Failed attempts.")
@click.option("--comment", help="A note for people.")
@_list_options
@common
def edit_route(
    folder: Folder, as_json: bool, position: int, account: str, domain: str, **values: Any
) -> None:
    """Change a route by its place in its list; what is not named stays."""
    given = {key: value for key, value in values.items() if value is not None and value != ()}
    if not given:
        raise click.UsageError("Say what to change, see --help.")
    for key in ("from_domain", "to_domain"):
        if key in given:
            given[key] = [each for each in given[key] if each]

    def edit(routes: "list[RouteSettings]") -> None:
        routes[position - 1] = routes[position - 1].model_copy(update=given)

    _change(folder, as_json, account, domain, position, edit)


@route.command("move")
@click.argument("position", type=click.IntRange(1))
@click.argument("to", type=click.IntRange(1))
@_list_options
@common
def move_route(
    folder: Folder, as_json: bool, position: int, to: int, account: str, domain: str
) -> None:
    """Move a route to another place in its list: the first that matches wins."""
    _change(
        folder,
        as_json,
        account,
        domain,
        position,
        lambda routes: routes.insert(to - 1, routes.pop(position - 1)),
    )


@route.command("disable")
@click.argument("position", type=click.IntRange(1))
@_list_options
@common
def disable_route(folder: Folder, as_json: bool, position: int, account: str, domain: str) -> None:
    """Switch a route off, but keep it."""
    _switch(folder, as_json, account, domain, position, disabled=True)


@route.command("enable")
@click.argument("position", type=click.IntRange(1))
@_list_options
@common
def enable_route(folder: Folder, as_json: bool, position: int, account: str, domain: str) -> None:
    """Switch a route on again."""
    _switch(folder, as_json, account, domain, position, disabled=False)


@route.command("remove")
@click.argument("position", type=click.IntRange(1))
@_list_options
@common
def remove_route(folder: Folder, as_json: bool, position: int, account: str, domain: str) -> None:
    """Remove a route by its place in its list (gatepost route list)."""
    from backend.api.delivery import RemoveMailRoute

    level, owner = _place(account, domain)

    async def remove(client: "Client") -> "MailRoutes":
        # The place is that of the list as it is now: a change in between is refused, not guessed at.
        revision = (await client.mail_routes()).revision
        request = RemoveMailRoute(level=level, owner=owner, position=position, revision=revision)
        return await client.remove_mail_route(request)

    _print(ask(resolve(folder), remove, as_json=as_json), as_json=as_json)


@route.command("test")
@click.option("--from", "sender", default="", help="Sender's address; none is the null sender.")
@click.option("--to", "recipient", default="", help="Recipient's address or domain.")
@click.option("--queued", type=click.IntRange(1), help="A message in the queue, by its number.")
@click.option("--account", default="", help="Who sends. Default: whose address --from is.")
@click.option(
    "--attempt",
    "attempts",
    type=click.IntRange(1, 1000),
    multiple=True,
    help="Which attempt it is; the next one is the default. May be given more than once.",
)
@click.option(
    "--draft",
    type=click.File(),
    help='JSON file with lists to try instead of those in the settings: {"server": [{"transport": "relay"}]}',
)
@common
def test_route(
    folder: Folder,
    as_json: bool,
    sender: str,
    recipient: str,
    account: str,
    attempts: tuple[int, ...],
    queued: int | None,
    draft: "IO[str] | None",
) -> None:
    """Which way would a message take, and why? Asks the same function as the queue."""
    from backend.api.delivery import RouteQuestion

    if not recipient and queued is None:
        raise click.UsageError("Say --to ADDRESS, or --queued NUMBER.")
    question = RouteQuestion.model_validate(
        {
            "from": sender,
            "to": recipient,
            "account": account,
            "queue_id": queued,
            "attempts": [number - 1 for number in attempts],
            "draft_routes": _drafts(draft),
        }
    )
    found = ask(resolve(folder), lambda client: client.evaluate_routes(question), as_json=as_json)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    if found.is_local:
        click.echo(f"{found.recipient_domain} is a domain of this server: its mail takes no route.")
        return
    if found.notice:
        click.echo(found.notice)
    for answer in found.answers:
        name = f"the transport {answer.transport}" if answer.transport else "direct delivery"
        missing = "" if answer.known else " (which does not exist)"
        click.echo(f"Attempt {answer.attempts + 1} goes by {name}{missing}. {answer.reason}.")
        for step in answer.steps:
            mark = "→" if step.matched else " "
            click.echo(
                f"  {mark} {step.level} route {step.position} ({step.transport}): {step.reason}"
            )
    click.echo(f"Attempts: {found.forecast}.")


def _drafts(file: "IO[str] | None") -> "DraftRoutes | None":
    from pydantic import ValidationError

    from backend.api.delivery import DraftRoutes

    if file is None:
        return None
    try:
        return DraftRoutes.model_validate_json(file.read())
    except (ValidationError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file.name}: {error}") from error


def _change(
    folder: Folder,
    as_json: bool,
    account: str,
    domain: str,
    position: int,
    edit: "Callable[[list[RouteSettings]], None]",
) -> None:
    """Reads the list, changes it, and writes it: a change in between is refused, not guessed at."""
    from backend.api.delivery import SetMailRoutes

    level, owner = _place(account, domain)

    async def change(client: "Client") -> "MailRoutes":
        found = await client.mail_routes()
        owner_name = await _named(client, level, owner)
        routes = [
            each.settings for each in found.items if (each.level, each.owner) == (level, owner_name)
        ]
        if position > len(routes):
            raise click.UsageError(f"There is no route {position} in that list.")
        edit(routes)
        request = SetMailRoutes(level=level, owner=owner, routes=routes)
        return await client.set_mail_routes(request, revision=found.revision)

    _print(ask(resolve(folder), change, as_json=as_json), as_json=as_json)


async def _named(client: "Client", level: Level, owner: str) -> str:
    """As the list of routes spells it."""
    if level == "account":
        return (await client.account(owner)).id
    if level == "domain":
        for each in await client.domains():
            if owner.lower() in {each.name, each.unicode}:
                return each.name
    return owner


def _switch(
    folder: Folder, as_json: bool, account: str, domain: str, position: int, *, disabled: bool
) -> None:
    def edit(routes: "list[RouteSettings]") -> None:
        routes[position - 1] = routes[position - 1].model_copy(update={"disabled": disabled})

    _change(folder, as_json, account, domain, position, edit)


def _place(account: str, domain: str) -> tuple[Level, str]:
    if account and domain:
        raise click.UsageError("Say --account or --domain, not both.")
    if account:
        return "account", account
    return ("domain", domain) if domain else ("server", "")


def _print(found: "MailRoutes", *, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    table(
        ("LIST", "NO", "WHEN", "TRANSPORT", "30 DAYS", ""),
        [
            (
                f"{each.level} {each.owner}".strip(),
                str(each.position),
                _criteria(each.settings),
                each.settings.transport,
                str(each.hits),
                _remarks(each),
            )
            for each in found.items
        ],
        empty="There are no routes.",
    )
    click.echo("Otherwise: directly to the recipient's own mail server.")


def _remarks(route: "MailRoute") -> str:
    remarks = (
        "switched off" if route.settings.disabled else "",
        f"never matches: {route.warning}" if route.warning else "",
        route.settings.comment,
    )
    return "; ".join(each for each in remarks if each)


def _criteria(settings: "RouteSettings") -> str:
    parts = []
    if settings.from_domain:
        parts.append(f"from {' or '.join(settings.from_domain)}")
    if settings.to_domain:
        parts.append(f"to {' or '.join(settings.to_domain)}")
    if settings.minimum_attempts:
        parts.append(f"after {settings.minimum_attempts} attempts")
    return ", ".join(parts) or "all mail"

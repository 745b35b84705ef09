"""Which transport is used for what, and the tester."""

from typing import TYPE_CHECKING, Literal

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import table

if TYPE_CHECKING:
    from backend.api.client import Client
    from backend.api.delivery import MailRoutes, RouteSettings

Level = Literal["account", "domain", "server"]


@click.group()
def route() -> None:
    """Which transport is used for what: list, add, remove, test."""


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
        ),
    )
    found = ask(resolve(folder), lambda client: client.add_mail_route(request), as_json=as_json)
    _print(found, as_json=as_json)


@route.command("remove")
@click.argument("position", type=click.IntRange(1))
@click.option("--account", default="", help="From the list of this account.")
@click.option("--domain", default="", help="From the list of this domain.")
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
@click.option("--to", "recipient", required=True, help="Recipient's address or domain.")
@click.option("--account", default="", help="Who sends. Default: whose address --from is.")
@click.option(
    "--attempt",
    "attempts",
    type=click.IntRange(1, 1000),
    multiple=True,
    help="Which attempt it is; 1, the first, is the default. May be given more than once.",
)
@common
def test_route(
    folder: Folder,
    as_json: bool,
    sender: str,
    recipient: str,
    account: str,
    attempts: tuple[int, ...],
) -> None:
    """Which way would a message take, and why? Asks the same function as the queue."""
    from backend.api.delivery import RouteQuestion

    question = RouteQuestion.model_validate(
        {
            "from": sender,
            "to": recipient,
            "account": account,
            "attempts": [number - 1 for number in attempts or (1,)],
        }
    )
    found = ask(resolve(folder), lambda client: client.evaluate_routes(question), as_json=as_json)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    if found.is_local:
        click.echo(f"{found.recipient_domain} is a domain of this server: its mail takes no route.")
        return
    for answer in found.answers:
        name = f"the transport {answer.transport}" if answer.transport else "direct delivery"
        missing = "" if answer.known else " (which does not exist)"
        click.echo(f"Attempt {answer.attempts + 1} goes by {name}{missing}. {answer.reason}.")
        for step in answer.steps:
            mark = "→" if step.matched else " "
            click.echo(
                f"  {mark} {step.level} route {step.position} ({step.transport}): {step.reason}"
            )


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
        ("LIST", "NO", "WHEN", "TRANSPORT", ""),
        [
            (
                f"{each.level} {each.owner}".strip(),
                str(each.position),
                _criteria(each.settings),
                each.settings.transport,
                f"never matches: {each.warning}" if each.warning else "",
            )
            for each in found.items
        ],
        empty="There are no routes.",
    )
    click.echo("Otherwise: directly to the recipient's own mail server.")


def _criteria(settings: "RouteSettings") -> str:
    parts = []
    if settings.from_domain:
        parts.append(f"from {' or '.join(settings.from_domain)}")
    if settings.to_domain:
        parts.append(f"to {' or '.join(settings.to_domain)}")
    if settings.minimum_attempts:
        parts.append(f"after {settings.minimum_attempts} attempts")
    return ", ".join(parts) or "all mail"

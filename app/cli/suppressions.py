"""Addresses that no mail is sent to."""

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import moment, table


@click.group("suppression")
def suppression() -> None:
    """Addresses that no mail is sent to: list, add, remove."""


@suppression.command("list")
@click.option("--account", default=None, help="Only those of this account.")
@click.option("--text", default="", help="Only those with this in address or reason.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@click.option("--after", "cursor", default="", help="Go on where the last page ended.")
@common
def list_suppressions(
    folder: Folder, as_json: bool, account: str | None, text: str, limit: int, cursor: str
) -> None:
    """Show them, newest first."""
    from backend.api.queue import SuppressionQuery

    query = SuppressionQuery(account=account, text=text, limit=limit, cursor=cursor)
    page = ask(resolve(folder), lambda client: client.suppressions(query), as_json=as_json)
    if as_json:
        print_json(page.model_dump(mode="json"))
        return
    table(
        ("ADDRESS", "ACCOUNT", "SINCE", "UNTIL", "BY", "REASON"),
        [
            (
                each.address,
                each.account or "all",
                moment(each.since),
                moment(each.until) or "for ever",
                "the server" if each.automatic else "hand",
                each.reason,
            )
            for each in page.items
        ],
        empty="No address is suppressed.",
    )
    if page.next:
        click.echo(f"… of {page.total}; go on with --after {page.next}")


@suppression.command("add")
@click.argument("address")
@click.option("--account", default="", help="Only for this account. Default: for all.")
@click.option("--reason", default="", help="Told to whoever writes there.")
@click.option("--days", type=click.IntRange(0, 36_500), default=0, help="Default: for ever.")
@common
def add(folder: Folder, as_json: bool, address: str, account: str, reason: str, days: int) -> None:
    """Send nothing to an address from now on."""
    from backend.api.queue import AddSuppression

    request = AddSuppression(address=address, account=account, reason=reason, days=days)
    ask(resolve(folder), lambda client: client.add_suppression(request), as_json=as_json)
    if as_json:
        print_json({"added": address})
    else:
        click.echo(f"Nothing is sent to {address} from now on.")


@suppression.command("remove")
@click.argument("address")
@click.option("--account", default="", help="The entry of this account. Default: the one for all.")
@common
def remove(folder: Folder, as_json: bool, address: str, account: str) -> None:
    """Send to an address again."""
    from backend.api.queue import SuppressionKey

    key = SuppressionKey(account=account, address=address)
    removed = ask(
        resolve(folder), lambda client: client.remove_suppressions([key]), as_json=as_json
    )
    if as_json:
        print_json({"removed": removed})
    else:
        click.echo(f"Mail to {address} is sent again.")

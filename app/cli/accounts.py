"""Accounts. An account is named by its id or by one of its addresses."""

import sys
from typing import TYPE_CHECKING

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import facts, moment, size, table, until

if TYPE_CHECKING:
    from backend.api.queue import SendLimit


@click.group()
def account() -> None:
    """Accounts: list, show, add, remove, passwords, addresses."""


@account.command("list")
@common
def list_accounts(folder: Folder, as_json: bool) -> None:
    """Show all accounts."""
    accounts = ask(resolve(folder), lambda client: client.accounts(), as_json=as_json)
    if as_json:
        print_json([each.model_dump(mode="json") for each in accounts])
        return
    table(
        ("ACCOUNT", "ADDRESSES", "MESSAGES", "USED", "LIMIT", "LAST SIGN-IN", "STATE"),
        [
            (
                each.id,
                ", ".join(a.address for a in each.addresses),
                str(each.messages),
                size(each.used_bytes),
                size(each.quota_bytes) if each.quota_bytes else "none",
                moment(each.last_sign_in_at) or "-",
                "switched off" if each.disabled else "ok",
            )
            for each in accounts
        ],
        empty="There is no account yet. Add one with: gatepost account add NAME@DOMAIN",
    )


@account.command("show")
@click.argument("name")
@common
def show_account(folder: Folder, as_json: bool, name: str) -> None:
    """Show what a mail program must be told to use the account."""
    settings = ask(resolve(folder), lambda client: client.client_settings(name), as_json=as_json)
    if as_json:
        print_json(settings.model_dump(mode="json"))
        return
    facts(
        [("Account", settings.account), ("Address", settings.address), ("Name", settings.full_name)]
    )
    click.echo()
    table(
        ("", "SERVER", "PORT", "ENCRYPTION", "USER NAME"),
        [
            (
                "reading (IMAP)" if each.protocol == "imap" else "sending (SMTP)",
                each.host,
                str(each.port),
                {"tls": "TLS", "starttls": "STARTTLS", "none": "none"}[each.security],
                each.user_name,
            )
            for each in (*settings.incoming, *settings.outgoing)
        ],
        empty="No port for mail programs is open.",
    )
    if settings.trust_note:
        click.echo(f"\n{settings.trust_note}")


@account.command("limits")
@click.argument("name")
@common
def limits(folder: Folder, as_json: bool, name: str) -> None:
    """Show how much the account has sent within the last 24 hours, and how much it may."""
    found = ask(resolve(folder), lambda client: client.send_limits(name), as_json=as_json)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    table(
        ("LIMIT", "USED", "OF", "ROOM AGAIN"),
        [
            (
                "recipients",
                str(found.messages.used),
                str(found.messages.limit),
                _room(found.messages),
            ),
            (
                "new recipients",
                str(found.first_time.used),
                str(found.first_time.limit),
                _room(found.first_time),
            ),
        ],
        empty="",
    )


def _room(limit: "SendLimit") -> str:
    return "now" if limit.room_at is None else f"{moment(limit.room_at)} ({until(limit.room_at)})"


@account.command("add")
@click.argument("address")
@click.option("--name", "full_name", default="", help="Full name, as it stands before the address.")
@click.option("--id", "account_id", help="The account's own name. Default: made from the address.")
@click.option(
    "--password", help="Default: one is made up and shown. Others may see what you type here."
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@common
def add_account(
    folder: Folder,
    as_json: bool,
    address: str,
    full_name: str,
    account_id: str | None,
    password: str | None,
    password_stdin: bool,
) -> None:
    """Add an account with its first address. The domain must exist."""
    from backend.api.types import AddAccount

    request = AddAccount(
        address=address,
        id=account_id,
        full_name=full_name,
        password=_password(password, from_stdin=password_stdin),
    )
    added = ask(resolve(folder), lambda client: client.add_account(request), as_json=as_json)
    if as_json:
        print_json(added.model_dump(mode="json"))
        return
    click.echo(f"Added the account {added.account.id} with the address {address}.")
    if added.password is not None:
        click.echo(f"Password: {added.password}")
        click.echo("It is not shown again. For the settings of mail programs:")
        click.echo(f"    gatepost account show {added.account.id}")


@account.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Don't ask.")
@common
def remove_account(folder: Folder, as_json: bool, name: str, yes: bool) -> None:
    """Remove an account with all its mail."""
    target = resolve(folder)
    found = ask(target, lambda client: client.account(name), as_json=as_json)
    if not yes:
        if as_json:
            raise click.UsageError("With --json, say --yes as well: all its mail is deleted.")
        click.echo(
            f"The account {found.id} has {found.messages} messages ({size(found.used_bytes)})."
        )
        click.confirm("Remove it with all its mail? This can't be undone", abort=True)
    ask(target, lambda client: client.remove_account(found.id), as_json=as_json)
    if as_json:
        print_json({"removed": found.id})
    else:
        click.echo(f"Removed the account {found.id}.")


@account.command("password")
@click.argument("name")
@click.option(
    "--password", help="Default: one is made up and shown. Others may see what you type here."
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@common
def set_password(
    folder: Folder, as_json: bool, name: str, password: str | None, password_stdin: bool
) -> None:
    """Set an account's password."""
    chosen = _password(password, from_stdin=password_stdin)
    made = ask(resolve(folder), lambda client: client.set_password(name, chosen), as_json=as_json)
    if as_json:
        print_json({"password": made})
    elif made is None:
        click.echo("The password is set.")
    else:
        click.echo(f"New password: {made}")
        click.echo("It is not shown again.")


@account.command("add-address")
@click.argument("name")
@click.argument("address")
@click.option("--mailbox", default="INBOX", show_default=True, help="Where its mail is put.")
@common
def add_address(folder: Folder, as_json: bool, name: str, address: str, mailbox: str) -> None:
    """Give an account one more address; @example.org is the catch-all of that domain."""
    changed = ask(
        resolve(folder),
        lambda client: client.add_address(name, address, mailbox=mailbox),
        as_json=as_json,
    )
    if as_json:
        print_json(changed.model_dump(mode="json"))
    else:
        click.echo(f"Mail to {address} goes to {changed.id} from now on.")


@account.command("remove-address")
@click.argument("name")
@click.argument("address")
@common
def remove_address(folder: Folder, as_json: bool, name: str, address: str) -> None:
    """Take an address away from an account."""
    ask(resolve(folder), lambda client: client.remove_address(name, address), as_json=as_json)
    if as_json:
        print_json({"removed": address})
    else:
        click.echo(f"Mail to {address} is refused from now on, unless a catch-all takes it.")


def _password(given: str | None, *, from_stdin: bool) -> str | None:
    if from_stdin:
        if given is not None:
            raise click.UsageError("Give --password or --password-stdin, not both.")
        return sys.stdin.readline().rstrip("\n")
    return given

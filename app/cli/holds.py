"""Rules that keep mail in the queue, and pausing all of it."""

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import table


@click.group("rule")
def hold_rule() -> None:
    """Rules that hold mail in the queue: list, add, apply, remove."""


@hold_rule.command("list")
@common
def list_rules(folder: Folder, as_json: bool) -> None:
    """Show the rules, and how much each holds."""
    found = ask(resolve(folder), lambda client: client.hold_rules(), as_json=as_json)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    table(
        ("RULE", "ACCOUNTS", "FROM", "TO", "HELD", "REASON"),
        [
            (
                rule.name,
                ", ".join(rule.settings.account) or "any" if rule.settings else "-",
                ", ".join(rule.settings.from_domain) or "any" if rule.settings else "-",
                ", ".join(rule.settings.to_domain) or "any" if rule.settings else "-",
                str(rule.held),
                rule.settings.comment if rule.settings else "removed; what it held still is",
            )
            for rule in found.items
        ],
        empty="There is no hold rule.",
    )
    if found.paused:
        click.echo("Sending is paused; go on with: gatepost queue resume")
    if found.held_by_hand:
        click.echo(f"Held by hand: {found.held_by_hand}")


@hold_rule.command("add")
@click.argument("name")
@click.option("--account", multiple=True, help="Mail of this account; may be repeated.")
@click.option("--from", "senders", multiple=True, help="Mail from this domain; may be repeated.")
@click.option("--to", "recipients", multiple=True, help="Mail to this domain; may be repeated.")
@click.option("--reason", default="", help="Shown with each message that it holds.")
@click.option("--new-only", is_flag=True, help="Leave alone what waits already.")
@common
def add_rule(
    folder: Folder,
    as_json: bool,
    name: str,
    account: tuple[str, ...],
    senders: tuple[str, ...],
    recipients: tuple[str, ...],
    reason: str,
    new_only: bool,
) -> None:
    """Hold what matches all of it; .example.org is that domain and all below it."""
    from backend.api.queue import HoldRuleSettings

    if not (account or senders or recipients):
        raise click.UsageError(
            "Say --account, --from or --to. To hold all mail: gatepost queue pause"
        )
    settings = HoldRuleSettings(
        account=list(account),
        from_domain=list(senders),
        to_domain=list(recipients),
        comment=reason,
    )
    acted = ask(
        resolve(folder),
        lambda client: client.add_hold_rule(name, settings, apply=not new_only),
        as_json=as_json,
    )
    _say(acted.changed, acted.model_dump(mode="json"), "held by it now", as_json=as_json)


@hold_rule.command("apply")
@click.argument("name")
@common
def apply_rule(folder: Folder, as_json: bool, name: str) -> None:
    """Hold what waits already and matches."""
    acted = ask(resolve(folder), lambda client: client.apply_hold_rule(name), as_json=as_json)
    _say(acted.changed, acted.model_dump(mode="json"), "held", as_json=as_json)


@hold_rule.command("remove")
@click.argument("name")
@click.option(
    "--release/--keep",
    default=None,
    help="Whether what it holds goes on, or stays held. Default: ask.",
)
@common
def remove_rule(folder: Folder, as_json: bool, name: str, release: bool | None) -> None:
    """Remove a rule, and release what it holds."""
    target = resolve(folder)
    if release is None:
        found = ask(target, lambda client: client.hold_rules(), as_json=as_json)
        held = next((rule.held for rule in found.items if rule.name == name), 0)
        if held and as_json:
            raise click.UsageError("With --json, say --release or --keep as well.")
        release = bool(held) and click.confirm(f"Release the {held} messages that it holds?")
    let_go = bool(release)
    acted = ask(
        target, lambda client: client.remove_hold_rule(name, release=let_go), as_json=as_json
    )
    _say(acted.changed, acted.model_dump(mode="json"), "released", as_json=as_json)


@click.command("pause")
@click.option("--reason", default="", help="Shown with each message that is held.")
@common
def pause(folder: Folder, as_json: bool, reason: str) -> None:
    """Let nothing leave until it is resumed; mail is accepted all the same."""
    acted = ask(resolve(folder), lambda client: client.pause_sending(reason), as_json=as_json)
    _say(acted.changed, acted.model_dump(mode="json"), "held", as_json=as_json)
    if not as_json:
        click.echo("Sending is paused; go on with: gatepost queue resume")


@click.command("resume")
@common
def resume(folder: Folder, as_json: bool) -> None:
    """End the pause and release what it held."""
    acted = ask(resolve(folder), lambda client: client.resume_sending(), as_json=as_json)
    _say(acted.changed, acted.model_dump(mode="json"), "released", as_json=as_json)


def _say(changed: int, data: object, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json(data)
    else:
        click.echo(f"{changed} {'message' if changed == 1 else 'messages'} {done}.")

"""The server as a whole: its state, stop and restart, the browser, the administrator's password."""

import sys

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import duration, facts, size, table

_MARKS = {"ok": ("●", "green"), "attention": ("▲", "yellow"), "problem": ("■", "red")}


@click.command()
@common
def status(folder: Folder, as_json: bool) -> None:
    """Show how the server is doing."""
    state = ask(resolve(folder), lambda client: client.status(), as_json=as_json)
    if as_json:
        print_json(state.model_dump(mode="json"))
        return
    mark, colour = _MARKS[state.verdict]
    click.echo(f"{click.style(mark, fg=colour)} {state.headline}")
    for problem in state.problems:
        click.echo(f"  {problem.severity}: {problem.message}")
        if problem.fix:
            click.echo(f"    {problem.fix}")
    today = state.counters
    click.echo()
    facts(
        [
            ("Server", f"{state.hostname}, Gatepost {state.version}, process {state.pid}"),
            ("Mode", "practice: nothing leaves this computer" if state.practice_mode else ""),
            ("Running for", duration(state.uptime_s)),
            (
                "Today",
                f"{today.received} received, {today.delivered} delivered, {today.sent} sent, {today.rejected} refused",
            ),
            ("Sign-ins", f"{today.sign_ins}, and {today.sign_in_failures} that failed"),
            ("Queue", f"{today.queue_waiting} waiting, {today.queue_held} held"),
            ("Accounts", f"{state.accounts} in {state.domains} domains"),
            ("Memory", size(state.memory_bytes)),
            ("Disk", f"{size(state.disk.free_bytes)} free of {size(state.disk.total_bytes)}"),
            ("Browser", state.web_url),
            ("Data folder", state.data_folder),
        ]
    )
    click.echo()
    table(
        ("PORT", "ADDRESS", "SERVICE", "ENCRYPTION", "FOR"),
        [(str(p.port), p.host, p.service, p.security, p.purpose) for p in state.ports],
        empty="No port is open.",
    )


@click.command()
@common
def stop(folder: Folder, as_json: bool) -> None:
    """Stop the server. No mail is received until it is started again."""
    reply = ask(resolve(folder), lambda client: client.shut_down(), as_json=as_json)
    if as_json:
        print_json(reply.model_dump(mode="json"))
    else:
        click.echo(reply.text)


@click.command()
@common
def restart(folder: Folder, as_json: bool) -> None:
    """Stop and start the server."""
    reply = ask(resolve(folder), lambda client: client.restart(), as_json=as_json)
    if as_json:
        print_json(reply.model_dump(mode="json"))
    else:
        click.echo(reply.text)


@click.command("open")
@common
def open_(folder: Folder, as_json: bool) -> None:
    """Open the administration in a browser."""
    url = ask(resolve(folder), lambda client: client.status(), as_json=as_json).web_url
    if as_json:
        print_json({"url": url})
    elif not url:
        click.echo("No listener offers the administration.", err=True)
        click.echo("    Set admin = true and an http_port for one in server.toml.", err=True)
        raise SystemExit(1)
    else:
        click.echo(url)
        click.launch(url)


@click.command("admin-password")
@click.option(
    "--stdin", "from_stdin", is_flag=True, help="Read the new password from standard input."
)
@common
def admin_password(folder: Folder, as_json: bool, from_stdin: bool) -> None:
    """Set a new administrator's password for the browser; it is shown this once."""
    chosen = sys.stdin.readline().rstrip("\n") if from_stdin else None
    reply = ask(
        resolve(folder), lambda client: client.change_admin_password(new=chosen), as_json=as_json
    )
    if as_json:
        print_json(reply.model_dump(mode="json"))
    elif reply.password is None:
        click.echo("The administrator's password is changed.")
    else:
        click.echo(f"New administrator's password: {reply.password}")
        click.echo("It is not shown again. All browsers must sign in anew.")

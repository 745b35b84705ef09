"""Is the server itself well?"""

import textwrap

import click

from app.cli.link import EXIT_REFUSED, ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import table

_WIDTH = 100


@click.command()
@click.option("--last", is_flag=True, help="Show what was found last instead of checking now.")
@common
def health(folder: Folder, as_json: bool, last: bool) -> None:
    """Check the server: disk, data folder, clock, ports, certificate, queue. Exit code 1 if something is to be mended."""
    reply = ask(
        resolve(folder),
        lambda client: client.health() if last else client.check_health(),
        as_json=as_json,
    )
    if as_json:
        print_json(reply.model_dump(mode="json"))
    else:
        click.echo(reply.headline)
        if reply.items:
            click.echo()
            rows = [
                (each.word if each.acknowledged is None else "hidden", each.title, each.summary)
                for each in reply.items
            ]
            table(("RESULT", "CHECK", "WHAT"), rows, empty="")
        for each in reply.items:
            if each.fix is not None and each.acknowledged is None:
                click.echo()
                click.echo(click.style(each.title, bold=True))
                text = textwrap.wrap(
                    each.fix.text, _WIDTH, initial_indent="    ", subsequent_indent="    "
                )
                click.echo("\n".join(text))
    if any(each.state == "fail" and each.acknowledged is None for each in reply.items):
        raise SystemExit(EXIT_REFUSED)

"""The server's log."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.link import ask, runs
from app.cli.options import Folder, common, resolve
from app.cli.output import moment

if TYPE_CHECKING:
    from backend.api.client import Client
    from backend.api.types import LogLine, LogQuery

_COLOURS = {"error": "red", "warning": "yellow", "info": None, "debug": "bright_black"}
MAX_READ_BYTES = 4_000_000  # of the file, when the server does not run


@click.command()
@click.option("-n", "--lines", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines as they are written.")
@click.option(
    "--level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="debug",
    help="This and worse.",
)
@click.option("--logger", default="", help="A part of the server, such as smtpd or outbound.")
@click.option("--text", default="", help="Only lines with this in them.")
@common
def log(
    folder: Folder,
    as_json: bool,
    lines: int,
    follow: bool,
    level: str,
    logger: str,
    text: str,
) -> None:
    """Show the last lines of the log; from the file if the server does not run."""
    from backend.api.types import LogQuery

    target = resolve(folder)
    if not runs(target):
        _print_file(target / "log" / "server.log", lines, as_json=as_json)
        return
    query = LogQuery.model_validate(
        {"limit": lines, "level": level, "logger": logger, "text": text}
    )
    if follow:
        try:
            ask(target, lambda client: _follow(client, query, as_json=as_json), as_json=as_json)
        except KeyboardInterrupt:
            return
    else:
        for line in ask(target, lambda client: client.log(query), as_json=as_json).lines:
            _print_line(line, as_json=as_json)


async def _follow(client: "Client", query: "LogQuery", *, as_json: bool) -> None:
    async with client.open_log(query) as lines:
        async for line in lines:
            _print_line(line, as_json=as_json)


def _print_line(line: "LogLine", *, as_json: bool) -> None:
    if as_json:
        click.echo(line.model_dump_json())
        return
    fields = " ".join(f"{key}={_plain(value)}" for key, value in line.fields.items())
    head = f"{moment(line.at)} {line.level.upper():7} {line.logger}: {_plain(line.message)}"
    click.echo(click.style(f"{head} {fields}".rstrip(), fg=_COLOURS[line.level]))
    if line.trace:
        click.echo("\n".join(_plain(part) for part in line.trace.splitlines()))


def _plain(value: object) -> str:
    # What strangers sent must not steer the terminal.
    return "".join(char if char.isprintable() else "·" for char in str(value))


def _print_file(file: Path, lines: int, *, as_json: bool) -> None:
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - MAX_READ_BYTES))
            tail = stream.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        click.echo("The server does not run, and has never written a log.", err=True)
        raise SystemExit(3) from None
    for text in tail:
        click.echo(text if as_json else _from_json(text))


def _from_json(text: str) -> str:
    try:
        values = json.loads(text)
        head = f"{values.pop('time')} {values.pop('level').upper():7} {values.pop('logger')}: {values.pop('message')}"
    except (ValueError, KeyError, AttributeError):
        return _plain(text)
    return _plain(f"{head} " + " ".join(f"{key}={value}" for key, value in values.items()))

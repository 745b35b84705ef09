"""The window, and the two ways to run a server."""

import os
import sys
from pathlib import Path

import click

from app.cli.options import Folder, folder_option, resolve


def window(folder: Folder, page: str, *, practice: bool) -> int:
    """The window, until it is closed; `page` is the one to show."""
    if not _has_screen():
        # Qt would end the process without a word that helps.
        click.echo(
            "There is no screen here to open the window on (DISPLAY and WAYLAND_DISPLAY are not set).\n"
            "Use the browser (gatepost open), or a command: gatepost --help",
            err=True,
        )
        return 1
    from app.gui import run

    return run(folder, open_path=page, practice=practice)


def _has_screen() -> bool:
    if sys.platform in {"win32", "darwin"}:
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Data folder of the practice server; made if it is missing. Default: a folder of its own for practice.",
)
@click.option(
    "--port-base",
    type=click.IntRange(0, 60_000),
    metavar="N",
    help="Use the well-known port numbers plus N (smtp N+25, imap N+143 …). Default: free ports.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one line of JSON when all ports answer."
)
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="ADDRESS:PASSWORD",
    help="An account that shall exist, with its domain; may be given more than once. Default: me@gatepost.test",
)
@click.option("--console", is_flag=True, help="Write the log to this terminal as well.")
def trial(
    folder: Folder,
    port_base: int | None,
    as_json: bool,
    accounts: tuple[str, ...],
    console: bool,
) -> None:
    """Run a practice server: complete, on this computer, and nothing leaves it."""
    from app.trial import parse_account, run

    try:
        pairs = [parse_account(text) for text in accounts]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--account") from error
    target = practice_folder() if folder is None and _above() is None else resolve(folder)
    code = run(target, port_base=port_base, as_json=as_json, accounts=pairs, console=console)
    raise SystemExit(code)


def practice_folder() -> Path:
    """Where practice servers live unless a folder is named: beside the real one, never in it."""
    from backend.api.endpoint import default_folder

    folder = default_folder()
    return folder.with_name(f"{folder.name}-practice")


def _above() -> object:
    return click.get_current_context().find_root().obj


@click.command()
@folder_option
@click.option("--console", is_flag=True, help="Write the log to this terminal as well.")
def serve(folder: Folder, console: bool) -> None:
    """Run the server of a data folder until it is stopped."""
    from app.serve import run

    raise SystemExit(run(resolve(folder), console=console))

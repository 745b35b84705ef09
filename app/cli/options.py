"""Options that every command takes, before or after its name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

Folder = Path | None

EPILOG = (
    "Exit codes: 0 done; 1 refused, or problems were found; 2 the command line was wrong; "
    "3 the server does not run; 78 the settings have faults."
)


def folder_option(function: F) -> F:
    """`--dir DIR`: the data folder of the server that is meant."""
    return click.option(
        "--dir",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Data folder of the server. Default: $GATEPOST_DIR, else this user's own.",
    )(function)


def json_option(function: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(
        function
    )


def common(function: F) -> F:
    """Both."""
    return json_option(folder_option(function))


def resolve(folder: Folder) -> Path:
    """The folder that was named here or before the command, else the default."""
    from backend.api.endpoint import default_folder

    above = click.get_current_context().find_root().obj
    chosen = folder or (above if isinstance(above, Path) else None) or default_folder()
    return chosen.expanduser().absolute()

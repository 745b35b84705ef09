"""From a command to the server of its data folder: one question, its answer, and what to say when it fails."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from backend.api.client import ApiError, Client
    from backend.api.types import Problem

T = TypeVar("T")

EXIT_REFUSED = 1
EXIT_NOT_RUNNING = 3


def ask(folder: Path, question: "Callable[[Client], Awaitable[T]]", *, as_json: bool = False) -> T:
    """Asks the server of the folder; ends the program with words and an exit code when that fails."""
    from backend.api.client import ApiError, NotReachableError

    try:
        return asyncio.run(_ask(folder, question))
    except ApiError as error:
        refuse(error, as_json=as_json)
    except NotReachableError:
        not_running(folder, as_json=as_json)


async def _ask(folder: Path, question: "Callable[[Client], Awaitable[T]]") -> T:
    from backend.api.client import Client

    async with Client.of_folder(folder) as client:
        return await question(client)


def runs(folder: Path) -> bool:
    """Whether the server of the folder answers."""
    from backend.api.client import NotReachableError

    try:
        asyncio.run(_ask(folder, lambda client: client.hello()))
    except NotReachableError:
        return False
    return True


def refuse(error: "ApiError", *, as_json: bool) -> NoReturn:
    if as_json:
        issues = [issue.model_dump(mode="json") for issue in error.issues]
        print_json({"error": error.code, "title": error.title, "issues": issues})
    elif error.issues:
        print_problems(error.issues)
    else:
        click.echo(error.title, err=True)
    raise SystemExit(EXIT_REFUSED)


def not_running(folder: Path, *, as_json: bool) -> NoReturn:
    exists = (folder / "config" / "server.toml").exists()
    command = f"gatepost {'serve' if exists else 'trial'} --dir {folder}"
    if as_json:
        print_json({"error": "server.not_running", "folder": str(folder), "start": command})
    else:
        click.echo(f"The server of {folder} does not run.", err=True)
        if exists:
            click.echo(f"Start it with: {command}", err=True)
        else:
            click.echo(f"That folder holds no server yet. Try one with: {command}", err=True)
    raise SystemExit(EXIT_NOT_RUNNING)


def print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_problems(problems: "Sequence[Problem]") -> None:
    """On standard error: what is wrong, and what to do."""
    for problem in problems:
        place = f"{problem.file}:{problem.line}: " if problem.file else ""
        click.echo(f"{place}{problem.message}", err=True)
        if problem.fix:
            click.echo(f"    {problem.fix}", err=True)

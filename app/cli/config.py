"""The configuration: check, show, history."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.link import EXIT_REFUSED, ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import moment, table

if TYPE_CHECKING:
    from backend.api.client import Client
    from backend.api.settings import ConfigApplied


@click.group()
def config() -> None:
    """The configuration: check, show, revisions, diff, revert."""


@config.command("check")
@common
def check(folder: Folder, as_json: bool) -> None:
    """Look for faults in the files, whether the server runs or not."""
    from app.serve import check_config

    report(check_config(resolve(folder)), as_json=as_json, well="The configuration has no faults.")


def report(problems: list[dict[str, object]], *, as_json: bool, well: str) -> None:
    """Problems as `app.serve` gives them; exit code 1 if one is an error."""
    if as_json:
        print_json({"problems": problems})
    elif not problems:
        click.echo(well)
    for problem in [] if as_json else problems:
        place = f"{problem['file']}:{problem['line']}: " if problem.get("file") else ""
        click.echo(f"{place}{problem['message']}")
        if problem.get("fix"):
            click.echo(f"    {problem['fix']}")
    if any(problem.get("severity", "error") == "error" for problem in problems):
        raise SystemExit(EXIT_REFUSED)


@config.command("show")
@click.argument("file", type=click.Choice(["server.toml", "domains.toml"]), required=False)
@common
def show(folder: Folder, as_json: bool, file: str | None) -> None:
    """Print the configuration that runs."""
    current = ask(resolve(folder), lambda client: client.config(), as_json=as_json)
    if as_json:
        print_json(current.model_dump(mode="json"))
        return
    for name, text in current.files.items():
        if file is None:
            click.echo(click.style(f"==> {name} (revision {current.revision}) <==", bold=True))
        if file in {None, name}:
            click.echo(text)


@config.command("apply")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@common
def apply(folder: Folder, as_json: bool, files: tuple[Path, ...]) -> None:
    """Apply files named server.toml and domains.toml, all or nothing."""
    from backend.api.settings import ConfigFiles

    texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    for name in texts:
        if name not in {"server.toml", "domains.toml"}:
            raise click.UsageError(f"{name}: the files must be named server.toml or domains.toml.")
    request = ConfigFiles.model_validate({"files": texts})

    async def put(client: "Client") -> "ConfigApplied":
        revision = (await client.config()).revision
        return await client.apply_config(request, revision=revision)

    _say_applied(ask(resolve(folder), put, as_json=as_json), as_json=as_json)


@config.command("revisions")
@common
def revisions(folder: Folder, as_json: bool) -> None:
    """Show every change, the newest first."""
    found = ask(resolve(folder), lambda client: client.revisions(), as_json=as_json)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    table(
        ("REVISION", "TIME", "BY", "WHAT"),
        [(str(r.number), moment(r.at), r.author, r.summary) for r in found.items],
        empty="There is no revision yet.",
    )


@config.command("diff")
@click.argument("number", type=int)
@common
def diff(folder: Folder, as_json: bool, number: int) -> None:
    """Show what one revision changed."""
    found = ask(resolve(folder), lambda client: client.revision_diff(number), as_json=as_json)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        click.echo(found.diff)


@config.command("revert")
@click.argument("number", type=int)
@common
def revert(folder: Folder, as_json: bool, number: int) -> None:
    """Go back to the configuration as it was after that revision."""

    async def go_back(client: "Client") -> "ConfigApplied":
        revision = (await client.config()).revision
        return await client.revert(number, revision=revision)

    _say_applied(ask(resolve(folder), go_back, as_json=as_json), as_json=as_json)


def _say_applied(applied: "ConfigApplied", *, as_json: bool) -> None:
    if as_json:
        print_json(applied.model_dump(mode="json"))
        return
    for effect in applied.effects:
        click.echo(effect)
    click.echo(f"The configuration is now at revision {applied.revision}.")
    if applied.needs_restart:
        click.echo("Some of it takes effect after: gatepost restart")

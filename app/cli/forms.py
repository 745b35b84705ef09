"""Settings as the window and the browser show them: forms, by their names and paths."""

import json
from typing import TYPE_CHECKING, Any

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import facts, table

if TYPE_CHECKING:
    from backend.api.client import Client
    from backend.api.forms import Saved

ONLY_ONE = "-"


@click.group()
def form() -> None:
    """Settings as forms: what there is, what holds, and changing it."""


@form.command("list")
@click.option("--find", "words", default="", help="Only settings found by these words.")
@common
def list_forms(folder: Folder, as_json: bool, words: str) -> None:
    """Show all forms, or the single settings that words find."""
    if words:
        found = ask(resolve(folder), lambda client: client.search_forms(words), as_json=as_json)
        if as_json:
            print_json([each.model_dump(mode="json") for each in found])
            return
        rows = [(each.context or each.title, each.field, each.title, each.help) for each in found]
        table(("FORM", "PATH", "SETTING", "HELP"), rows, empty="Nothing is found by these words.")
        return
    specs = ask(resolve(folder), lambda client: client.form_specs(), as_json=as_json)
    if as_json:
        print_json([each.model_dump(mode="json") for each in specs.items])
        return
    table(("FORM", "TITLE"), [(each.id, each.title) for each in specs.items], empty="")


@form.command("show")
@click.argument("name", metavar="FORM")
@click.argument("key", default=ONLY_ONE)
@common
def show_form(folder: Folder, as_json: bool, name: str, key: str) -> None:
    """Show the values of a form; KEY names the domain, account or transport."""
    values = ask(resolve(folder), lambda client: client.form(name, key), as_json=as_json)
    if as_json:
        print_json(values.model_dump(mode="json"))
        return
    facts([(path, _shown(value)) for path, value in _leaves(values.values, "")])


@form.command("set")
@click.argument("name", metavar="FORM")
@click.argument("key")
@click.argument("changes", nargs=-1, required=True, metavar="PATH=VALUE...")
@click.option("--dry-run", is_flag=True, help="Only tell what it would do.")
@common
def set_form(
    folder: Folder, as_json: bool, name: str, key: str, changes: tuple[str, ...], dry_run: bool
) -> None:
    """Change values of a form: gatepost form set account anna quota_bytes=5000000000

    A VALUE is JSON (true, 5, ["a"], null) or else a text. KEY is - for a form that there is once.
    """
    wanted = [_change(each) for each in changes]

    async def save(client: "Client") -> "Saved":
        now = await client.form(name, key)
        values: dict[str, Any] = dict(now.values)
        for path, value in wanted:
            _put(values, path, value)
        return await client.save_form(name, key, values, revision=now.revision, dry_run=dry_run)

    saved = ask(resolve(folder), save, as_json=as_json)
    if as_json:
        print_json(saved.model_dump(mode="json"))
        return
    for effect in saved.effects:
        click.echo(effect.text)
    if dry_run:
        click.echo("Nothing was changed.")


def _change(text: str) -> tuple[list[str], Any]:
    path, equals, value = text.partition("=")
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.strip("/").split("/")]
    if not equals or not all(parts):
        raise click.UsageError(f"“{text}” is no change such as full_name=Anna or via/port=465.")
    try:
        return parts, json.loads(value)
    except ValueError:
        return parts, value


def _put(values: Any, path: list[str], value: Any) -> None:
    """Sets what stands at the path; groups on the way that are switched off are switched on."""
    for place, part in enumerate(path):
        last = place == len(path) - 1
        if isinstance(values, list):
            if not part.isdecimal() or int(part) >= len(values):
                raise click.UsageError(f"The list has no entry {part}; they count from 0.")
            index: Any = int(part)
        elif isinstance(values, dict):
            index = part
        else:
            raise click.UsageError(f"There is nothing below “{'/'.join(path[:place])}”.")
        if last:
            _refuse_secret(part, values, value)
            values[index] = value
        else:
            below = values.get(index) if isinstance(values, dict) else values[index]
            if below is None:
                below = values[index] = {}
            values = below


def _refuse_secret(name: str, values: Any, value: Any) -> None:
    """SECURITY: others on the computer see what stands on a command line, and shells keep it."""
    now = values.get(name) if isinstance(values, dict) else None
    is_secret = name == "password" or (isinstance(now, dict) and set(now) == {"set"})
    if is_secret and value is not None:
        raise click.UsageError(
            "A password does not belong on the command line. Set it with: gatepost transport password NAME"
        )


def _leaves(value: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value and set(value) != {"set"}:
        return [leaf for name, inner in value.items() for leaf in _leaves(inner, f"{path}/{name}")]
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return [leaf for n, inner in enumerate(value) for leaf in _leaves(inner, f"{path}/{n}")]
    return [(path.removeprefix("/"), value)]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "(set)" if value.get("set") else "(not set)" if value else "(none)"
    return json.dumps(value, ensure_ascii=False)

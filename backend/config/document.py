"""Changes a TOML text so that it says something else and keeps its comments: what `plan` found, done with tomlkit."""

from collections.abc import Iterable, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any

import tomlkit
from tomlkit.items import AoT, InlineTable, Table

from backend.config.lines import Path
from backend.config.load import Completed
from backend.config.plan import MISSING, Plain, Step


def rewrite(
    text: str,
    steps: Iterable[Step],
    *,
    lean: Plain,
    spelling: Mapping[Path, str],
    completed: Iterable[Completed] = (),
) -> str:
    """`lean`: the new settings without defaults, so that a new table does not list them all. `spelling`: keys as the
    file has them. `completed` destinations are written in full (behaviour A1).
    """
    document = tomlkit.parse(text)
    names = dict(spelling)
    for item in completed:
        path: Path = ("accounts", item.account, "destinations", item.address)
        _rename(document, path, item.localpart, item.address)
        names.pop(path, None)
    for step in steps:
        _do(document, step, lean, names)
    return document.as_string()


def _rename(document: MutableMapping[str, Any], path: Path, old: str, new: str) -> None:
    table = document
    for key in path[:-1]:
        table = table[str(key)]
    value = table[old]
    if isinstance(value, Table):
        value.display_name = None  # else the header keeps the old name
    # The order of the table changes, its comments don't: they belong to the value.
    del table[old]
    table[new] = value


def _do(
    document: MutableMapping[str, Any], step: Step, lean: Plain, names: Mapping[Path, str]
) -> None:
    table = document
    path: tuple[str, ...] = ()
    for key in step.path[:-1]:
        path = (*path, key)
        written = names.get(path, key)
        if written not in table:
            if step.new is MISSING:
                return
            table[written] = (
                tomlkit.inline_table()
                if isinstance(table, InlineTable)
                else tomlkit.table(is_super_table=_is_super(lean, path))
            )
        table = table[written]
    last = names.get(step.path, step.path[-1])
    if step.new is MISSING:
        if last in table:
            del table[last]
    elif isinstance(table, InlineTable):
        # In an inline table everything is on one line, and tomlkit makes such values of plain ones.
        table[last] = _look_up(lean, step.path, step.new)
    elif isinstance(step.new, Mapping):
        table[last] = _to_table(_look_up(lean, step.path, {}))
    elif _is_tables(step.new):
        table[last] = _to_array(_look_up(lean, step.path, step.new), _kept(table.get(last), step))
    elif step.new == [] and isinstance(table.get(last), AoT):
        del table[last]
    else:
        table[last] = step.new


def _look_up(data: Plain, path: tuple[str, ...], default: Any) -> Any:
    value: Any = data
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return default
        value = value[key]
    return value


def _is_super(lean: Plain, path: tuple[str, ...]) -> bool:
    """Whether the table holds tables only, so that it needs no header of its own."""
    value = _look_up(lean, path, {})
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(item, Mapping) for item in value.values())
    )


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def _to_table(value: Mapping[str, Any]) -> Table:
    is_super = bool(value) and all(isinstance(item, Mapping) for item in value.values())
    table = tomlkit.table(is_super_table=is_super)
    # Settings before tables, or they would belong to the last table.
    for key, item in value.items():
        if not isinstance(item, Mapping) and not _is_tables(item):
            table[key] = item
    for key, item in value.items():
        if isinstance(item, Mapping):
            table[key] = _to_table(item)
        elif _is_tables(item):
            table[key] = _to_array(item)
    return table


def _kept(written: object, step: Step) -> dict[int, Table]:
    """Which tables of the list go on unchanged, by their new place: they keep their comments."""
    if not isinstance(written, AoT) or not isinstance(step.old, list):
        return {}
    if len(written.body) != len(step.old):
        return {}
    free = list(enumerate(written.body))
    kept: dict[int, Table] = {}
    for place, item in enumerate(step.new):
        for index, table in free:
            if step.old[index] == item:
                kept[place] = table
                free.remove((index, table))
                break
    return kept


def _to_array(
    value: list[Mapping[str, Any]], kept: Mapping[int, Table] = MappingProxyType({})
) -> AoT:
    array = tomlkit.aot()
    for place, item in enumerate(value):
        array.append(kept[place] if place in kept else _to_table(item))
    return array

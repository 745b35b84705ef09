"""A configuration as a fresh TOML text that explains itself: for a new data folder.

Settings at their default are there as comments, each with what it means.
"""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import tomlkit
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from backend.config.describe import ui_of
from backend.config.model import DomainsConfig, ServerConfig

_WIDTH = 100

_SERVER_HEAD = """\
Settings of this mail server that need a restart. Lines that begin with # are comments; settings at
their default are written as comments. Check the file after a change with: gatepost config check
"""
_DOMAINS_HEAD = """\
Domains, accounts and ways out. Changes take effect as soon as the file is saved, also those made here
by hand. Passwords are not in this file: set them with gatepost account password, or in the window.
"""


def render_server(config: ServerConfig) -> str:
    return "\n".join(_document(_SERVER_HEAD, config)) + "\n"


def render_domains(config: DomainsConfig) -> str:
    return "\n".join(_document(_DOMAINS_HEAD, config)) + "\n"


def _document(head: str, model: BaseModel) -> Iterator[str]:
    yield from (f"# {line}" for line in head.splitlines())
    yield from _table(model, ())


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, _WIDTH - 2):
        yield f"# {line}"


def _about(field: FieldInfo) -> str:
    ui = ui_of(field)
    if ui is None:
        return ""
    unit = f" ({ui.unit})" if ui.unit else ""
    return f"{ui.title}{unit}: {ui.help}"


def _default(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True)


def key_text(key: str) -> str:
    """A key as TOML writes it, quoted where it must be."""
    return tomlkit.key(key).as_string() if key else '""'


def value_text(value: Any) -> str:
    """A value on one line."""
    return tomlkit.item(value).as_string() if not isinstance(value, Mapping) else _inline(value)


def _inline(value: Mapping[str, Any]) -> str:
    inside = ", ".join(f"{key_text(key)} = {value_text(item)}" for key, item in value.items())
    return f"{{ {inside} }}" if inside else "{}"


def _header(path: tuple[str, ...]) -> str:
    return f"[{'.'.join(key_text(key) for key in path)}]"


def _is_group(value: Any) -> bool:
    return isinstance(value, BaseModel)


def _table(model: BaseModel, path: tuple[str, ...]) -> Iterator[str]:
    """First the settings, then the tables below, as TOML wants it."""
    below: list[tuple[str, FieldInfo, Any]] = []
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if _is_group(value) or isinstance(value, dict) or _is_list_of_groups(value):
            below.append((name, field, value))
        elif value is not None:
            yield ""
            yield from _comment(_about(field))
            line = f"{key_text(name)} = {value_text(value)}"
            yield line if field.is_required() or value != _default(field) else f"# {line}"
    for name, field, value in below:
        yield from _below(field, value, (*path, name))


def _is_list_of_groups(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_group(item) for item in value)


def _below(field: FieldInfo, value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield ""
            yield f"[{_header(path)}]"
            yield from _settings(item, path)
    elif isinstance(value, dict):
        if not value:
            ui = ui_of(field)
            yield ""
            yield from _comment(_about(field))
            if ui is not None and ui.example:
                yield f"# {ui.example}"
            return
        for key, item in value.items():
            yield ""
            yield _header((*path, key))
            yield from _settings(item, (*path, key))
    else:
        yield ""
        yield from _comment(_about(field))
        yield _header(path)
        yield from _table(value, path)


def _settings(model: BaseModel, path: tuple[str, ...]) -> Iterator[str]:
    """A table that repeats (a listener, an account): without the explanations, what is not at its default."""
    fields = type(model).model_fields
    below: list[tuple[str, Any]] = []
    for name, field in fields.items():
        value = getattr(model, name)
        if _is_group(value) or isinstance(value, dict) or _is_list_of_groups(value):
            below.append((name, value))
        elif value is not None and (field.is_required() or value != _default(field)):
            yield f"{key_text(name)} = {value_text(value)}"
    for name, value in below:
        if value and value != _default(fields[name]):
            yield from _below(fields[name], value, (*path, name))

"""The values of a form: what stands where, what a new entry begins with, and how two changes become one.

`resources/web/lib/values.mjs` does the same in the browser.
"""

import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

from pydantic import JsonValue

from backend.api.conditions import Path, value_at
from backend.api.forms import Field, Variant

Values = dict[str, JsonValue]

SIZE_UNITS: tuple[tuple[int, str], ...] = (
    (1, "bytes"),
    (1024, "KiB"),
    (1024**2, "MiB"),
    (1024**3, "GiB"),
)
DURATION_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
_GENERIC_LABELS = re.compile(r"smtp|mail|mx\d*|www")


def pointer(path: Path) -> str:
    """RFC 6901."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def with_value(values: JsonValue, path: Path, value: JsonValue) -> JsonValue:
    """The same values but for one place."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(values, list):
        copy: list[JsonValue] = list(values)
        copy[int(first)] = with_value(copy[int(first)], rest, value)
        return copy
    table = dict(values) if isinstance(values, dict) else {}
    table[str(first)] = with_value(table.get(str(first)), rest, value)
    return table


def begin(field: Field) -> JsonValue:
    """What a field begins with in a new entry."""
    if field.default is not None:
        return deepcopy(field.default)
    if field.nullable:
        return None
    match field.kind:
        case "bool":
            return False
        case "multi" | "list":
            return []
        case "map":
            return {}
        case "secret":
            return {"set": False}
        case "object":
            return begin_all(field.fields)
        case "variant" if field.variants:
            return begin_variant(field, field.variants[0])
        case "choice" if field.choices:
            return field.choices[0].value
        case "text" | "code" | "file" | "ref":
            return ""
        case _:
            return None


def begin_all(fields: Sequence[Field]) -> Values:
    return {field.key: begin(field) for field in fields}


def begin_variant(field: Field, variant: Variant) -> Values:
    return {field.tag: variant.value, **begin_all(variant.fields)}


def fill(template: str, entry: JsonValue, place: int, key: str = "") -> str:
    """A title such as `{#}. to {to}` with the values of an entry."""

    def replaced(match: re.Match[str]) -> str:
        name = match[1]
        if name == "#":
            return str(place + 1)
        if name == "@":
            return key
        value = value_at(entry, name.split("/"))
        if isinstance(value, list):
            return ", ".join(str(each) for each in value)
        return "" if value is None else str(value)

    return re.sub(r"\{([^}]+)\}", replaced, template)


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that two people have changed differently."""

    key: str
    label: str
    mine: JsonValue
    theirs: JsonValue


def merge(
    fields: Sequence[Field], base: Values, mine: Values, theirs: Values
) -> tuple[Values, tuple[Clash, ...]]:
    """What only one of two people has touched is taken over. Top-level fields count as wholes; a clash has one's own value."""
    values, clashes = dict(theirs), []
    for field in fields:
        key = field.key
        own, old, other = mine.get(key), base.get(key), theirs.get(key)
        if own == old:
            continue
        values[key] = own
        if other not in (old, own):
            clashes.append(Clash(key, field.label, own, other))
    return values, tuple(clashes)


def brief(value: JsonValue) -> str:
    """A value in a few words, for people."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, list):
        return ", ".join(brief(each) if isinstance(each, dict) else str(each) for each in value)
    if isinstance(value, dict):
        if set(value) == {"set"}:
            return "the one that is stored" if value["set"] else "nothing"
        return "; ".join(f"{name} {brief(each)}" for name, each in value.items())
    return str(value)


def parse_number(text: str, convert: Callable[[str], float] = float) -> JsonValue:
    """A number; None for nothing; the text itself when it is none, so that the server says what is wrong with it."""
    plain = text.strip()
    if not plain:
        return None
    try:
        value = convert(plain)
    except ValueError:
        return text
    return int(value) if value == int(value) and "." not in plain else value


def suggestion(source: JsonValue) -> str:
    """A short name from a host name or an address: `smtp.relay.example` gives `relay`."""
    labels = str(source or "").partition("@")[0].split(".")
    return next(
        (each.lower() for each in labels if each and not _GENERIC_LABELS.fullmatch(each)), ""
    )

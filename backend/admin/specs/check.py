"""Values of a form against its fields: every fault at once, each with the path in the values.

What is found here are faults of shape: missing, of the wrong kind, out of bounds, unknown. What a value means, the
settings' models judge afterwards.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from backend.api import forms as f
from backend.api.conditions import holds, is_empty

Path = tuple[str, ...]

TEXT_PARAMS = frozenset({"label", "ask", "choices"})

MAX_CODE_CHARS = 1_000_000  # of one text of kind code, a security limit
MAX_TEXT_CHARS = 10_000  # of any other text, a security limit
KEY_PATH: Path = ("@key",)

SENTENCES = (
    "That is more than a form can hold.",
    "There is no such field here.",
    "{ask}.",
    "Fill in “{label}”.",
    "“{label}” must be a whole number.",
    "“{label}” must be a number.",
    "“{label}” must be on or off.",
    "“{label}” must be a time such as 2026-11-23T20:15:00Z.",
    "“{label}” must be a list.",
    "“{label}” must be a table of entries.",
    "“{label}” must be a group of fields.",
    "Choose one of the ways for “{label}”.",
    "“{label}” must be a text.",
    "“{label}” may have at most {max} characters.",
    "“{label}” needs at least {min} characters.",
    "“{label}” holds characters that are none.",
    "“{label}” must be at least {min}.",
    "“{label}” may be at most {max}.",
    "Choose one of these: {choices}.",
    "“{label}” needs at least {min} entries.",
    "“{label}” may have at most {max} entries.",
)
"""All texts of this module, for the catalogue."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`message` and `fix` are texts of the catalogue, with holes for `params`. Params named in `TEXT_PARAMS` are such texts
    themselves, one a line.
    """

    code: str
    path: Path
    message: str
    fix: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    severity: str = "error"


def too_large(values: JsonValue) -> Fault | None:
    """Whether it is more than a form can hold; looked at before anything else."""
    waiting: list[tuple[JsonValue, int]] = [(values, 0)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if seen > f.MAX_VALUES or depth > f.MAX_DEPTH:
            return Fault("form.too_large", (), "That is more than a form can hold.")
        if isinstance(value, Mapping):
            waiting += [(each, depth + 1) for each in value.values()]
        elif isinstance(value, list):
            waiting += [(each, depth + 1) for each in value]
    return None


def check_values(fields: Sequence[f.Field], values: Mapping[str, JsonValue]) -> list[Fault]:
    """Empty when the values have the shape of the form."""
    return list(_object(fields, values, (), values))


def _object(
    fields: Sequence[f.Field], values: Mapping[str, JsonValue], path: Path, root: Any
) -> Iterator[Fault]:
    known = {each.key for each in fields}
    for name in values:
        if name not in known:
            yield Fault("field.unknown", (*path, name), "There is no such field here.")
    for each in fields:
        place = (*path, each.key)
        value = values.get(each.key)
        if each.kind == "readonly" or each.readonly:
            continue
        if each.key not in values or (value is None and not _takes_null(each)):
            if _is_needed(each, root, path):
                yield _missing(each, place)
            elif value is None and each.key in values:
                yield _wrong(each, place)
            continue
        if is_empty(value) and _is_needed(each, root, path):
            yield _missing(each, place)
            continue
        yield from _value(each, value, place, root)


def _takes_null(field_: f.Field) -> bool:
    return field_.nullable or field_.kind == "secret"


def _is_needed(field_: f.Field, root: Any, here: Path) -> bool:
    if not holds(field_.show_if, root, here):
        return False
    if field_.required_if is not None:
        return holds(field_.required_if, root, here)
    # An entry may be a table in which everything has a default.
    return field_.required and field_.kind not in {"object", "map"}


def _missing(field_: f.Field, place: Path) -> Fault:
    if field_.ask:
        return Fault("field.missing", place, "{ask}.", params={"ask": field_.ask})
    return Fault("field.missing", place, "Fill in “{label}”.", params={"label": field_.label})


_WANTED = {
    "int": "“{label}” must be a whole number.",
    "size": "“{label}” must be a whole number.",
    "duration": "“{label}” must be a whole number.",
    "float": "“{label}” must be a number.",
    "bool": "“{label}” must be on or off.",
    "datetime": "“{label}” must be a time such as 2026-11-23T20:15:00Z.",
    "list": "“{label}” must be a list.",
    "multi": "“{label}” must be a list.",
    "map": "“{label}” must be a table of entries.",
    "object": "“{label}” must be a group of fields.",
    "variant": "Choose one of the ways for “{label}”.",
}


def _wrong(field_: f.Field, place: Path) -> Fault:
    message = _WANTED.get(field_.kind, "“{label}” must be a text.")
    return Fault("field.kind", place, message, params={"label": field_.label})


def _value(field_: f.Field, value: JsonValue, place: Path, root: Any) -> Iterator[Fault]:
    if value is None:
        return
    match field_.kind:
        case "text" | "file" | "code" | "ref":
            yield from _text(field_, value, place)
        case "secret":
            if not (isinstance(value, Mapping) and set(value) == {"set"}):
                yield from _text(field_, value, place)
        case "int" | "size" | "duration" | "float":
            yield from _number(field_, value, place)
        case "bool":
            if not isinstance(value, bool):
                yield _wrong(field_, place)
        case "datetime":
            if not _is_moment(value):
                yield _wrong(field_, place)
        case "choice":
            yield from _choice(field_, value, place)
        case "multi" | "list":
            yield from _list(field_, value, place, root)
        case "map":
            yield from _map(field_, value, place, root)
        case "object":
            if isinstance(value, Mapping):
                yield from _object(field_.fields, value, place, root)
            else:
                yield _wrong(field_, place)
        case "variant":
            yield from _variant(field_, value, place, root)
        case _:
            pass


def _text(field_: f.Field, value: JsonValue, place: Path) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield _wrong(field_, place)
        return
    most = field_.max_length or (MAX_CODE_CHARS if field_.kind == "code" else MAX_TEXT_CHARS)
    if len(value) > most:
        yield _bound(
            field_,
            place,
            "field.too_long",
            "“{label}” may have at most {max} characters.",
            max=most,
        )
    elif value and field_.min_length and len(value) < field_.min_length:
        yield _bound(
            field_,
            place,
            "field.too_short",
            "“{label}” needs at least {min} characters.",
            min=field_.min_length,
        )
    elif value and field_.pattern and re.fullmatch(field_.pattern.regex, value) is None:
        yield Fault("field.pattern", place, field_.pattern.message)
    elif any(0xD800 <= ord(char) <= 0xDFFF for char in value):
        yield Fault(
            "field.text",
            place,
            "“{label}” holds characters that are none.",
            params={"label": field_.label},
        )


def _number(field_: f.Field, value: JsonValue, place: Path) -> Iterator[Fault]:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or (field_.kind != "float" and value != int(value))
    ):
        yield _wrong(field_, place)
    elif field_.min is not None and value < field_.min:
        yield _bound(
            field_, place, "field.too_small", "“{label}” must be at least {min}.", min=field_.min
        )
    elif field_.max is not None and value > field_.max:
        yield _bound(
            field_, place, "field.too_large", "“{label}” may be at most {max}.", max=field_.max
        )


def _bound(field_: f.Field, place: Path, code: str, message: str, **bounds: float) -> Fault:
    params = {"label": field_.label} | {name: str(value) for name, value in bounds.items()}
    return Fault(code, place, message, params=params)


def _is_moment(value: JsonValue) -> bool:
    if not isinstance(value, str) or len(value) > 40:
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _choice(field_: f.Field, value: JsonValue, place: Path) -> Iterator[Fault]:
    if field_.choices_from is not None or any(
        _is_same(value, each.value) for each in field_.choices
    ):
        return
    words = "\n".join(each.label for each in field_.choices)
    yield Fault("field.choice", place, "Choose one of these: {choices}.", params={"choices": words})


def _is_same(left: JsonValue, right: JsonValue) -> bool:
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _list(field_: f.Field, value: JsonValue, place: Path, root: Any) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield _wrong(field_, place)
        return
    yield from _count(field_, len(value), place)
    for index, each in enumerate(value):
        here = (*place, str(index))
        if field_.item is not None:
            yield from _entry(field_.item, each, here, root)
        elif field_.choices:
            yield from _choice(field_, each, here)
        elif not isinstance(each, str) or len(each) > MAX_TEXT_CHARS:
            yield _wrong(field_.model_copy(update={"kind": "text"}), here)


def _map(field_: f.Field, value: JsonValue, place: Path, root: Any) -> Iterator[Fault]:
    if not isinstance(value, Mapping):
        yield _wrong(field_, place)
        return
    yield from _count(field_, len(value), place)
    for key, each in value.items():
        here = (*place, key)
        if field_.key_field is not None:
            yield from _entry(field_.key_field, key, here, root)
        if field_.item is not None:
            yield from _entry(field_.item, each, here, root)


def _entry(item: f.Field, value: JsonValue, place: Path, root: Any) -> Iterator[Fault]:
    if value is None:
        yield _wrong(item, place)
    elif value == "" and item.required:
        yield _missing(item, place)
    else:
        yield from _value(item, value, place, root)


def _count(field_: f.Field, count: int, place: Path) -> Iterator[Fault]:
    if field_.min_items and count < field_.min_items:
        yield (
            _missing(field_, place)
            if not count
            else _bound(
                field_,
                place,
                "field.too_few",
                "“{label}” needs at least {min} entries.",
                min=field_.min_items,
            )
        )
    if field_.max_items is not None and count > field_.max_items:
        yield _bound(
            field_,
            place,
            "field.too_many",
            "“{label}” may have at most {max} entries.",
            max=field_.max_items,
        )


def _variant(field_: f.Field, value: JsonValue, place: Path, root: Any) -> Iterator[Fault]:
    if not isinstance(value, Mapping):
        yield _wrong(field_, place)
        return
    chosen = next((each for each in field_.variants if each.value == value.get(field_.tag)), None)
    if chosen is None:
        words = "\n".join(each.title for each in field_.variants)
        yield Fault(
            "field.choice",
            (*place, field_.tag),
            "Choose one of these: {choices}.",
            params={"choices": words},
        )
        return
    rest = {key: each for key, each in value.items() if key != field_.tag}
    yield from _object(chosen.fields, rest, place, root)

"""How a described list is written: the text and the tone of each cell, and which rows are shown in which order.

`resources/web/lib/listing.mjs` does the same in the browser.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue

from backend.api.conditions import value_at
from backend.api.forms import Choice, Column, ListSpec
from ui.presenters import wording

Row = Mapping[str, JsonValue]

NOTHING = "–"
TONES = {
    "check": "ok",
    "circle-check": "ok",
    "alert-triangle": "warn",
    "clock": "warn",
    "hand-stop": "warn",
    "alert-circle": "error",
    "ban": "error",
    "info-circle": "info",
    "send": "info",
}
"""Of a state, by its icon."""
RIGHT = frozenset({"number", "size", "count"})


def value_of(row: Row, column: Column) -> JsonValue:
    return value_at(dict(row), column.key.split("/"))


def cell_text(column: Column, row: Row, now: datetime) -> str:
    value = value_of(row, column)
    if column.kind == "count":
        many = len(value) if isinstance(value, list) else _number(value)
        return wording.number(many) if many or not column.empty else column.empty
    if value is None or value in ("", []):
        return column.empty or NOTHING
    match column.kind:
        case "time":
            return wording.moment_ago(datetime.fromisoformat(str(value)), now)
        case "size":
            whole = _whole(column, row)
            of = f" of {wording.size(whole)}" if whole else ""
            return wording.size(_number(value)) + of
        case "number":
            return wording.number(_number(value))
        case "bool":
            return "yes" if value else "no"
        case "list" if isinstance(value, list):
            return ", ".join(str(each) for each in value)
    choice = _choice(column, value)
    return choice.label if choice is not None else str(value)


def cell_tone(column: Column, row: Row) -> str:
    """Of a state."""
    value = value_of(row, column)
    choice = _choice(column, value)
    return TONES.get(choice.icon, "neutral") if choice is not None else "neutral"


def share(column: Column, row: Row) -> float | None:
    """Of a size that is a part of a whole: how much of it; None without a whole."""
    whole = _whole(column, row)
    return min(1.0, _number(value_of(row, column)) / whole) if whole else None


def _whole(column: Column, row: Row) -> int:
    return _number(value_at(dict(row), column.of.split("/"))) if column.of else 0


def _choice(column: Column, value: JsonValue) -> Choice | None:
    return next((each for each in column.choices if each.value == value), None)


def _number(value: JsonValue) -> int:
    return int(value) if isinstance(value, int | float) else 0


def shown_rows(
    rows: Sequence[Row],
    listing: ListSpec,
    *,
    search: str = "",
    filters: Mapping[str, str] | None = None,
    sort: str = "",
) -> list[Row]:
    """Of a list that came whole: what is asked for, in its order. Filters hold by the text of their value."""
    words = search.casefold().split()
    kept = []
    for row in rows:
        text = " ".join(str(value_of(row, column)) for column in listing.columns).casefold()
        chosen = all(
            not wanted or as_query(value_at(dict(row), name.split("/"))) == wanted
            for name, wanted in (filters or {}).items()
        )
        if chosen and all(word in text for word in words):
            kept.append(row)
    path = sort.removeprefix("-").split("/")
    if sort:
        kept.sort(
            key=lambda row: _sort_key(value_at(dict(row), path)), reverse=sort.startswith("-")
        )
    return kept


def _sort_key(value: JsonValue) -> tuple[float, str]:
    if isinstance(value, list):
        return float(len(value)), ""
    if isinstance(value, int | float):
        return float(value), ""
    return 0.0, str(value or "").casefold()


def as_query(value: JsonValue) -> str:
    """A value as it stands in the query of a URL."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)

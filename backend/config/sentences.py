"""The words for a fault: pydantic's findings as sentences for people."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from backend.config.describe import field_at, model_at, ui_of
from backend.core.problems import Problem

_WANTED = {
    "string_type": "text in quotation marks",
    "int_type": "a whole number without quotation marks",
    "int_parsing": "a whole number without quotation marks",
    "int_from_float": "a whole number without a decimal point",
    "bool_type": "true or false, without quotation marks",
    "bool_parsing": "true or false, without quotation marks",
    "list_type": "a list in square brackets",
    "dict_type": "a table of settings",
    "model_type": "a table of settings",
    "model_attributes_type": "a table of settings",
}


def pointer(path: Sequence[str | int]) -> str:
    """RFC 6901 §3: a path as JSON pointer."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def fault_path(loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """Without pydantic's mark for a fault in a key."""
    return tuple(part for part in loc if part != "[key]")


def to_problem(error: Mapping[str, Any], model: type[BaseModel]) -> Problem:
    """One entry of `ValidationError.errors()`; file and line are added by the loader."""
    path = fault_path(error["loc"])
    kind: str = error["type"]
    context: Mapping[str, Any] = error.get("ctx") or {}
    field = field_at(model, path)
    ui = ui_of(field) if field is not None else None
    key = str(path[-1]) if path else ""
    if ui is None and path and isinstance(path[-1], int):
        around = field_at(model, path[:-1])
        ui_around = ui_of(around) if around is not None else None
        title = f"“{ui_around.title}”" if ui_around is not None else f"“{key}”"
    else:
        title = f"“{ui.title}”" if ui is not None else f"“{key}”"
    example = f"For example: {key} = {_quoted(ui.example)}" if ui is not None and ui.example else ""
    fix = example
    match kind:
        case "missing":
            message = f"{title} is missing."
            fix = f"Add a line “{key} = …”. {example}".strip()
        case "extra_forbidden" if key == "password" and path[0] == "transports" and len(path) > 1:
            # Others may read the file, and its text stays in the revisions.
            message = "A password does not belong in this file."
            fix = f"Remove the line and set it with: gatepost transport password {path[1]}"
        case "extra_forbidden":
            message = f"“{key}” is not a setting here."
            fix = _did_you_mean(model, path)
        case "greater_than_equal":
            message = f"{title} must be at least {context['ge']}{_unit(ui)}."
        case "less_than_equal":
            message = f"{title} may be at most {context['le']}{_unit(ui)}."
        case "too_short" | "string_too_short":
            message = f"{title} may not be empty."
        case "too_long":
            message = f"{title} may have at most {context['max_length']} entries."
        case "string_too_long":
            message = f"{title} may have at most {context['max_length']} characters."
        case "literal_error":
            message = f"{title} must be {context['expected'].replace(chr(39), chr(34))}."
        case "value_error":
            text = str(context["error"]).rstrip(".")
            message = f"{text}." if text.startswith(title) else f"{title}: {text}."
        case _ if kind in _WANTED:
            message = f"{title} must be {_WANTED[kind]}."
        case _:
            message = f"{title}: {error['msg']}."
    return Problem(code=f"config.{kind}", path=pointer(path), message=message, fix=fix)


def _unit(ui: object) -> str:
    unit = getattr(ui, "unit", "")
    return f" {unit}" if unit and "," not in unit else ""


def _quoted(example: str) -> str:
    if example[0] in "[{" or example in {"true", "false"} or example.lstrip("-").isdigit():
        return example
    return f'"{example}"'


def _did_you_mean(model: type[BaseModel], path: Sequence[str | int]) -> str:
    around = model_at(model, path[:-1])
    names = list(around.model_fields) if around is not None else []
    close = difflib.get_close_matches(str(path[-1]).lower(), names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean “{close[0]}”?"
    return f"Settings here are: {', '.join(names)}." if names else "Remove it."

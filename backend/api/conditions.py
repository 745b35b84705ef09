"""When a field of a form is shown or needed: conditions over plain values, and what they come to.

The same conditions are evaluated by the window (here) and by the browser (`resources/web/lib/conditions.mjs`);
`tests/contract/conditions.json` holds the cases on which both must agree.

A condition on the wire is exactly one of

    {"path": P, "in": [V, ...]}     the value is one of these; a list: one of its entries is
    {"path": P, "empty": true}      nothing is there: null, "", [], {}, a secret that is not set, or no such field
    {"path": P, "min": N}           a number, at least N; also "max", also both
    {"all": [C, ...]}               every one holds (of none: true)
    {"any": [C, ...]}               at least one holds (of none: false)
    {"not": C}                      it does not hold

`P` is a path of names and places in lists, parted by slashes. `mode` is the field of that name beside the one that has the
condition; `../kind` stands one level further out (a list or table is a level, as is an entry of it); `/via/kind` begins
at the top of the form. A path that leads nowhere is null. True is not 1; 1 and 1.0 are the same.
"""

from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

Path = Sequence[str | int]


class Cond(BaseModel):
    """A condition, in one of the shapes that the module's description lists."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True
    )

    path: str | None = None
    is_in: list[JsonValue] | None = Field(default=None, alias="in")
    empty: bool | None = None
    min: int | float | None = None
    max: int | float | None = None
    all: "list[Cond] | None" = None
    any: "list[Cond] | None" = None
    negated: "Cond | None" = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        bounds = self.min is not None or self.max is not None
        tests = (self.is_in is not None) + (self.empty is not None) + bounds
        groups = sum(each is not None for each in (self.all, self.any, self.negated))
        if (self.path is not None and (tests, groups) != (1, 0)) or (
            self.path is None and (tests, groups) != (0, 1)
        ):
            raise ValueError(
                "a condition is a path with one test, or one of “all”, “any” and “not”"
            )
        return self


def is_in(path: str, *values: JsonValue) -> Cond:
    return Cond.model_validate({"path": path, "in": list(values)})


def negation(cond: Cond) -> Cond:
    return Cond.model_validate({"not": cond})


def holds(cond: Cond | None, values: JsonValue, here: Path = ()) -> bool:
    """`values`: of the whole form. `here`: where the object stands in it whose field has the condition. None holds."""
    if cond is None:
        return True
    if cond.all is not None:
        return all(holds(each, values, here) for each in cond.all)
    if cond.any is not None:
        return any(holds(each, values, here) for each in cond.any)
    if cond.negated is not None:
        return not holds(cond.negated, values, here)
    value = value_at(values, absolute(cond.path or "", here))
    if cond.empty is not None:
        return is_empty(value) == cond.empty
    if cond.is_in is not None:
        found = value if isinstance(value, list) else [value]
        return any(_same(one, wanted) for one in found for wanted in cond.is_in)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (cond.min is None or value >= cond.min) and (cond.max is None or value <= cond.max)


def absolute(path: str, here: Path) -> tuple[str, ...]:
    """The names from the top of the form on."""
    parts = path.split("/")
    if path.startswith("/"):
        return tuple(parts[1:])
    steps = [str(part) for part in here]
    while parts and parts[0] == "..":
        parts.pop(0)
        if steps:
            steps.pop()
    return (*steps, *parts)


def value_at(values: JsonValue, path: Path) -> JsonValue:
    """None where the path leads nowhere."""
    for part in path:
        name = str(part)
        if isinstance(values, Mapping):
            values = values.get(name)
        elif isinstance(values, list) and name.isascii() and name.isdecimal():
            values = values[int(name)] if len(name) < 7 and int(name) < len(values) else None
        else:
            return None
    return values


def is_empty(value: JsonValue) -> bool:
    """Whether a face may take it for "not filled in". 0 and false are values."""
    if isinstance(value, Mapping):
        return not value or dict(value) == {"set": False}
    return value is None or value in ("", [])


def _same(left: JsonValue, right: JsonValue) -> bool:
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return False
    return left == right and isinstance(left, bool) == isinstance(right, bool)

"""What changes from one configuration to another: ordered steps that can be done and undone. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from backend.config.describe import is_live

Plain = Mapping[str, Any]
"""Settings as TOML knows them: texts, numbers, booleans, lists, tables. What is not set is not there."""


class Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Step:
    """One setting or table that is set, changed or taken away. Lists change as a whole."""

    path: tuple[str, ...]
    old: Any
    new: Any

    def reversed(self) -> "Step":
        return Step(self.path, self.new, self.old)


def to_plain(model: BaseModel) -> dict[str, Any]:
    """A model with all its settings; what is None is left out, for TOML has no word for it."""
    return model.model_dump(exclude_none=True)


def to_lean(model: BaseModel) -> dict[str, Any]:
    """A model with those settings only that differ from their defaults."""
    return model.model_dump(exclude_none=True, exclude_defaults=True)


def plan(old: Plain, new: Plain) -> tuple[Step, ...]:
    """The steps from `old` to `new`: what goes first, so that its place is free, then the rest in the order of `new`."""
    steps = list(_steps((), old, new))
    return tuple(sorted(steps, key=lambda step: step.new is not MISSING))


def _steps(path: tuple[str, ...], old: Plain, new: Plain) -> Iterable[Step]:
    for key in old:
        if key not in new:
            yield Step((*path, key), old[key], MISSING)
    for key, value in new.items():
        before = old.get(key, MISSING)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            yield from _steps((*path, key), before, value)
        elif before is MISSING or not _same(before, value):
            yield Step((*path, key), before, value)


def _same(left: Any, right: Any) -> bool:
    # True == 1 in Python, but not in TOML.
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def undo(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(step.reversed() for step in reversed(tuple(steps)))


def apply_steps(data: Plain, steps: Iterable[Step]) -> dict[str, Any]:
    """`data` with the steps done; `data` itself stays as it is."""
    result: dict[str, Any] = _copy(data)
    for step in steps:
        table = result
        for key in step.path[:-1]:
            table = table[key]
        if step.new is MISSING:
            del table[step.path[-1]]
        else:
            table[step.path[-1]] = _copy(step.new)
    return result


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def needs_restart(model: type[BaseModel], steps: Iterable[Step]) -> tuple[str, ...]:
    """The settings among them that take effect at the next start, with dots."""
    return tuple(".".join(step.path) for step in steps if not is_live(model, step.path))

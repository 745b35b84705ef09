"""What the models say of themselves: which fields stand under a path, and how each is shown."""

import types
import typing
from collections.abc import Sequence

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from backend.config.fields import UI


def ui_of(field: FieldInfo) -> UI | None:
    return next((item for item in field.metadata if isinstance(item, UI)), None)


def field_at(model: type[BaseModel], path: Sequence[str | int]) -> FieldInfo | None:
    """The field at the end of a path of field names, keys of tables and places in lists; None for a key or place."""
    current: object = model
    field: FieldInfo | None = None
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            if field is None:
                return None
            current = _bare(field.annotation)
        else:
            field = None
            current = _element(current)
    return field


def model_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    """The model whose fields stand under the path."""
    current: object = model
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            if field is None:
                return None
            current = _bare(field.annotation)
        else:
            current = _element(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def is_live(model: type[BaseModel], path: Sequence[str | int]) -> bool:
    """Whether a change there takes effect without a restart: so say all settings on the way."""
    for length in range(1, len(path) + 1):
        field = field_at(model, path[:length])
        ui = ui_of(field) if field is not None else None
        if ui is not None and not ui.live:
            return False
    return True


def _bare(annotation: object) -> object:
    """Without Annotated and without `| None`."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _bare(typing.get_args(annotation)[0])
    if origin in {typing.Union, types.UnionType}:
        rest = [arg for arg in typing.get_args(annotation) if arg is not type(None)]
        return _bare(rest[0])
    return annotation


def _element(annotation: object) -> object:
    args = typing.get_args(annotation)
    return _bare(args[-1]) if args else None


def all_fields(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """Every field of a model and of those below it, with its dotted name (`accounts.*.full_name`)."""
    found: list[tuple[str, FieldInfo]] = []
    for name, field in model.model_fields.items():
        found.append((name, field))
        annotation, dotted = _bare(field.annotation), name
        while typing.get_origin(annotation) in {dict, list}:
            annotation, dotted = _element(annotation), f"{dotted}.*"
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found += [(f"{dotted}.{below}", inner) for below, inner in all_fields(annotation)]
    return found

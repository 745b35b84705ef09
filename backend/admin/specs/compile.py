"""From a model's annotations to the fields of a form: what a face must know, and nothing of pydantic or JSON Schema.

The types say the kind and the bounds, `UI` and its `Shape` the words and the rest.
"""

import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import annotated_types as at
from pydantic import BaseModel, JsonValue, TypeAdapter
from pydantic.fields import FieldInfo

from backend.api import forms as f
from backend.api.conditions import Cond
from backend.config.describe import ui_of
from backend.config.fields import UI, Option, Shape, When

SOURCES: dict[str, f.ChoicesFrom] = {
    "accounts": f.ChoicesFrom(
        path="/accounts",
        value="id",
        label="full_name",
        create="/accounts/new",
        create_label="New account",
        empty="There is no account yet.",
    ),
    "domains": f.ChoicesFrom(
        path="/domains",
        value="name",
        label="unicode",
        create="/domains/new",
        create_label="New domain",
        empty="There is no domain yet.",
    ),
    "transports": f.ChoicesFrom(
        path="/transports",
        value="name",
        label="name",
        create="/transports/new",
        create_label="New transport",
        empty="There is no transport yet; without one, mail goes out directly.",
    ),
    "selectors": f.ChoicesFrom(
        path="/domains/{key}/dkim",
        items="selectors",
        value="name",
        label="name",
        create="/domains/{key}/dkim",
        create_label="New key",
        empty="The domain has no key yet.",
    ),
}
"""What `Shape.source` may name."""

_RESETTABLE = {"int", "float", "bool", "choice", "size", "duration"}


@dataclass(slots=True)
class _Type:
    """An annotation taken apart."""

    bare: Any
    nullable: bool = False
    metadata: list[Any] = field(default_factory=list)
    tag: str = ""


def compile_fields(
    model: type[BaseModel], *, only: Sequence[str] = (), leave_out: Iterable[str] = ()
) -> list[f.Field]:
    """In the order of the model, or of `only`."""
    names = list(only) or [name for name in model.model_fields if name not in set(leave_out)]
    return [compile_field(name, model.model_fields[name]) for name in names]


def compile_field(name: str, info: FieldInfo) -> f.Field:
    ui = ui_of(info)
    assert ui is not None, f"{name} has no UI(...)"
    parts = _taken_apart(info.annotation)
    parts.metadata += info.metadata
    if isinstance(info.discriminator, str):
        parts.tag = info.discriminator
    return _field(
        name,
        parts,
        ui,
        required=info.is_required(),
        default=None if info.is_required() else _plain(info.get_default(call_default_factory=True)),
    )


def _field(
    name: str, parts: _Type, ui: UI, *, required: bool = False, default: JsonValue = None
) -> f.Field:
    shape = ui.shape
    kind, members = _kind(parts, ui)
    values: dict[str, Any] = {
        "key": name,
        "kind": kind,
        "label": ui.title,
        "help": shape.help or ui.help,
        "unit": "" if kind in {"size", "duration", "bool"} else ui.unit,
        "level": ui.level,
        "restart": not ui.live,
        "required": required,
        "nullable": parts.nullable,
        "default": default,
        "resettable": not required and kind in _RESETTABLE and default is not None,
        "widget": shape.widget,
        "icon": shape.icon,
        "keywords": shape.keywords,
        "zero": shape.zero,
        "ask": shape.ask,
        "suggestions": list(shape.suggestions),
        "suggest_from": shape.suggest_from,
        "accept": list(shape.accept),
        "show_if": condition(shape.show_if),
        "required_if": condition(shape.required_if),
        "enable_if": condition(shape.enable_if),
        **members,
    }
    if shape.width:
        values["width"] = shape.width
    if kind in {"text", "file"}:
        values["placeholder"] = shape.placeholder or _placeholder(ui)
    if shape.every:
        values["duration_unit"] = shape.every
    if shape.source:
        values["choices_from"] = SOURCES[shape.source]
        if not required and kind == "ref":
            # An empty text is how the files say "none".
            values["nullable"] = False
            values["choices_from"] = SOURCES[shape.source].model_copy(
                update={"first": [f.Choice(value="", label="None in particular")]}
            )
    values |= dict(_bounds(kind, parts.metadata))
    return f.Field(**values)


def _placeholder(ui: UI) -> str:
    return "" if ui.example.startswith(("[", "{")) else ui.example


def _kind(parts: _Type, ui: UI) -> tuple[f.Kind, dict[str, Any]]:
    """The kind, and what belongs to it alone."""
    bare, shape = parts.bare, ui.shape
    origin = typing.get_origin(bare)
    if shape.kind == "multi":
        return "multi", {"choices": _choices(shape.options, ())}
    if shape.kind:
        return cast(f.Kind, shape.kind), {}
    if parts.tag:
        return "variant", {"tag": parts.tag, "variants": _variants(bare, parts.tag)}
    if origin is Literal:
        return "choice", {"choices": _choices(shape.options, typing.get_args(bare))}
    if origin is list:
        return _list(typing.get_args(bare)[0], ui)
    if origin is dict:
        key, item = typing.get_args(bare)
        return "map", {
            "key_field": _inner(key, shape.key or "Name", ui).model_copy(update={"required": True}),
            "item": _inner(item, shape.item or ui.title, ui),
            "item_title": shape.item_title or "{@}",
            "add_label": shape.add,
        }
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return "object", {"fields": compile_fields(bare)}
    if shape.source:
        return "ref", {}
    names: dict[type, f.Kind] = {bool: "bool", int: "int", float: "float", str: "text"}
    return names.get(bare, "readonly"), {}


def _list(item: Any, ui: UI) -> tuple[f.Kind, dict[str, Any]]:
    shape = ui.shape
    parts = _taken_apart(item)
    if typing.get_origin(parts.bare) is Literal:
        return "multi", {"choices": _choices(shape.options, typing.get_args(parts.bare))}
    if shape.source:
        return "multi", {}
    return "list", {
        "item": _inner(item, shape.item or ui.title, ui),
        "item_title": shape.item_title or ("{#}" if _is_model(parts.bare) else ""),
        "ordered": shape.ordered,
        "add_label": shape.add,
    }


def _inner(annotation: Any, title: str, ui: UI) -> f.Field:
    """The field of an entry."""
    shape = Shape(placeholder="" if ui.example.startswith(("[", "{")) else ui.example)
    inner = UI(title, "", live=ui.live, shape=shape)
    return _field("", _taken_apart(annotation), inner, required=True)


def _variants(bare: Any, tag: str) -> list[f.Variant]:
    variants = []
    for model in typing.get_args(bare):
        kind = typing.get_args(model.model_fields[tag].annotation)[0]
        title, _, help_ = (model.__doc__ or kind).strip().partition("\n")
        variants.append(
            f.Variant(
                value=kind,
                title=title,
                help=" ".join(help_.split()),
                fields=compile_fields(model, leave_out=(tag,)),
            )
        )
    return variants


def _choices(options: Sequence[Option], values: Sequence[Any]) -> list[f.Choice]:
    """In the words of the options; a value without words shows itself."""
    named = {option.value: option for option in options}
    order = values or tuple(named)
    return [
        f.Choice(
            value=value,
            label=named[value].label if value in named else str(value),
            help=named[value].help if value in named else "",
            icon=named[value].icon if value in named else "",
        )
        for value in order
    ]


def condition(whens: Sequence[When]) -> Cond | None:
    """All of them."""
    conds = [
        Cond.model_validate(
            {"path": when.path, "in": list(when.values)}
            if when.values
            else {"path": when.path, "empty": False}
        )
        for when in whens
    ]
    if len(conds) < 2:
        return conds[0] if conds else None
    return Cond(all=conds)


def _taken_apart(annotation: Any) -> _Type:
    """Without Annotated and `| None`; a union that remains must have a tag."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner, *metadata = typing.get_args(annotation)
        parts = _taken_apart(inner)
        parts.metadata += metadata
        for each in metadata:
            if isinstance(each, FieldInfo) and isinstance(each.discriminator, str):
                parts.tag = each.discriminator
        return parts
    if origin in {typing.Union, types.UnionType}:
        args = typing.get_args(annotation)
        rest = [arg for arg in args if arg is not type(None)]
        nullable = len(rest) < len(args)
        if len(rest) == 1:
            parts = _taken_apart(rest[0])
            parts.nullable = nullable
            return parts
        return _Type(typing.Union[tuple(rest)], nullable)  # noqa: UP007  # made at run time
    return _Type(annotation)


def _is_model(bare: Any) -> bool:
    return isinstance(bare, type) and issubclass(bare, BaseModel)


def _bounds(kind: str, metadata: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for each in _flat(metadata):
        match each:
            case at.Ge(ge=bound) if kind in {"int", "float", "size", "duration"}:
                yield "min", bound
            case at.Le(le=bound) if kind in {"int", "float", "size", "duration"}:
                yield "max", bound
            case at.MinLen(min_length=length):
                yield ("min_items" if kind in {"list", "map", "multi"} else "min_length"), length
            case at.MaxLen(max_length=length):
                yield ("max_items" if kind in {"list", "map", "multi"} else "max_length"), length
            case _:
                pass


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for each in metadata:
        if isinstance(each, FieldInfo):
            yield from each.metadata
        else:
            yield each


def _plain(value: Any) -> JsonValue:
    if isinstance(value, BaseModel):
        return cast(JsonValue, value.model_dump(mode="json"))
    return cast(JsonValue, TypeAdapter(type(value)).dump_python(value, mode="json"))

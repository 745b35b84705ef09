"""Every field of every form in one line, to see at a glance what a change of the models does to the forms.

`python -m tests.support.form_fields` renews `tests/contract/form_fields.txt`.
"""

from collections.abc import Iterator
from pathlib import Path

from backend.admin.forms.table import FORMS
from backend.api import forms as f

FILE = Path(__file__).parents[1] / "contract" / "form_fields.txt"


def lines() -> list[str]:
    return [f"{form.id}{line}" for form in FORMS for line in _fields(form.spec.fields, "")]


def all_fields(fields: list[f.Field], above: str = "") -> Iterator[tuple[str, f.Field]]:
    """With those in objects, variants, entries and keys."""
    for each in fields:
        path = f"{above}/{each.key}"
        yield path, each
        yield from all_fields(each.fields, path)
        for variant in each.variants:
            yield from all_fields(variant.fields, f"{path}/[{variant.value}]")
        if each.key_field is not None:
            yield from all_fields([each.key_field.model_copy(update={"key": "@key"})], path)
        if each.item is not None:
            yield from all_fields([each.item.model_copy(update={"key": "*"})], path)


def _fields(fields: list[f.Field], above: str) -> Iterator[str]:
    for path, each in all_fields(fields, above):
        marks = [each.kind]
        marks += [name for name in ("required", "nullable", "restart") if getattr(each, name)]
        marks += [each.level] if each.level != "basic" else []
        marks += ["if"] if each.show_if is not None else []
        yield f"{path}: {' '.join(marks)}"


if __name__ == "__main__":
    FILE.write_text("\n".join(lines()) + "\n", encoding="utf-8")

import json
import typing
from pathlib import Path

from backend.api import forms as f

EXAMPLE = json.loads(
    (Path(__file__).parents[2] / "contract" / "example_form.json").read_text(encoding="utf-8")
)


def all_fields(fields):
    for field in fields:
        yield field
        yield from all_fields(field.fields)
        yield from all_fields([each for each in (field.item, field.key_field) if each])
        for variant in field.variants:
            yield from all_fields(variant.fields)


def test_the_example_of_the_contract_has_every_kind_and_survives_the_wire():
    spec = f.Spec.model_validate(EXAMPLE["spec"])
    assert {field.kind for field in all_fields(spec.fields)} == set(typing.get_args(f.Kind))
    assert json.loads(spec.model_dump_json(exclude_defaults=True)) == EXAMPLE["spec"]
    assert set(EXAMPLE["values"]) == {field.key for field in spec.fields}

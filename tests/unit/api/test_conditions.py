"""Both faces must agree on these; `tests/web/test_conditions.py` asks the browser."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.api.conditions import Cond, holds

CASES = json.loads(
    (Path(__file__).parents[2] / "contract" / "conditions.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", CASES, ids=[case["says"] for case in CASES])
def test_a_condition_comes_to_what_the_shared_cases_say(case):
    cond = Cond.model_validate(case["cond"])
    assert holds(cond, case["values"], case.get("here", ())) is case["holds"]


def test_no_condition_holds():
    assert holds(None, {})


def test_a_condition_survives_the_wire():
    for case in CASES:
        cond = Cond.model_validate(case["cond"])
        assert Cond.model_validate_json(cond.model_dump_json(exclude_defaults=True)) == cond


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"path": "a"},
        {"path": "a", "in": [1], "empty": True},
        {"path": "a", "all": []},
        {"all": [], "any": []},
        {"in": [1]},
    ],
)
def test_a_condition_has_one_shape(wrong):
    with pytest.raises(ValidationError):
        Cond.model_validate(wrong)

"""Values against fields: all faults at once, each at its place, hostile ones too."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.admin.specs.check import SENTENCES, check_values, too_large
from backend.api import forms as f

EXAMPLE = json.loads(
    (Path(__file__).parents[2] / "contract" / "example_form.json").read_text(encoding="utf-8")
)
FIELDS = f.Spec.model_validate(EXAMPLE["spec"]).fields


def faults(**changes) -> dict[str, str]:
    found = check_values(FIELDS, {**EXAMPLE["values"], **changes})
    return {"/" + "/".join(fault.path): fault.code for fault in found}


def test_the_example_is_without_fault():
    assert faults() == {}


def test_all_faults_are_found_at_once_each_at_its_place():
    via = {"kind": "relay", "host": "", "port": 70000, "auth": {"username": "", "odd": 1}}
    assert faults(
        name="No Name",
        attempts="4",
        mode="acme",
        rows=[{"to": "", "through": "relay"}, 7],
        places={"": {"address": "x"}, "b": {}},
        via=via,
        until="yesterday",
        space=-1,
        nothing=1,
    ) == {
        "/nothing": "field.unknown",
        "/name": "field.pattern",
        "/attempts": "field.kind",
        "/mode": "field.choice",
        "/rows/0/to": "field.missing",
        "/rows/1": "field.kind",
        "/places/": "field.missing",
        "/places/b/address": "field.missing",
        "/via/host": "field.missing",
        "/via/port": "field.too_large",
        "/via/auth/odd": "field.unknown",
        "/via/auth/username": "field.missing",
        "/until": "field.kind",
        "/space": "field.too_small",
    }


def test_a_field_that_is_not_shown_is_not_needed():
    assert faults(certificate="") == {"/certificate": "field.missing"}
    assert faults(certificate="", mode="self_signed") == {}


def test_a_field_is_needed_when_its_condition_says_so():
    via = EXAMPLE["values"]["via"]
    named = {**via, "auth": {"username": "me", "password": {"set": False}}}
    assert faults(via=named) == {"/via/auth/password": "field.missing"}


def test_a_way_that_there_is_not_is_told_at_the_tag():
    assert faults(via={"kind": "pigeon"}) == {"/via/kind": "field.choice"}
    assert faults(via={}) == {"/via": "field.missing"}


@pytest.mark.parametrize("value", [True, "5", None, [], {}, float("nan"), float("inf"), 4.5])
def test_what_is_no_whole_number_is_none(value):
    assert "/attempts" in faults(attempts=value)


@pytest.mark.parametrize("value", [0, "true", None, []])
def test_what_is_neither_on_nor_off_is_none(value):
    assert faults(enabled=value) == {"/enabled": "field.kind"}


def test_true_is_not_one_of_numbers():
    assert faults(levels=[True]) == {"/levels/0": "field.choice"}


def test_half_a_character_is_refused():
    assert faults(note="\ud800") == {"/note": "field.text"}


def test_more_than_a_form_can_hold_is_refused_before_anything_else():
    deep: object = 1
    for _ in range(f.MAX_DEPTH + 1):
        deep = [deep]
    assert too_large({"a": deep}) is not None
    assert too_large({"a": list(range(f.MAX_VALUES))}) is not None
    assert too_large(EXAMPLE["values"]) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(name=st.sampled_from(sorted(EXAMPLE["values"])), value=json_values)
def test_no_value_breaks_the_check(name, value):
    for fault in check_values(FIELDS, {**EXAMPLE["values"], name: value}):
        assert fault.message in (*SENTENCES, FIELDS[0].pattern.message)
        assert all(isinstance(part, str) for part in fault.path)

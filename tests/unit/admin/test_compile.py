"""From models to fields: every kind of annotation, and every form that there is."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from backend.admin.forms.table import FORMS, by_id
from backend.admin.specs.compile import compile_fields
from backend.config.fields import UI, Option, Shape, When
from tests.support.form_fields import FILE, all_fields, lines


def ui(title: str, **shape) -> UI:
    return UI(title, f"Help of {title}.", shape=Shape(**shape))


class Inner(BaseModel):
    port: Annotated[int, Field(ge=1, le=10), ui("Port")] = 5


class Relay(BaseModel):
    """Relay with sign-in
    A provider passes on your mail.
    """

    kind: Literal["relay"] = "relay"
    host: Annotated[str, ui("Server", ask="Enter the server name")]


class Direct(BaseModel):
    """Directly"""

    kind: Literal["direct"] = "direct"


class Model(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=9), ui("Name")]
    mode: Annotated[
        Literal["a", "b"], ui("Mode", options=(Option("a", "First", "Best."),), widget="radio")
    ] = "a"
    many: Annotated[list[Literal["x", "y"]], ui("Many")] = Field(default_factory=list)
    texts: Annotated[list[str], Field(max_length=3), ui("Texts", item="Text")] = Field(
        default_factory=list
    )
    table: Annotated[dict[str, Inner], ui("Table", key="Key")] = Field(default_factory=dict)
    group: Annotated[Inner | None, ui("Group")] = None
    via: Annotated[Relay | Direct, Field(discriminator="kind"), ui("Way")]
    space: Annotated[int, ui("Space", kind="size")] = 0
    file: Annotated[str, ui("File", kind="file", show_if=(When("mode", ("b",)),))] = ""
    twice: Annotated[str, ui("Twice", show_if=(When("mode", ("b",)), When("name")))] = ""
    maybe: Annotated[str | None, ui("Maybe")] = None


FIELDS = {each.key: each for each in compile_fields(Model)}


def test_kinds_come_from_the_types():
    assert {key: each.kind for key, each in FIELDS.items()} == {
        "name": "text",
        "mode": "choice",
        "many": "multi",
        "texts": "list",
        "table": "map",
        "group": "object",
        "via": "variant",
        "space": "size",
        "file": "file",
        "twice": "text",
        "maybe": "text",
    }


def test_bounds_defaults_and_what_is_needed_come_along():
    name, texts, port = FIELDS["name"], FIELDS["texts"], FIELDS["group"].fields[0]
    assert (name.required, name.min_length, name.max_length) == (True, 1, 9)
    assert (texts.max_items, texts.item.kind, texts.item.label) == (3, "text", "Text")
    assert (port.min, port.max, port.default, port.resettable) == (1, 10, 5, True)
    assert FIELDS["table"].item.fields[0].label == "Port"
    assert FIELDS["table"].key_field.label == "Key"


def test_an_optional_group_can_be_switched_off_and_an_optional_text_be_nothing():
    assert FIELDS["group"].nullable
    assert FIELDS["maybe"].nullable
    assert FIELDS["group"].default is None


def test_a_union_with_a_tag_becomes_cards():
    via = FIELDS["via"]
    assert via.tag == "kind"
    assert [(each.value, each.title, each.help) for each in via.variants] == [
        ("relay", "Relay with sign-in", "A provider passes on your mail."),
        ("direct", "Directly", ""),
    ]
    assert [each.key for each in via.variants[0].fields] == ["host"]


def test_choices_have_words_and_values_without_words_show_themselves():
    assert [(c.value, c.label, c.help) for c in FIELDS["mode"].choices] == [
        ("a", "First", "Best."),
        ("b", "b", ""),
    ]


def test_conditions_come_along():
    assert FIELDS["file"].show_if.model_dump(exclude_defaults=True) == {"path": "mode", "in": ["b"]}
    assert len(FIELDS["twice"].show_if.all) == 2


def test_the_fields_of_all_forms_are_as_they_were():
    assert lines() == FILE.read_text(encoding="utf-8").splitlines(), (
        "If that is meant: python -m tests.support.form_fields"
    )


def test_nothing_of_json_schema_is_on_the_wire():
    for form in FORMS:
        text = form.spec.model_dump_json(exclude_defaults=True)
        assert not any(word in text for word in ("$ref", "anyOf", "allOf", "oneOf"))


def test_every_field_says_what_it_is_and_what_it_is_for():
    silent = []
    for form in FORMS:
        for path, each in all_fields(form.spec.fields):
            if not path.endswith(("*", "@key")) and (not each.label or len(each.help) < 10):
                silent.append(f"{form.id}{path}")
    assert not silent


def test_layouts_actions_and_lists_name_what_is_there():
    for form in FORMS:
        keys = [each.key for each in form.spec.fields]
        placed = [key for section in form.spec.layout for key in section.fields]
        assert set(placed) <= set(keys)
        assert len(set(placed)) == len(placed)
        ids = [each.id for each in form.spec.actions]
        assert len(set(ids)) == len(ids)
        assert form.spec.page.startswith("/")
    assert len(by_id()) == len(FORMS)

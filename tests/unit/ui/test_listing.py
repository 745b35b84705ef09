"""Cells and rows of described lists, as the window writes them."""

from datetime import UTC, datetime

import pytest

from backend.api.forms import Choice, Column, EmptyText, ListSpec
from ui.presenters.listing import cell_text, cell_tone, share, shown_rows

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
STATES = [
    Choice(value=False, label="in use", icon="circle-check"),
    Choice(value=True, label="full", icon="alert-circle"),
]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("text", "example.org", "example.org"),
        ("text", "", "–"),
        ("number", 12345, "12\u202f345"),
        ("size", 2_400_000, "2.4 MB"),
        ("time", "2026-11-23T19:55:00Z", "5 min ago"),
        ("time", "2026-11-23T20:12:01Z", "in 12 min"),
        ("bool", False, "no"),
        ("list", ["a", "b"], "a, b"),
        ("count", ["a", "b"], "2"),
        ("count", [], "0"),
        ("state", True, "full"),
    ],
)
def test_a_cell_says_its_value_in_words(kind, value, text):
    column = Column(key="it", title="It", kind=kind, choices=STATES if kind == "state" else [])
    assert cell_text(column, {"it": value}, NOW) == text


def test_what_is_empty_says_so_in_the_words_of_its_column():
    column = Column(key="used_by", title="Used by", kind="count", empty="no route")
    assert cell_text(column, {"used_by": []}, NOW) == "no route"


def test_a_state_has_the_tone_of_its_icon():
    column = Column(key="full", title="State", kind="state", choices=STATES)
    assert [cell_tone(column, {"full": value}) for value in (False, True, None)] == [
        "ok",
        "error",
        "neutral",
    ]


def test_a_whole_list_is_searched_filtered_and_sorted_here():
    listing = ListSpec(
        path="/x",
        columns=[Column(key="name", title="Name"), Column(key="who/id", title="Who")],
        empty=EmptyText(title="None"),
    )
    rows = [
        {"name": "Zebra", "who": {"id": "anna"}, "off": False, "size": 3},
        {"name": "apple", "who": {"id": "ben"}, "off": True, "size": 20},
        {"name": "Pear", "who": {"id": "anna"}, "off": True, "size": 100},
    ]

    def names(**asked):
        return [row["name"] for row in shown_rows(rows, listing, **asked)]

    assert names(sort="name") == ["apple", "Pear", "Zebra"]
    assert names(sort="-size") == ["Pear", "apple", "Zebra"]
    assert names(search="ANNA pe") == ["Pear"]
    assert names(filters={"off": "true"}) == ["apple", "Pear"]
    assert names(filters={"off": ""}) == ["Zebra", "apple", "Pear"]


def test_a_part_of_a_whole_says_both_and_its_share():
    column = Column(key="used", title="Used", kind="size", of="room/bytes")
    row = {"used": 2_500_000, "room": {"bytes": 5_000_000}}
    assert cell_text(column, row, NOW) == "2.5 MB of 5.0 MB"
    assert share(column, row) == 0.5
    unlimited = {"used": 2_500_000, "room": {"bytes": 0}}
    assert (cell_text(column, unlimited, NOW), share(column, unlimited)) == ("2.5 MB", None)

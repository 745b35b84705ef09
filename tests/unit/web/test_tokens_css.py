"""Both faces take their colours from one file, and these can be read."""

import json

import pytest

import resources
from resources.tokens_css import tokens_css

PAIRS = [
    ("text", "window"),
    ("text", "base"),
    ("text", "alt"),
    ("muted", "window"),
    ("muted", "base"),
    ("on_accent", "accent"),
    ("accent", "window"),
]
PAIRS += [(kind, f"{kind}_bg") for kind in ("ok", "warn", "error", "info", "neutral")]


def test_the_style_sheet_is_the_one_that_the_tokens_give() -> None:
    assert resources.text("web/tokens.css") == tokens_css()


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(theme: str) -> None:
    """WCAG 2.2 §1.4.3: 4.5 to 1 for text, §1.4.11: 3 to 1 for the borders of controls."""
    colours = json.loads(resources.text("tokens.json"))[theme]
    weak = {pair: _contrast(colours[pair[0]], colours[pair[1]]) for pair in PAIRS}
    assert not {pair: round(ratio, 2) for pair, ratio in weak.items() if ratio < 4.5}
    assert _contrast(colours["field_border"], colours["base"]) >= 3

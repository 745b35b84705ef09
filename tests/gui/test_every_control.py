"""What holds for all pages: names for people who listen, no nested loops, colours from one place, contrast."""

import json
import re
from pathlib import Path

import pytest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QRadioButton,
    QScrollBar,
    QTabBar,
    QWidget,
)

import resources
from tests.gui.test_pages import PATHS, fill
from tests.support.window import Rig
from ui import palette

ROOT = Path(__file__).resolve().parents[2]
UI = sorted((ROOT / "ui").rglob("*.py"))
INTERACTIVE = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit, QTabBar)


def nameless(parent: QWidget) -> list[str]:
    found = []
    for widget in parent.findChildren(QWidget):
        inner = widget.objectName().startswith("qt_") or isinstance(widget, QScrollBar)
        owned = isinstance(widget.parent(), QComboBox | QLineEdit | QTabBar) or isinstance(
            getattr(widget.parent(), "parent", lambda: None)(), QComboBox
        )
        corner = type(widget).__name__ == "QTableCornerButton" or (
            isinstance(widget.parent(), QAbstractItemView) and isinstance(widget, QAbstractButton)
        )
        if (
            isinstance(widget, INTERACTIVE)
            and not inner
            and not owned
            and not corner
            and not widget.accessibleName()
            and not (isinstance(widget, QCheckBox | QRadioButton) and widget.text())
        ):
            if type(widget).__name__ != "QHeaderView":
                found.append(f"{type(widget).__name__} in {type(widget.parent()).__name__}")
    return found


@pytest.mark.parametrize("path", PATHS)
def test_every_control_of_a_page_has_a_name(rig: Rig, path: str) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        await rig.show(path)
        if path == "/queue":
            rig.window.go("/queue/1")
            await rig.until(lambda: not rig.window.pages["queue"].drawer.isHidden())  # type: ignore[attr-defined]
        assert nameless(rig.window) == []

    rig.run(scenario())


def test_mnemonics_and_titles_of_the_rail_are_unique(rig: Rig) -> None:
    texts = [button.text() for button in rig.window.rail.buttons.values()]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("file", UI, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_runs_a_nested_loop(file: Path) -> None:
    text = file.read_text()
    for banned in (
        ".exec(",
        "exec_(",
        "QMessageBox.",
        "QInputDialog.",
        "getOpenFileName",
        "getSaveFileName",
        "getExistingDirectory",
        "processEvents",
    ):
        assert banned not in text, banned


@pytest.mark.parametrize("file", UI, ids=lambda file: str(file.relative_to(ROOT)))
def test_colours_come_from_the_tokens(file: Path) -> None:
    found = re.findall(r"#[0-9A-Fa-f]{6}\b", file.read_text())
    assert not found


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_and_borders_be_seen(scheme: str) -> None:
    c = json.loads(resources.text("tokens.json"))[scheme]
    grounds = ("window", "base", "alt")
    for ground in grounds:
        for ink in ("text", "muted", "accent", "ok", "warn", "error", "info"):
            assert contrast(c[ink], c[ground]) >= 4.5, (ink, ground)
        assert contrast(c["field_border"], c[ground]) >= 3.0, ground
    for tone in ("ok", "warn", "error", "info", "neutral"):
        assert contrast(c[tone], c[f"{tone}_bg"]) >= 4.5, tone
        assert contrast(c["text"], c[f"{tone}_bg"]) >= 4.5, tone
    assert contrast(c["on_accent"], c["accent"]) >= 4.5
    assert contrast(c["on_accent"], c["accent_hover"]) >= 4.5
    assert contrast(c["on_error"], c["error"]) >= 4.5
    assert contrast(c["text"], c["accent_soft"]) >= 4.5
    assert contrast(c["text"], c["rail"]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_style_sheet_is_complete_and_short(scheme: str) -> None:
    sheet = palette.build_style_sheet(palette.Colors(scheme))
    assert not re.findall(r"\{[a-z_]+\}", sheet)
    assert len(sheet.splitlines()) < 200
    assert not re.search(r"^\s*QWidget\s*\{", sheet, re.MULTILINE)


def test_every_icon_that_is_named_exists_and_every_file_is_used() -> None:
    text = "\n".join(file.read_text() for file in UI)
    files = {path.stem for path in resources.path("icons").glob("*.svg")}
    used = {name for name in files if f'"{name}"' in text}
    web = ROOT / "resources" / "web"
    faces = "\n".join(p.read_text(errors="ignore") for p in web.rglob("*.mjs"))
    unused = {name for name in files - used if name not in faces}
    assert not unused, f"icons that nobody shows: {sorted(unused)}"
    named = set(re.findall(r'icon(?:=|\()"([a-z0-9-]+)"', text))
    assert named <= files
    assert resources.path("icons/LICENSE-tabler-icons.txt").is_file()

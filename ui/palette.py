"""Which colours, sizes and type the window uses: `resources/tokens.json` turned into a QPalette and a short style sheet.

The style is Fusion on every platform. `theme()` is the one Theme of the process; it follows the system's light or dark
scheme while it runs, unless a choice was made.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget

import resources


@cache
def _all_tokens() -> dict[str, Any]:
    tokens: dict[str, Any] = json.loads(resources.text("tokens.json"))
    return tokens


def size(name: str) -> int:
    """A length in device-independent pixels."""
    return int(_all_tokens()["size"][name])


def space(name: str) -> int:
    return int(_all_tokens()["space"][name])


def radius(name: str) -> int:
    return int(_all_tokens()["radius"][name])


@dataclass(frozen=True, slots=True)
class Colors:
    scheme: str
    """`light` or `dark`."""

    def __getitem__(self, name: str) -> QColor:
        return QColor(self.hex(name))

    def hex(self, name: str) -> str:
        return str(_all_tokens()[self.scheme][name])


class Theme(QObject):
    """The colours in force.

    Signals:
        changed: the scheme changed; whoever paints by hand repaints.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._choice = "system"
        self.colors = Colors("light")
        # A reference is kept: the object behind a chained styleHints() call may be gone when it is used.
        self._hints = QGuiApplication.styleHints()
        self._hints.colorSchemeChanged.connect(self._follow)

    @property
    def choice(self) -> str:
        return self._choice

    def choose(self, choice: str) -> None:
        """`system`, `light` or `dark`."""
        self._choice = choice
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        self._hints.setColorScheme(schemes.get(choice, Qt.ColorScheme.Unknown))
        self._follow()

    def _follow(self) -> None:
        scheme = self._choice
        if scheme not in {"light", "dark"}:
            dark = self._hints.colorScheme() == Qt.ColorScheme.Dark
            scheme = "dark" if dark else "light"
        self.colors = Colors(scheme)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.setPalette(build_palette(self.colors))
            app.setStyleSheet(build_style_sheet(self.colors))
        self.changed.emit()


_theme: Theme | None = None


def theme() -> Theme:
    global _theme
    if _theme is None:
        _theme = Theme()
    return _theme


def color(name: str) -> QColor:
    return theme().colors[name]


def install(app: QApplication, choice: str = "system") -> Theme:
    """Sets style, colours and font of the application."""
    app.setStyle("Fusion")
    font = app.font()
    if font.pointSizeF() > 0:
        font.setPointSizeF(max(font.pointSizeF(), 9.5))
    app.setFont(font)
    theme().choose(choice)
    return theme()


def scaled_font(widget: QWidget, role: str, *, bold: bool = False) -> QFont:
    """The application's font at one of the sizes small, body, lead, title, display."""
    font = QFont(QApplication.font())
    font.setPointSizeF(font.pointSizeF() * float(_all_tokens()["type"][role]))
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    widget.setFont(font)
    return font


def mono_font(factor: float = 1.0) -> QFont:
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPointSizeF(QApplication.font().pointSizeF() * factor)
    return font


def build_palette(colors: Colors) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for target, token in {
        role.Window: "window",
        role.WindowText: "text",
        role.Base: "base",
        role.AlternateBase: "alt",
        role.Text: "text",
        role.Button: "base",
        role.ButtonText: "text",
        role.BrightText: "error",
        role.PlaceholderText: "muted",
        role.Highlight: "accent",
        role.HighlightedText: "on_accent",
        role.Accent: "accent",
        role.Link: "accent",
        role.LinkVisited: "accent",
        role.ToolTipBase: "text",
        role.ToolTipText: "window",
        role.Light: "base",
        role.Midlight: "alt",
        role.Mid: "line",
        role.Dark: "field_border",
        role.Shadow: "field_border",
    }.items():
        palette.setColor(target, colors[token])
    disabled = QPalette.ColorGroup.Disabled
    # Without a connection whole pages are disabled and must stay readable.
    for target in (role.WindowText, role.Text, role.HighlightedText):
        palette.setColor(disabled, target, colors["muted"])
    palette.setColor(disabled, role.ButtonText, colors["field_border"])
    palette.setColor(disabled, role.Highlight, colors["neutral_bg"])
    return palette


_STYLE = """
QToolTip { color: {window}; background: {text}; border: 0; padding: 4px 6px; }
QFrame[kind="card"] { background: {base}; border: 1px solid {line}; border-radius: {card}px; }
QFrame[kind="well"] { background: {alt}; border: 1px solid {line}; border-radius: {control}px; }
QFrame[kind="rule"] { background: {line}; border: 0; max-height: 1px; min-height: 1px; }
QFrame[kind="rail"] { background: {rail}; border: 0; border-right: 1px solid {line}; }
QFrame[kind="header"] { background: {base}; border: 0; border-bottom: 1px solid {line}; }
QFrame[kind="drawer"] { background: {base}; border: 0; border-left: 1px solid {line}; }
QFrame[kind="selection"] { background: {accent_soft}; border: 1px solid {accent}; border-radius: {control}px; }
QFrame[kind="toast"] { background: {text}; border: 0; border-radius: {control}px; }
QFrame[kind="toast"] QLabel { color: {window}; }
QFrame[kind="toast"] QPushButton { color: {window}; background: transparent; border: 1px solid {window}; }
QFrame[kind="banner"] { border-radius: {control}px; border: 1px solid {line}; }
QFrame[kind="banner"][tone="info"] { background: {info_bg}; border-color: {info}; }
QFrame[kind="banner"][tone="ok"] { background: {ok_bg}; border-color: {ok}; }
QFrame[kind="banner"][tone="warn"] { background: {warn_bg}; border-color: {warn}; }
QFrame[kind="banner"][tone="error"] { background: {error_bg}; border-color: {error}; }
QFrame[kind="banner"][tone="neutral"] { background: {neutral_bg}; border-color: {line}; }
QFrame[kind="strip"] { border: 0; border-radius: 0; border-bottom: 1px solid {line}; }
QFrame[kind="strip"][tone="info"] { background: {info_bg}; }
QFrame[kind="strip"][tone="ok"] { background: {ok_bg}; }
QFrame[kind="strip"][tone="warn"] { background: {warn_bg}; }
QFrame[kind="strip"][tone="error"] { background: {error_bg}; }
QFrame[kind="strip"][tone="neutral"] { background: {neutral_bg}; }
QLabel[tone="muted"] { color: {muted}; }
QLabel[tone="error"] { color: {error}; }
QLabel[tone="ok"] { color: {ok}; }
QLabel[tone="warn"] { color: {warn}; }
QLabel[tone="info"] { color: {info}; }
QPushButton { background: {base}; color: {text}; border: 1px solid {field_border}; border-radius: {control}px; padding: 7px 14px; }
QPushButton:hover { background: {alt}; }
QPushButton:pressed { background: {neutral_bg}; }
QPushButton:focus { border: 2px solid {accent}; padding: 6px 13px; }
QPushButton:disabled { color: {field_border}; border-color: {line}; background: {window}; }
QPushButton[kind="primary"] { background: {accent}; color: {on_accent}; border-color: {accent}; font-weight: 600; }
QPushButton[kind="primary"]:hover { background: {accent_hover}; border-color: {accent_hover}; }
QPushButton[kind="primary"]:focus { border: 2px solid {text}; }
QPushButton[kind="primary"]:disabled { background: {neutral_bg}; border-color: {neutral_bg}; color: {muted}; }
QPushButton[kind="danger"] { color: {error}; border-color: {error}; }
QPushButton[kind="danger"]:hover { background: {error_bg}; }
QPushButton[kind="danger"]:disabled { color: {field_border}; border-color: {line}; }
QPushButton[kind="danger-solid"] { background: {error}; color: {on_error}; border-color: {error}; font-weight: 600; }
QPushButton[kind="danger-solid"]:focus { border: 2px solid {text}; }
QPushButton[kind="danger-solid"]:disabled { background: {neutral_bg}; border-color: {neutral_bg}; color: {muted}; }
QPushButton[kind="quiet"] { background: transparent; border-color: transparent; }
QPushButton[kind="quiet"]:hover { background: {alt}; }
QPushButton[kind="quiet"]:focus { border: 2px solid {accent}; }
QPushButton[kind="icon"] { background: transparent; border: 1px solid transparent; padding: 6px; }
QPushButton[kind="icon"]:hover { background: {alt}; }
QPushButton[kind="icon"]:focus { border: 2px solid {accent}; padding: 5px; }
QPushButton[kind="link"] { background: transparent; border-color: transparent; color: {accent}; padding: 2px 4px; text-align: left; }
QPushButton[kind="link"]:hover { text-decoration: underline; }
QPushButton[kind="link"]:focus { border: 2px solid {accent}; padding: 1px 3px; }
QPushButton[kind="nav"] { background: transparent; border: 2px solid transparent; text-align: left; padding: 5px 10px; border-radius: {control}px; }
QPushButton[kind="nav"]:hover { background: {alt}; }
QPushButton[kind="nav"]:checked { background: {accent_soft}; color: {text}; font-weight: 600; }
QPushButton[kind="nav"]:focus { border-color: {accent}; }
QPushButton[kind="choice"] { background: {base}; border: 1px solid {line}; border-radius: {card}px; padding: 0; text-align: left; }
QPushButton[kind="choice"]:hover { border-color: {accent}; background: {accent_soft}; }
QPushButton[kind="choice"]:focus { border: 2px solid {accent}; }
QPushButton[kind="choice"]:disabled { background: {window}; }
QFrame[kind="option"] { background: {base}; border: 1px solid {field_border}; border-radius: {card}px; }
QFrame[kind="option"]:hover { background: {alt}; }
QFrame[kind="option"][chosen="true"] { background: {accent_soft}; border-color: {accent}; }
QPushButton[kind="chip"] { background: {base}; border: 1px solid {field_border}; border-radius: 13px; padding: 4px 12px; }
QPushButton[kind="chip"]:checked { background: {accent}; border-color: {accent}; color: {on_accent}; }
QPushButton[kind="chip"]:focus { border: 2px solid {accent}; padding: 3px 11px; }
QRadioButton::indicator { width: 14px; height: 14px; border: 1px solid {field_border}; border-radius: 8px; background: {base}; }
QRadioButton::indicator:checked { width: 6px; height: 6px; border: 5px solid {accent}; background: {on_accent}; }
QRadioButton::indicator:focus { border-color: {accent}; }
QRadioButton::indicator:disabled { border-color: {line}; }
QLineEdit, QPlainTextEdit[kind="field"] { background: {base}; color: {text}; border: 1px solid {field_border}; border-radius: {control}px; padding: 6px 8px; selection-background-color: {accent}; selection-color: {on_accent}; }
QLineEdit:focus, QPlainTextEdit[kind="field"]:focus { border: 2px solid {accent}; padding: 5px 7px; }
QLineEdit[invalid="true"], QPlainTextEdit[invalid="true"] { border: 2px solid {error}; padding: 5px 7px; }
QLineEdit:disabled { background: {window}; color: {muted}; border-color: {line}; }
QLineEdit[kind="value"] { background: {alt}; border-color: {line}; }
QComboBox { background: {base}; color: {text}; border: 1px solid {field_border}; border-radius: {control}px; padding: 6px 26px 6px 8px; }
QComboBox:focus { border: 2px solid {accent}; padding: 5px 25px 5px 7px; }
QComboBox::drop-down { border: 0; width: 0; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { background: {base}; color: {text}; border: 1px solid {line}; selection-background-color: {accent_soft}; selection-color: {text}; }
QTableView { background: {base}; border: 1px solid {line}; border-radius: {card}px; gridline-color: transparent; selection-background-color: {accent_soft}; selection-color: {text}; outline: 0; }
QTableView:focus { border-color: {accent}; }
QTableView QTableCornerButton::section, QAbstractScrollArea::corner { background: transparent; border: 0; }
QTableView::item { border: 0; border-bottom: 1px solid {line}; padding: 0 8px; }
QTableView[kind="log"]::item { border: 0; padding: 0 6px; }
QHeaderView { background: transparent; border: 0; }
QHeaderView::section { background: {base}; color: {muted}; border: 0; border-bottom: 1px solid {line}; padding: 6px 8px; font-weight: 600; text-align: left; }
QListView { background: {base}; border: 1px solid {line}; border-radius: {control}px; outline: 0; selection-background-color: {accent_soft}; selection-color: {text}; }
QListView[kind="routes"] { background: transparent; border: 0; }
QListView[kind="routes"]::item { padding: 0; }
QListView::item { padding: 6px 8px; border-radius: {control}px; }
QListView::item:selected { background: {accent_soft}; color: {text}; }
QScrollArea { background: transparent; border: 0; }
QScrollArea > QWidget > QWidget[kind="content"] { background: transparent; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 2px; }
QScrollBar::handle:vertical { background: {line}; border-radius: 4px; min-height: 32px; }
QScrollBar::handle:vertical:hover { background: {field_border}; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 2px; }
QScrollBar::handle:horizontal { background: {line}; border-radius: 4px; min-width: 32px; }
QScrollBar::handle:horizontal:hover { background: {field_border}; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page { background: transparent; border: 0; width: 0; height: 0; }
QProgressBar { background: {neutral_bg}; border: 0; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: {accent}; border-radius: 3px; }
QTabBar::tab { background: transparent; color: {muted}; padding: 8px 14px; border: 0; border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: {text}; border-bottom: 2px solid {accent}; font-weight: 600; }
QTabBar::tab:focus { color: {accent}; }
QPushButton::menu-indicator { image: none; width: 0; }
QMenu { background: {base}; color: {text}; border: 1px solid {line}; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: {control}px; }
QMenu::item:selected { background: {accent_soft}; color: {text}; }
QMenu::item:disabled { color: {field_border}; }
"""


def build_style_sheet(colors: Colors) -> str:
    sheet = _STYLE
    for name in _all_tokens()[colors.scheme]:
        sheet = sheet.replace("{" + name + "}", colors.hex(name))
    for name in _all_tokens()["radius"]:
        sheet = sheet.replace("{" + name + "}", str(radius(name)))
    return sheet

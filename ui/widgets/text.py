"""Labels, buttons and rows with the sizes and tones of the design."""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui import icons, palette

Box = TypeVar("Box", bound=QBoxLayout)


class Label(QLabel):
    """Plain text, never rich: what comes from mail is a stranger's."""

    def __init__(
        self,
        text: str = "",
        role: str = "body",
        *,
        tone: str = "",
        bold: bool = False,
        wrap: bool = True,
        selectable: bool = False,
    ) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        palette.scaled_font(self, role, bold=bold or role in {"title", "display"})
        if tone:
            self.setProperty("tone", tone)
        if selectable:
            self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def set_tone(self, tone: str) -> None:
        self.setProperty("tone", tone)
        self.style().unpolish(self)
        self.style().polish(self)


class ElidedLabel(Label):
    """One line that ends in an ellipsis when there is no room; the whole is in the tooltip."""

    def __init__(
        self, text: str = "", role: str = "body", *, tone: str = "", bold: bool = False
    ) -> None:
        super().__init__(text, role, tone=tone, bold=bold, wrap=False)
        self._full = text
        self.setMinimumWidth(24)

    def set_full_text(self, text: str) -> None:
        self._full = text
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(
            self._full, Qt.TextElideMode.ElideRight, max(self.width(), 24)
        )
        super().setText(shown)
        self.setToolTip(self._full if shown != self._full else "")

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]  # Qt's own event type
        self._elide()

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(self.fontMetrics().horizontalAdvance(self._full) + 4, hint.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())


class IconLabel(QWidget):
    """An icon that is repainted when light changes to dark."""

    def __init__(self, name: str, tint: str = "muted", side: int = 18) -> None:
        super().__init__()
        self._picture = QLabel(self)
        self._name, self._token, self._side = name, tint, side
        self.setFixedSize(side, side)
        self._picture.setFixedSize(side, side)
        palette.theme().changed.connect(self._draw)
        self._draw()

    def set_icon(self, name: str, token: str) -> None:
        self._name, self._token = name, token
        self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw()

    def _draw(self) -> None:
        self._picture.setPixmap(
            icons.pixmap(self._name, self._token, self._side, self.devicePixelRatioF())
        )


class LayoutButton(QPushButton):
    """A button that is as large as the layout in it wants to be."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.setProperty("kind", kind)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        policy.setHorizontalPolicy(QSizePolicy.Policy.Preferred)
        policy.setVerticalPolicy(QSizePolicy.Policy.Minimum)
        self.setSizePolicy(policy)

    def hold(self, layout: QLayout, *parts: QWidget) -> None:
        """Takes the layout; the parts in it let the mouse through to the button."""
        self.setLayout(layout)
        for part in parts:
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def hasHeightForWidth(self) -> bool:
        inner = self.layout()
        return inner is not None and inner.hasHeightForWidth()

    def heightForWidth(self, width: int) -> int:
        inner = self.layout()
        return inner.totalHeightForWidth(width) if inner is not None else -1

    def sizeHint(self) -> QSize:
        inner = self.layout()
        return inner.totalSizeHint() if inner is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        inner = self.layout()
        return inner.totalMinimumSize() if inner is not None else super().minimumSizeHint()


def set_button_text(target: QPushButton, text: str) -> None:
    """A thin space parts the words from the icon: Qt itself leaves no more than two pixels."""
    target.setText(f"\u2009{text}" if text and not target.icon().isNull() else text)


_ICON_TOKENS = {
    "primary": "on_accent",
    "danger": "error",
    "danger-solid": "on_error",
    "link": "accent",
}


def button(
    text: str,
    on_click: Callable[[], object],
    *,
    kind: str = "",
    icon: str = "",
    name: str = "",
    help: str = "",  # noqa: A002  # it is the control's help
) -> QPushButton:
    """A push button with an accessible name; `kind`: primary, danger, danger-solid, quiet, link, chip."""
    made = QPushButton()
    if kind:
        made.setProperty("kind", "icon" if kind == "quiet" and not text else kind)
    if icon:
        made.setIcon(icons.icon(icon, _ICON_TOKENS.get(kind, "text")))
        made.setIconSize(QSize(palette.size("icon"), palette.size("icon")))
    set_button_text(made, text)
    made.setAccessibleName(name or text.replace("&", "").rstrip("…"))
    if help:
        made.setToolTip(help)
        made.setAccessibleDescription(help)
    elif not text:
        made.setToolTip(name)
    made.setAutoDefault(False)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    made.clicked.connect(lambda _checked: on_click())
    return made


def row(*widgets: QWidget | QLayout | int | None, gap: str = "s", grow: int = -1) -> QHBoxLayout:
    """Side by side; None stretches, a number is a gap; the one at place `grow` takes what is left."""
    box = _fill(QHBoxLayout(), widgets, gap)
    if grow >= 0:
        box.setStretch(grow, 1)
    return box


def column(*widgets: QWidget | QLayout | int | None, gap: str = "s") -> QVBoxLayout:
    return _fill(QVBoxLayout(), widgets, gap)


def _fill(box: Box, widgets: tuple[QWidget | QLayout | int | None, ...], gap: str) -> Box:
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(palette.space(gap))
    for widget in widgets:
        if widget is None:
            box.addStretch(1)
        elif isinstance(widget, int):
            box.addSpacing(widget)
        elif isinstance(widget, QLayout):
            box.addLayout(widget)
        else:
            box.addWidget(widget)
    return box


def clear(box: QBoxLayout) -> None:
    """Takes everything out of a layout and deletes it."""
    while (item := box.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif isinstance(inner, QBoxLayout):
            clear(inner)

"""Cards, banners, pills, empty states: the surfaces that text stands on."""

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui import icons, palette
from ui.widgets.text import IconLabel, Label, button, column, row

TONE_ICONS = {
    "ok": "circle-check",
    "warn": "alert-triangle",
    "error": "alert-circle",
    "info": "info-circle",
    "neutral": "circle-dashed",
}


def frame(kind: str) -> QFrame:
    made = QFrame()
    made.setProperty("kind", kind)
    return made


def rule() -> QFrame:
    return frame("rule")


class Card(QFrame):
    """A bordered surface with an optional title and actions at its right."""

    def __init__(self, title: str = "", *actions: QWidget, padding: str = "l") -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.body = QVBoxLayout(self)
        margin = palette.space(padding)
        self.body.setContentsMargins(margin, margin, margin, margin)
        self.body.setSpacing(palette.space("s"))
        self.title: Label | None = None
        if title:
            self.title = Label(title, "lead", bold=True, wrap=False)
            self.body.addLayout(row(self.title, None, *actions))


class StatusPill(QWidget):
    """A word in a tinted capsule with a shape in front: the state is never told by colour alone."""

    def __init__(self, text: str = "", tone: str = "neutral") -> None:
        super().__init__()
        self._text, self._tone = text, tone
        palette.scaled_font(self, "small", bold=True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._announce()
        palette.theme().changed.connect(self.update)

    def set_state(self, text: str, tone: str) -> None:
        self._text, self._tone = text, tone
        self._announce()
        self.updateGeometry()
        self.update()

    def text(self) -> str:
        return self._text

    def tone(self) -> str:
        return self._tone

    def _announce(self) -> None:
        self.setAccessibleName(self._text)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._text) + 36, metrics.height() + 6)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_pill(painter, QRectF(self.rect()), self._text, self._tone)


def paint_pill(painter: QPainter, rect: QRectF, text: str, tone: str) -> None:
    """Draws a pill into a rectangle with the painter's font (tables draw it too)."""
    colors = palette.theme().colors
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colors[f"{tone}_bg"])
    painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
    side = min(14.0, rect.height() - 4)
    box = QRectF(rect.x() + 7, rect.center().y() - side / 2, side, side)
    icons.paint(TONE_ICONS[tone], painter, box, colors.hex(tone))
    painter.setPen(QPen(colors[tone]))
    words = rect.adjusted(side + 12, 0, -8, 0)
    shown = painter.fontMetrics().elidedText(
        text, Qt.TextElideMode.ElideRight, int(words.width()) + 1
    )
    painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


def paint_share(painter: QPainter, box: QRectF, share: float) -> None:
    """A bar; its colour says that it gets tight."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.color("line"))
    radius = box.height() / 2
    painter.drawRoundedRect(box, radius, radius)
    tone = "error" if share >= 1 else "warn" if share >= 0.9 else "accent"
    painter.setBrush(palette.color(tone))
    if share > 0:
        full = QRectF(box.x(), box.y(), max(box.height(), box.width() * share), box.height())
        painter.drawRoundedRect(full, radius, radius)


class Banner(QFrame):
    """A message in the page: icon, sentence, more words, actions. Never modal.

    Signals:
        dismissed: the user closed it.
    """

    dismissed = Signal()

    def __init__(self, *, strip: bool = False, dismissible: bool = False) -> None:
        super().__init__()
        self.setProperty("kind", "strip" if strip else "banner")
        self._icon = IconLabel("info-circle", "info", 20)
        self._title = Label("", bold=True)
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._body = Label("", selectable=True)
        self._actions = QHBoxLayout()
        self._actions.setSpacing(palette.space("s"))
        words = column(self._title, self._body, gap="xs")
        outer = QHBoxLayout(self)
        outer.setContentsMargins(14, 9, 14, 9)
        outer.setSpacing(palette.space("m"))
        outer.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        outer.addLayout(words, 1)
        outer.addLayout(self._actions)
        if dismissible:
            close = button("", self._dismiss, kind="quiet", icon="x", name="Close this message")
            outer.addWidget(close)
        self.hide()

    def _dismiss(self) -> None:
        self.hide()
        self.dismissed.emit()

    def show_message(
        self,
        tone: str,
        title: str,
        body: str = "",
        actions: list[tuple[str, Callable[[], object]]] | None = None,
    ) -> None:
        self.setProperty("tone", tone)
        self.style().unpolish(self)
        self.style().polish(self)
        self._icon.set_icon(TONE_ICONS[tone], tone)
        self._title.setText(title)
        self._body.setText(body)
        self._body.setVisible(bool(body))
        self.setAccessibleName(title)
        self.setAccessibleDescription(body)
        while (item := self._actions.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for text, action in actions or []:
            self._actions.addWidget(button(text, action))
        self.show()

    def title(self) -> str:
        return self._title.text()

    def body(self) -> str:
        return self._body.text()


class EmptyState(QWidget):
    """An icon, one sentence and what to do about it."""

    def __init__(
        self, icon: str, title: str, body: str = "", *actions: QWidget, tone: str = "muted"
    ) -> None:
        super().__init__()
        picture = IconLabel(icon, tone, 44)
        self._title = Label(title, "lead", bold=True)
        self._body = Label(body, tone="muted")
        for label in (self._title, self._body):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setFixedWidth(480)
        if not body:
            self._body.hide()
        self._body.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 48, 24, 48)
        outer.setSpacing(palette.space("s"))
        outer.addStretch(1)
        outer.addWidget(picture, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addSpacing(palette.space("s"))
        outer.addLayout(row(None, self._title, None))
        outer.addLayout(row(None, self._body, None))
        if actions:
            outer.addSpacing(palette.space("s"))
            outer.addLayout(row(None, *actions, None))
        outer.addStretch(2)

    def set_text(self, title: str, body: str) -> None:
        self._title.setText(title)
        self._body.setText(body)
        self._body.setVisible(bool(body))

    def title(self) -> str:
        return self._title.text()

    def body(self) -> str:
        return self._body.text()

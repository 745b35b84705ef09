"""The two pictures of the overview: a disc that tells the state, a sparkline of days or hours."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import icons, palette

DISC_ICONS = {
    "ok": "check",
    "warn": "alert-triangle",
    "error": "alert-circle",
    "neutral": "plug-off",
}


class StateDisc(QWidget):
    """44 px of state: a tinted disc with a sign in it."""

    def __init__(self, tone: str = "neutral", side: int = 44) -> None:
        super().__init__()
        self._tone, self._icon = tone, ""
        self.setFixedSize(side, side)
        palette.theme().changed.connect(self.update)

    def set_tone(self, tone: str, icon: str = "") -> None:
        """`icon`: another sign than that of the tone."""
        self._tone, self._icon = tone, icon
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = palette.theme().colors
        box = QRectF(self.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors[f"{self._tone}_bg"])
        painter.drawEllipse(box)
        inset = box.width() * 0.24
        name = self._icon or DISC_ICONS.get(self._tone, "info-circle")
        icons.paint(
            name, painter, box.adjusted(inset, inset, -inset, -inset), colors.hex(self._tone)
        )


class Sparkline(QWidget):
    """Bars of equal width, the last one in the accent colour. The numbers are in the accessible description."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit
        self._values: tuple[int, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(28)
        palette.theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(96, 28)

    def set_values(self, values: tuple[int, ...]) -> None:
        self._values = values
        spoken = ", ".join(str(value) for value in values)
        self.setAccessibleDescription(f"{self._unit}: {spoken}")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._values:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        colors = palette.theme().colors
        gap = 3.0
        width = min(10.0, (self.width() - gap * (len(self._values) - 1)) / len(self._values))
        highest = max(1, *self._values)
        for i, value in enumerate(self._values):
            height = max(2.0, value / highest * (self.height() - 2))
            last = i == len(self._values) - 1
            painter.setBrush(colors["accent"] if last and value else colors["line"])
            if value and not last:
                painter.setBrush(colors["field_border"])
            bar = QRectF(i * (width + gap), self.height() - height, width, height)
            painter.drawRoundedRect(bar, 1.5, 1.5)


class Spinner(QWidget):
    """Three dots that take turns: something goes on. Stands still when animations are not wanted."""

    def __init__(self, side: int = 18) -> None:
        super().__init__()
        self._phase = 0
        self.setFixedSize(side, side)
        self._timer = self.startTimer(240)

    def timerEvent(self, _event: object) -> None:
        self._phase = (self._phase + 1) % 3
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        colors = palette.theme().colors
        step = self.width() / 3
        for i in range(3):
            painter.setBrush(colors["accent"] if i == self._phase else colors["line"])
            painter.drawEllipse(QPointF(step * (i + 0.5), self.height() / 2), 2.2, 2.2)

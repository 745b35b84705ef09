"""The way of one message, step by step: a line of dots whose shape and colour say how each step went."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui import icons, palette
from ui.widgets.text import Label, button, clear, column, row, set_button_text

DOT = 22
_SHOW, _HIDE = "Show dialogue", "Hide dialogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    title: str
    time: str = ""
    note: str = ""
    tone: str = "neutral"
    icon: str = "circle-check"
    more: str = ""
    """A longer text, shown when it is asked for: what two servers said to each other."""


class _Rail(QWidget):
    """The dot of one step and the line to its neighbours."""

    def __init__(self, step: Step, *, first: bool, last: bool) -> None:
        super().__init__()
        self._step, self._first, self._last = step, first, last
        self.setFixedWidth(DOT + 8)
        self.setMinimumHeight(DOT + 3)
        palette.theme().changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = palette.theme().colors
        x, top = self.width() / 2, 1.0
        painter.setPen(QPen(colors["line"], 2))
        if not self._first:
            painter.drawLine(QPointF(x, 0), QPointF(x, top))
        if not self._last:
            painter.drawLine(QPointF(x, top + DOT), QPointF(x, self.height()))
        circle = QRectF(x - DOT / 2, top, DOT, DOT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors[f"{self._step.tone}_bg"])
        painter.drawEllipse(circle)
        icons.paint(
            self._step.icon, painter, circle.adjusted(4, 4, -4, -4), colors.hex(self._step.tone)
        )


class _Row(QWidget):
    def __init__(self, step: Step, *, first: bool, last: bool) -> None:
        super().__init__()
        title = Label(step.title, bold=last, selectable=True)
        note = Label(step.note, "small", tone="muted", selectable=True)
        if not step.note:
            note.hide()
        time = Label(step.time, "small", tone="muted", wrap=False)
        time.setContentsMargins(0, 4, 0, 0)
        words = column(title, note, gap="xs")
        words.setContentsMargins(0, 3, 0, 0 if last else 14)
        if step.more:
            words.addLayout(self._unfolding(step.more))
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(palette.space("s"))
        line.addWidget(_Rail(step, first=first, last=last))
        line.addLayout(words, 1)
        line.addWidget(time, 0, Qt.AlignmentFlag.AlignTop)
        self.setAccessibleName(f"{step.time} {step.title}. {step.note}".strip())

    def _unfolding(self, text: str) -> QVBoxLayout:
        whole = Label(text, "small", selectable=True)
        whole.setFont(palette.mono_font(0.85))
        whole.hide()

        def flip() -> None:
            whole.setVisible(whole.isHidden())
            set_button_text(opener, _HIDE if not whole.isHidden() else _SHOW)

        opener = button(_SHOW, flip, kind="link")
        return column(row(opener, None), whole, gap="xs")


class TimelineView(QWidget):
    """Shows steps; `set_steps` with more of them redraws only what is new."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: tuple[Step, ...] = ()
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)

    def steps(self) -> tuple[Step, ...]:
        return self._steps

    def set_steps(self, steps: tuple[Step, ...]) -> None:
        if steps == self._steps:
            return
        self._steps = steps
        clear(self._box)
        for i, step in enumerate(steps):
            self._box.addWidget(_Row(step, first=i == 0, last=i == len(steps) - 1))

"""Names and values in two columns, and things that are still to be done."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from backend.api.domains import NextStep
from ui import palette
from ui.widgets.surface import Card, paint_share, rule
from ui.widgets.text import IconLabel, Label, button, clear, column, row

STEP_ICONS = {
    "required": ("alert-circle", "error"),
    "recommended": ("alert-triangle", "warn"),
    "optional": ("info-circle", "info"),
}


class Facts(QWidget):
    """`set_facts` draws them anew. A value may be a widget."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(palette.space("xl"))
        self._grid.setVerticalSpacing(palette.space("s"))
        self._grid.setColumnStretch(1, 1)

    def set_facts(self, facts: Sequence[tuple[str, str | QWidget]]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for place, (name, value) in enumerate(facts):
            shown = Label(value, selectable=True) if isinstance(value, str) else value
            self._grid.addWidget(
                Label(name, tone="muted", wrap=False), place, 0, Qt.AlignmentFlag.AlignTop
            )
            self._grid.addWidget(shown, place, 1)


class StepsCard(Card):
    """What there is to do, the most urgent first; it hides when there is nothing."""

    def __init__(self, go: Callable[[str], None], title: str = "What is still to do") -> None:
        super().__init__(title)
        self._go = go
        self._lines = column(gap="s")
        self.body.addLayout(self._lines)
        self.hide()

    def set_steps(self, steps: Sequence[NextStep]) -> None:
        clear(self._lines)
        for place, step in enumerate(steps):
            if place:
                self._lines.addWidget(rule())
            icon, tone = STEP_ICONS[step.severity]
            mark = IconLabel(icon, tone, 20)
            mark.setAccessibleName(step.severity)
            title = f"{step.title} (optional)" if step.severity == "optional" else step.title
            words = column(Label(title, bold=True), Label(step.text, tone="muted"), gap="xs")
            act = self._button(step)
            line = row(mark, words, act, gap="m", grow=1)
            line.setAlignment(mark, Qt.AlignmentFlag.AlignTop)
            self._lines.addLayout(line)
        self.setVisible(bool(steps))

    def _button(self, step: NextStep) -> QWidget:
        kind = "primary" if step.severity == "required" else ""
        return button(step.verb, lambda: self._go(step.page), kind=kind)


class ShareBar(QWidget):
    """How much of a whole is used, as a bar below its words."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._share = 0.0
        self._name = name
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        palette.theme().changed.connect(self.update)

    def set_share(self, used: int, limit: int) -> None:
        self._share = min(1.0, used / limit) if limit else 0.0
        self.setVisible(bool(limit))
        self.setAccessibleName(f"{self._name}: {round(self._share * 100)} percent")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 8)

    def paintEvent(self, _event: QPaintEvent) -> None:
        paint_share(QPainter(self), QRectF(self.rect()), self._share)

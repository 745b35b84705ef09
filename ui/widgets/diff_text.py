"""Lines of a value with what differs marked: a sign in front, colour and line within. Drawn by hand, as plain text."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QSizePolicy, QWidget

from backend.api import dns as d
from ui import palette
from ui.presenters import checks

SIGN_WIDTH = 18


class DiffText(QWidget):
    """`mark`: which spans of the lines are marked, `new` or `gone`."""

    def __init__(self, lines: Sequence[Sequence[d.Span]], mark: str) -> None:
        super().__init__()
        self._lines, self._mark = lines, mark
        self._tone = "ok" if mark == "new" else "error"
        self.setFont(palette.mono_font())
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(checks.plain_lines(lines, mark))
        palette.theme().changed.connect(self.update)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(sum(height for _, height in self._lay_out(width))) + 2

    def sizeHint(self) -> QSize:
        return QSize(320, self.heightForWidth(320))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.fontMetrics().height())

    def _lay_out(self, width: int) -> list[tuple[QTextLayout, float]]:
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        made = []
        for spans in self._lines:
            layout = QTextLayout("".join(span.text for span in spans), self.font())
            layout.setTextOption(option)
            layout.setFormats(self._formats(spans))
            layout.beginLayout()
            height = 0.0
            while (line := layout.createLine()).isValid():
                line.setLineWidth(max(width - SIGN_WIDTH, 40))
                line.setPosition(QPointF(0, height))
                height += line.height()
            layout.endLayout()
            made.append((layout, height))
        return made

    def _formats(self, spans: Sequence[d.Span]) -> list[QTextLayout.FormatRange]:
        colors = palette.theme().colors
        ranges, start = [], 0
        for span in spans:
            length = len(span.text.encode("utf-16-le")) // 2  # as Qt counts
            if span.mark == self._mark:
                marked = QTextCharFormat()
                marked.setForeground(colors[self._tone])
                marked.setBackground(colors[f"{self._tone}_bg"])
                marked.setFontUnderline(self._mark == "new")
                marked.setFontStrikeOut(self._mark == "gone")
                part = QTextLayout.FormatRange()
                part.start, part.length, part.format = start, length, marked
                ranges.append(part)
            start += length
        return ranges

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        colors = palette.theme().colors
        y = 0.0
        for spans, (layout, height) in zip(self._lines, self._lay_out(self.width()), strict=True):
            if any(span.mark == self._mark for span in spans):
                painter.setPen(colors[self._tone])
                sign = "+" if self._mark == "new" else "−"
                box = self.rect().adjusted(0, round(y), 0, 0)
                painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, sign)
            painter.setPen(colors["text"])
            layout.draw(painter, QPointF(SIGN_WIDTH, y))
            y += height

"""A text with line numbers, in which lines that have a fault are marked and can be gone to."""

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QTextCursor, QTextFormat
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from ui import palette

GAP = 8


class _Gutter(QWidget):
    def __init__(self, editor: "CodeEdit") -> None:
        super().__init__(editor)
        self._editor = editor

    def sizeHint(self) -> QSize:
        return QSize(self._editor.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._editor.paint_gutter(event.rect())


class CodeEdit(QPlainTextEdit):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setProperty("kind", "field")
        self.setFont(palette.mono_font())
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabChangesFocus(
            True
        )  # in TOML nobody needs tabs, and the keyboard must get out of here
        self._faulty: frozenset[int] = frozenset()
        self._gutter = _Gutter(self)
        self.blockCountChanged.connect(lambda _count: self._make_room())
        self.updateRequest.connect(self._scrolled)
        palette.theme().changed.connect(self._draw_marks)
        self._make_room()

    # ---- faults

    def mark_lines(self, lines: Iterable[int]) -> None:
        """Lines that have a fault, from 1."""
        self._faulty = frozenset(line for line in lines if line > 0)
        self._draw_marks()

    def go_to(self, line: int) -> None:
        """Selects a line and brings it into view."""
        block = self.document().findBlockByNumber(max(0, line - 1))
        if not block.isValid():
            return
        cursor = QTextCursor(block)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self.centerCursor()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _draw_marks(self) -> None:
        marks = []
        for line in self._faulty:
            block = self.document().findBlockByNumber(line - 1)
            if block.isValid():
                mark = QTextEdit.ExtraSelection()
                mark.format.setBackground(palette.color("error_bg"))
                mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
                mark.cursor = QTextCursor(block)
                marks.append(mark)
        self.setExtraSelections(marks)
        self._gutter.update()

    # ---- line numbers

    def gutter_width(self) -> int:
        digits = max(3, len(str(self.blockCount())))
        return digits * self.fontMetrics().horizontalAdvance("9") + 2 * GAP

    def _make_room(self) -> None:
        self.setViewportMargins(self.gutter_width(), 0, 0, 0)

    def _scrolled(self, rect: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        else:
            self._gutter.update(0, rect.y(), self._gutter.width(), rect.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        inner = self.contentsRect()
        self._gutter.setGeometry(
            inner.left(), inner.top(), self.gutter_width() + GAP // 2, inner.height()
        )

    def paint_gutter(self, rect: QRect) -> None:
        painter = QPainter(self._gutter)
        painter.fillRect(rect, palette.color("alt"))
        painter.setFont(self.font())
        block = self.firstVisibleBlock()
        # The gutter covers the frame's padding too; numbers stand beside their lines.
        shift = self.viewport().mapTo(self, QPoint(0, 0)).y() - self._gutter.y()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top() + shift
        while block.isValid() and top <= rect.bottom():
            height = self.blockBoundingRect(block).height()
            number = block.blockNumber() + 1
            if number in self._faulty:
                painter.fillRect(
                    0, int(top), self._gutter.width(), int(height), palette.color("error_bg")
                )
            painter.setPen(palette.color("error" if number in self._faulty else "muted"))
            painter.drawText(
                0,
                int(top),
                self.gutter_width() - GAP,
                int(height),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                str(number),
            )
            top += height
            block = block.next()

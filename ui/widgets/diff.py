"""What differs between two texts, drawn: what went with a minus and struck through, what came with a plus and underlined."""

from collections.abc import Sequence

from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit

from backend.api import settings as st
from ui import palette

MARKS = {"same": " ", "removed": "\u2212", "added": "+", "gap": "\u22ef"}
TONES = {"removed": "error", "added": "ok"}
NUMBER_DIGITS = 5


class DiffView(QPlainTextEdit):
    """Read-only; the text can be selected and copied. Marks and numbers say the same as the colours."""

    def __init__(self, name: str = "What changes") -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setAccessibleName(name)
        self.setProperty("kind", "field")
        self.setFont(palette.mono_font(0.95))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._files: Sequence[st.FileDiff] = ()
        palette.theme().changed.connect(self._draw)

    def show_files(self, files: Sequence[st.FileDiff]) -> None:
        self._files = files
        self._draw()

    def fit(self, least: int = 4, most: int = 22) -> None:
        """As high as its lines, within bounds."""
        lines = min(max(self.document().blockCount() + 1, least), most)
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 24)

    def _draw(self) -> None:
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        if not self._files:
            cursor.insertText("The texts are the same.", _format("muted"))
        for at, file in enumerate(self._files):
            cursor.insertText(("\n\n" if at else "") + file.file, _format("text", bold=True))
            for line in file.lines:
                self._draw_line(cursor, line)
            if file.left_out:
                cursor.insertText(f"\nand {file.left_out} more lines", _format("muted"))
        cursor.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def _draw_line(self, cursor: QTextCursor, line: st.DiffLine) -> None:
        number = str(line.new or line.old or "").rjust(NUMBER_DIGITS)
        if line.kind == "gap":
            cursor.insertText(f"\n{' ' * NUMBER_DIGITS} {MARKS['gap']}", _format("muted"))
            return
        cursor.insertText(f"\n{number} ", _format("muted"))
        tone = TONES.get(line.kind, "text")
        whole = len(line.parts) == 1
        cursor.insertText(f"{MARKS[line.kind]} ", _format(tone, bold=True))
        for part in line.parts:
            changed = part.changed or (whole and line.kind != "same")
            made = _format(tone)
            if changed:
                made.setBackground(palette.color(f"{tone}_bg"))
            if part.changed:
                made.setFontUnderline(line.kind == "added")
                made.setFontStrikeOut(line.kind == "removed")
            cursor.insertText(part.text, made)


def _format(tone: str, *, bold: bool = False) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setForeground(palette.color(tone))
    if bold:
        made.setFontWeight(600)
    return made

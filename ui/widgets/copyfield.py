"""A value that belongs somewhere else: shown, and copied with one click."""

from PySide6.QtCore import QMimeData, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from ui import icons, palette
from ui.widgets.text import Label, button, row, set_button_text

FEEDBACK_MS = 1600
CLEAR_SECRET_MS = 60_000


def copy_text(text: str, *, sensitive: bool = False) -> None:
    """Puts text on the clipboard. What is sensitive is marked so for clipboard histories and taken away after a minute."""
    clipboard = QGuiApplication.clipboard()
    if not sensitive:
        clipboard.setText(text)
        return
    data = QMimeData()
    data.setText(text)
    data.setData("x-kde-passwordManagerHint", b"secret")
    clipboard.setMimeData(data)

    def clear() -> None:
        if clipboard.text() == text:
            clipboard.clear()

    QTimer.singleShot(CLEAR_SECRET_MS, clear)


class CopyField(QWidget):
    """Label above, value in a field that can be selected, a copy button that says when it did."""

    def __init__(
        self,
        label: str,
        value: str = "",
        *,
        sensitive: bool = False,
        wide: bool = True,
        empty: str = "",
    ) -> None:
        """`empty`: what stands there instead of nothing."""
        super().__init__()
        self._sensitive = sensitive
        self._field = QLineEdit(value)
        self._field.setReadOnly(True)
        self._field.setPlaceholderText(empty)
        self._field.setMinimumWidth(72)
        self._field.setProperty("kind", "value")
        self._field.setFont(palette.mono_font())
        self._field.setAccessibleName(label)
        self._field.setCursorPosition(0)
        self._copy = button("", self.copy, kind="quiet", icon="copy", name=f"Copy {label.lower()}")
        self._feedback = QTimer(self)
        self._feedback.setSingleShot(True)
        self._feedback.setInterval(FEEDBACK_MS)
        self._feedback.timeout.connect(self._calm)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("xs"))
        if label:
            caption = Label(label, "small", tone="muted", wrap=False)
            caption.setBuddy(self._field)
            outer.addWidget(caption)
        outer.addLayout(row(self._field, self._copy, gap="xs"))
        if wide:
            self._field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_value(self, value: str) -> None:
        self._field.setText(value)
        self._field.setCursorPosition(0)

    def value(self) -> str:
        return self._field.text()

    def copy(self) -> None:
        copy_text(self._field.text(), sensitive=self._sensitive)
        self._copy.setIcon(icons.icon("check", "ok"))
        set_button_text(self._copy, "Copied")
        self._feedback.start()

    def _calm(self) -> None:
        self._copy.setIcon(icons.icon("copy"))
        self._copy.setText("")

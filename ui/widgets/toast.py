"""A short message at the bottom of the window, with a way back where there is one."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QFrame, QHBoxLayout, QWidget

from ui import palette
from ui.widgets.text import Label, button

PLAIN_MS = 4_000
UNDO_MS = 10_000


class Toast(QFrame):
    """One at a time, over the window's lower edge. `done` is called when the time for undoing is over."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._home = parent
        self.setProperty("kind", "toast")
        self._text = Label("", wrap=False)
        self._undo_button = button("Undo", self._take_back)
        self._undo: Callable[[], object] | None = None
        self._done: Callable[[], object] | None = None
        line = QHBoxLayout(self)
        line.setContentsMargins(16, 8, 10, 8)
        line.setSpacing(palette.space("l"))
        line.addWidget(self._text)
        line.addWidget(self._undo_button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.finish)
        parent.installEventFilter(self)
        self.hide()

    def say(
        self,
        text: str,
        undo: Callable[[], object] | None = None,
        done: Callable[[], object] | None = None,
    ) -> None:
        self.finish()
        self._go_to(QApplication.activeModalWidget() or self._home)
        self._text.setText(text)
        self.setAccessibleName(text)
        self._undo, self._done = undo, done
        self._undo_button.setVisible(undo is not None)
        self.adjustSize()
        self._place()
        self.show()
        self.raise_()
        self._timer.start(UNDO_MS if undo is not None else PLAIN_MS)

    def text(self) -> str:
        return self._text.text() if not self.isHidden() else ""

    def take_back(self) -> None:
        """Presses Undo."""
        if self._undo is not None:
            self._take_back()

    def finish(self) -> None:
        """The time is over: what waited for it happens now."""
        self._timer.stop()
        done, self._done, self._undo = self._done, None, None
        self.hide()
        if done is not None:
            done()

    def abandon(self) -> None:
        """The window closes: what was not done yet is not done."""
        self._done = None
        self.finish()

    def _take_back(self) -> None:
        undo, self._undo, self._done = self._undo, None, None
        self._timer.stop()
        self.hide()
        if undo is not None:
            undo()

    def _go_to(self, host: QWidget) -> None:
        """Into the dialog that is open: behind it, nobody could press Undo. It comes back when the dialog ends."""
        if not isinstance(host, QDialog) or host.parentWidget() is None:
            host = self._home
        if self.parentWidget() is host:
            return
        self.setParent(host)
        if isinstance(host, QDialog):
            host.installEventFilter(self)
            host.finished.connect(self._come_home)

    def _come_home(self) -> None:
        if self.parentWidget() is self._home:
            return
        shown = not self.isHidden()
        self.setParent(self._home)
        if shown:
            self._place()
            self.show()
            self.raise_()

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            x = (parent.width() - self.width()) // 2
            self.move(max(8, x), parent.height() - self.height() - 20)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

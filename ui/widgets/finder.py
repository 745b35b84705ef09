"""Ctrl+K: type a few letters, press Enter, be there."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ui import icons
from ui.presenters.search import Entry, find
from ui.widgets.text import Label

SETTLE_MS = 150
MOVES = {Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp}


class Finder(QDialog):
    """Lists what matches; `go` is called with the path of what was chosen.

    Signals:
        settled: typing has paused: what the server knows can be asked for.
    """

    settled = Signal()

    def __init__(self, parent: QWidget, entries: list[Entry], go: Callable[[str], None]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Search")
        self.setModal(True)
        self.setFixedWidth(560)
        self._entries, self._go = entries, go
        self._more: list[Entry] = []
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.settled)
        self.line = QLineEdit()
        self.line.setPlaceholderText("Search pages, accounts, domains and things to do")
        self.line.setAccessibleName("Search")
        self.line.textChanged.connect(self._search)
        self.line.textChanged.connect(lambda _text: self._settle.start())
        self.line.returnPressed.connect(self._choose)
        self.line.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName("Results")
        self.list.setIconSize(QSize(18, 18))
        self.list.setMinimumHeight(330)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemActivated.connect(lambda _item: self._choose())
        self.list.itemClicked.connect(lambda _item: self._choose())
        self._none = Label("Nothing matches.", tone="muted")
        self._none.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 12, 12, 12)
        outer.addWidget(self.line)
        outer.addWidget(self.list)
        outer.addWidget(self._none)
        self._search("")

    def add_entries(self, entries: list[Entry]) -> None:
        self._entries = [*self._entries, *entries]
        self._search(self.line.text())

    def add_found(self, entries: list[Entry]) -> None:
        """What the server has found, beside what it found before."""
        self._more = list({entry.path: entry for entry in [*self._more, *entries]}.values())
        self._search(self.line.text())

    def _search(self, text: str) -> None:
        found = find([*self._entries, *self._more], text)
        self.list.clear()
        for entry in found:
            item = QListWidgetItem(icons.icon(entry.icon, "muted"), f"{entry.title}")
            item.setData(Qt.ItemDataRole.UserRole, entry.path)
            item.setToolTip(entry.kind)
            self.list.addItem(item)
        if found:
            self.list.setCurrentRow(0)
        self._none.setVisible(not found)

    def _choose(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self.accept()
            self._go(str(item.data(Qt.ItemDataRole.UserRole)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in MOVES
        ):
            step = 1 if event.key() in {Qt.Key.Key_Down, Qt.Key.Key_PageDown} else -1
            row = self.list.currentRow() + step
            self.list.setCurrentRow(max(0, min(self.list.count() - 1, row)))
            return True
        return super().eventFilter(watched, event)

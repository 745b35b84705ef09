"""The page for a server that keeps stopping."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui import palette
from ui.control import LocalServer
from ui.pages.page import Desk
from ui.widgets.copyfield import copy_text
from ui.widgets.dialogs import scrolling
from ui.widgets.surface import Card, EmptyState
from ui.widgets.text import Label, button


class RecoveryPage(QWidget):
    """Three unexpected ends in ten minutes: starting it again does not help, so here is what can."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._tail = Label("", "small", selectable=True)
        self._tail.setFont(palette.mono_font(0.85))
        self._save = button("Copy the log lines", self._copy, icon="copy")
        again = button("Start it once more", self._again, kind="primary", icon="player-play")
        other = button("Choose another server", lambda: desk.go("/start"), icon="plug")
        head = EmptyState(
            "alert-circle",
            "The server keeps stopping.",
            "It ended three times within ten minutes, so it is not started again by itself. "
            "Its mail is safe: what was accepted is stored. The last lines below usually say what is wrong.",
            again,
            self._save,
            other,
            tone="error",
        )
        card = Card("Its last lines")
        card.body.addWidget(self._tail)
        inner = QWidget()
        inner.setProperty("kind", "content")
        box = QVBoxLayout(inner)
        box.setContentsMargins(48, 16, 48, 32)
        box.addWidget(head)
        box.addWidget(card)
        box.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inner, name="The server keeps stopping"))

    def prepare(self) -> None:
        session = self._desk.session
        if isinstance(session.target, LocalServer):
            lines = session.control.tail(session.target.folder, 30)
            self._tail.setText("\n".join(lines) or "(nothing was written)")

    def _copy(self) -> None:
        copy_text(self._tail.text())
        self._desk.toast("The log lines were copied.")

    def _again(self) -> None:
        self._desk.go("/server")
        self._desk.scope.start(self._desk.session.start_server(), "start server")

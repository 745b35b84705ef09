"""What every page shares: a heading with actions, and the four states loading, empty, error and full."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from backend.api.types import EventData
from ui import palette
from ui.presenters.faults import describe_error
from ui.scope import Scope
from ui.session import NotConnectedError, Session
from ui.widgets.surface import EmptyState
from ui.widgets.text import Label, button

SKELETON_AFTER_MS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a page may use of the window."""

    session: Session
    scope: Scope
    go: Callable[[str], None]
    """Opens a page by its path, such as `/queue/17`."""
    toast: Callable[..., None]
    """`toast(text, undo=None)`: says briefly what was done; `undo` takes it back."""
    fail: Callable[[Exception], None]
    """Shows an error above the page."""
    window: QWidget


class Skeleton(QWidget):
    """Grey bars where text will be."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Loading")

    def sizeHint(self) -> QSize:
        return QSize(600, 300)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color("skeleton"))
        y = 4
        for share in (0.35, 0.8, 0.7, 0.75, 0.5):
            width = int(min(self.width(), palette.size("content_max")) * share)
            painter.drawRoundedRect(0, y, width, 18, 6, 6)
            y += 34


class Page(QWidget):
    """One page of the window. Subclasses set `TITLE`, build into `self.body`, and write `fetch`.

    `fetch` asks the server, draws, and returns whether there was anything to draw.
    """

    TITLE: ClassVar[str] = ""
    SUBTITLE: ClassVar[str] = ""
    SCROLLS: ClassVar[bool] = True

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.page_id = ""
        """Which entry of the registry it shows; set before `open`. A page may draw several, such as the tabs of a thing."""
        self.stale = True
        self._loading = False
        self._again = False
        self.heading = Label(self.TITLE, "display", wrap=False)
        self.subtitle = Label(self.SUBTITLE, tone="muted")
        if not self.SUBTITLE:
            self.subtitle.hide()
        self.toolbar = QHBoxLayout()
        self.toolbar.setSpacing(palette.space("s"))
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.heading)
        words.addWidget(self.subtitle)
        self._head = QHBoxLayout()
        self._head.setSpacing(palette.space("m"))
        self._head.addLayout(words, 1)
        self._head.addLayout(self.toolbar)

        self.content = QWidget()
        self.content.setProperty("kind", "content")
        self.body = QVBoxLayout(self.content)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(palette.space("l"))

        self._skeleton = Skeleton()
        self._blank = QWidget()
        self.empty = self.build_empty()
        retry = button("Try again", self.reload, kind="primary", icon="refresh")
        self.error = EmptyState("plug-off", "This page can't be shown now.", "", retry)
        self._stack = QStackedLayout()
        self._stack.setContentsMargins(0, 0, 0, 0)
        for widget in (self._blank, self._skeleton, self.content, self.empty, self.error):
            widget.setParent(self)  # the layout shows its first one, which else would be a window
            self._stack.addWidget(widget)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(SKELETON_AFTER_MS)
        self._delay.timeout.connect(self._show_skeleton)
        self._lay_out()

    def _lay_out(self) -> None:
        inner = QWidget()
        inner.setProperty("kind", "content")
        column = QVBoxLayout(inner)
        margin = palette.space("xl")
        column.setContentsMargins(margin, margin, margin, margin)
        column.setSpacing(palette.space("l"))
        column.addLayout(self._head)
        column.addLayout(self._stack, 1)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        if self.SCROLLS:
            inner.setMaximumWidth(palette.size("content_max") + 2 * margin)
            centred = QWidget()
            centred.setProperty("kind", "content")
            across = QHBoxLayout(centred)
            across.setContentsMargins(0, 0, 0, 0)
            across.addStretch(1)
            across.addWidget(inner, 1000)
            across.addStretch(1)
            area = QScrollArea()
            area.setWidgetResizable(True)
            area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
            area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            area.setAccessibleName(self.TITLE)
            area.setWidget(centred)
            area.viewport().setAutoFillBackground(False)
            outer.addWidget(area)
        else:
            outer.addWidget(inner)

    # ---- for subclasses

    def build_empty(self) -> EmptyState:
        return EmptyState("circle-dashed", "There is nothing here yet.")

    def replace_empty(self, empty: EmptyState) -> None:
        """The empty state, once the server has said what it says."""
        shown = self._stack.currentWidget() is self.empty
        self._stack.removeWidget(self.empty)
        self.empty.deleteLater()
        self.empty = empty
        self._stack.addWidget(empty)
        if shown:
            self._stack.setCurrentWidget(empty)

    async def fetch(self) -> bool:
        """Reads and draws; false shows the empty state."""
        return True

    def take(self, event: EventData) -> None:
        """An event of the server: mark what is old, or redraw."""

    def open(self, rest: str) -> None:
        """The part of the path after the page's own, such as `17` of `/queue/17`."""

    def leave_detail(self) -> bool:
        """Esc: closes a drawer; true if there was one."""
        return False

    # ---- states

    @property
    def state(self) -> str:
        names: dict[QWidget | None, str] = {
            self._blank: "blank",
            self._skeleton: "loading",
            self.content: "full",
            self.empty: "empty",
            self.error: "error",
        }
        return names[self._stack.currentWidget()]

    def mark_stale(self) -> None:
        """What is shown is old; it is read again at once if anybody looks."""
        self.stale = True
        if self.isVisible():
            self.reload()

    def reload(self) -> None:
        if self._loading:
            self._again = True
            return
        self.desk.scope.start(self.load(), f"load {self.TITLE}")

    async def load(self) -> None:
        self._loading = True
        self.stale = False
        if self.state in {"blank", "error"}:
            self._delay.start()
        try:
            full = await self.fetch()
        except NotConnectedError as error:
            self.stale = True
            if self.desk.session.is_coming:
                self._stack.setCurrentWidget(
                    self._skeleton if self.state != "full" else self.content
                )
            elif self.state in {"blank", "loading", "error"}:
                self._fail(str(error))
        except Exception as error:  # a page's border: the reason is shown in it
            self._fail(describe_error(error))
        else:
            self._stack.setCurrentWidget(self.content if full else self.empty)
        finally:
            self._delay.stop()
            self._loading = False
        if self._again:
            self._again = False
            self.reload()

    def show_blank(self) -> None:
        """Something else is to be shown: nothing of what was here stays until it has come."""
        self._stack.setCurrentWidget(self._blank)

    def _fail(self, reason: str) -> None:
        self.error.set_text("This page can't be shown now.", reason)
        self._stack.setCurrentWidget(self.error)

    def _show_skeleton(self) -> None:
        if self._loading and self.state in {"blank", "error"}:
            self._stack.setCurrentWidget(self._skeleton)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.stale:
            self.reload()

    # ---- doing

    def do(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Runs an action of the user; a failure becomes a banner."""
        self.desk.scope.start(work, name)

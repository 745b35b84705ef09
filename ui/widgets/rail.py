"""The navigation rail: which server, how it is, and the seven sections."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QButtonGroup, QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from ui import icons, palette
from ui.widgets.dialogs import scrolling
from ui.widgets.surface import StatusPill
from ui.widgets.text import ElidedLabel, Label, button, column, row, set_button_text

KEYED = 9
"""So many places have a key of their own."""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the rail; those of one area stand together under its title."""

    id: str
    title: str
    path: str
    icon: str
    area: str


class Rail(QFrame):
    """The way to every section. On low screens its list scrolls."""

    def __init__(
        self,
        places: Sequence[Place],
        go: Callable[[str], None],
        search: Callable[[], None],
    ) -> None:
        super().__init__()
        self.setProperty("kind", "rail")
        self.setFixedWidth(palette.size("rail"))
        mark = QLabel()
        mark.setPixmap(icons.product_mark().pixmap(32, 32))
        mark.setFixedSize(34, 34)
        mark.setAccessibleName("Gatepost")
        self.pill = StatusPill("No server", "neutral")
        self.server_name = ElidedLabel("", "small", tone="muted")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 16, 12, 12)
        outer.setSpacing(3)
        outer.addLayout(row(mark, Label("Gatepost", "lead", bold=True, wrap=False), None, gap="s"))
        outer.addSpacing(palette.space("s"))
        outer.addLayout(column(self.server_name, row(self.pill, None), gap="xs"))
        outer.addSpacing(palette.space("m"))
        self.search = button("Search", search, icon="search", help="Ctrl+K")
        outer.addWidget(self.search)
        outer.addSpacing(palette.space("s"))
        self.buttons: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        inside = QWidget()
        inside.setProperty("kind", "content")
        inner = QVBoxLayout(inside)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(1)
        area = ""
        for number, place in enumerate(places, start=1):
            # An area of one page with the same name needs no heading.
            alone = place.title == place.area and (
                sum(each.area == place.area for each in places) == 1
            )
            if place.area != area and not alone:
                heading = Label(place.area, "small", tone="muted", bold=True, wrap=False)
                heading.setContentsMargins(10, palette.space("s"), 0, 2)
                inner.addWidget(heading)
            area = place.area
            keys = f"Ctrl+{number}" if number <= KEYED else ""
            one = button(
                place.title, partial(go, place.path), kind="nav", icon=place.icon, help=keys
            )
            one.setCheckable(True)
            one.setIconSize(QSize(20, 20))
            group.addButton(one)
            self.buttons[place.id] = one
            inner.addWidget(one)
        inner.addStretch(1)
        self._list = scrolling(inside, name="Sections")
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.viewport().setAutoFillBackground(False)
        outer.addWidget(self._list, 1)
        self.setAccessibleName("Sections")

    def mark(self, place: str) -> None:
        if (one := self.buttons.get(place)) is not None:
            one.setChecked(True)
            self._list.ensureWidgetVisible(one)

    def set_count(self, place: str, title: str, count: int) -> None:
        """A number behind the title, such as of messages that wait."""
        one = self.buttons[place]
        set_button_text(one, f"{title}  ·  {count}" if count else title)
        one.setAccessibleName(f"{title}, {count} waiting" if count else title)

    def set_server(self, name: str, words: str, tone: str) -> None:
        self.server_name.set_full_text(name)
        self.server_name.setVisible(bool(name))
        self.pill.set_state(words, tone)

    def keyPressEvent(self, event: object) -> None:
        key = getattr(event, "key", lambda: None)()
        if key in {Qt.Key.Key_Down, Qt.Key.Key_Up}:
            buttons = list(self.buttons.values())
            at = next((i for i, one in enumerate(buttons) if one.hasFocus()), 0)
            step = 1 if key == Qt.Key.Key_Down else -1
            buttons[(at + step) % len(buttons)].setFocus(Qt.FocusReason.TabFocusReason)
            return
        super().keyPressEvent(event)  # type: ignore[arg-type]  # Qt's own event type

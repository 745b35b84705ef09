"""A thing with several pages, such as a domain: one heading, a row of tabs, and below it a panel for each."""

from collections.abc import Callable
from typing import ClassVar
from urllib.parse import quote

from PySide6.QtWidgets import QTabBar, QVBoxLayout, QWidget

from backend.api import pages as registry
from backend.api.types import ConfigEvent, EventData
from ui import palette
from ui.pages.form_editor import FormEditor, action_button
from ui.pages.page import Desk, Page
from ui.pages.spec_list import SpecListView
from ui.widgets.surface import Card, StatusPill
from ui.widgets.text import Label, button, row


class TabStrip(QTabBar):
    """The tabs of a thing, as the registry lists them. Choosing one opens its page."""

    def __init__(self, desk: Desk, name: str) -> None:
        super().__init__()
        self._desk, self._thing = desk, ""
        self._pages: tuple[registry.Page, ...] = ()
        self.setAccessibleName(name)
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setUsesScrollButtons(True)
        self.currentChanged.connect(self._chosen)

    def show_tabs(self, page_id: str, thing: str) -> None:
        """Of the thing with that name, the tab of that page marked."""
        self._thing = thing
        pages = registry.tabs_of(registry.by_id(page_id))
        self.blockSignals(True)
        if pages != self._pages:
            while self.count():
                self.removeTab(0)
            for page in pages:
                self.addTab(page.tab)
            self._pages = pages
        self.setCurrentIndex(next(i for i, page in enumerate(pages) if page.id == page_id))
        self.blockSignals(False)

    def _chosen(self, place: int) -> None:
        head, _, tail = self._pages[place].path.partition("{")
        rest = tail.partition("}")[2]
        self._desk.go(f"{head}{quote(self._thing, safe='@')}{rest}")


def _nobody() -> None:
    """Nobody listens yet."""


class Panel(QWidget):
    """What stands below one tab, for one thing. `load` reads and draws."""

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__()
        self.desk, self.thing = desk, thing
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(palette.space("l"))
        self.body.addStretch(1)
        self.changed: Callable[[], None] = _nobody
        """Set by the page: what is shown is old."""

    def add(self, *widgets: QWidget) -> None:
        for widget in widgets:
            self.body.insertWidget(self.body.count() - 1, widget)

    async def load(self) -> None:
        """Asks the server and draws."""

    def take(self, event: EventData) -> bool:
        """Whether the event makes what is shown old."""
        return isinstance(event, ConfigEvent)


class ActionCard(Card):
    """One action of a form's specification on the thing, with what it means in words."""

    def __init__(self, desk: Desk, title: str, text: str, done: Callable[[], None]) -> None:
        super().__init__(title)
        self._desk, self._done = desk, done
        self._line = row(Label(text, tone="muted"), gap="l", grow=0)
        self.body.addLayout(self._line)
        self._is_asked = False

    async def load(self, form: str, action_id: str, thing: str) -> None:
        """Once is enough."""
        if self._is_asked:
            return
        self._is_asked = True
        try:
            spec = await self._desk.session.call(lambda client: client.form_spec(form))
        except BaseException:
            self._is_asked = False
            raise
        action = next(each for each in spec.actions if each.id == action_id)
        self._line.addWidget(action_button(self._desk, self, action, thing, dict, self._done))


class FormPanel(Panel):
    """A form on the thing."""

    FORM: ClassVar[str] = ""

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self.editor = FormEditor(desk, self.FORM, thing)
        self.add(self.editor)

    async def load(self) -> None:
        await self.editor.load()


class ListPanel(Panel):
    """A list of what belongs to the thing. `QUERY`: the name under which the route takes the thing."""

    LIST: ClassVar[str] = ""
    QUERY: ClassVar[str] = ""

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self.list = SpecListView(desk, self.LIST, fixed={self.QUERY: thing}, most=14)
        self.empty: QWidget | None = None
        self.list.loaded.connect(self._show_empty)
        self.add(self.list)

    async def load(self) -> None:
        await self.list.load()

    def _show_empty(self) -> None:
        if self.empty is None:
            self.empty = self.list.empty_state()
            self.add(self.empty)
        nothing = self.list.total == 0 and not self.list.is_filtered
        self.empty.setVisible(nothing)
        self.list.setVisible(not nothing)


class TabbedPage(Page):
    """`PANELS` by the page's id in the registry. `BACK`: path and title of the list that the thing stands in."""

    PANELS: ClassVar[dict[str, type[Panel]]] = {}
    BACK: ClassVar[tuple[str, str]] = ("/", "Overview")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.thing = ""
        self.panels: dict[str, Panel] = {}
        path, title = self.BACK
        self.pill = StatusPill("", "neutral")
        self.toolbar.addWidget(self.pill)
        self.toolbar.addWidget(
            button(
                title, lambda: desk.go(path), kind="link", icon="arrow-left", name=f"Back: {title}"
            )
        )
        self.tabs = TabStrip(desk, f"Parts of the {self.TITLE.lower()}")
        self.body.addWidget(self.tabs)
        self._place = QVBoxLayout()
        self.body.addLayout(self._place)
        self.body.addStretch(1)

    async def load_head(self) -> None:
        """Name and state of the thing."""

    @property
    def panel(self) -> Panel:
        """Of the page that is open; made when it is opened for the first time."""
        if self.page_id not in self.panels:
            made = self.PANELS[self.page_id](self.desk, self.thing)
            made.changed = self.mark_stale
            self.panels[self.page_id] = made
            self._place.addWidget(made)
        return self.panels[self.page_id]

    def open(self, rest: str) -> None:
        if rest != self.thing:
            for panel in self.panels.values():
                panel.hide()
                panel.deleteLater()
            self.panels = {}
            self.thing = rest
            self.show_blank()
        if not self.page_id:
            return
        self.tabs.show_tabs(self.page_id, self.thing)
        shown = self.panel
        for panel in self.panels.values():
            panel.setVisible(panel is shown)
        self.mark_stale()

    async def fetch(self) -> bool:
        panel = self.panel
        await self.load_head()
        await panel.load()
        return True

    def take(self, event: EventData) -> None:
        if self.thing and self.page_id and self.panel.take(event):
            self.mark_stale()

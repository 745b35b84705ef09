"""Which way mail takes: the page of all routes, and the tab of one account or domain."""

from typing import ClassVar, cast

from backend.api import delivery as w
from backend.api.types import ConfigEvent, EventData
from ui.pages.page import Desk, Page
from ui.pages.route_editor import RouteEditor
from ui.pages.tabbed import Panel

PANEL_HEIGHT = 560


class RoutesPage(Page):
    TITLE = "Routes"
    SUBTITLE = "Which way mail takes. The first route that matches decides; where none does, mail goes out directly."
    SCROLLS = False

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.editor = RouteEditor(desk)
        self.toolbar.addWidget(self.editor.add)
        self.editor.bar.addWidget(self.editor.shown.box)
        self.body.addWidget(self.editor, 1)

    def open(self, rest: str) -> None:
        level, _, owner = rest.partition("/")
        known = level in {"account", "domain"} and bool(owner)
        self.editor.show_scope((cast(w.RouteLevel, level), owner) if known else None)
        self.mark_stale()

    async def fetch(self) -> bool:
        await self.editor.load()
        return True

    def take(self, event: EventData) -> None:
        if isinstance(event, ConfigEvent):
            self.mark_stale()


class RoutesPanel(Panel):
    """The routes of the thing, and those that are looked at after them."""

    LEVEL: ClassVar[w.RouteLevel]

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self.editor = RouteEditor(desk, (self.LEVEL, thing))
        self.editor.bar.insertWidget(0, self.editor.add)
        self.editor.setMinimumHeight(PANEL_HEIGHT)
        self.add(self.editor)

    async def load(self) -> None:
        await self.editor.load()

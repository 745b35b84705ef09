"""Is the server itself well?"""

from backend.api import dns as d
from backend.api import types as t
from ui.pages.checks_panel import ChecksPanel
from ui.pages.page import Desk, Page


class HealthPanel(ChecksPanel):
    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, one_by_one=True)

    async def read(self) -> d.Health:
        return await self.desk.session.call(lambda client: client.health())

    async def run_check(self, only: str) -> d.Health:
        return await self.desk.session.call(lambda client: client.check_health(only))


class HealthPage(Page):
    TITLE = "Checks"
    SUBTITLE = "Looks at what the server needs, and says what to do where something is missing."

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.panel = HealthPanel(desk)
        self.body.addWidget(self.panel)
        self.body.addStretch(1)

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.ConfigEvent):
            self.panel.changed()

    async def fetch(self) -> bool:
        await self.panel.fetch()
        return True

"""Who signed in or tried to: one after the other, or the refused ones by the address they came from."""

from collections.abc import Mapping

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from backend.api import types as t
from ui.pages.page import Desk, Page
from ui.pages.spec_list import SpecListView
from ui.widgets.surface import Banner, EmptyState
from ui.widgets.text import column
from ui.widgets.views import ViewSwitch

VIEWS: Mapping[str, str] = {"sign-ins": "All", "sign-in-sources": "Refused, by address"}


class SignInsPage(Page):
    TITLE = "Sign-ins"
    SUBTITLE = "Who signed in, or tried to, with a mail app or to the administration."
    SCROLLS = False

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.switch = ViewSwitch("Show", VIEWS)
        self.switch.chosen.connect(self._choose)
        self.only = Banner()
        self.lists = {name: SpecListView(desk, name) for name in VIEWS}
        self._nothing: dict[str, EmptyState] = {}
        self._place = QStackedWidget()
        self._below: dict[str, QVBoxLayout] = {}
        for name, view in self.lists.items():
            holder = QWidget()
            self._below[name] = column(view, gap="m")
            holder.setLayout(self._below[name])
            self._place.addWidget(holder)
            view.loaded.connect(self._rows_came)
        self.body.addWidget(self.switch)
        self.body.addWidget(self.only)
        self.body.addWidget(self._place, 1)
        self._peer = ""

    @property
    def list(self) -> SpecListView:
        return self.lists[self.switch.value()]

    def open(self, rest: str) -> None:
        """An address: only what came from there."""
        self._peer = rest
        if rest:
            self.switch.choose("sign-ins")
            self._place.setCurrentIndex([*VIEWS].index(self.switch.value()))
            self.only.show_message(
                "info",
                f"Only sign-ins from {rest}",
                "",
                [("Show all", lambda: self.desk.go("/signins"))],
            )
        else:
            self.only.hide()
        self.lists["sign-ins"].fix({"peer": rest} if rest else {})

    def _choose(self) -> None:
        if self._peer:
            self.desk.go("/signins")
        self._place.setCurrentIndex([*VIEWS].index(self.switch.value()))
        self.mark_stale()

    async def fetch(self) -> bool:
        await self.list.load()
        name = self.list.spec_id
        if name not in self._nothing:
            self._nothing[name] = self.list.empty_state()
            self._below[name].addWidget(self._nothing[name])
        self._draw_nothing()
        return True

    def _rows_came(self) -> None:
        self._draw_nothing()

    def _draw_nothing(self) -> None:
        view = self.list
        if (empty := self._nothing.get(view.spec_id)) is not None:
            nothing = view.total == 0 and not view.is_filtered
            empty.setVisible(nothing)
            view.setVisible(not nothing)

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.SignInEvent) and self.isVisible():
            self.list.take(event)
        elif isinstance(event, t.SignInEvent):
            self.stale = True

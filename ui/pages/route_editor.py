"""All routes in the order in which they are looked at, edited as a draft and saved at once, with the tester beside them."""

from collections.abc import Coroutine
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QPushButton, QVBoxLayout, QWidget

from backend.api import delivery as w
from backend.api import forms as f
from backend.api import types as t
from backend.api.client import ApiError
from ui import palette
from ui.pages.page import Desk
from ui.pages.route_sheet import RouteSheet
from ui.pages.route_tester import MOST_QUEUED, RouteTester
from ui.presenters import routes as words
from ui.presenters.routes import SERVER, Draft, Place
from ui.widgets.dialogs import Sheet, wait_for
from ui.widgets.forms import Choice
from ui.widgets.route_list import RouteModel, RouteView
from ui.widgets.surface import frame
from ui.widgets.text import Label, button, row, set_button_text

CHECK_MS = 300
BESIDE_FROM = 880
"""Pixels of width from which the tester stands beside the routes."""
TESTER_WIDTH = 380


class RouteEditor(QWidget):
    """`load()` reads and draws. `scope`: one account or domain, whose routes are shown with those that come after them.

    `add` is the button for a new route; who holds the editor puts it somewhere, as `shown`, the choice of the scope.
    """

    def __init__(self, desk: Desk, scope: Place | None = None) -> None:
        super().__init__()
        self.desk, self.scope = desk, scope
        self.draft: Draft | None = None
        self._fields: list[f.Field] = []
        self._owners: list[Place] = []
        self._domains_of: dict[str, set[str]] = {}
        self.shown = Choice("Show")
        self.shown.box.setMinimumWidth(150)
        self.shown.set_entries([("", "All routes")])
        self.shown.box.activated.connect(lambda _index: self._scope_chosen())
        self.model = RouteModel()
        self.view = RouteView(self.model, self.act)
        self.tester = RouteTester(desk, self._drafts)
        self.add = button("Add a route", partial(self.act, "add"), kind="primary", icon="plus")
        self.edit = button("Change", partial(self.act, "edit"), icon="settings")
        self.up = button(
            "", partial(self.act, "up"), icon="arrow-up", name="Move up", help="Move up (Alt+Up)"
        )
        self.down = button(
            "",
            partial(self.act, "down"),
            icon="arrow-down",
            name="Move down",
            help="Move down (Alt+Down)",
        )
        self.switch = button(
            "Switch off", partial(self.act, "switch"), icon="player-pause", help="Space"
        )
        self.remove = button(
            "Remove", partial(self.act, "remove"), kind="danger", icon="trash", help="Del"
        )
        self._tools: list[QPushButton] = [self.edit, self.up, self.down, self.switch, self.remove]
        self._count = Label("", bold=True, wrap=False)
        self.save_button = button(
            "Save order and rules", self.save, kind="primary", icon="device-floppy"
        )
        self.discard_button = button("Discard", self.discard)
        self.footer = frame("selection")
        bar = row(self._count, None, self.discard_button, self.save_button)
        bar.setContentsMargins(12, 8, 12, 8)
        self.footer.setLayout(bar)
        self.footer.hide()
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(palette.space("s"))
        self.bar = row(*self._tools, None, gap="xs")
        column.addLayout(self.bar)
        column.addWidget(self.view, 1)
        column.addWidget(self.footer)
        self._across = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._across.setSpacing(palette.space("l"))
        self._across.addWidget(left, 3)
        self._across.addWidget(self.tester, 2)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addLayout(self._across)
        self._checking = QTimer(self)
        self._checking.setSingleShot(True)
        self._checking.setInterval(CHECK_MS)
        self._checking.timeout.connect(lambda: self.do(self._check(), "check routes"))
        self.model.switched.connect(self._switch)
        self.model.dropped.connect(self._move)
        self.view.selectionModel().currentChanged.connect(lambda _now, _old: self._redraw_tools())

    # ---- reading

    def show_scope(self, scope: Place | None) -> None:
        self.scope = scope
        self.shown.select("/".join(scope) if scope else "")
        self._begin_tester()
        self._redraw()

    async def load(self) -> None:
        session = self.desk.session
        if not self._fields:
            spec = await session.call(lambda client: client.form_spec("routes"))
            item = spec.fields[0].item
            assert item is not None
            self._fields = list(item.fields)
        found = await session.call(lambda client: client.mail_routes())
        accounts = await session.call(lambda client: client.accounts())
        domains = await session.call(lambda client: client.domains())
        queued = await session.call(lambda client: client.queue(t.QueueQuery(limit=MOST_QUEUED)))
        self._owners = [
            *(("account", each.id) for each in accounts),
            *(("domain", each.name) for each in domains),
        ]
        self._domains_of = {
            each.id: {a.address.rpartition("@")[2] for a in each.addresses} for each in accounts
        }
        self.shown.set_entries(
            [("", "All routes"), *(("/".join(each), _name(each)) for each in self._owners)]
        )
        self.shown.select("/".join(self.scope) if self.scope else "")
        self.tester.show_choices([(each.id, each.id) for each in accounts], queued.items)
        if self.draft is None or not self.draft.count():
            self.draft = Draft.of(found)
        self._begin_tester()
        self._redraw()

    def reload(self) -> None:
        self.do(self.load(), "load routes")

    def do(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self.desk.scope.start(work, name)

    def _places(self) -> list[Place] | None:
        """What is shown: everything, or what concerns one account or domain."""
        assert self.draft is not None
        if self.scope is None:
            return None
        level, owner = self.scope
        domains = {owner} if level == "domain" else self._domains_of.get(owner, set())
        with_rules: list[Place] = [
            place
            for place, rules in self.draft.lists.items()
            if rules and place[0] == "domain" and place[1] in domains
        ]
        return [self.scope, *with_rules, SERVER]

    def _begin_tester(self) -> None:
        if self.scope is not None:
            level, owner = self.scope
            if level == "account":
                self.tester.account.select(owner)
            else:
                self.tester.use_sender(owner)

    def _scope_chosen(self) -> None:
        value = self.shown.value()
        self.desk.go(f"/routes/{value}" if value else "/routes")

    # ---- drawing

    def _redraw(self) -> None:
        if self.draft is None:
            return
        self.model.show(words.entries(self.draft, self._places()))
        count = self.draft.count()
        self._count.setText(words.changes(count))
        self.footer.setVisible(bool(count))
        self._redraw_tools()
        self.tester.ask_soon()

    def _redraw_tools(self) -> None:
        key = self.view.chosen()
        known = bool(key) and self.draft is not None
        for tool in self._tools:
            tool.setEnabled(known)
        if not known:
            return
        assert self.draft is not None
        place, index = self.draft.find(key)
        self.up.setEnabled(index > 0)
        self.down.setEnabled(index < len(self.draft.lists[place]) - 1)
        off = self.draft.rule(key).settings.disabled
        set_button_text(self.switch, "Switch on" if off else "Switch off")
        self.switch.setAccessibleName("Switch on" if off else "Switch off")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() >= BESIDE_FROM
        way = QBoxLayout.Direction
        self._across.setDirection(way.LeftToRight if beside else way.TopToBottom)
        self.tester.setFixedWidth(TESTER_WIDTH) if beside else self.tester.setFixedWidth(
            max(200, self.width())
        )

    # ---- editing

    def act(self, verb: str) -> None:
        """What a button or a key asks for."""
        key = self.view.chosen()
        if self.draft is None:
            return
        if verb == "add":
            self.do(self._edit(0, after=key), "add route")
        elif not key:
            return
        elif verb == "edit":
            self.do(self._edit(key), "edit route")
        elif verb == "switch":
            self._switch(key)
        elif verb in {"up", "down"}:
            _, index = self.draft.find(key)
            self._move(key, index + (1 if verb == "down" else -1))
        else:
            self._remove(key)

    def _changed(self, key: int = 0) -> None:
        self._redraw()
        if key:
            self.view.choose(key)
        self._checking.start()

    def _switch(self, key: int) -> None:
        assert self.draft is not None
        self.draft.switch(key)
        self._changed(key)

    def _move(self, key: int, index: int) -> None:
        assert self.draft is not None
        self.draft.move(key, index)
        self._changed(key)

    def _remove(self, key: int) -> None:
        assert self.draft is not None
        place, index = self.draft.find(key)
        self.draft.remove(key)
        left = self.draft.lists[place]
        self._changed(left[min(index, len(left) - 1)].key if left else 0)

    def _drafts(self) -> list[w.RouteList]:
        return self.draft.changed() if self.draft is not None else []

    async def _edit(self, key: int, *, after: int = 0) -> None:
        """One route in a dialog; a new one comes below the one that is chosen, or to the end of its list."""
        draft = self.draft
        assert draft is not None
        if key:
            place, _ = draft.find(key)
        else:
            place = draft.find(after)[0] if after else self.scope or SERVER
        places = [] if key else [(each, _name(each)) for each in (SERVER, *self._owners)]

        def index(chosen: Place) -> int:
            if key:
                return draft.find(key)[1]
            if after and draft.find(after)[0] == chosen:
                return draft.find(after)[1] + 1
            return len(draft.lists.get(chosen, []))

        async def attempt(chosen: Place, settings: w.RouteSettings) -> None:
            level, owner = chosen
            routes = [rule.settings for rule in draft.lists.get(chosen, [])]
            if key:
                routes[index(chosen)] = settings
            else:
                routes.insert(index(chosen), settings)
            others = [each for each in draft.changed() if (each.level, each.owner) != chosen]
            tried = w.RouteList(level=level, owner=owner, routes=routes)
            await self._ask([*others, tried])

        settings = draft.rule(key).settings if key else None
        sheet = RouteSheet(self.desk, self, self._fields, settings, place, places, attempt, index)
        if not await wait_for(sheet) or self.draft is not draft:
            return
        if key:
            draft.change(key, sheet.settings)
        else:
            key = draft.add(sheet.place, index(sheet.place), sheet.settings)
        self._changed(key)
        self.view.setFocus()

    async def _ask(self, lists: list[w.RouteList]) -> w.MailRoutes:
        assert self.draft is not None
        request, revision = w.SetRouteLists(lists=lists, dry_run=True), self.draft.base.revision
        return await self.desk.session.call(
            lambda client: client.set_route_lists(request, revision=revision)
        )

    async def _check(self) -> None:
        """What the server says of the draft."""
        draft = self.draft
        if draft is None:
            return
        try:
            told = await self._ask(draft.changed())
        except ApiError:
            return  # what is wrong is said when it is saved
        if draft is self.draft:
            draft.tell(told)
            self.model.show(words.entries(draft, self._places()))

    # ---- saving

    def discard(self) -> None:
        assert self.draft is not None
        self.draft = Draft.of(self.draft.base)
        self._redraw()
        self.reload()

    def save(self) -> None:
        if self.save_button.isEnabled():
            self.do(self._save(), "save routes")

    async def _save(self) -> None:
        assert self.draft is not None
        self.save_button.setEnabled(False)
        try:
            saved = await self._save_merged()
        finally:
            self.save_button.setEnabled(True)
        if saved is None:
            return
        before = self.draft.base.revision
        self.draft = Draft.of(saved)
        self._redraw()
        self.desk.toast("Saved.", partial(self._take_back, before, saved.revision))

    async def _save_merged(self) -> w.MailRoutes | None:
        """None: somebody wants to look at it again."""
        while True:
            assert self.draft is not None
            request, revision = (
                w.SetRouteLists(lists=self.draft.changed()),
                self.draft.base.revision,
            )
            try:
                return await self.desk.session.call(
                    lambda client: client.set_route_lists(request, revision=revision)  # noqa: B023  # asked at once
                )
            except ApiError as error:
                if error.status != 409:
                    raise
            theirs = await self.desk.session.call(lambda client: client.mail_routes())
            merged = self.draft.rebased(theirs)
            if merged is not None:
                self.draft = merged
                continue
            chosen = await _ask_whose(self)
            if chosen == "":
                return None
            self.draft = self.draft.forced(theirs) if chosen == "mine" else Draft.of(theirs)
            self._redraw()
            if chosen == "theirs":
                return None

    def _take_back(self, before: int, saved: int) -> None:
        async def revert() -> None:
            await self.desk.session.call(lambda client: client.revert(before, revision=saved))
            self.desk.toast("Taken back.")
            self.reload()

        self.do(revert(), "take back routes")


def _name(place: Place) -> str:
    return {
        "server": "Everyone",
        "account": f"The account {place[1]}",
        "domain": f"The domain {place[1]}",
    }[place[0]]


async def _ask_whose(parent: QWidget) -> str:
    """`mine`, `theirs`, or nothing."""
    sheet = Sheet(parent, "Somebody else has changed these routes in the meantime", width=560)
    sheet.add(
        Label(
            "Which ones are to hold? The others can be found in the list of changes of the settings."
        )
    )
    chosen: list[str] = []

    def pick(whose: str) -> None:
        chosen.append(whose)
        sheet.accept()

    sheet.add_button("Back to the draft", sheet.reject, default=True)
    sheet.add_button("Take theirs", partial(pick, "theirs"))
    sheet.add_button("Save mine", partial(pick, "mine"), kind="primary")
    return chosen[0] if await wait_for(sheet) and chosen else ""

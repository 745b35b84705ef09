"""What is on its way out: a table that pages, actions on a selection, the story of one message in a drawer."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from backend.api import queue as q
from backend.api import types as t
from backend.api.client import ApiError
from ui.pages.page import Desk, Page
from ui.pages.queue_actions import Chosen, QueueActions
from ui.pages.queue_drawer import QueueDrawer
from ui.pages.queue_filter import QueueFilterBar
from ui.presenters import queue as words
from ui.presenters import wording
from ui.widgets.dialogs import choose_save_file
from ui.widgets.surface import Banner, EmptyState, frame
from ui.widgets.tables import Column, RowsModel, Table
from ui.widgets.text import Label, button, clear, row

PAGE_ROWS = 100
TICK_MS = 10_000
SETTLE_MS = 250
SETTLE_LONG_MS = 2_000
NARROW = 1_080
"""Pixels below which the menus of a selection become one."""
LONG_FROM = 1_000
"""Rows in view from which a change is read after the longer time."""


class QueuePage(Page):
    TITLE = "Queue"
    SUBTITLE = "Mail on its way to other servers."
    SCROLLS = False

    def __init__(self, desk: Desk) -> None:
        self._all = False
        self._cursor = ""
        self._turn = 0
        self._groups: list[q.QueueGroup] = []
        self._accounts: list[t.Account] = []
        self._settings_changed = True
        super().__init__(desk)
        self.doing = QueueActions(desk, self._chosen, self.mark_stale)
        self.filter = QueueFilterBar(self, self._filter_changed)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self.mark_stale)
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._redraw_times)
        self._tick.start()

        self.pause = button("Pause sending", self._pause, icon="player-pause")
        for title, icon, path in (
            ("Sent and failed", "history", "/queue/history"),
            ("Hold rules", "hand-stop", "/queue/holds"),
        ):
            self.toolbar.addWidget(button(title, partial(desk.go, path), icon=icon))
        self.toolbar.addWidget(self.pause)
        self.paused = Banner()
        self.body.addWidget(self.paused)
        self._bursts = QVBoxLayout()
        self._bursts.setSpacing(4)
        self.body.addLayout(self._bursts)
        self.body.addLayout(self.filter.chips)

        # The bar for a selection takes the place of the second row of filters: nothing moves.
        self._second = QStackedWidget()
        choices = QWidget()
        choices.setLayout(self.filter.choices)
        self.selection = self._build_selection()
        self._second.addWidget(choices)
        self._second.addWidget(self.selection)
        self._second.setFixedHeight(self._second.sizeHint().height())
        self.body.addWidget(self._second)

        self.model: RowsModel[t.QueueItem] = RowsModel(self._columns(), key=lambda item: item.id)
        self.model.more = self._more
        self.table = Table(self.model, "Messages in the queue", multiple=True)
        self.table.picked.connect(self._picked)
        self.table.opened.connect(lambda number: self._show(self.model.row(number).id))
        self.table.clicked.connect(lambda index: self._open_alone(index.row()))
        self.table.delete_pressed.connect(partial(self.act, "drop"))
        self.drawer = QueueDrawer(self.close_drawer, self._act_on_shown, self._save, desk.go)
        self.none_match = EmptyState(
            "filter",
            "No message matches.",
            "",
            button("Clear the filter", self.filter.clear, icon="x"),
        )
        self.nothing = self.build_empty()
        self.none_match.hide()
        self.nothing.hide()
        inner = row(self.table, self.none_match, self.nothing, self.drawer, gap="m")
        for place in range(3):
            inner.setStretch(place, 1)
        self.body.addLayout(inner, 1)

    def _columns(self) -> list[Column[t.QueueItem]]:
        def shown(item: t.QueueItem) -> words.QueueRow:
            return words.present(item, datetime.now(UTC))

        return [
            Column(title="To", text=lambda i: shown(i).recipient, width=23),
            Column(title="From", spare=True, text=lambda i: shown(i).sender, muted=True, width=15),
            Column(title="Subject", spare=True, text=lambda i: shown(i).subject, width=13),
            Column(
                title="Size",
                spare=True,
                text=lambda i: shown(i).size,
                right=True,
                muted=True,
                width=8,
            ),
            Column(
                title="State",
                text=lambda i: shown(i).state,
                tone=lambda i: shown(i).tone,
                width=23,
            ),
            Column(title="Attempts", spare=True, text=lambda i: shown(i).attempts, width=9),
            Column(
                title="Last answer",
                text=lambda i: shown(i).answer,
                tip=lambda i: shown(i).answer_whole,
                muted=True,
            ),
            Column(
                title="Transport",
                spare=True,
                text=lambda i: shown(i).transport,
                tip=lambda i: shown(i).why_transport,
                muted=True,
                width=11,
            ),
        ]

    def _build_selection(self) -> QWidget:
        bar = frame("selection")
        self._selected = Label("", bold=True, wrap=False)
        self._menus = self.doing.menus()
        self._more_menu = self.doing.one_menu()
        self._more_menu.hide()
        self.select_all = button("", self._choose_all, kind="link")
        line = row(
            self._selected,
            self.select_all,
            None,
            button(
                "Retry now",
                partial(self.act, "kick"),
                kind="primary",
                icon="refresh",
                name="Retry the selected now",
            ),
            button("Hold", partial(self.act, "hold"), name="Hold the selected"),
            button("Release", partial(self.act, "release"), name="Release the selected"),
            *self._menus,
            self._more_menu,
            button(
                "Fail…",
                partial(self.act, "fail"),
                name="Fail the selected with a notice",
                help="Gives up; the senders get a failure notice.",
            ),
            button(
                "Drop",
                partial(self.act, "drop"),
                kind="danger",
                icon="trash",
                name="Drop the selected silently",
                help="Removes them; nobody is told.",
            ),
        )
        line.setContentsMargins(12, 3, 4, 3)
        bar.setLayout(line)
        return bar

    def build_empty(self) -> EmptyState:
        return EmptyState(
            "mail-forward",
            "Nothing is waiting.",
            "Mail you send appears here until the other server accepts it.",
        )

    # ---- reading

    async def fetch(self) -> bool:
        self._turn += 1
        shown = self.filter.shown
        page, read = await self._read_again(shown, max(PAGE_ROWS, self.model.rowCount()))
        holds = await self.desk.session.call(lambda client: client.hold_rules())
        self._groups = await self.desk.session.call(lambda client: client.queue_groups())
        if self._settings_changed:
            self._settings_changed = False
            self._accounts = await self.desk.session.call(lambda client: client.accounts())
            transports = await self.desk.session.call(lambda client: client.transports())
            self.doing.transports = [each.name for each in transports]
        self.filter.offer(self._groups, self._accounts)
        items = [item for item in read if not self.doing.is_dropping(item, shown)]
        self.model.replace(items, page.total if items else 0)
        self.filter.count.setText(words.count_text(page))
        self._show_paused(holds)
        self._show_bursts()
        self.none_match.setVisible(not items and self.filter.is_on)
        self.nothing.setVisible(not items and not self.filter.is_on)
        self.table.setVisible(bool(items))
        if self._all:
            self.table.selectAll()
        self._picked()
        if self.drawer.shown_id is not None and not self.drawer.isHidden():
            await self._read_detail(self.drawer.shown_id)
        return bool(items) or self.filter.is_on or holds.paused

    async def _ask(self, shown: t.QueueFilter, cursor: str, limit: int) -> t.QueueList:
        query = t.QueueQuery(**shown.model_dump(), cursor=cursor, limit=limit)
        return await self.desk.session.call(lambda client: client.queue(query))

    async def _read_again(
        self, shown: t.QueueFilter, rows: int
    ) -> tuple[t.QueueList, list[t.QueueItem]]:
        """As many rows as are shown already, so that nobody who scrolled down is thrown back."""
        items: list[t.QueueItem] = []
        cursor = ""
        while True:
            page = await self._ask(shown, cursor, min(rows - len(items), t.MAX_PAGE))
            items += page.items
            self._cursor = cursor = page.next
            if not cursor or len(items) >= rows:
                return page, items

    def _more(self, _offset: int) -> None:
        if self._cursor:
            self.do(self._fetch_more(self._turn), "queue page")

    async def _fetch_more(self, turn: int) -> None:
        page = await self._ask(self.filter.shown, self._cursor, PAGE_ROWS)
        if turn == self._turn:
            self._cursor = page.next
            self.model.append(page.items, page.total)
            if self._all:
                self.table.selectAll()

    def take(self, event: t.EventData) -> None:
        self._settings_changed |= isinstance(event, t.ConfigEvent)
        if isinstance(event, t.QueueEvent | t.ConfigEvent):
            self.stale = True
            if self.isVisible() and not self._settle.isActive():
                many = self.model.rowCount() >= LONG_FROM
                self._settle.start(SETTLE_LONG_MS if many else SETTLE_MS)

    def _redraw_times(self) -> None:
        if self.isVisible() and (rows := self.model.rows()):
            self.model.replace(rows, self.model.total)
            self._show_bursts()

    def open(self, rest: str) -> None:
        if rest.isdecimal():
            self._show(int(rest))
        elif rest.startswith("rule/"):
            self.filter.choose(rest)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = event.size().width() < NARROW
        for each in self._menus:
            each.setVisible(not narrow)
        self._more_menu.setVisible(narrow)

    # ---- above the table

    def _show_paused(self, holds: q.HoldRules) -> None:
        self.pause.setVisible(not holds.paused)
        if not holds.paused:
            self.paused.hide()
            return
        held = next((each.held for each in holds.items if each.name == holds.pause_rule), 0)
        self.paused.show_message(
            "warn",
            "Sending is paused.",
            f"Mail is accepted and kept. {wording.count(held, 'message')} will leave when you go on.",
            [("Resume sending", self._resume)],
        )

    def _show_bursts(self) -> None:
        clear(self._bursts)
        now = datetime.now(UTC)
        for group in words.bursts(self._groups):
            text = words.burst_text(group, now)
            line = frame("banner")
            line.setProperty("tone", "warn")
            inner = row(
                Label(text, selectable=True),
                button(
                    "Show",
                    partial(self.filter.show_domain, group.domain),
                    name=f"Show the messages to {group.domain}",
                ),
                button(
                    "Retry all now",
                    partial(self._retry_group, group),
                    icon="refresh",
                    name=f"Retry all to {group.domain} now",
                ),
                grow=0,
            )
            inner.setContentsMargins(12, 4, 6, 4)
            line.setLayout(inner)
            line.setAccessibleName(text)
            self._bursts.addWidget(line)

    def _retry_group(self, group: q.QueueGroup) -> None:
        target = t.QueueFilter(domain=group.domain, problem=True)
        self.doing.act("kick", Chosen(target, group.problem))

    def _pause(self) -> None:
        self.do(self._pausing(), "pause sending")

    async def _pausing(self) -> None:
        await self.desk.session.call(lambda client: client.pause_sending())
        self.desk.toast("Sending is paused.", self._resume)
        self.mark_stale()

    def _resume(self) -> None:
        self.do(self._resuming(), "resume sending")

    async def _resuming(self) -> None:
        acted = await self.desk.session.call(lambda client: client.resume_sending())
        self.desk.toast(f"Sending goes on. {words.done_text('release', acted)}")
        self.mark_stale()

    # ---- filter, selection, drawer

    def _filter_changed(self) -> None:
        self._all = False
        self.table.clearSelection()
        self.model.reset([])  # what comes is another list, from its top
        self.mark_stale()

    def _picked(self) -> None:
        chosen = self.table.chosen()
        total = self.model.total
        if len(chosen) < self.model.rowCount():
            self._all = False
        offers_all = bool(chosen) and not self._all and total > len(chosen)
        self._second.setCurrentIndex(1 if chosen else 0)
        count = total if self._all else len(chosen)
        self._selected.setText(words.selection_text(count, all_of_them=self._all))
        self.select_all.setText(f"Select all {wording.number(total)}")
        self.select_all.setAccessibleName(f"Select all {wording.number(total)} that match")
        self.select_all.setVisible(offers_all)

    def _choose_all(self) -> None:
        self._all = True
        self.table.selectAll()
        self._picked()

    def _chosen(self) -> Chosen | None:
        """The selection, or else the message in the drawer."""
        if self._all:
            return Chosen(self.filter.shown, self.model.total)
        ids = [item.id for item in self.table.chosen()]
        if not ids and self.drawer.shown_id is not None:
            ids = [self.drawer.shown_id]
        return Chosen(ids, len(ids)) if ids else None

    def act(self, action: str) -> None:
        """kick, hold, release, fail or drop: with what is chosen."""
        self.doing.act(action)

    def _act_on_shown(self, action: str) -> None:
        if (shown := self.drawer.shown_id) is not None:
            if action == "drop":
                self.close_drawer()
            self.doing.act(action, Chosen([shown], 1))

    def _open_alone(self, number: int) -> None:
        """One that is clicked is shown; while several are chosen, nothing opens."""
        if len(self.table.chosen()) == 1:
            self._show(self.model.row(number).id)

    def _show(self, queue_id: int) -> None:
        self.do(self._read_detail(queue_id), "queue detail")

    async def _read_detail(self, queue_id: int) -> None:
        try:
            detail = await self.desk.session.call(lambda client: client.queue_item(queue_id))
        except ApiError as error:
            if error.status != 404:
                raise
            self.close_drawer()
            return
        self.drawer.show_detail(detail, datetime.now(UTC))
        self.table.set_compact(True)

    def close_drawer(self) -> None:
        self.drawer.shown_id = None
        self.drawer.hide()
        self.table.set_compact(False)
        self.table.setFocus()

    def leave_detail(self) -> bool:
        if self.drawer.isHidden():
            return False
        self.close_drawer()
        return True

    def _save(self) -> None:
        if (shown := self.drawer.shown_id) is not None:
            self.do(self._saving(shown), "save message")

    async def _saving(self, queue_id: int) -> None:
        path = await choose_save_file(
            self.desk.window, "Save the message", f"message-{queue_id}.eml"
        )
        if path:
            content = await self.desk.session.call(lambda client: client.queue_message(queue_id))
            write = partial(Path(path).write_bytes, content)
            await asyncio.get_running_loop().run_in_executor(None, write)
            self.desk.toast("The message is saved.")

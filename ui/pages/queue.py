"""What is on its way out: a table that pages, actions on a selection, the story of one message in a drawer."""

from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QButtonGroup, QFrame, QLineEdit, QVBoxLayout, QWidget

from backend.api import queue as q
from backend.api import types as t
from backend.api.client import ApiError
from ui import palette
from ui.pages.page import Desk, Page
from ui.presenters import queue as words
from ui.presenters import wording
from ui.widgets.dialogs import ask, scrolling
from ui.widgets.surface import EmptyState, StatusPill, frame, rule
from ui.widgets.tables import Column, RowsModel, Table
from ui.widgets.text import ElidedLabel, Label, button, row
from ui.widgets.timeline import Step, TimelineView

PAGE_ROWS = 100
TICK_MS = 10_000
SEARCH_MS = 300
SETTLE_MS = 250


class QueueDrawer(QFrame):
    """Everything about one waiting message."""

    def __init__(self, page: "QueuePage") -> None:
        super().__init__()
        self.setProperty("kind", "drawer")
        self.setFixedWidth(palette.size("drawer"))
        self.shown_id: int | None = None
        self._page = page
        self._to = ElidedLabel("", "lead", bold=True)
        close = button("", page.close_drawer, kind="quiet", icon="x", name="Close the details")
        self._from = Label("", tone="muted", selectable=True)
        self._pill = StatusPill()
        self._next = Label("", "title")
        self._note = Label("", tone="muted", selectable=True)
        self.kick = button("Retry now", partial(page.act, "kick"), kind="primary", icon="refresh")
        self.hold = button("Hold", partial(page.act, "hold"), icon="player-pause")
        self.release = button("Release", partial(page.act, "release"), icon="player-play")
        self._route = Label("", selectable=True)
        self._route_steps = Label("", "small", tone="muted", selectable=True)
        self._asked = Label("", selectable=True)
        self._attempts = TimelineView()
        self._no_attempt = Label("It has not been tried yet.", tone="muted")
        self._headers = Label("", "small", selectable=True)
        self._headers.setFont(palette.mono_font(0.85))
        inner = QWidget()
        inner.setProperty("kind", "content")
        box = QVBoxLayout(inner)
        box.setContentsMargins(20, 16, 20, 16)
        box.setSpacing(palette.space("s"))
        box.addLayout(row(self._to, close, grow=0))
        box.addWidget(self._from)
        box.addLayout(row(self._pill, None))
        box.addSpacing(palette.space("s"))
        box.addWidget(self._next)
        box.addWidget(self._note)
        box.addLayout(row(self.kick, self.hold, self.release, None))
        for title, *parts in (
            ("Path", self._route, self._route_steps, self._asked),
            ("Attempts", self._attempts, self._no_attempt),
            ("Message", self._headers),
        ):
            box.addSpacing(palette.space("s"))
            box.addWidget(rule())
            box.addWidget(Label(str(title), bold=True, wrap=False))
            for part in parts:
                if isinstance(part, QWidget):
                    box.addWidget(part)
        box.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 0, 0, 0)
        outer.addWidget(scrolling(inner, name="Details of the message"))
        self.hide()

    def show_detail(self, detail: t.QueueDetail, now: datetime) -> None:
        item = detail.item
        shown = words.present(item, now)
        self.shown_id = item.id
        self._to.set_full_text(f"To {shown.recipient}")
        self._from.setText(
            f"From {shown.sender} · {shown.size} · accepted {wording.moment(item.created_at, now)}"
        )
        self._pill.set_state(shown.state, shown.tone)
        self._next.setText(words.headline(detail, now))
        self._note.setText(item.note)
        self._note.setVisible(bool(item.note))
        held = item.state == "held"
        self.hold.setVisible(not held)
        self.release.setVisible(held)
        self.kick.setEnabled(item.state in {"waiting", "held"})
        self._route.setText(
            detail.route or item.transport_reason or "Directly to the other server."
        )
        self._route_steps.setText("\n".join(detail.route_steps))
        self._route_steps.setVisible(bool(detail.route_steps))
        self._asked.setText("\n".join(detail.asked))
        self._asked.setVisible(bool(detail.asked))
        texts = [words.present_attempt(attempt, now) for attempt in detail.attempts]
        self._attempts.set_steps(
            tuple(
                Step(title=a.title, note=a.note, time=a.time, tone=a.tone, icon=a.icon)
                for a in texts
            )
        )
        self._no_attempt.setVisible(not texts)
        self._headers.setText(detail.headers.strip() or "(none)")
        self.show()


class QueuePage(Page):
    TITLE = "Queue"
    SUBTITLE = "Mail on its way to other servers."
    SCROLLS = False

    def __init__(self, desk: Desk) -> None:
        self._state = ""
        self._pending_drop: list[int] = []
        super().__init__(desk)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search sender, recipient, answer")
        self.search.setAccessibleName("Search the queue")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(180)
        self._typing = _timer(self, SEARCH_MS, self.mark_stale)
        self.search.textChanged.connect(lambda _text: self._typing.start())
        self._settle = _timer(self, SETTLE_MS, self.mark_stale)
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._redraw_times)
        self._tick.start()

        self._group = QButtonGroup(self)
        chips: list[QWidget] = []
        for state, title in words.FILTERS:
            chip = button(title, partial(self._filter, state), kind="chip", name=f"Show: {title}")
            chip.setCheckable(True)
            chip.setChecked(not state)
            self._group.addButton(chip)
            chips.append(chip)
        self._count = Label("", tone="muted", wrap=False)
        self.body.addLayout(row(*chips, 8, self._count, None, self.search))

        self.selection = frame("selection")
        self._selected = Label("", bold=True, wrap=False)
        bar = row(
            self._selected,
            None,
            button(
                "Retry now",
                partial(self.act, "kick"),
                kind="primary",
                icon="refresh",
                name="Retry the selected now",
            ),
            button(
                "Hold", partial(self.act, "hold"), icon="player-pause", name="Hold the selected"
            ),
            button(
                "Release",
                partial(self.act, "release"),
                icon="player-play",
                name="Release the selected",
            ),
            button(
                "Fail…",
                partial(self.act, "fail"),
                icon="arrow-back-up",
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
        bar.setContentsMargins(12, 6, 8, 6)
        self.selection.setLayout(bar)
        self.selection.hide()
        self.body.addWidget(self.selection)

        columns: list[Column[t.QueueItem]] = [
            Column(title="To", text=lambda i: self._row(i).recipient, width=30),
            Column(
                title="From", spare=True, text=lambda i: self._row(i).sender, muted=True, width=22
            ),
            Column(
                title="State",
                text=lambda i: self._row(i).state,
                tone=lambda i: self._row(i).tone,
                width=16,
            ),
            Column(title="Next try", spare=True, text=lambda i: self._row(i).next_try, width=11),
            Column(
                title="Tries", spare=True, text=lambda i: self._row(i).attempts, right=True, width=5
            ),
            Column(title="Last answer", text=lambda i: self._row(i).answer, muted=True),
            Column(
                title="Size",
                spare=True,
                text=lambda i: self._row(i).size,
                right=True,
                muted=True,
                width=8,
            ),
        ]
        self.model: RowsModel[t.QueueItem] = RowsModel(columns, key=lambda item: item.id)
        self.model.more = self._more
        self.table = Table(self.model, "Messages in the queue", multiple=True)
        self.table.picked.connect(self._picked)
        self.table.opened.connect(lambda number: self._show(self.model.row(number).id))
        self.table.clicked.connect(lambda index: self._show(self.model.row(index.row()).id))
        self.table.delete_pressed.connect(partial(self.act, "drop"))
        self.drawer = QueueDrawer(self)
        self.none_match = EmptyState(
            "filter",
            "No message matches.",
            "",
            button("Clear the filter", self._clear_filter, icon="x"),
        )
        self.none_match.hide()
        inner = row(self.table, self.none_match, self.drawer, gap="m")
        inner.setStretch(0, 1)
        inner.setStretch(1, 1)
        self.body.addLayout(inner, 1)

    def _row(self, item: t.QueueItem) -> words.QueueRow:
        return words.present(item, datetime.now(UTC))

    def build_empty(self) -> EmptyState:
        return EmptyState(
            "mail-forward",
            "Nothing is waiting.",
            "Mail you send appears here until the other server accepts it.",
        )

    # ---- reading

    def _query(self, offset: int, limit: int) -> t.QueueQuery:
        values = {"offset": offset, "limit": limit, "text": self.search.text().strip()}
        if self._state:
            values["state"] = self._state
        return t.QueueQuery.model_validate(values)

    async def fetch(self) -> bool:
        page, read = await self._read_again(max(PAGE_ROWS, self.model.rowCount()))
        items = [item for item in read if item.id not in self._pending_drop]
        self.model.replace(items, page.total)
        parts = [f"{wording.number(page.waiting)} waiting"]
        if page.held:
            parts.append(f"{wording.number(page.held)} on hold")
        self._count.setText(", ".join(parts))
        filtered = bool(self._state or self.search.text().strip())
        self.none_match.setVisible(not items and filtered)
        self.table.setVisible(bool(items) or not filtered)
        self._picked()
        if self.drawer.shown_id is not None and not self.drawer.isHidden():
            await self._read_detail(self.drawer.shown_id)
        return bool(items) or filtered

    async def _ask(self, query: t.QueueQuery) -> t.QueueList:
        return await self.desk.session.call(lambda client: client.queue(query))

    async def _read_again(self, rows: int) -> tuple[t.QueueList, list[t.QueueItem]]:
        """As many rows as are shown already, so that nobody who scrolled down is thrown back."""
        items: list[t.QueueItem] = []
        while True:
            query = self._query(len(items), min(rows - len(items), t.MAX_PAGE))
            page = await self._ask(query)
            items += page.items
            if not page.items or len(items) >= min(rows, page.total):
                return page, items

    def _more(self, offset: int) -> None:
        self.do(self._fetch_more(offset), "queue page")

    async def _fetch_more(self, offset: int) -> None:
        page = await self._ask(self._query(offset, PAGE_ROWS))
        self.model.append(page.items, page.total)

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.QueueEvent):
            self.stale = True
            if self.isVisible() and not self._settle.isActive():
                self._settle.start()

    def _redraw_times(self) -> None:
        if self.isVisible() and (rows := self.model.rows()):
            self.model.replace(rows, self.model.total)

    def open(self, rest: str) -> None:
        if rest.isdecimal():
            self._show(int(rest))

    # ---- filter, selection, drawer

    def _filter(self, state: str) -> None:
        self._state = state
        self.mark_stale()

    def _clear_filter(self) -> None:
        self.search.clear()
        self._group.buttons()[0].setChecked(True)
        self._filter("")

    def _picked(self) -> None:
        chosen = self.table.chosen()
        self.selection.setVisible(len(chosen) > 0)
        self._selected.setText(words.selection_text(len(chosen)))

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

    # ---- doing

    def act(self, action: str) -> None:
        """kick, hold, release, fail or drop: the selection, or else the message in the drawer."""
        ids = [item.id for item in self.table.chosen()]
        if not ids and self.drawer.shown_id is not None:
            ids = [self.drawer.shown_id]
        if ids:
            self.do(self._acting(action, ids), f"queue {action}")

    async def _acting(self, action: str, ids: list[int]) -> None:
        if action == "drop":
            self._drop_later(ids)
            return
        if action == "fail" and not await ask(
            self.desk.window,
            f"Give up on {wording.count(len(ids), 'message')}?",
            "The senders get a failure notice, and the messages leave the queue.",
            yes="Fail with notice",
            no="Keep trying",
            danger=True,
        ):
            return
        acted = await self._send(action, ids)
        backwards = {"hold": "release", "release": "hold"}.get(action)
        text = words.done_text(action, acted)
        if backwards is None:
            self.desk.toast(text)
        else:
            self.desk.toast(text, partial(self._undo, backwards, ids))
        self.mark_stale()

    async def _send(self, action: str, ids: list[int]) -> q.QueueActed:
        session = self.desk.session
        match action:
            case "kick":
                return await session.call(lambda client: client.kick(ids))
            case "hold":
                return await session.call(lambda client: client.hold(ids))
            case "release":
                return await session.call(lambda client: client.release(ids))
            case "fail":
                return await session.call(lambda client: client.fail(ids))
            case _:
                return await session.call(lambda client: client.drop(ids))

    def _undo(self, action: str, ids: list[int]) -> None:
        self.do(self._undoing(action, ids), f"undo by {action}")

    async def _undoing(self, action: str, ids: list[int]) -> None:
        await self._send(action, ids)
        self.mark_stale()

    def _drop_later(self, ids: list[int]) -> None:
        """They leave the table now and the queue in ten seconds, so that Undo is a real one."""
        self._pending_drop = ids
        self.model.remove(set(ids))
        if self.drawer.shown_id in ids:
            self.close_drawer()
        text = f"{wording.count(len(ids), 'message')} will be dropped. Nobody is told."
        self.desk.toast(text, self._keep, partial(self._drop_now, ids))

    def _keep(self) -> None:
        self._pending_drop = []
        self.mark_stale()

    def _drop_now(self, ids: list[int]) -> None:
        self.do(self._dropping(ids), "queue drop")

    async def _dropping(self, ids: list[int]) -> None:
        try:
            await self._send("drop", ids)
        finally:
            self._pending_drop = []
            self.mark_stale()


def _timer(owner: QWidget, milliseconds: int, then: object) -> QTimer:
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(then)
    return timer

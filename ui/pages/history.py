"""What has left the queue, and how: delivered, given up, dropped, or reported as failed afterwards."""

from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QButtonGroup, QLineEdit, QWidget

from backend.api import queue as q
from backend.api import types as t
from backend.api.client import ApiError
from ui.pages.page import Desk, Page
from ui.pages.queue_drawer import PastDrawer
from ui.presenters import history as words
from ui.presenters import wording
from ui.widgets.forms import Combo
from ui.widgets.surface import EmptyState
from ui.widgets.tables import Column, RowsModel, Table
from ui.widgets.text import Label, button, row

PAGE_ROWS = 100
SEARCH_MS = 300
SETTLE_MS = 1_000


class HistoryPage(Page):
    TITLE = "Sent and failed"
    SUBTITLE = "Mail that has left the queue, and how."
    SCROLLS = False

    def __init__(self, desk: Desk) -> None:
        self._result = ""
        self._cursor = ""
        self._turn = 0
        self._ask_accounts = True
        super().__init__(desk)
        self.toolbar.addWidget(
            button(
                "Queue",
                partial(desk.go, "/queue"),
                kind="link",
                icon="arrow-left",
                name="Back to Queue",
            )
        )
        self._settle = _once(self, SETTLE_MS, self.mark_stale)
        self._typing = _once(self, SEARCH_MS, self._filter_changed)
        self._group = QButtonGroup(self)
        chips: list[QWidget] = []
        for result, title in words.FILTERS:
            chip = button(title, partial(self._filter, result), kind="chip", name=f"Show: {title}")
            chip.setCheckable(True)
            chip.setChecked(not result)
            self._group.addButton(chip)
            chips.append(chip)
        self.search = self._line("Search address, subject, answer", "Search what was sent", 340)
        self.domain = self._line("Domain of the recipient", "Domain of the recipient", 220)
        self.account, self.span = Combo(), Combo()
        self.account.setAccessibleName("Account")
        self.account.addItem("All accounts", "")
        self.span.setAccessibleName("When")
        for title, length in words.SPANS:
            self.span.addItem(title, length)
        for box in (self.account, self.span):
            box.setMinimumWidth(150)
            box.currentIndexChanged.connect(lambda _index: self._filter_changed())
        self.count = Label("", tone="muted", wrap=False)
        first = row(*chips, None, self.search)
        first.setStretch(first.count() - 1, 3)
        self.body.addLayout(first)
        self.body.addLayout(row(self.account, self.domain, self.span, 8, self.count, None))

        self.model: RowsModel[q.HistoryItem] = RowsModel(_columns(), key=lambda item: item.id)
        self.model.more = self._more
        self.table = Table(self.model, "Messages that have left the queue")
        self.table.opened.connect(lambda number: self._show(self.model.row(number).id))
        self.table.clicked.connect(lambda index: self._show(self.model.row(index.row()).id))
        self.drawer = PastDrawer(self.close_drawer, desk.go)
        self.none_match = EmptyState(
            "filter",
            "No message matches.",
            "",
            button("Clear the filter", self._clear, icon="x"),
        )
        self.none_match.hide()
        inner = row(self.table, self.none_match, self.drawer, gap="m")
        inner.setStretch(0, 1)
        inner.setStretch(1, 1)
        self.body.addLayout(inner, 1)

    def _line(self, hint: str, name: str, most: int) -> QLineEdit:
        line = QLineEdit()
        line.setPlaceholderText(hint)
        line.setAccessibleName(name)
        line.setClearButtonEnabled(True)
        line.setMaximumWidth(most)
        line.setMinimumWidth(190)
        line.textChanged.connect(lambda _text: self._typing.start())
        return line

    def build_empty(self) -> EmptyState:
        return EmptyState(
            "history",
            "Nothing has been sent yet.",
            "Every message that leaves the queue is listed here for a while: taken by the other server, given up, or dropped.",
        )

    # ---- reading

    @property
    def _is_filtered(self) -> bool:
        lines = self.search.text().strip() or self.domain.text().strip()
        return bool(self._result or lines or self.account.currentData() or self.span.currentData())

    def _query(self, cursor: str, limit: int) -> q.HistoryQuery:
        length = self.span.currentData()
        values: dict[str, object] = {
            "text": self.search.text().strip(),
            "domain": self.domain.text().strip(),
            "account": str(self.account.currentData() or ""),
            "result": self._result or None,
            "since": datetime.now(UTC) - length if length else None,
            "cursor": cursor,
            "limit": limit,
        }
        return q.HistoryQuery.model_validate(values)

    async def _ask(self, cursor: str, limit: int) -> q.History:
        query = self._query(cursor, limit)
        return await self.desk.session.call(lambda client: client.history(query))

    async def fetch(self) -> bool:
        self._turn += 1
        if self._ask_accounts:
            self._ask_accounts = False
            await self._offer_accounts()
        have = max(PAGE_ROWS, self.model.rowCount())
        items: list[q.HistoryItem] = []
        cursor = ""
        while True:
            page = await self._ask(cursor, min(have - len(items), t.MAX_PAGE))
            items += page.items
            cursor = page.next
            if not cursor or len(items) >= have:
                break
        self._cursor = cursor
        # The server stops counting at some point; what it has not counted is reached by scrolling all the same.
        self.model.replace(items, max(page.total, len(items) + bool(cursor)))
        self.count.setText(words.total_text(page))
        filtered = self._is_filtered
        self.none_match.setVisible(not items and filtered)
        self.table.setVisible(bool(items) or not filtered)
        return bool(items) or filtered

    async def _offer_accounts(self) -> None:
        accounts = await self.desk.session.call(lambda client: client.accounts())
        chosen = self.account.currentData()
        self.account.blockSignals(True)
        self.account.clear()
        self.account.addItem("All accounts", "")
        for account in accounts:
            self.account.addItem(account.full_name or account.id, account.id)
        self.account.setCurrentIndex(max(0, self.account.findData(chosen)))
        self.account.blockSignals(False)

    def _more(self, _offset: int) -> None:
        if self._cursor:
            self.do(self._fetch_more(self._turn), "history page")

    async def _fetch_more(self, turn: int) -> None:
        page = await self._ask(self._cursor, PAGE_ROWS)
        if turn == self._turn:
            self._cursor = page.next
            known = self.model.rowCount() + len(page.items)
            self.model.append(page.items, max(page.total, known + bool(page.next)))

    def take(self, event: t.EventData) -> None:
        self._ask_accounts |= isinstance(event, t.ConfigEvent)
        if isinstance(event, t.QueueEvent):
            self.stale = True
            if self.isVisible() and not self._settle.isActive():
                self._settle.start()

    def open(self, rest: str) -> None:
        if rest.isdecimal():
            self._show(int(rest))

    # ---- filter, drawer

    def _filter(self, result: str) -> None:
        self._result = result
        self._filter_changed()

    def _filter_changed(self) -> None:
        self.model.reset([])
        self.mark_stale()

    def _clear(self) -> None:
        for line in (self.search, self.domain):
            line.clear()
        self._typing.stop()
        for box in (self.account, self.span):
            box.blockSignals(True)
            box.setCurrentIndex(0)
            box.blockSignals(False)
        self._group.buttons()[0].setChecked(True)
        self._filter("")

    def _show(self, queue_id: int) -> None:
        self.do(self._read_detail(queue_id), "history detail")

    async def _read_detail(self, queue_id: int) -> None:
        try:
            detail = await self.desk.session.call(lambda client: client.history_item(queue_id))
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


def _columns() -> list[Column[q.HistoryItem]]:
    return [
        Column(title="To", text=lambda i: i.recipient, width=24),
        Column(
            title="From",
            spare=True,
            text=lambda i: i.sender or "(this server)",
            muted=True,
            width=18,
        ),
        Column(title="Subject", spare=True, text=lambda i: i.subject or "(no subject)", width=18),
        Column(
            title="Result",
            text=lambda i: words.RESULTS[i.result][1],
            tone=lambda i: words.RESULTS[i.result][0],
            width=18,
        ),
        Column(title="When", text=lambda i: wording.ago(i.left_at, datetime.now(UTC)), width=14),
        Column(
            title="Last answer",
            spare=True,
            text=lambda i: i.answer_in_short or i.last_answer,
            tip=lambda i: i.last_answer,
            muted=True,
        ),
        Column(
            title="Size",
            spare=True,
            text=lambda i: wording.size(i.size_bytes),
            right=True,
            muted=True,
            width=8,
        ),
    ]


def _once(owner: QWidget, milliseconds: int, then: object) -> QTimer:
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(then)
    return timer

"""Messages that came and went, newest first, found by whatever one has of them; and the message that one sends to oneself."""

from datetime import UTC, datetime
from urllib.parse import quote

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLineEdit, QWidget

from backend.api import connect as c
from backend.api import types as t
from ui.pages.page import Desk, Page
from ui.presenters import accounts as account_words
from ui.presenters import activity as words
from ui.widgets.dialogs import TaskSheet, tell, wait_for
from ui.widgets.forms import Choice
from ui.widgets.surface import EmptyState
from ui.widgets.tables import Column, RowsModel, Table
from ui.widgets.text import Label, button, row

SEARCH_MS = 300
SETTLE_MS = 700
LIMIT = 200


class ChooseAccountSheet(TaskSheet):
    """Which account gets the test message."""

    def __init__(self, parent: QWidget | None, desk: Desk, accounts: list[t.Account]) -> None:
        super().__init__(parent, "Send yourself a message", "Send", self._send)
        self._desk = desk
        self.sent: c.TestMessageSent | None = None
        self.account = Choice("To")
        self.account.set_entries(
            [(account.id, account_words.main_address(account)) for account in accounts]
        )
        self.add(
            Label(
                "The server sends it through its own SMTP port, as another server would. You see every step."
            ),
            self.account,
        )

    async def _send(self) -> bool:
        account = self.account.value()
        self.sent = await self._desk.session.call(lambda client: client.send_test_message(account))
        return True


class ActivityPage(Page):
    TITLE = "Activity"
    SUBTITLE = "Messages that came in and went out, and what became of each."
    SCROLLS = False

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._text = self._next = ""
        self.toolbar.addWidget(
            button("Send yourself a message", self.send, kind="primary", icon="send")
        )
        self.search = QLineEdit()
        self.search.setPlaceholderText("Address, Message-ID, trace, queue number or IP address")
        self.search.setAccessibleName("Search messages")
        self.search.setClearButtonEnabled(True)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(SEARCH_MS)
        self._typing.timeout.connect(self.mark_stale)
        self.search.textChanged.connect(lambda _text: self._typing.start())
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.mark_stale)
        columns: list[Column[t.TraceSummary]] = [
            Column(title="Time", text=lambda i: self._row(i).time, width=16, muted=True),
            Column(
                title="",
                spare=True,
                text=lambda i: "out" if i.direction == "out" else "in",
                muted=True,
                width=4,
            ),
            Column(title="From", text=lambda i: i.sender or "(no sender)", width=24),
            Column(title="To", spare=True, text=lambda i: ", ".join(i.recipients), width=24),
            Column(
                title="State",
                text=lambda i: self._row(i).state,
                tone=lambda i: self._row(i).tone,
                width=14,
            ),
            Column(title="Last step", spare=True, text=lambda i: i.text, muted=True),
        ]
        self.model: RowsModel[t.TraceSummary] = RowsModel(columns, key=lambda item: item.trace)
        self.table = Table(self.model, "Messages")
        self.table.opened.connect(lambda number: self._show(self.model.row(number).trace))
        self.table.clicked.connect(lambda index: self._show(self.model.row(index.row()).trace))
        clear_search = button("Clear the filter", self.search.clear, icon="x")
        self.none_match = EmptyState("search", "No message matches.", "", clear_search)
        self.none_match.hide()
        self._understood = Label("", tone="muted", wrap=False)
        self.older = button("Older messages", self._show_older, icon="history")
        self.older.hide()
        self.body.addLayout(row(self.search, self._understood, gap="m", grow=0))
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self.none_match, 1)
        self.body.addLayout(row(self.older, None))

    def build_empty(self) -> EmptyState:
        return EmptyState(
            "mail",
            "No message yet.",
            "Send yourself one and watch every step it takes.",
            button("Send yourself a message", self.send, kind="primary", icon="send"),
        )

    def _row(self, item: t.TraceSummary) -> words.FlowRow:
        return words.present_summary(item, datetime.now(UTC))

    # ---- reading

    async def fetch(self) -> bool:
        text = self.search.text().strip()
        page = await self._read("")
        shown = {item.trace for item in page.items}
        # Older pages that were asked for stay; what moved meanwhile stands at the top.
        rest = [i for i in self.model.rows() if i.trace not in shown] if text == self._text else []
        if not rest:
            self._next = page.next
        self._text = text
        self.model.replace([*page.items, *rest])
        known = page.understood if text and page.understood != "text" else ""
        self._understood.setText(f"Searched for as {known}" if known else "")
        none = bool(text) and not self.model.rows()
        self.none_match.setVisible(none)
        self.table.setVisible(not none)
        self.older.setVisible(bool(self._next))
        return bool(self.model.rows()) or bool(text)

    async def _read(self, cursor: str) -> t.Timeline:
        query = t.TimelineQuery(limit=LIMIT, text=self.search.text().strip(), cursor=cursor)
        return await self.desk.session.call(lambda client: client.timeline_page(query))

    def _show_older(self) -> None:
        self.do(self._reading_older(), "older messages")

    async def _reading_older(self) -> None:
        page = await self._read(self._next)
        known = {item.trace for item in self.model.rows()}
        self.model.replace(
            [*self.model.rows(), *(item for item in page.items if item.trace not in known)]
        )
        self._next = page.next
        self.older.setVisible(bool(self._next))

    def take(self, event: t.EventData) -> None:
        if not isinstance(event, t.TimelineEvent):
            return
        self.stale = True
        if self.isVisible() and not self._settle.isActive():
            self._settle.start()

    def open(self, rest: str) -> None:
        if rest == "new":
            self.send()

    def _show(self, trace: str) -> None:
        self.desk.go(f"/activity/{quote(trace, safe='')}")

    # ---- send yourself a message

    def send(self) -> None:
        self.do(self._sending(), "test message")

    async def _sending(self) -> None:
        query = t.AccountsQuery(limit=t.MAX_PAGE)
        accounts = (await self.desk.session.call(lambda client: client.accounts_page(query))).items
        usable = [account for account in accounts if account.addresses and not account.disabled]
        if not usable:
            if await tell(
                self.desk.window,
                "Add an account first",
                "The message needs somebody to go to.",
                ok="Add account",
                other="Cancel",
            ):
                self.desk.go("/accounts/new")
            return
        if len(usable) == 1:
            only = usable[0].id
            sent = await self.desk.session.call(lambda client: client.send_test_message(only))
        else:
            sheet = ChooseAccountSheet(self.desk.window, self.desk, usable)
            if not await wait_for(sheet) or sheet.sent is None:
                return
            sent = sheet.sent
        self._show(sent.trace)

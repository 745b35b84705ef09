"""Messages that came and went, and the live timeline of one: also of the message that one sends to oneself."""

import time
from datetime import UTC, datetime

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from backend.api import connect as c
from backend.api import types as t
from backend.api.client import ApiError
from ui import palette
from ui.pages.page import Desk, Page
from ui.presenters import accounts as account_words
from ui.presenters import activity as words
from ui.widgets.charts import Spinner
from ui.widgets.dialogs import TaskSheet, scrolling, tell, wait_for
from ui.widgets.forms import Choice
from ui.widgets.surface import Banner, EmptyState
from ui.widgets.tables import Column, RowsModel, Table
from ui.widgets.text import ElidedLabel, Label, button, row
from ui.widgets.timeline import Step, TimelineView

SEARCH_MS = 300
SETTLE_MS = 700
LIMIT = 300


class TracePanel(QFrame):
    """The timeline of one message; steps that arrive are added while one looks."""

    def __init__(self, page: "ActivityPage") -> None:
        super().__init__()
        self.setProperty("kind", "drawer")
        self.setFixedWidth(palette.size("drawer"))
        self.trace = ""
        self._since = 0.0
        self._to = ""
        self._title = ElidedLabel("", "lead", bold=True)
        close = button("", page.close_panel, kind="quiet", icon="x", name="Close the timeline")
        self._about = Label("", tone="muted", selectable=True)
        self.verdict = Banner()
        self._spinner = Spinner()
        self.timeline = TimelineView()
        inner = QWidget()
        inner.setProperty("kind", "content")
        box = QVBoxLayout(inner)
        box.setContentsMargins(20, 16, 20, 16)
        box.setSpacing(palette.space("m"))
        box.addLayout(row(self._title, close, grow=0))
        box.addWidget(self._about)
        box.addWidget(self.verdict)
        box.addWidget(self.timeline)
        box.addLayout(row(8, self._spinner, None))
        box.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 0, 0, 0)
        outer.addWidget(scrolling(inner, name="Timeline of the message"))
        self._steps: list[t.TimelineStep] = []
        self.hide()

    def start(self, trace: str, *, to: str = "") -> None:
        """A message that was just sent: nothing is known of it yet."""
        self.trace, self._to = trace, to
        self._since = time.monotonic()
        self._title.set_full_text(f"Test message to {to}" if to else "Message")
        self._about.setText("Every step appears here as it happens." if to else "")
        self._draw([])
        self.show()

    def show_trace(self, trace: t.Trace) -> None:
        self.trace = trace.summary.trace
        summary = trace.summary
        if not self._to:
            outgoing = summary.direction == "out"
            who = ", ".join(summary.recipients) if outgoing else summary.sender
            self._title.set_full_text(f"{'To' if outgoing else 'From'} {who or '(no address)'}")
        self._about.setText(
            f"From {summary.sender or '(no sender)'} to {', '.join(summary.recipients) or '(nobody)'}"
        )
        self._draw(trace.steps)
        self.show()

    def add_step(self, step: t.TimelineStep) -> None:
        if step not in self._steps:
            self._draw(sorted([*self._steps, step], key=lambda item: item.at))

    def _draw(self, steps: list[t.TimelineStep]) -> None:
        self._steps = list(steps)
        tone, sentence = words.verdict(self._steps, since_s=time.monotonic() - self._since)
        self.verdict.show_message(tone, sentence)
        shown = [words.present_step(step) for step in self._steps]
        self.timeline.set_steps(
            tuple(
                Step(title=s.title, note=s.note, time=s.time, tone=s.tone, icon=s.icon)
                for s in shown
            )
        )
        self._spinner.setVisible(not words.is_final(self._steps))


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
        self.toolbar.addWidget(
            button("Send yourself a message", self.send, kind="primary", icon="send")
        )
        self.search = QLineEdit()
        self.search.setPlaceholderText("Address, Message-ID, queue number or IP address")
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
        self.none_match = EmptyState("search", "No message matches.")
        self.none_match.hide()
        self.panel = TracePanel(self)
        self.body.addWidget(self.search)
        inner = row(self.table, self.none_match, self.panel, gap="m")
        inner.setStretch(0, 1)
        inner.setStretch(1, 1)
        self.body.addLayout(inner, 1)

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
        query = t.TimelineQuery(limit=LIMIT, text=self.search.text().strip())
        items = await self.desk.session.call(lambda client: client.timeline(query))
        self.model.replace(items)
        searching = bool(query.text)
        self.none_match.setVisible(searching and not items)
        self.table.setVisible(bool(items) or not searching)
        return bool(items) or searching or not self.panel.isHidden()

    def take(self, event: t.EventData) -> None:
        if not isinstance(event, t.TimelineEvent):
            return
        if event.trace == self.panel.trace and not self.panel.isHidden():
            self.panel.add_step(event.step)
        self.stale = True
        if self.isVisible() and not self._settle.isActive():
            self._settle.start()

    def open(self, rest: str) -> None:
        if rest == "new":
            self.send()
        elif rest:
            self._show(rest)

    def _show(self, trace: str) -> None:
        self.do(self._read_trace(trace), "trace")

    async def _read_trace(self, trace: str) -> None:
        self.table.set_compact(True)
        if trace != self.panel.trace:
            self.panel.start(trace)
        try:
            found = await self.desk.session.call(lambda client: client.trace(trace))
        except ApiError as error:
            if error.status != 404:
                raise
            return  # nothing is written of it yet; its steps come as events
        if self.panel.trace == trace:
            self.panel.show_trace(found)

    def close_panel(self) -> None:
        self.panel.trace = ""
        self.panel.hide()
        self.table.set_compact(False)
        self.table.setFocus()
        if not self.model.rows():
            self.mark_stale()

    def leave_detail(self) -> bool:
        if self.panel.isHidden():
            return False
        self.close_panel()
        return True

    # ---- send yourself a message

    def send(self) -> None:
        self.do(self._sending(), "test message")

    async def _sending(self) -> None:
        accounts = await self.desk.session.call(lambda client: client.accounts())
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
        self.panel.start(sent.trace, to=sent.address)
        self._stack.setCurrentWidget(self.content)
        await self._read_trace(sent.trace)
        self.mark_stale()

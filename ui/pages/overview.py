"""The first page: does mail work, what needs attention, what happened today."""

from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from backend.api import types as t
from ui import palette
from ui.control import LocalServer
from ui.pages.flow_steps import LeftFlows
from ui.pages.page import Desk, Page
from ui.presenters import activity, overview, wording
from ui.widgets.charts import Sparkline, StateDisc
from ui.widgets.copyfield import CopyField
from ui.widgets.surface import Banner, Card, StatusPill, rule
from ui.widgets.text import ElidedLabel, IconLabel, Label, LayoutButton, button, clear, column, row

RECENT = 8
REFRESH_MS = 60_000
SETTLE_MS = 1000  # events come in bursts


class StatCard(LayoutButton):
    """One number that leads to its page."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("choice")
        self.setAccessibleName("Not read yet")
        self._path = "/"
        self._label = Label("", "small", tone="muted", wrap=False)
        self._value = Label("–", "display", wrap=False)
        self._note = Label("", "small", tone="muted", wrap=False)
        self.spark = Sparkline("messages an hour in the last twelve hours")
        figure = row(self._value, None, self.spark, gap="l")
        outer = column(self._label, figure, self._note, gap="xs")
        outer.setContentsMargins(16, 14, 16, 14)
        self.hold(outer, self._label, self._value, self._note, self.spark)
        self.clicked.connect(lambda _checked: desk.go(self._path))

    def set_stat(self, stat: overview.Stat) -> None:
        self._path = stat.path
        self._label.setText(stat.label)
        self._value.setText(stat.value)
        self._note.setText(stat.note)
        self._note.set_tone("warn" if stat.alert else "muted")
        self.setAccessibleName(f"{stat.label}: {stat.value}, {stat.note}")


class OverviewPage(Page):
    TITLE = "Overview"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.heading.hide()
        self.subtitle.hide()
        self._practice_shown: tuple[tuple[str, str], ...] = ()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.mark_stale)
        self._minute = QTimer(self)
        self._minute.setInterval(REFRESH_MS)
        self._minute.timeout.connect(self.mark_stale)
        self._minute.start()

        self._disc = StateDisc("neutral", 52)
        self._sentence = Label("", "title")
        self._about = Label("", tone="muted")
        send = button("Send yourself a message", self._send, kind="primary", icon="send")
        check = button("Check now", self.reload, icon="refresh", help="Reads everything again (F5)")
        self.body.addLayout(
            row(
                self._disc,
                column(None, self._sentence, self._about, None, gap="xs"),
                check,
                send,
                gap="l",
                grow=1,
            )
        )
        hero = self.body.itemAt(0)
        if hero is not None and (box := hero.layout()) is not None:
            box.setContentsMargins(0, 0, 0, 4)

        self._attention = QVBoxLayout()
        self._attention.setSpacing(palette.space("s"))
        self.body.addLayout(self._attention)
        self._left = LeftFlows(self.desk.go)
        self.body.addWidget(self._left)

        self.stat_cards = [StatCard(desk) for _ in range(4)]
        across = QGridLayout()
        across.setSpacing(palette.space("m"))
        for i, card in enumerate(self.stat_cards):
            across.addWidget(card, 0, i)
            across.setColumnStretch(i, 1)
        self.body.addLayout(across)

        self._practice = Card("Your practice account")
        self._practice_fields = QHBoxLayout()
        self._practice_fields.setSpacing(palette.space("l"))
        self._practice.body.addLayout(self._practice_fields)
        self._practice.hide()
        self.body.addWidget(self._practice)

        self._steps = Card("Next steps")
        self.body.addWidget(self._steps)

        self._flow = Card(
            "Recent mail", button("All activity", lambda: desk.go("/activity"), kind="link")
        )
        self._flow_rows = QVBoxLayout()
        self._flow_rows.setSpacing(0)
        self._flow.body.addLayout(self._flow_rows)
        self._flow.body.addStretch(1)
        self._system = Card("System", button("Details", lambda: desk.go("/server"), kind="link"))
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(palette.space("l"))
        self._facts.setVerticalSpacing(palette.space("s"))
        self._facts.setColumnStretch(1, 1)
        self._system.body.addLayout(self._facts)
        self._disk = QProgressBar()
        self._disk.setTextVisible(False)
        self._disk.setAccessibleName("Disk space in use")
        self._system.body.addWidget(self._disk)
        self._system.body.addStretch(1)
        below = QGridLayout()
        below.setSpacing(palette.space("m"))
        below.addWidget(self._flow, 0, 0)
        below.addWidget(self._system, 0, 1)
        below.setColumnStretch(0, 3)
        below.setColumnStretch(1, 2)
        self.body.addLayout(below)
        self.body.addStretch(1)

    # ---- reading

    async def fetch(self) -> bool:
        status = await self.desk.session.call(lambda client: client.status())
        accounts = await self.desk.session.call(lambda client: client.accounts())
        items = await self.desk.session.call(
            lambda client: client.timeline(t.TimelineQuery(limit=200))
        )
        now = datetime.now(UTC)
        self._draw_head(status, now)
        self._draw_stats(status.counters, items, now)
        self._left.fill(await self.desk.session.call(lambda client: client.flows()))
        self._draw_practice(status)
        self._draw_steps(status, accounts)
        self._draw_flow(items, now)
        self._draw_system(status)
        return True

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.StatusEvent):
            for card, stat in zip(self.stat_cards, overview.stats(event.counters), strict=True):
                card.set_stat(stat)
        if not isinstance(event, t.JobEvent | t.ServerEvent | t.ResyncEvent):
            self.stale = True
            if self.isVisible() and not self._settle.isActive():
                self._settle.start()

    # ---- drawing

    def _draw_head(self, status: t.Status, now: datetime) -> None:
        self._disc.set_tone(overview.tone_of(status))
        self._sentence.setText(status.headline)
        self._about.setText(overview.subtitle(status, now))
        clear(self._attention)
        shown, more = overview.attention(status.problems)
        for item in shown:
            banner = Banner()
            self._attention.addWidget(banner)  # first: without a parent it would show as a window
            banner.show_message(item.tone, item.title, item.body)
        if more:
            text = f"{wording.count(more, 'more thing')} to look at"
            self._attention.addWidget(
                button(text, lambda: self.desk.go("/server"), kind="link"),
                0,
                Qt.AlignmentFlag.AlignLeft,
            )

    def _draw_stats(self, counters: t.Counters, items: list[t.TraceSummary], now: datetime) -> None:
        for card, stat in zip(self.stat_cards, overview.stats(counters), strict=True):
            card.set_stat(stat)
        for card, direction in zip(self.stat_cards, ("in", "out"), strict=False):
            bars = activity.per_hour(items, direction, now)
            card.spark.set_values(bars)

    def _draw_practice(self, status: t.Status) -> None:
        target = self.desk.session.target
        known: list[tuple[str, str]] = []
        if status.practice_mode and isinstance(target, LocalServer):
            known = self.desk.session.control.practice_accounts(target.folder)[:1]
        shown = tuple(known)
        self._practice.setVisible(bool(known))
        if shown != self._practice_shown:
            self._practice_shown = shown
            clear(self._practice_fields)
            for address, password in known:
                self._practice_fields.addWidget(CopyField("User name and address", address))
                self._practice_fields.addWidget(CopyField("Password", password, sensitive=True))

    def _draw_steps(self, status: t.Status, accounts: list[t.Account]) -> None:
        while self._steps.body.count() > 1:
            item = self._steps.body.takeAt(1)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        steps: list[tuple[str, str, str, str, str]] = []
        if not accounts:
            steps.append(
                (
                    "user-plus",
                    "Add a first account",
                    "A person with an address and a mailbox.",
                    "Add account",
                    "/accounts/new",
                )
            )
        else:
            path = f"/accounts/{accounts[0].id}/connect"
            steps.append(
                (
                    "device-mobile",
                    "Connect a mail app",
                    "Read and write this mail with Thunderbird, Outlook or a phone.",
                    "Show the settings",
                    path,
                )
            )
        if status.practice_mode:
            steps.append(
                (
                    "world-plus",
                    "Set up mail for your own domain",
                    "See what it takes to go from practice to real mail.",
                    "Start",
                    "/start/domain",
                )
            )
        settled = status.counters.received > 20 and not status.practice_mode
        self._steps.setVisible(bool(steps) and not settled)
        for i, (icon, title, text, action, path) in enumerate(steps):
            if i:
                self._steps.body.addWidget(rule())
            line = QWidget()
            line.setLayout(
                row(
                    IconLabel(icon, "accent", 24),
                    column(Label(title, bold=True), Label(text, tone="muted"), gap="xs"),
                    button(action, partial(self.desk.go, path), name=f"{action}: {title}"),
                    gap="m",
                    grow=1,
                )
            )
            self._steps.body.addWidget(line)

    def _draw_flow(self, items: list[t.TraceSummary], now: datetime) -> None:
        clear(self._flow_rows)
        for item in items[:RECENT]:
            shown = activity.present_summary(item, now)
            self._flow_rows.addWidget(FlowLine(self.desk, shown))
        if not items:
            line = Label(
                "No message yet. “Send yourself a message” shows that everything works.",
                tone="muted",
            )
            self._flow_rows.addWidget(line)

    def _draw_system(self, status: t.Status) -> None:
        while (item := self._facts.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for i, fact in enumerate(overview.facts(status)):
            self._facts.addWidget(Label(fact.label, tone="muted", wrap=False), i, 0)
            value = ElidedLabel(fact.value, tone=fact.tone)
            self._facts.addWidget(value, i, 1)
        total = max(status.disk.total_bytes, 1)
        self._disk.setValue(round(100 * (1 - status.disk.free_bytes / total)))

    # ---- doing

    def _send(self) -> None:
        self.desk.go("/activity/new")


class FlowLine(LayoutButton):
    """A message in one line; a click opens its timeline."""

    def __init__(self, desk: Desk, shown: activity.FlowRow) -> None:
        super().__init__("quiet")
        direction = "to" if shown.arrow == "arrow-up" else "from"
        self.setAccessibleName(f"{direction} {shown.who}, {shown.state}, {shown.time}")
        self.setToolTip(shown.text)
        pill = StatusPill(shown.state, shown.tone)
        arrow = IconLabel(shown.arrow, "muted")
        who = ElidedLabel(shown.who)
        time = Label(shown.time, "small", tone="muted", wrap=False)
        line = row(arrow, who, pill, time, gap="m", grow=1)
        line.setContentsMargins(6, 6, 6, 6)
        self.hold(line, arrow, who, pill, time)
        self.clicked.connect(lambda _checked: desk.go(f"/activity/{shown.trace}"))

"""The first page: does mail work, what needs attention, what happened on the last days."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from backend.api import overview as o
from backend.api import types as t
from ui import icons, palette
from ui.control import LocalServer
from ui.pages.attention import AttentionList
from ui.pages.flow_steps import LeftFlows
from ui.pages.page import Desk, Page
from ui.presenters import activity, overview, wording
from ui.widgets.charts import Sparkline, StateDisc
from ui.widgets.copyfield import CopyField
from ui.widgets.surface import Card, StatusPill, rule
from ui.widgets.text import (
    ElidedLabel,
    IconLabel,
    Label,
    LayoutButton,
    button,
    clear,
    column,
    row,
    set_button_text,
)

REFRESH_MS = 60_000
SETTLE_MS = 1000  # events come in bursts
STATS = ("received", "sent", "waiting", "rejected")


class StatCard(LayoutButton):
    """One number that leads to its page."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("choice")
        self.setAccessibleName("Not read yet")
        self._path = "/"
        self._label = Label("", "small", tone="muted", wrap=False)
        self._value = Label("–", "display", wrap=False)
        self._note = Label("", "small", tone="muted", wrap=False)
        self.spark = Sparkline("on each of the last fourteen days")
        figure = row(self._value, None, self.spark, gap="l")
        outer = column(self._label, figure, self._note, gap="xs")
        outer.setContentsMargins(16, 14, 16, 14)
        self.hold(outer, self._label, self._value, self._note, self.spark)
        self.clicked.connect(lambda _checked: desk.go(self._path))

    def set_stat(self, stat: o.Stat) -> None:
        self._path = stat.path
        self._label.setText(stat.label)
        self._note.setText(stat.note)
        self._note.set_tone("warn" if stat.alert else "muted")
        self.spark.set_values(tuple(stat.days))
        self.set_value(wording.number(stat.value))

    def set_value(self, value: str) -> None:
        self._value.setText(value)
        self.setAccessibleName(f"{self._label.text()}: {value}, {self._note.text()}")


class OverviewPage(Page):
    TITLE = "Overview"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.heading.hide()
        self.subtitle.hide()
        self._practice_shown: tuple[tuple[str, str], ...] = ()
        self._paused = False
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
        self.pause = button("Pause sending", self._turn_sending, icon="player-pause")
        hero = row(
            self._disc,
            column(None, self._sentence, self._about, None, gap="xs"),
            check,
            self.pause,
            send,
            gap="l",
            grow=1,
        )
        hero.setContentsMargins(0, 0, 0, 4)
        self.body.addLayout(hero)

        self._attention = AttentionList(desk, self.do, self.mark_stale)
        self.body.addWidget(self._attention)
        self._left = LeftFlows(self.desk.go)
        self.body.addWidget(self._left)

        self.stat_cards = [StatCard(desk) for _ in STATS]
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
        self._step_rows = QVBoxLayout()
        self._step_rows.setSpacing(palette.space("s"))
        self._steps.body.addLayout(self._step_rows)
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
        seen = await self.desk.session.call(lambda client: client.overview())
        self._disc.set_tone(seen.tone)
        self._sentence.setText(seen.headline)
        self._about.setText(seen.about)
        self._draw_pause(paused=seen.sending_paused)
        self._attention.fill(seen.attention)
        self._left.fill(seen.flows)
        for card, stat in zip(self.stat_cards, seen.stats, strict=True):
            card.set_stat(stat)
        self._draw_practice(practice=seen.practice_mode)
        self._draw_steps(seen.steps)
        self._draw_flow(seen.recent, datetime.now(UTC))
        self._draw_facts(seen.facts)
        total = max(seen.disk.total_bytes, 1)
        self._disk.setValue(round(100 * (1 - seen.disk.free_bytes / total)))
        return True

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.StatusEvent):
            figures = overview.live(event.counters)
            for card, name in zip(self.stat_cards, STATS, strict=True):
                card.set_value(figures[name])
        if not isinstance(event, t.JobEvent | t.ServerEvent | t.ResyncEvent):
            self.stale = True
            if self.isVisible() and not self._settle.isActive():
                self._settle.start()

    # ---- drawing

    def _draw_pause(self, *, paused: bool) -> None:
        self._paused = paused
        text = "Resume sending" if paused else "Pause sending"
        self.pause.setIcon(icons.icon("player-play" if paused else "player-pause"))
        set_button_text(self.pause, text)
        self.pause.setAccessibleName(text)

    def _draw_practice(self, *, practice: bool) -> None:
        target = self.desk.session.target
        known: list[tuple[str, str]] = []
        if practice and isinstance(target, LocalServer):
            known = self.desk.session.control.practice_accounts(target.folder)[:1]
        shown = tuple(known)
        self._practice.setVisible(bool(known))
        if shown != self._practice_shown:
            self._practice_shown = shown
            clear(self._practice_fields)
            for address, password in known:
                self._practice_fields.addWidget(CopyField("User name and address", address))
                self._practice_fields.addWidget(CopyField("Password", password, sensitive=True))

    def _draw_steps(self, steps: Sequence[o.NextStep]) -> None:
        clear(self._step_rows)
        self._steps.setVisible(bool(steps))
        for i, step in enumerate(steps):
            if i:
                self._step_rows.addWidget(rule())
            line = QWidget()
            line.setLayout(
                row(
                    IconLabel(step.icon, "accent", 24),
                    column(Label(step.title, bold=True), Label(step.text, tone="muted"), gap="xs"),
                    button(
                        step.action,
                        partial(self.desk.go, step.path),
                        name=f"{step.action}: {step.title}",
                    ),
                    button(
                        "",
                        partial(self._put_away, step.id),
                        kind="quiet",
                        icon="x",
                        name=f"Do not suggest any more: {step.title}",
                    ),
                    gap="m",
                    grow=1,
                )
            )
            self._step_rows.addWidget(line)

    def _draw_flow(self, items: Sequence[t.TraceSummary], now: datetime) -> None:
        clear(self._flow_rows)
        for item in items:
            self._flow_rows.addWidget(FlowLine(self.desk, activity.present_summary(item, now)))
        if not items:
            line = Label(
                "No message yet. “Send yourself a message” shows that everything works.",
                tone="muted",
            )
            self._flow_rows.addWidget(line)

    def _draw_facts(self, facts: Sequence[o.Fact]) -> None:
        while (item := self._facts.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for i, fact in enumerate(facts):
            tone = "" if fact.tone == "neutral" else fact.tone
            self._facts.addWidget(Label(fact.label, tone="muted", wrap=False), i, 0)
            self._facts.addWidget(ElidedLabel(fact.value, tone=tone), i, 1)

    # ---- doing

    def _send(self) -> None:
        self.desk.go("/activity/new")

    def _put_away(self, step: str) -> None:
        self.do(self._putting_away(step), "put step away")

    async def _putting_away(self, step: str) -> None:
        await self.desk.session.call(lambda client: client.put_step_away(step))
        self.mark_stale()

    def _turn_sending(self) -> None:
        """Asks nothing: it is taken back with one click, and says so."""
        self.do(self._resume() if self._paused else self._pausing(), "pause sending")

    async def _pausing(self) -> None:
        await self.desk.session.call(lambda client: client.pause_sending())
        self.desk.toast(
            "Sending is paused. Mail is still received, and waits in the queue.",
            lambda: self.do(self._resume(), "resume sending"),
        )
        self.mark_stale()

    async def _resume(self) -> None:
        await self.desk.session.call(lambda client: client.resume_sending())
        self.mark_stale()


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

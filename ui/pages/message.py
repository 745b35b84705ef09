"""The way of one message: what became of it in a sentence, why, every step, and where more is to be found."""

import time
from functools import partial

from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from backend.api import types as t
from backend.api.client import ApiError
from ui import palette
from ui.pages.page import Desk, Page
from ui.presenters import activity as words
from ui.widgets.charts import Spinner
from ui.widgets.copyfield import CopyField
from ui.widgets.surface import Banner, Card, rule
from ui.widgets.text import Label, button, clear, row
from ui.widgets.timeline import Step, TimelineView

PATIENCE_S = 10.0  # within which a message that was just sent is on its way


class MessagePage(Page):
    """`open` with the trace. Steps that arrive are added while one looks."""

    TITLE = "Message"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.trace = ""
        self._since = 0.0
        self._steps: list[t.TimelineStep] = []
        back = button("Activity", lambda: desk.go("/activity"), kind="link", icon="arrow-left")
        self._head.insertWidget(0, back)
        self.subtitle.show()
        self.verdict = Banner()
        self._question = Label("", "lead", bold=True)
        self._reasons = QVBoxLayout()
        self._why = Card()
        self._why.body.addWidget(self._question)
        self._why.body.addLayout(self._reasons)
        self._why.hide()
        self.timeline = TimelineView()
        self._spinner = Spinner()
        self._more_to_come = QWidget()
        self._more_to_come.setLayout(
            row(
                self._spinner,
                Label("More steps appear here as they happen.", tone="muted"),
                gap="m",
                grow=1,
            )
        )
        happened = Card("What happened")
        happened.body.addWidget(self.timeline)
        happened.body.addWidget(self._more_to_come)
        happened.body.addStretch(1)
        self._links = QVBoxLayout()
        self._links.setSpacing(palette.space("xs"))
        self._number = CopyField("Trace number", "")
        about = Card("More about it")
        about.body.addLayout(self._links)
        about.body.addWidget(rule())
        about.body.addWidget(self._number)
        about.body.addStretch(1)
        across = QGridLayout()
        across.setSpacing(palette.space("m"))
        across.addWidget(happened, 0, 0)
        across.addWidget(about, 0, 1)
        across.setColumnStretch(0, 3)
        across.setColumnStretch(1, 2)
        self.body.addWidget(self.verdict)
        self.body.addWidget(self._why)
        self.body.addLayout(across)
        self.body.addStretch(1)

    def open(self, rest: str) -> None:
        if rest == self.trace:
            return
        self.trace = rest
        self._since = time.monotonic()
        self._wait()
        self.mark_stale()

    # ---- reading

    async def fetch(self) -> bool:
        trace = self.trace
        try:
            found = await self.desk.session.call(lambda client: client.trace(trace))
        except ApiError as error:
            if error.status != 404 or time.monotonic() - self._since > PATIENCE_S:
                raise
            return True  # it was just sent: nothing is written of it yet, its steps come as events
        if trace == self.trace:
            self._show(found)
        return True

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.TimelineEvent) and event.trace == self.trace:
            if event.step not in self._steps:
                self._draw_steps(sorted([*self._steps, event.step], key=lambda item: item.at))
            self.mark_stale()

    # ---- drawing

    def _wait(self) -> None:
        self.heading.setText("Message")
        self.subtitle.setText("Every step appears here as it happens.")
        self.verdict.show_message("info", "On its way…")
        self._why.hide()
        clear(self._links)
        self._number.set_value(self.trace)
        self._draw_steps([])
        self._more_to_come.show()

    def _show(self, found: t.Trace) -> None:
        summary = found.summary
        outgoing = summary.direction == "out"
        who = ", ".join(summary.recipients) if outgoing else summary.sender
        self.heading.setText(f"{'To' if outgoing else 'From'} {who or '(no address)'}")
        self.heading.setWordWrap(True)
        self.subtitle.setText(
            f"From {summary.sender or '(no sender)'} to {', '.join(summary.recipients) or '(nobody)'}"
        )
        self.verdict.show_message(found.tone, found.sentence)
        self._question.setText(found.question)
        clear(self._reasons)
        for reason in found.reasons:
            self._reasons.addWidget(Label(reason, selectable=True))
        self._why.setVisible(bool(found.question))
        clear(self._links)
        for link in found.links:
            made = button(link.title, partial(self.desk.go, link.path), kind="link", icon=link.icon)
            self._links.addLayout(row(made, None))
        self._draw_steps(found.steps)
        self._more_to_come.setVisible(not found.over)

    def _draw_steps(self, steps: list[t.TimelineStep]) -> None:
        self._steps = list(steps)
        shown = [words.present_step(step) for step in self._steps]
        self.timeline.set_steps(
            tuple(
                Step(title=s.title, note=s.note, time=s.time, tone=s.tone, icon=s.icon)
                for s in shown
            )
        )

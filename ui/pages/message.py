"""One message's way through this server, step by step, on a page of its own: what a link or a search leads to."""

import time

from PySide6.QtWidgets import QApplication

from backend.api import types as t
from backend.api.client import ApiError
from ui.pages.page import Desk, Page
from ui.presenters import activity as words
from ui.widgets.surface import Banner, Card
from ui.widgets.text import button
from ui.widgets.timeline import Step, TimelineView


class MessagePage(Page):
    TITLE = "Message"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.trace = ""
        self._steps: list[t.TimelineStep] = []
        self._since = time.monotonic()
        self.toolbar.addWidget(
            button(
                "Activity",
                lambda: desk.go("/activity"),
                kind="link",
                icon="arrow-left",
                name="Back to Activity",
            )
        )
        self.verdict = Banner()
        self.timeline = TimelineView()
        copy = button("Copy trace number", self._copy, icon="copy")
        card = Card("What happened", copy)
        card.body.addWidget(self.timeline)
        self.body.addWidget(self.verdict)
        self.body.addWidget(card)
        self.body.addStretch(1)

    def open(self, rest: str) -> None:
        if rest != self.trace:
            self.trace, self._steps = rest, []
            self._since = time.monotonic()
            self.heading.setText("Message")
            self.subtitle.hide()
            self._draw()
        self.mark_stale()

    async def fetch(self) -> bool:
        trace = self.trace
        try:
            found = await self.desk.session.call(lambda client: client.trace(trace))
        except ApiError as error:
            if error.status != 404 or self._steps:
                raise
            self._draw()
            return True  # it may just be on its way; its steps come as events
        if trace == self.trace:
            summary = found.summary
            outgoing = summary.direction == "out"
            who = ", ".join(summary.recipients) if outgoing else summary.sender
            self.heading.setText(f"{'To' if outgoing else 'From'} {who or '(no address)'}")
            to = ", ".join(summary.recipients) or "(nobody)"
            self.subtitle.setText(f"From {summary.sender or '(no sender)'} to {to}")
            self.subtitle.show()
            self._steps = list(found.steps)
            self._draw()
        return True

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.TimelineEvent) and event.trace == self.trace:
            self.mark_stale()

    def _draw(self) -> None:
        tone, sentence = words.verdict(self._steps, since_s=time.monotonic() - self._since)
        self.verdict.show_message(tone, sentence)
        shown = [words.present_step(step) for step in self._steps]
        self.timeline.set_steps(
            tuple(
                Step(title=s.title, note=s.note, time=s.time, tone=s.tone, icon=s.icon)
                for s in shown
            )
        )

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.trace)
        self.desk.toast("The trace number was copied.")

"""Everything about one message, in a drawer beside the table: of the queue, or of what has left it."""

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from backend.api import queue as q
from backend.api import types as t
from ui import palette
from ui.presenters import history as past_words
from ui.presenters import queue as words
from ui.presenters import wording
from ui.widgets.dialogs import scrolling
from ui.widgets.surface import StatusPill, rule
from ui.widgets.text import ElidedLabel, Label, button, column, row
from ui.widgets.timeline import Step, TimelineView


class Part(QWidget):
    """A titled part of a drawer."""

    def __init__(self, title: str, *widgets: QWidget) -> None:
        super().__init__()
        box = column(rule(), Label(title, bold=True, wrap=False), *widgets)
        box.setContentsMargins(0, palette.space("s"), 0, 0)
        self.setLayout(box)


class Attempts(QWidget):
    """Who was asked, what was said, and how it ended."""

    def __init__(self, none: str = "It has not been tried yet.") -> None:
        super().__init__()
        self.timeline = TimelineView()
        self._none = Label(none, tone="muted")
        self.setLayout(column(self.timeline, self._none))

    def show_attempts(self, attempts: Sequence[t.Attempt], now: datetime) -> None:
        texts = [words.present_attempt(attempt, now) for attempt in attempts]
        self.timeline.set_steps(
            tuple(
                Step(
                    title=a.title,
                    note=a.note,
                    time=a.time,
                    tone=a.tone,
                    icon=a.icon,
                    more=a.dialogue,
                )
                for a in texts
            )
        )
        self._none.setVisible(not texts)


class Drawer(QFrame):
    """A frame at the right with a heading and a way out. Subclasses fill `box`."""

    def __init__(self, close: Callable[[], None]) -> None:
        super().__init__()
        self.setProperty("kind", "drawer")
        self.setFixedWidth(palette.size("drawer"))
        self.shown_id: int | None = None
        self.subject = ElidedLabel("", "lead", bold=True)
        shut = button("", close, kind="quiet", icon="x", name="Close the details")
        self.about = Label("", tone="muted", selectable=True)
        self.pill = StatusPill()
        inner = QWidget()
        inner.setProperty("kind", "content")
        self.box = QVBoxLayout(inner)
        self.box.setContentsMargins(20, 16, 20, 16)
        self.box.setSpacing(palette.space("s"))
        self.box.addLayout(row(self.subject, shut, grow=0))
        self.box.addWidget(self.about)
        self.box.addLayout(row(self.pill, None))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 0, 0, 0)
        outer.addWidget(scrolling(inner, name="Details of the message"))
        self.hide()


class QueueDrawer(Drawer):
    """A message that waits. `act` gets kick, hold, release or drop; `save` wants the whole message as a file."""

    def __init__(
        self,
        close: Callable[[], None],
        act: Callable[[str], None],
        save: Callable[[], None],
        go: Callable[[str], None],
    ) -> None:
        super().__init__(close)
        self._next = Label("", "title")
        self._notes = Label("", tone="muted", selectable=True)
        self.kick = button("Retry now", lambda: act("kick"), kind="primary", icon="refresh")
        self.hold = button("Hold", lambda: act("hold"), icon="player-pause")
        self.release = button("Release", lambda: act("release"), icon="player-play")
        self.drop = button("Drop", lambda: act("drop"), kind="danger", icon="trash")
        self._route = Label("", selectable=True)
        self._steps = Label("", "small", tone="muted", selectable=True)
        self._asked_text = Label("", selectable=True)
        self._asked = Part("Asked for by the sender", self._asked_text)
        self._attempts = Attempts()
        self._headers = Label("", "small", selectable=True)
        self._headers.setFont(palette.mono_font(0.85))
        self.save = button("Save the message…", save, icon="device-floppy")
        self._trace = ""
        self.way: QPushButton = button(
            "Its whole way", lambda: go(f"/activity/{self._trace}"), kind="link"
        )
        self.box.addSpacing(palette.space("s"))
        self.box.addWidget(self._next)
        self.box.addWidget(self._notes)
        self.box.addLayout(row(self.kick, self.hold, self.release, self.drop, None))
        self.box.addWidget(Part("Path", self._route, self._steps))
        self.box.addWidget(self._asked)
        self.box.addWidget(Part("Attempts", self._attempts))
        self.box.addWidget(Part("Message", self._headers))
        self.box.addLayout(row(self.save, self.way, None))
        self.box.addStretch(1)

    def show_detail(self, detail: t.QueueDetail, now: datetime) -> None:
        item = detail.item
        shown = words.present(item, now)
        self.shown_id = item.id
        self.subject.set_full_text(shown.subject)
        self.about.setText(
            f"{shown.sender} → {shown.recipient}\n{shown.size} · accepted {wording.moment(item.created_at, now)}"
            f" · tried {shown.attempts}"
        )
        self.pill.set_state(words.STATES[item.state][1], shown.tone)
        self._next.setText(words.headline(detail, now))
        facts = words.facts_of(item)
        self._notes.setText("\n".join(facts))
        self._notes.setVisible(bool(facts))
        held = item.state == "held"
        self.hold.setVisible(item.state == "waiting")
        self.release.setVisible(held)
        self.kick.setEnabled(item.state == "waiting")
        self.drop.setVisible(item.state in {"waiting", "held"})
        self._route.setText(
            detail.route or item.transport_reason or "Directly to the other server."
        )
        self._steps.setText("\n".join(detail.route_steps))
        self._steps.setVisible(bool(detail.route_steps))
        self._asked_text.setText("\n".join(detail.asked))
        self._asked.setVisible(bool(detail.asked))
        self._attempts.show_attempts(detail.attempts, now)
        self._headers.setText(detail.headers.strip() or "(none)")
        self._trace = item.trace
        self.way.setVisible(bool(item.trace))
        self.show()


class PastDrawer(Drawer):
    """A message that has left the queue."""

    def __init__(self, close: Callable[[], None], go: Callable[[str], None]) -> None:
        super().__init__(close)
        self._result = Label("", "title")
        self._notes = Label("", tone="muted", selectable=True)
        self._path = Label("", selectable=True)
        self._attempts = Attempts("It was not tried.")
        self._reports = TimelineView()
        self._came_back = Part("Came back later", self._reports)
        self._trace = ""
        self.way = button("Its whole way", lambda: go(f"/activity/{self._trace}"), kind="link")
        self.box.addSpacing(palette.space("s"))
        self.box.addWidget(self._result)
        self.box.addWidget(self._notes)
        self.box.addWidget(self._came_back)
        self.box.addWidget(Part("Path", self._path))
        self.box.addWidget(Part("Attempts", self._attempts))
        self.box.addLayout(row(self.way, None))
        self.box.addStretch(1)

    def show_detail(self, detail: q.HistoryDetail, now: datetime) -> None:
        item = detail.item
        tone, word = past_words.RESULTS[item.result]
        self.shown_id = item.id
        self.subject.set_full_text(item.subject or "(no subject)")
        self.about.setText(
            f"{item.sender or '(this server)'} → {item.recipient}\n{wording.size(item.size_bytes)}"
            f" · accepted {wording.moment(item.created_at, now)}"
        )
        self.pill.set_state(word, tone)
        self._result.setText(past_words.headline(item, now))
        notes = "\n".join(filter(None, (item.last_answer, past_words.doubt_text(item))))
        self._notes.setText(notes)
        self._notes.setVisible(bool(notes))
        self._reports.set_steps(tuple(_report_step(r, now) for r in detail.reports))
        self._came_back.setVisible(bool(detail.reports))
        self._path.setText(past_words.path_text(item))
        self._attempts.show_attempts(detail.attempts, now)
        self._trace = item.trace
        self.way.setVisible(bool(item.trace))
        self.show()


_REPORT_TONES = {"failed": ("error", "arrow-back-up"), "delivered": ("ok", "check")}


def _report_step(report: q.CameBack, now: datetime) -> Step:
    by = f"reported by {report.reporter}" if report.reporter else ""
    text = past_words.report_text(report)
    tone, icon = _REPORT_TONES.get(report.kind, ("warn", "clock"))
    return Step(
        title=text[:1].upper() + text[1:],
        note="\n".join(filter(None, (report.text, by))),
        time=wording.moment(report.at, now),
        tone=tone,
        icon=icon,
    )

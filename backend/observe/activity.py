"""Everything that the operator may look at later, kept from the stream of server events.

`server.py` calls `record` for each event before it publishes it to the faces.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from backend.core.clock import Clock, SystemClock
from backend.core.events import (
    ProblemCleared,
    ProblemRaised,
    ServerEvent,
    SignedIn,
    TimelineEntry,
)
from backend.observe.metrics import Metrics
from backend.observe.problems import OpenProblems
from backend.observe.signins import SignIns
from backend.observe.timeline import Timeline


@dataclass(slots=True)
class DayCounters:
    """Of one day in local time."""

    day: date
    received: int = 0
    delivered: int = 0
    rejected: int = 0
    submitted: int = 0
    sent: int = 0
    bounced: int = 0
    sign_ins: int = 0
    sign_in_failures: int = 0


class Activity:
    """`folder` is DIR/activity."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.timeline = Timeline(folder)
        self.sign_ins = SignIns(folder)
        self.problems = OpenProblems(self._clock)
        self.metrics = Metrics()
        self._today = DayCounters(self._day(self._clock.time()))

    def load(self) -> None:
        """Reads what was recorded before; before the server starts."""
        self.timeline.load()
        self.sign_ins.load()
        today = self._today.day
        for record in self.timeline.recent(limit=1_000_000):
            for entry in record.entries:
                if self._day(entry.at) == today:
                    self._count(entry)
        for sign_in in self.sign_ins.recent(limit=1_000_000):
            if self._day(sign_in.at) == today:
                self._count_sign_in(sign_in)

    def record(self, event: ServerEvent) -> None:
        match event:
            case TimelineEntry():
                self.timeline.add(event)
                self.metrics.count("gatepost_messages_total", kind=event.kind)
                self._turn_day()
                self._count(event)
            case SignedIn():
                self.sign_ins.add(event)
                result = "ok" if event.succeeded else "failed"
                self.metrics.count(
                    "gatepost_sign_ins_total", protocol=event.protocol, result=result
                )
                self._turn_day()
                self._count_sign_in(event)
            case ProblemRaised():
                self.problems.put(event.problem)
            case ProblemCleared():
                self.problems.remove(event.code, event.subject)
            case _:
                pass

    def today(self) -> DayCounters:
        self._turn_day()
        return self._today

    def close(self) -> None:
        self.timeline.close()
        self.sign_ins.close()

    def _turn_day(self) -> None:
        day = self._day(self._clock.time())
        if day != self._today.day:
            self._today = DayCounters(day)

    @staticmethod
    def _day(at: float) -> date:
        return datetime.fromtimestamp(at, UTC).astimezone().date()

    def _count(self, entry: TimelineEntry) -> None:
        today = self._today
        match entry.kind:
            case "received":
                if entry.details.get("direction") == "out":
                    today.submitted += 1
                else:
                    today.received += 1
            case "delivered":
                today.delivered += 1
            case "rejected":
                today.rejected += 1
            case "sent":
                today.sent += 1
            case "bounced":
                today.bounced += 1
            case _:
                pass

    def _count_sign_in(self, event: SignedIn) -> None:
        if event.succeeded:
            self._today.sign_ins += 1
        else:
            self._today.sign_in_failures += 1

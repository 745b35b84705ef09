"""Everything that the operator may look at later, kept from the stream of server events.

`server.py` calls `record` for each event before it publishes it to the faces.
"""

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
from backend.observe.acknowledged import Acknowledged
from backend.observe.days import DayCounters, Days
from backend.observe.metrics import Metrics
from backend.observe.problems import OpenProblems
from backend.observe.signins import SignIns
from backend.observe.timeline import Timeline


class Activity:
    """`folder` is DIR/activity."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.timeline = Timeline(folder)
        self.sign_ins = SignIns(folder)
        self.problems = OpenProblems(self._clock)
        self.acknowledged = Acknowledged(folder)
        self.metrics = Metrics()
        now = self._clock.time()
        self.days = Days(folder, self._day(now), now)

    def load(self) -> None:
        """Reads what was recorded before; before the server starts."""
        self.timeline.load()
        self.sign_ins.load()
        self.days.load()
        self.acknowledged.load()
        counted: dict[date, DayCounters] = {}
        for record in self.timeline.recent(limit=1_000_000):
            for entry in record.entries:
                day = self._day(entry.at)
                _count(counted.setdefault(day, DayCounters(day)), entry)
        for sign_in in self.sign_ins.recent(limit=1_000_000):
            day = self._day(sign_in.at)
            _count_sign_in(counted.setdefault(day, DayCounters(day)), sign_in)
        for found in counted.values():
            self.days.take(found)

    def record(self, event: ServerEvent) -> None:
        match event:
            case TimelineEntry():
                self.timeline.add(event)
                self.metrics.count("gatepost_messages_total", kind=event.kind)
                if limit := event.details.get("limit"):
                    self.metrics.count("gatepost_send_limits_total", result=limit)
                _count(self.today(), event)
                self.days.counted(self._clock.time())
            case SignedIn():
                self.sign_ins.add(event)
                result = "ok" if event.succeeded else "failed"
                self.metrics.count(
                    "gatepost_sign_ins_total", protocol=event.protocol, result=result
                )
                _count_sign_in(self.today(), event)
                self.days.counted(self._clock.time())
            case ProblemRaised():
                self.problems.put(event.problem)
                self.acknowledged.renew(event.problem)
            case ProblemCleared():
                self.problems.remove(event.code, event.subject)
                self.acknowledged.remove(event.code, event.subject)
            case _:
                pass

    def today(self) -> DayCounters:
        now = self._clock.time()
        self.days.turn(self._day(now), now)
        return self.days.today

    def last_days(self, count: int) -> list[DayCounters]:
        """Oldest first, today last."""
        self.today()
        return self.days.last(count)

    def close(self) -> None:
        self.timeline.close()
        self.sign_ins.close()
        self.days.close(self._clock.time())

    @staticmethod
    def _day(at: float) -> date:
        return datetime.fromtimestamp(at, UTC).astimezone().date()


def _count(day: DayCounters, entry: TimelineEntry) -> None:
    match entry.kind:
        case "received":
            if entry.details.get("direction") == "out":
                day.submitted += 1
            else:
                day.received += 1
        case "delivered":
            day.delivered += 1
        case "rejected":
            day.rejected += 1
        case "sent":
            day.sent += 1
        case "bounced":
            day.bounced += 1
        case _:
            pass


def _count_sign_in(day: DayCounters, event: SignedIn) -> None:
    if event.succeeded:
        day.sign_ins += 1
    else:
        day.sign_in_failures += 1

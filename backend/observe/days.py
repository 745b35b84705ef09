"""How much mail there was on each of the last days: for the small pictures on the overview.

The figures are gathered in memory and noted now and then; what a crash loses is counted anew from the timeline, as far as that
reaches back.
"""

from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from pathlib import Path

from backend.observe.jsonl import JsonLines

NOTE_EVERY_S = 600.0
LOADED_BYTES = 800_000
KEPT_DAYS = 60


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


_FIGURES = tuple(field.name for field in fields(DayCounters) if field.name != "day")


class Days:
    """`today` is the running one; the others do not change any more."""

    def __init__(self, folder: Path, day: date, now: float) -> None:
        self._file = JsonLines(folder, "days", max_bytes=400_000, keep=2)
        self._past: dict[date, DayCounters] = {}
        self._noted_at = now
        self._is_noted = True
        self.today = DayCounters(day)

    def load(self) -> None:
        """What was noted before; before the server starts."""
        for value in self._file.tail(LOADED_BYTES):
            if (found := _parse(value)) is not None:
                self.take(found)

    def take(self, found: DayCounters) -> None:
        """Counted elsewhere: of two counts of one day the higher one is the whole."""
        if found.day == self.today.day:
            known = self.today
        else:
            known = self._past.setdefault(found.day, DayCounters(found.day))
            self._forget()
        for name in _FIGURES:
            setattr(known, name, max(getattr(known, name), getattr(found, name)))

    def turn(self, day: date, now: float) -> None:
        """To be called before anything is counted or asked for."""
        if day != self.today.day:
            self._note(now)
            self._past[self.today.day] = self.today
            self._forget()
            self.today = DayCounters(day)

    def counted(self, now: float) -> None:
        self._is_noted = False
        if now - self._noted_at >= NOTE_EVERY_S:
            self._note(now)

    def last(self, count: int) -> list[DayCounters]:
        """Oldest first, today last; days without mail are there with zeros."""
        days = [self.today.day - timedelta(days=age) for age in range(count - 1, 0, -1)]
        return [*(self._past.get(day, DayCounters(day)) for day in days), self.today]

    def close(self, now: float) -> None:
        self._note(now)
        self._file.flush()

    def _note(self, now: float) -> None:
        self._noted_at = now
        if not self._is_noted:
            self._is_noted = True
            self._file.append({**asdict(self.today), "day": self.today.day.isoformat()})

    def _forget(self) -> None:
        while len(self._past) > KEPT_DAYS:
            del self._past[min(self._past)]


def _parse(value: dict[str, object]) -> DayCounters | None:
    try:
        figures = {name: int(str(value.get(name, 0))) for name in _FIGURES}
        return DayCounters(date.fromisoformat(str(value["day"])), **figures)
    except (KeyError, ValueError):
        return None

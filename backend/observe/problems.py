"""What is wrong right now: raised once, listed until it is cleared. Keyed by code and subject."""

from dataclasses import dataclass

from backend.core.clock import Clock, SystemClock
from backend.core.problems import Problem, Severity

MAX_OPEN = 500  # a security limit

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class OpenProblem:
    problem: Problem
    since: float


class OpenProblems:
    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._open: dict[tuple[str, str], OpenProblem] = {}

    def put(self, problem: Problem) -> bool:
        """Opens it, or renews its text. True if it was not open before."""
        key = (problem.code, problem.subject)
        known = self._open.get(key)
        if known is None and len(self._open) >= MAX_OPEN:
            return False
        self._open[key] = OpenProblem(problem, known.since if known else self._clock.time())
        return known is None

    def remove(self, code: str, subject: str = "") -> bool:
        """True if it was open."""
        return self._open.pop((code, subject), None) is not None

    def all(self) -> list[OpenProblem]:
        """The worst first, then the oldest."""
        return sorted(
            self._open.values(), key=lambda open_: (_ORDER[open_.problem.severity], open_.since)
        )

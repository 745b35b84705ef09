"""When does a finding count? Not at once: resolvers hiccup, and records are changed in steps. Pure."""

from dataclasses import dataclass, replace

CONFIRM_TIMES = 3
CONFIRM_OVER_S = 30 * 60.0


@dataclass(frozen=True, slots=True)
class Steady:
    """`is_bad`: what holds. `times` and `since`: how often and since when the contrary was seen."""

    is_bad: bool = False
    times: int = 0
    since: float = 0.0

    @property
    def is_wavering(self) -> bool:
        return self.times > 0

    def see(self, is_bad: bool, at: float) -> "Steady":
        """A fault counts when it was seen three times over half an hour. That it is gone counts at once."""
        if is_bad == self.is_bad:
            return Steady(self.is_bad)
        if not is_bad:
            return Steady(False)
        times = self.times + 1
        since = self.since if self.times else at
        if times >= CONFIRM_TIMES and at - since >= CONFIRM_OVER_S:
            return Steady(True)
        return replace(self, times=times, since=since)

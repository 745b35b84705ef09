"""Checks in the groups that people think in, each with how far it has come. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from backend.checkup.checks import Check, State
from backend.checkup.records import Area

AREAS: dict[Area, tuple[str, str]] = {
    "receive": ("Needed to receive", "Without these no mail finds the way to you."),
    "accepted": (
        "Needed so others accept your mail",
        "Without these your mail is refused or treated as junk.",
    ),
    "setup": ("Makes setup easy", "With these, mail apps find all settings by themselves."),
    "protection": ("Extra protection", "Good to have; nothing breaks without them."),
    "server": ("This computer", "What the server needs of the computer it runs on."),
    "ports": ("Ports", "Whether each port of this server answers as it should."),
    "certificate": ("Certificate", "What encrypted connections show to others."),
    "mail": ("Mail on its way", "Whether mail moves."),
    "domains": ("Domains", "What the last check of each domain's DNS has found."),
}
"""Title and what the group is for, in the order of importance."""

_WORST: tuple[State, ...] = ("fail", "warn", "unknown", "optional", "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    area: Area
    title: str
    purpose: str
    done: int
    total: int
    state: State

    @property
    def progress(self) -> str:
        return f"{self.done} of {self.total}"


def group(checks: Iterable[Check]) -> list[Group]:
    """Those that have any, in their order."""
    listed = list(checks)
    made = []
    for area, (title, purpose) in AREAS.items():
        if own := [check for check in listed if check.area == area]:
            made.append(
                Group(
                    area=area,
                    title=title,
                    purpose=purpose,
                    done=len([check for check in own if check.state == "ok"]),
                    total=len(own),
                    state=worst(check.state for check in own),
                )
            )
    return made


def worst(states: Iterable[State]) -> State:
    found: Collection[State] = set(states)
    return next((state for state in _WORST if state in found), "ok")

"""A change of DKIM keys, step by step: publish, wait, sign, retire. Pure: facts and times in, the next state out.

- publish: the new records are not in the DNS yet; the old keys sign.
- wait: they are, but others may remember that they were not; until that is forgotten, the old keys sign.
- retire: the new keys sign; the old records stay for mail that was signed with them and is still under way.
- Then the old selectors go, with their keys.
"""

from dataclasses import dataclass, replace

from backend.config.dkim import Phase

# What resolvers remember of a missing record is bound by the zone (RFC 2308 §5), mostly to an hour.
WAIT_S = 3600.0
# Longer than the queue may keep a message that was signed and is to be sent later (30 days), and then tries, ours and others'.
RETIRE_S = 40 * 86_400.0


@dataclass(frozen=True, slots=True)
class State:
    phase: Phase
    new: tuple[str, ...]
    old: tuple[str, ...]
    since: float


@dataclass(frozen=True, slots=True)
class Facts:
    """`published`: whether all new records are in the DNS; None when that could not be told. `hurry`: don't wait."""

    now: float
    published: bool | None = None
    hurry: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """`state` None: done. `sign`: what signs from now on, None for no change. `remove`: selectors that go."""

    state: State | None
    sign: tuple[str, ...] | None = None
    remove: tuple[str, ...] = ()


def begin(new: tuple[str, ...], old: tuple[str, ...], now: float) -> State:
    return State("publish", new, old, now)


def advance(state: State, facts: Facts) -> Step:
    """One step, or the same state when nothing is to be done yet."""
    due = due_at(state)
    is_due = facts.hurry or (due is not None and facts.now >= due)
    match state.phase:
        case "publish":
            if facts.published or facts.hurry:
                return Step(replace(state, phase="wait", since=facts.now))
        case "wait":
            if facts.published is False and not facts.hurry:
                return Step(replace(state, phase="publish", since=facts.now))
            if is_due and not state.old:
                return Step(None, sign=state.new)
            if is_due:
                return Step(replace(state, phase="retire", since=facts.now), sign=state.new)
        case "retire":
            if is_due:
                return Step(None, remove=state.old)
    return Step(state)


def due_at(state: State) -> float | None:
    """When the step ends by itself; None when it waits for a record."""
    match state.phase:
        case "publish":
            return None
        case "wait":
            return state.since + WAIT_S
        case "retire":
            return state.since + RETIRE_S

"""What one message went through, in words, shapes and tones: for the timeline and for lists of messages."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.api import types as t
from ui.presenters import wording

# kind → (tone, icon, word of the state)
KINDS: dict[str, tuple[str, str, str]] = {
    "received": ("info", "arrow-down", "arriving"),
    "checked": ("info", "shield-check", "checked"),
    "accepted": ("ok", "check", "accepted"),
    "signed": ("info", "key", "signed"),
    "unsigned": ("warn", "alert-triangle", "not signed"),
    "rejected": ("error", "ban", "refused"),
    "delivered": ("ok", "inbox", "delivered"),
    "queued": ("info", "clock", "waiting"),
    "attempt": ("info", "send", "sending"),
    "sent": ("ok", "send", "sent"),
    "deferred": ("warn", "clock", "trying again"),
    "bounced": ("error", "arrow-back-up", "came back"),
    "held": ("warn", "hand-stop", "on hold"),
    "dropped": ("neutral", "trash", "dropped"),
    "reported": ("info", "inbox", "reported"),
}
UNKNOWN = ("neutral", "circle-dashed", "")
FINAL = frozenset({"rejected", "delivered", "sent", "bounced", "dropped"})

HOURS = 12

TOLD = frozenset({"direction", "sender", "recipient", "recipients", "account", "mailbox"})
"""Facts that the sentence of a step or the head of the panel says already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepText:
    title: str
    note: str
    time: str
    tone: str
    icon: str


def present_step(step: t.TimelineStep) -> StepText:
    tone, icon, _ = KINDS.get(step.kind, UNKNOWN)
    shown = [_fact(key, value) for key, value in step.details.items() if key not in TOLD and value]
    note = " · ".join(shown)
    return StepText(
        title=step.text or step.kind.capitalize(),
        note=note,
        time=wording.clock(step.at),
        tone=tone,
        icon=icon,
    )


def _fact(key: str, value: str) -> str:
    if key.endswith("size_bytes") and value.isdecimal():
        return wording.size(int(value))
    if key == "peer":
        return f"from {value}"
    if key in {"tls", "protocol", "mechanism"}:
        return value
    return f"{key.replace('_', ' ')} {value}"


def is_final(steps: list[t.TimelineStep]) -> bool:
    return bool(steps) and steps[-1].kind in FINAL


def verdict(steps: list[t.TimelineStep], *, since_s: float = 0.0) -> tuple[str, str]:
    """(tone, sentence) above a timeline."""
    if not steps:
        return "info", "On its way…" if since_s < 10 else "Nothing was heard of it yet."
    tone, _, word = KINDS.get(steps[-1].kind, UNKNOWN)
    took = (steps[-1].at - steps[0].at).total_seconds()
    if steps[-1].kind == "delivered":
        return tone, f"It is in the mailbox, {_took(took)}."
    if steps[-1].kind == "sent":
        return tone, f"The other server took it, {_took(took)}."
    sentences = {
        "rejected": "It was refused.",
        "bounced": "It could not be delivered. The sender was told.",
        "held": "It is on hold until someone releases it.",
        "deferred": "It was not taken yet. The server tries again by itself.",
        "queued": "It waits in the queue.",
        "reported": "Another server told more about it later.",
        "dropped": "It was removed from the queue.",
        "accepted": "It was accepted.",
    }
    return tone, sentences.get(steps[-1].kind, f"Now: {word or steps[-1].kind}.")


def _took(seconds: float) -> str:
    if seconds < 0.001:
        return "at once"
    text = f"{seconds * 1000:.0f} ms" if seconds < 1 else wording.duration(seconds)
    return f"{text} after it was first seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRow:
    trace: str
    arrow: str
    who: str
    state: str
    tone: str
    time: str
    text: str


def present_summary(item: t.TraceSummary, now: datetime) -> FlowRow:
    tone, _, word = KINDS.get(item.outcome, UNKNOWN)
    outgoing = item.direction == "out"
    to = ", ".join(item.recipients[:2]) + ("…" if len(item.recipients) > 2 else "")
    who = to if outgoing else item.sender or "(no sender)"
    return FlowRow(
        trace=item.trace,
        arrow="arrow-up" if outgoing else "arrow-down",
        who=who or "(no address)",
        state=word or item.outcome or "seen",
        tone=tone,
        time=wording.moment(item.last_at, now),
        text=item.text,
    )


def per_hour(items: list[t.TraceSummary], direction: str, now: datetime) -> tuple[int, ...]:
    """How many messages began in each of the last twelve hours, the running one last."""
    top = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    bars = [0] * HOURS
    for item in items:
        age = int((top - item.started_at).total_seconds() // 3600)
        if item.direction == direction and 0 <= age < HOURS:
            bars[HOURS - 1 - age] += 1
    return tuple(bars)

"""What one message went through, in words, shapes and tones: for the timeline and for lists of messages."""

from dataclasses import dataclass
from datetime import datetime

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

TOLD = frozenset(
    {"direction", "sender", "recipient", "recipients", "account", "mailbox", "session"}
)
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

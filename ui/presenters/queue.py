"""How a waiting message is shown, and what may be done with a selection of them."""

from dataclasses import dataclass
from datetime import datetime

from backend.api import queue as q
from backend.api import types as t
from ui.presenters import wording

STATES: dict[str, tuple[str, str]] = {
    "waiting": ("info", "waiting"),
    "held": ("warn", "on hold"),
    "sending": ("info", "sending now"),
    "done": ("ok", "sent"),
    "failed": ("error", "gave up"),
    "dropped": ("neutral", "dropped"),
}

FILTERS: tuple[tuple[str, str], ...] = (
    ("", "All"),
    ("waiting", "Waiting"),
    ("held", "On hold"),
    ("sending", "Sending now"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    id: int
    recipient: str
    sender: str
    size: str
    state: str
    tone: str
    next_try: str
    attempts: str
    answer: str
    transport: str


def stays_here(item: t.QueueItem) -> bool:
    """Practice mode keeps it: a time of the next try would promise what does not happen."""
    return item.note.startswith("practice mode")


def present(item: t.QueueItem, now: datetime) -> QueueRow:
    tone, word = STATES[item.state]
    if item.state == "waiting" and item.attempts > 0:
        tone, word = "warn", "trying again"
    waits = item.state == "waiting" and not stays_here(item)
    return QueueRow(
        id=item.id,
        recipient=item.recipient,
        sender=item.sender or "(this server)",
        size=wording.size(item.size_bytes),
        state=word,
        tone=tone,
        next_try=wording.until(item.next_attempt_at, now) if waits else "",
        attempts=str(item.attempts),
        answer=item.last_answer or item.note,
        transport=item.transport or "direct",
    )


def headline(detail: t.QueueDetail, now: datetime) -> str:
    """The one big line of the drawer."""
    item = detail.item
    match item.state:
        case "held":
            return "On hold until you release it"
        case "sending":
            return "Being sent now"
        case "waiting" if stays_here(item):
            return "It stays here"
        case "waiting":
            if item.next_attempt_at is None:
                return "Waits; no time for a try is set"
            return f"Next try {wording.until(item.next_attempt_at, now)}"
        case _:
            return STATES[item.state][1].capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptText:
    title: str
    note: str
    time: str
    tone: str
    icon: str


def present_attempt(attempt: t.Attempt, now: datetime) -> AttemptText:
    where = attempt.host or "no server reached"
    if attempt.ip:
        where += f" ({attempt.ip})"
    facts = [where, attempt.tls or "not encrypted", wording.milliseconds(attempt.duration_ms)]
    if attempt.policy:
        facts.append(attempt.policy)
    return AttemptText(
        title=attempt.answer or ("Taken" if attempt.succeeded else "No answer"),
        note=" · ".join(facts),
        time=wording.moment(attempt.at, now),
        tone="ok" if attempt.succeeded else "warn",
        icon="check" if attempt.succeeded else "clock",
    )


def selection_text(rows: int) -> str:
    return f"{wording.number(rows)} selected"


def done_text(action: str, acted: q.QueueActed) -> str:
    words = {
        "kick": "will be tried now",
        "hold": "put on hold",
        "release": "released",
        "drop": "dropped",
        "fail": "given up; the senders are told",
    }
    text = f"{wording.count(acted.changed, 'message')} {words[action]}."
    if acted.missing:
        gone = wording.count(len(acted.missing), "message was", "messages were")
        text += f" {gone} not there any more."
    return text

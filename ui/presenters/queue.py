"""How a waiting message is shown, what may be done with a selection of them, and how that is told afterwards.

`resources/web/lib/queue.mjs` says the same in the browser.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
    ("problem", "Problem"),
    ("held", "On hold"),
    ("later", "Sending later"),
    ("sending", "Sending now"),
)

PAUSED_NOTE = "sending is paused"

BURST_FROM = 3
"""So many messages to one domain that were put off become one line above the table."""
BURSTS_SHOWN = 3

TLS_CHOICES: tuple[tuple[str, str], ...] = (
    ("default", "As the recipient's domain asks"),
    ("verified", "Only with verified encryption"),
    ("insecure", "Also without verified encryption…"),
)

TLS_WARNING = (
    "Others on the way may read or change the messages, and they may go to a wrong server. "
    "What the recipient's domain asks for does not count any more for them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    id: int
    recipient: str
    sender: str
    subject: str
    size: str
    state: str
    tone: str
    attempts: str
    answer: str
    answer_whole: str
    transport: str
    why_transport: str


def filter_of(chip: str, *, text: str = "", domain: str = "", account: str = "") -> t.QueueFilter:
    """What the server is asked for. `chip`: of `FILTERS`, or `rule/NAME` for what one hold rule keeps back."""
    values: dict[str, object] = {"text": text.strip(), "domain": domain, "account": account}
    if chip in {"problem", "later"}:
        values[chip] = True
    elif chip.startswith("rule/"):
        values["rule"] = chip.removeprefix("rule/")
    elif chip:
        values["state"] = chip
    return t.QueueFilter.model_validate(values)


def stays_here(item: t.QueueItem) -> bool:
    """Practice mode keeps it: a time of the next try would promise what does not happen."""
    return item.note.startswith("practice mode")


def state_of(item: t.QueueItem, now: datetime) -> tuple[str, str]:
    """Tone and words."""
    tone, word = STATES[item.state]
    if item.state == "held" and item.note.startswith(PAUSED_NOTE):
        word = PAUSED_NOTE
    elif item.state == "held" and item.hold_rule:
        word = f"on hold: rule {item.hold_rule}"
    if item.state != "waiting":
        return tone, word
    if stays_here(item):
        return "info", "stays here"
    if item.send_at is not None:
        return "info", f"will be sent {wording.until(item.send_at, now)}"
    tone = "warn" if item.attempts else "info"
    if item.next_attempt_at is None:
        return tone, word
    return tone, f"next try {wording.until(item.next_attempt_at, now)}"


def present(item: t.QueueItem, now: datetime) -> QueueRow:
    tone, state = state_of(item, now)
    return QueueRow(
        id=item.id,
        recipient=item.recipient,
        sender=item.sender or "(this server)",
        subject=item.subject or "(no subject)",
        size=wording.size(item.size_bytes),
        state=state,
        tone=tone,
        attempts=f"{item.attempts} of {item.max_attempts}" if item.attempts else "none yet",
        answer=item.answer_in_short or item.last_answer or item.note,
        answer_whole=item.last_answer or item.note,
        transport=transport_of(item),
        why_transport=item.transport_reason,
    )


def transport_of(item: t.QueueItem) -> str:
    name = item.transport or "direct"
    return f"{name} (by hand)" if item.transport_chosen else name


def headline(detail: t.QueueDetail, now: datetime) -> str:
    """The one big line of the drawer."""
    item = detail.item
    if item.state == "held":
        return "On hold until you release it"
    if item.state == "sending":
        return "Being sent now"
    if item.state != "waiting":
        return STATES[item.state][1].capitalize()
    if stays_here(item):
        return "It stays here"
    if item.send_at is None and item.next_attempt_at is None:
        return "Waits; no time for a try is set"
    words = state_of(item, now)[1]
    return words[:1].upper() + words[1:]


def facts_of(item: t.QueueItem) -> list[str]:
    """What else is to be known about it, below the headline: a sentence each."""
    facts = [item.note] if item.note else []
    if item.tls_choice != "default":
        facts.append(f"Encryption, by hand: {dict(TLS_CHOICES)[item.tls_choice].rstrip('…')}.")
    if item.unconfirmed:
        times = wording.count(item.unconfirmed, "time")
        facts.append(f"It was sent {times} without an answer, so it may have arrived already.")
    return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptText:
    title: str
    note: str
    time: str
    tone: str
    icon: str
    dialogue: str = ""


def present_attempt(attempt: t.Attempt, now: datetime) -> AttemptText:
    where = attempt.host or "no server reached"
    if attempt.ip:
        where += f" ({attempt.ip})"
    facts = [where]
    if attempt.transport:
        facts.append(f"by {attempt.transport}")
    facts += [attempt.tls or "not encrypted", wording.milliseconds(attempt.duration_ms)]
    lines = [" · ".join(facts)]
    if attempt.policy:
        lines.append(attempt.policy)
    title = attempt.in_short or attempt.answer
    if attempt.answer and attempt.answer != title:
        lines.append(attempt.answer)
    return AttemptText(
        title=title or ("Taken" if attempt.succeeded else "No answer"),
        note="\n".join(lines),
        time=wording.moment(attempt.at, now),
        tone="ok" if attempt.succeeded else "warn",
        icon="check" if attempt.succeeded else "clock",
        dialogue=attempt.excerpt,
    )


# ---- bursts


def bursts(groups: Sequence[q.QueueGroup]) -> list[q.QueueGroup]:
    """The domains that put off several messages: each is one line with one action."""
    found = [g for g in groups if g.problem >= BURST_FROM and g.answer and g.next_attempt_at]
    return found[:BURSTS_SHOWN]


def burst_text(group: q.QueueGroup, now: datetime) -> str:
    """`11 messages to gmail.com: rate limited, next try 14:20`."""
    text = f"{wording.count(group.problem, 'message')} to {group.domain}: {group.answer_in_short or group.answer}"
    if group.next_attempt_at is None:  # all of it is held
        return text
    soon = group.next_attempt_at - now < timedelta(minutes=1)
    due = (
        "now"
        if soon
        else wording.clock(group.next_attempt_at, seconds=False)
        if group.next_attempt_at - now < timedelta(hours=20)
        else wording.moment(group.next_attempt_at, now)
    )
    return f"{text}, next try {due}"


# ---- selections


def count_text(page: t.QueueList) -> str:
    parts = [f"{wording.number(page.waiting)} waiting"]
    if page.held:
        parts.append(f"{wording.number(page.held)} on hold")
    if page.problem:
        parts.append(f"{wording.number(page.problem)} with a problem")
    return ", ".join(parts)


def selection_text(rows: int, *, all_of_them: bool = False) -> str:
    if all_of_them:
        return f"All {wording.number(rows)} that match"
    return f"{wording.number(rows)} selected"


DONE = {
    "kick": "will be tried now",
    "hold": "put on hold",
    "release": "released",
    "drop": "dropped",
    "fail": "given up; the senders are told",
    "postpone": "postponed",
    "transport": "takes the other way|take the other way",
    "tls": "follows the other rule|follow the other rule",
    "undo": "as before",
}


def done_text(action: str, acted: q.QueueActed) -> str:
    one, _, many = DONE[action].partition("|")
    words = one if acted.changed == 1 or not many else many
    text = f"{wording.count(acted.changed, 'message')} {words}."
    if acted.missing:
        text += f" For {wording.count(len(acted.missing), 'message')} this was not possible."
    return text


def postpone_choices(now: datetime) -> list[tuple[str, datetime]]:
    """Words and moment, as of now where the user is."""
    local = now.astimezone()
    morning = (local + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    return [
        ("For an hour", now + timedelta(hours=1)),
        ("For four hours", now + timedelta(hours=4)),
        ("Until tomorrow at 08:00", morning),
        ("For three days", now + timedelta(days=3)),
        ("For a week", now + timedelta(days=7)),
    ]

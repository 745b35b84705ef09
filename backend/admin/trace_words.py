"""What became of a message, in one sentence and for what reasons: the answer above its timeline, the same in every face."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.core.events import TimelineEntry
from backend.observe.timeline import TraceRecord

MAX_NAMED = 3
MAX_REASONS = 5

_TONES = {
    "delivered": "ok",
    "sent": "ok",
    "accepted": "ok",
    "rejected": "error",
    "bounced": "error",
    "deferred": "warn",
    "held": "warn",
}
_LAST_WORD = frozenset({"delivered", "sent", "rejected", "bounced", "dropped"})
_RECIPIENT_STATES = frozenset(
    {"queued", "sent", "deferred", "bounced", "held", "dropped", "delivered", "rejected"}
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`question` with `reasons` when something went wrong: why. `over`: no step is to be expected any more."""

    tone: str
    sentence: str
    question: str = ""
    reasons: tuple[str, ...] = ()
    over: bool = False


def judge(record: TraceRecord) -> Verdict:
    entries = [each for each in record.entries if each.kind not in {"signed", "unsigned", "report"}]
    if not entries:
        return Verdict("info", "Nothing else was heard of it.")
    report = next((each for each in entries if each.details.get("message")), None)
    if report is not None:
        return Verdict("info", f"{report.text}.".replace("..", "."), over=True)
    return _outgoing(record, entries) if record.direction == "out" else _incoming(record, entries)


def _incoming(record: TraceRecord, entries: Sequence[TimelineEntry]) -> Verdict:
    took = _took(record.entries[0].at, entries[-1].at)
    placed = [each for each in entries if each.kind == "delivered"]
    refused = [each for each in entries if each.kind == "rejected"]
    if placed:
        places = list(dict.fromkeys(_place(each) for each in placed))
        sentence = f"It was delivered to {_listed(places)} {took}."
        if refused:
            sentence += " Some of its recipients were refused."
        return Verdict(
            "ok",
            sentence,
            "Why were some refused?" if refused else "",
            _reasons(refused),
            over=True,
        )
    if refused:
        checked = [each for each in entries if each.kind == "checked" and each.text]
        sentence = "It was refused. The sending server has told its sender, or will."
        return Verdict(
            "error", sentence, "Why was this refused?", _reasons([*refused, *checked]), over=True
        )
    return Verdict("info", "It is being looked at.")


def _outgoing(record: TraceRecord, entries: Sequence[TimelineEntry]) -> Verdict:
    last: dict[str, TimelineEntry] = {}
    for each in entries:
        recipient = each.details.get("recipient", "")
        if recipient and each.kind in _RECIPIENT_STATES:
            last[recipient] = each
    if not last:
        refused = [each for each in entries if each.kind == "rejected"]
        if refused:
            return Verdict(
                "error", "It was refused.", "Why was this refused?", _reasons(refused), over=True
            )
        return Verdict("info", "It was accepted.")
    kinds = [each.kind for each in last.values()]
    wrong = [e for e in last.values() if e.kind in {"bounced", "deferred", "held", "rejected"}]
    tone = next(
        (_TONES[kind] for kind in ("bounced", "rejected", "deferred", "held") if kind in kinds),
        "ok" if all(kind in {"sent", "delivered"} for kind in kinds) else "info",
    )
    sentence = (
        _of_one(record, next(iter(last.values()))) if len(last) == 1 else _of_many(record, last)
    )
    question = "Why?" if len(wrong) > 1 else _WHY.get(wrong[0].kind, "") if wrong else ""
    over = all(kind in _LAST_WORD for kind in kinds)
    return Verdict(tone, sentence, question, _reasons(wrong), over=over)


_WHY = {
    "bounced": "Why did it not arrive?",
    "rejected": "Why was this refused?",
    "deferred": "Why is it not there yet?",
    "held": "Why is it on hold?",
}


def _of_one(record: TraceRecord, entry: TimelineEntry) -> str:
    who, took = entry.details["recipient"], _took(record.entries[0].at, entry.at)
    match entry.kind:
        case "sent":
            by = entry.details.get("host") or "The other server"
            return f"{by} took it for {who} {took}."
        case "delivered":
            return f"It was delivered to {_place(entry)}, on this server, {took}."
        case "bounced":
            return f"It could not be delivered to {who}. The sender was told, unless they asked not to be."
        case "deferred":
            return f"{who} does not have it yet. The server tries again by itself."
        case "held":
            return f"It is on hold until somebody lets it go to {who}."
        case "dropped":
            return f"It was removed from the queue before it went to {who}."
        case _:
            return f"It waits in the queue, to be sent to {who}."


_PLURALS = {
    "sent": "was taken for {n}",
    "delivered": "was delivered here for {n}",
    "bounced": "could not be delivered to {n}",
    "rejected": "was refused for {n}",
    "deferred": "is tried again for {n}",
    "held": "is on hold for {n}",
    "dropped": "was removed for {n}",
    "queued": "waits for {n}",
}


def _of_many(record: TraceRecord, last: dict[str, TimelineEntry]) -> str:
    counts: dict[str, int] = {}
    for each in last.values():
        counts[each.kind] = counts.get(each.kind, 0) + 1
    if set(counts) == {"sent"}:
        end = max(each.at for each in last.values())
        return f"The other servers took it for all {len(last)} recipients {_took(record.entries[0].at, end)}."
    parts = [_PLURALS[kind].format(n=counts[kind]) for kind in _PLURALS if kind in counts]
    return f"Of {len(last)} recipients: it {', '.join(parts)}."


def _place(entry: TimelineEntry) -> str:
    account, mailbox = entry.details.get("account", ""), entry.details.get("mailbox", "INBOX")
    return f"{account}'s {mailbox}" if account else "a mailbox"


def _reasons(entries: Sequence[TimelineEntry]) -> tuple[str, ...]:
    texts = [each.text if each.text.endswith(".") else f"{each.text}." for each in entries]
    return tuple(dict.fromkeys(texts))[:MAX_REASONS]


def _listed(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    if len(names) <= MAX_NAMED:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{', '.join(names[:MAX_NAMED])} and {len(names) - MAX_NAMED} more"


def _took(start: float, end: float) -> str:
    seconds = max(0.0, end - start)
    if seconds < 0.05:
        return "at once"
    if seconds < 10:
        return f"in {seconds:.1f} s"
    if seconds < 60:
        return f"in {seconds:.0f} s"
    if seconds < 3600:
        return f"after {seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"after {seconds / 3600:.0f} h"
    return f"after {seconds / 86_400:.0f} days"

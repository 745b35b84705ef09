"""Checks in words and tones for the window."""

from collections.abc import Sequence
from datetime import datetime

from backend.api import dns as d
from backend.api.summaries import CheckState
from ui.presenters import wording

TONES: dict[CheckState, str] = {
    "ok": "ok",
    "warn": "warn",
    "fail": "error",
    "optional": "neutral",
    "unknown": "neutral",
}

FRESH_S = 30.0
AGAIN_S = (30, 120, 600)  # while somebody looks


def age(checks: d.Checks, now: datetime, *, source: str = "") -> str:
    """`Checked 12 s ago by asking your DNS servers directly.`"""
    if checks.checked_at is None:
        return "The first check is running …"
    return f"Checked {wording.ago(checks.checked_at, now)}{f' {source}' if source else ''}."


def is_fresh(checks: d.Checks, now: datetime) -> bool:
    return checks.checked_at is not None and (now - checks.checked_at).total_seconds() < FRESH_S


def how(check: d.Check, now: datetime) -> str:
    since = f" First seen like this {wording.ago(check.since, now)}." if check.since else ""
    return " ".join(filter(None, (check.how, check.worldwide, since.strip())))


def hidden_words(check: d.Check, now: datetime) -> str:
    """Who has hidden it and why; empty when nobody has."""
    said = check.acknowledged
    if said is None:
        return ""
    note = f": “{said.note}”" if said.note else ""
    return f"Hidden by {said.by} {wording.ago(said.at, now)}{note}"


def plain_lines(lines: Sequence[Sequence[d.Span]], mark: str) -> str:
    """For who listens: each line with its sign, as it is drawn."""
    sign = "+" if mark == "new" else "−"
    return "\n".join(
        f"{sign if any(span.mark == mark for span in line) else ' '} {''.join(span.text for span in line)}"
        for line in lines
    )

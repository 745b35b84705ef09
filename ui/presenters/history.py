"""How a message is shown that has left the queue.

`resources/web/pages/history.mjs` says the same in the browser.
"""

from datetime import datetime, timedelta

from backend.api import queue as q
from ui.presenters import wording

RESULTS: dict[str, tuple[str, str]] = {
    "delivered": ("ok", "delivered"),
    "returned": ("error", "came back later"),
    "failed": ("error", "gave up"),
    "dropped": ("neutral", "dropped"),
}

FILTERS: tuple[tuple[str, str], ...] = (
    ("", "All"),
    ("delivered", "Delivered"),
    ("failed", "Gave up"),
    ("returned", "Came back later"),
    ("dropped", "Dropped"),
)

SPANS: tuple[tuple[str, timedelta | None], ...] = (
    ("Any time", None),
    ("Last hour", timedelta(hours=1)),
    ("Last 24 hours", timedelta(days=1)),
    ("Last 7 days", timedelta(days=7)),
)

_CAME_BACK = {"failed": "could not be delivered", "delayed": "delayed", "delivered": "delivered"}


def headline(item: q.HistoryItem, now: datetime) -> str:
    """How it ended, and when."""
    when = wording.ago(item.left_at, now)
    by = f" by {item.acted_by}" if item.acted_by else ""
    match item.result:
        case "delivered":
            return f"Taken by {item.server or 'the other server'} {when}"
        case "returned":
            return f"Taken {when}, and reported as failed later"
        case "dropped":
            return f"Dropped{by} {when}"
        case _:
            return f"Given up{by} {when}"


def doubt_text(item: q.HistoryItem) -> str:
    """Empty when there is none."""
    if not item.unconfirmed:
        return ""
    times = wording.count(item.unconfirmed, "time")
    what = "more than once" if item.result in {"delivered", "returned"} else "all the same"
    return f"It was sent {times} without an answer, so it may have arrived {what}."


def path_text(item: q.HistoryItem) -> str:
    way = f"By {item.transport}" if item.transport else "Directly to the other server"
    reason = f": {item.transport_reason}" if item.transport_reason else ""
    return f"{way}{reason}"


def report_text(report: q.CameBack) -> str:
    """`came back later: could not be delivered (5.1.1)`."""
    code = f" ({report.status})" if report.status else ""
    unsure = "" if report.certain else " – it fits, but nothing proves that it belongs here"
    return f"{_CAME_BACK.get(report.kind, report.kind)}{code}{unsure}"


def total_text(page: q.History) -> str:
    many = "more than " if page.total >= page.counted > 0 else ""
    kept = f"; kept for {wording.count(page.days, 'day')}" if page.days else ""
    return f"{many}{wording.count(page.total, 'message')}{kept}"

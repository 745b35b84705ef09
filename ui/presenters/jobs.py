"""Long work in words: how far, how fast, how long still, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.api import types as t
from ui.presenters import wording

SHOWN_PROBLEMS = 5
SLOW = 10.0  # a second; below, a digit behind the point says more


@dataclass(frozen=True, slots=True)
class End:
    icon: str
    tone: str
    text: str


def headline(jobs: Sequence[t.Job]) -> str:
    running = [job for job in jobs if job.state == "running"]
    if not running:
        return f"{wording.count(len(jobs), 'task')} ended"
    first = running[0]
    share = f" {100 * first.done // first.total} %" if first.total else ""
    name = first.title or first.kind
    return (name if len(running) == 1 else f"{len(running)} tasks") + share


def facts(job: t.Job) -> str:
    parts = []
    if job.state == "running":
        if job.total:
            parts.append(f"{wording.number(job.done)} of {wording.number(job.total)}")
        if job.rate:
            rate = f"{job.rate:.1f}" if job.rate < SLOW else wording.number(round(job.rate))
            parts.append(f"{rate}/s")
        if job.remaining_s is not None:
            parts.append(f"about {wording.duration(job.remaining_s)} left")
    parts.append(job.text)
    return " · ".join(part for part in parts if part)


def end(job: t.Job) -> End:
    if job.state == "failed":
        return End("alert-circle", "error", "Failed")
    if job.state == "cancelled":
        return End("player-stop", "neutral", "Stopped")
    if job.problems:
        return End(
            "alert-triangle", "warn", f"{wording.count(len(job.problems), 'thing')} to look at"
        )
    return End("check", "ok", "Finished")

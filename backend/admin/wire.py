"""The server's values as the API's: one function for each kind."""

from datetime import UTC, datetime

from pydantic import JsonValue

from backend.admin.agents import program_of
from backend.api import types as t
from backend.core.events import SignedIn, TimelineEntry
from backend.core.problems import Problem
from backend.observe.days import DayCounters
from backend.observe.problems import OpenProblem
from backend.observe.ring import RingLine
from backend.observe.timeline import TraceRecord

_LEVELS: tuple[tuple[int, t.LevelName], ...] = (
    (40, "error"),
    (30, "warning"),
    (20, "info"),
    (0, "debug"),
)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def seconds(moment: datetime) -> float:
    """A time without a zone is UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def problem(value: Problem, since: float | None = None) -> t.Problem:
    return t.Problem(
        code=value.code,
        message=value.message,
        path=value.path,
        fix=value.fix,
        severity=value.severity.value,
        file=value.file,
        line=value.line,
        subject=value.subject,
        params=value.params,
        since=None if since is None else at(since),
    )


def open_problem(value: OpenProblem) -> t.Problem:
    return problem(value.problem, value.since)


def timeline_step(value: TimelineEntry) -> t.TimelineStep:
    return t.TimelineStep(
        at=at(value.at), kind=value.kind, text=value.text, details=dict(value.details)
    )


def trace_summary(value: TraceRecord) -> t.TraceSummary:
    first, last = value.entries[0], value.entries[-1]
    direction: str = value.direction
    return t.TraceSummary(
        trace=value.trace,
        started_at=at(first.at),
        last_at=at(last.at),
        direction="in" if direction == "in" else "out" if direction == "out" else "",
        sender=value.sender,
        recipients=list(value.recipients),
        outcome=last.kind,
        text=last.text,
    )


def sign_in(value: SignedIn, number: int = 0) -> t.SignInEntry:
    return t.SignInEntry(
        number=number,
        at=at(value.at),
        account=value.account,
        address=value.address,
        protocol=value.protocol,
        peer=value.peer,
        succeeded=value.succeeded,
        mechanism=value.mechanism,
        encrypted=value.encrypted,
        client=program_of(value.client),
    )


def log_line(value: RingLine) -> t.LogLine:
    level = next(name for number, name in _LEVELS if value.level >= number)
    fields: dict[str, JsonValue] = {
        key: item if isinstance(item, int | float | bool) or item is None else str(item)
        for key, item in value.fields.items()
    }
    return t.LogLine(
        seq=value.seq,
        at=at(value.at),
        level=level,
        logger=value.logger,
        message=value.message,
        fields=fields,
        trace=value.trace,
    )


def counters(day: DayCounters, *, waiting: int, held: int) -> t.Counters:
    return t.Counters(
        received=day.received,
        delivered=day.delivered,
        rejected=day.rejected,
        submitted=day.submitted,
        sent=day.sent,
        bounced=day.bounced,
        sign_ins=day.sign_ins,
        sign_in_failures=day.sign_in_failures,
        queue_waiting=waiting,
        queue_held=held,
    )

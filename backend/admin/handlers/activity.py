"""What happened: timelines, the log's last lines, sign-ins."""

import logging

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.api import types as t
from backend.core.errors import NotFoundError
from backend.core.ids import TraceId
from backend.core.problems import Problem
from backend.observe.ring import LineFilter
from backend.runtime.threads import Pool, run_blocking

_LEVELS: dict[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


async def timeline(call: Call) -> t.Timeline:
    query = call.query(t.TimelineQuery)
    found = call.services.activity.timeline.recent(limit=query.limit, text=query.text)
    return t.Timeline(items=[wire.trace_summary(record) for record in found])


async def trace(call: Call) -> t.Trace:
    kept = call.services.activity.timeline
    wanted = TraceId(call.path("trace"))
    record = kept.find(wanted)
    if record is None:
        record = await run_blocking(Pool.FILES, kept.find_on_disk, wanted)
    if record is None:
        raise NotFoundError(
            Problem(
                code="trace.unknown",
                message=f"Nothing is known (any more) of the message {wanted}.",
                fix="Search for an address or a Message-ID among the recent messages.",
            )
        )
    return t.Trace(
        summary=wire.trace_summary(record),
        steps=[wire.timeline_step(entry) for entry in record.entries],
    )


def line_filter(query: t.LogQuery) -> LineFilter:
    return LineFilter(level=_LEVELS[query.level], logger=query.logger, text=query.text)


async def log(call: Call) -> t.Log:
    query = call.query(t.LogQuery)
    ring, wanted = call.services.log_ring, line_filter(query)

    def read() -> t.Log:
        last_seq = ring.last_seq
        lines = ring.tail(limit=query.limit, wanted=wanted, after=query.after)
        return t.Log(lines=[wire.log_line(line) for line in lines], last_seq=last_seq)

    # A search reads the whole ring: some milliseconds too many for the event loop.
    return await run_blocking(Pool.FILES, read)


async def sign_ins(call: Call) -> t.SignIns:
    query = call.query(t.SignInQuery)
    found = call.services.activity.sign_ins.recent(
        limit=query.limit, account=query.account, failed=query.failed
    )
    return t.SignIns(items=[wire.sign_in(entry) for entry in found])


HANDLERS: dict[str, Handler] = {
    "timeline": timeline,
    "trace": trace,
    "log": log,
    "sign_ins": sign_ins,
}

"""What happened: timelines, the log's last lines, sign-ins."""

import logging
from dataclasses import replace

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.admin.services import Services
from backend.admin.trace_words import judge
from backend.api import signins as si
from backend.api import types as t
from backend.core.errors import NotFoundError, UserError
from backend.core.ids import QueueId, TraceId
from backend.core.problems import Problem
from backend.observe.ring import LineFilter
from backend.observe.signins import SignInFilter, by_address, matching
from backend.observe.timeline import Position, TraceRecord
from backend.observe.wanted import read
from backend.outbound.history_listing import find_past
from backend.outbound.listing import find_item
from backend.runtime.threads import Pool, run_blocking

MAX_DIGITS = 18  # of a queue number
MAX_LINKED_STEPS = 60
MAX_LINKS = 8

_LEVELS: dict[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


async def timeline(call: Call) -> t.Timeline:
    query, services = call.query(t.TimelineQuery), call.services
    kept = services.activity.timeline
    wanted = read(query.text)
    before = _position(query.cursor)
    if wanted.kind == "queue number":
        wanted = replace(wanted, traces=await _traces_of(services, wanted.text))
    known = kept.snapshot()
    page = await run_blocking(
        Pool.FILES, lambda: kept.page(known, wanted, limit=query.limit, before=before)
    )
    return t.Timeline(
        items=[wire.trace_summary(record) for record in page.records],
        understood=wanted.kind,
        next="" if page.next is None else f"{page.next[0]!r} {page.next[1]}",
    )


def _position(cursor: str) -> Position | None:
    if not cursor:
        return None
    number, _, trace = cursor.partition(" ")
    try:
        return float(number), trace
    except ValueError:
        raise UserError(
            Problem(
                code="list.cursor",
                path="/cursor",
                message="This list can't be continued from there.",
                fix="Begin with its first page again.",
            )
        ) from None


async def _traces_of(services: Services, number: str) -> frozenset[str]:
    """What the queue or its history has by this number, whatever the steps say."""
    if len(number) > MAX_DIGITS:
        return frozenset()
    queue = services.outbound.queue
    waiting = await find_item(queue, QueueId(int(number)))
    if waiting is not None:
        return frozenset({waiting.item.trace})
    past = await find_past(queue, QueueId(int(number)))
    return frozenset({past.past.trace} if past is not None else ())


async def trace(call: Call) -> t.Trace:
    services = call.services
    kept = services.activity.timeline
    wanted = TraceId(call.path("trace"))
    record = kept.find(wanted)
    # What memory has may have lost its first steps when the server was started anew.
    if record is None or not record.is_whole:
        record = await run_blocking(Pool.FILES, kept.find_on_disk, wanted) or record
    if record is None:
        raise NotFoundError(
            Problem(
                code="trace.unknown",
                message=f"Nothing is known (any more) of the message {wanted}.",
                fix="Search for an address or a Message-ID among the recent messages.",
            )
        )
    verdict = judge(record)
    return t.Trace(
        summary=wire.trace_summary(record),
        steps=[wire.timeline_step(entry) for entry in record.entries],
        tone=verdict.tone,
        sentence=verdict.sentence,
        question=verdict.question,
        reasons=list(verdict.reasons),
        links=await _links(services, record),
        over=verdict.over,
    )


async def _links(services: Services, record: TraceRecord) -> list[t.TraceLink]:
    """To where more is to be found; only to what is still there."""
    queue, accounts = services.outbound.queue, services.config.current.domains.accounts
    found: dict[str, t.TraceLink] = {}

    def put(title: str, path: str, icon: str) -> None:
        found.setdefault(path, t.TraceLink(title=title, path=path, icon=icon))

    for entry in record.entries[-MAX_LINKED_STEPS:]:
        details = entry.details
        number = details.get("queue_id", "")
        if number.isdecimal() and len(number) <= MAX_DIGITS:
            path = f"/queue/{number}"
            if path in found or f"/queue/history/{number}" in found:
                continue
            if await find_item(queue, QueueId(int(number))) is not None:
                put(f"Queue: {details.get('recipient', number)}", path, "mail-forward")
            elif await find_past(queue, QueueId(int(number))) is not None:
                title = f"History: {details.get('recipient', number)}"
                put(title, f"/queue/history/{number}", "history")
        if (other := details.get("message") or details.get("report")) and other != record.trace:
            title = "The message it is about" if details.get("message") else "The report"
            put(title, f"/activity/{other}", "mail")
        if (account := details.get("account", "")) in accounts:
            put(f"Account {account}", f"/accounts/{account}", "user")
        if len(found) >= MAX_LINKS:
            break
    session = next((s for each in record.entries if (s := each.details.get("session"))), "")
    put("Log lines of this session", f"/log/{session or record.trace}", "terminal-2")
    return list(found.values())


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


async def sign_ins(call: Call) -> si.SignIns:
    query = call.query(si.SignInQuery)
    wanted = SignInFilter(
        account=query.account,
        peer=query.peer,
        protocol=query.protocol,
        succeeded=False if query.failed else query.succeeded,
        text=query.search,
        since=query.since.timestamp() if query.since is not None else 0.0,
    )
    entries = call.services.activity.sign_ins.snapshot()
    found = await run_blocking(Pool.FILES, matching, entries, wanted)
    shown = found[query.offset : query.offset + query.limit]
    return si.SignIns(
        items=[wire.sign_in(entry, number) for number, entry in shown], total=len(found)
    )


async def sign_in_sources(call: Call) -> si.SignInSources:
    query = call.query(si.SignInSourceQuery)
    entries = call.services.activity.sign_ins.snapshot()
    found = await run_blocking(Pool.FILES, by_address, entries, query.search)
    return si.SignInSources(
        items=[
            si.SignInSource(
                peer=one.peer,
                count=one.count,
                first_at=wire.at(one.first_at),
                last_at=wire.at(one.last_at),
                names=one.names,
                protocols=one.protocols,
                succeeded=one.succeeded,
            )
            for one in found[query.offset : query.offset + query.limit]
        ],
        total=len(found),
    )


HANDLERS: dict[str, Handler] = {
    "timeline": timeline,
    "trace": trace,
    "log": log,
    "sign_ins": sign_ins,
    "sign_in_sources": sign_in_sources,
}

"""Server-sent events: everything that happens, and the log as it is written.

A comment every fifteen seconds keeps the line alive; a session that has ended ends its streams.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from aiohttp import web

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.admin.faults import DeniedError
from backend.admin.handlers.activity import line_filter
from backend.api import types as t
from backend.api.routes import EVENT_STREAM
from backend.observe.ring import RingLine

HEARTBEAT_S = 15.0
WRITE_TIMEOUT_S = 30.0
MAX_WAITING_LINES = 2_000  # of the log, for one reader, a security limit
GATHER_LINES_S = 0.1


async def events(call: Call) -> web.StreamResponse:
    wanted = [topic for topic in call.query(t.EventsQuery).topics.split(",") if topic]
    unknown = [topic for topic in wanted if topic not in t.TOPICS]
    if unknown:
        raise DeniedError(
            422,
            "events.topic",
            f"There is no topic “{unknown[0]}”.",
            fix=f"Topics are: {', '.join(t.TOPICS)}.",
            path="/topics",
        )
    feed = call.services.feed
    reader = feed.subscribe(wanted, call.request.headers.get("Last-Event-ID", ""))
    if reader is None:
        raise DeniedError(503, "events.too_many", "Too many streams are open already.")
    try:
        return await _stream(call, reader.texts)
    finally:
        reader.close()


async def log_stream(call: Call) -> web.StreamResponse:
    query = call.query(t.LogQuery)
    ring = call.services.log_ring
    wanted = line_filter(query)
    waiting: deque[RingLine] = deque(maxlen=MAX_WAITING_LINES)
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_line(line: RingLine) -> None:
        # On whatever thread writes the log.
        if wanted.accepts(line):
            waiting.append(line)
            if not loop.is_closed():
                loop.call_soon_threadsafe(arrived.set)

    after = query.after
    resumed = call.request.headers.get("Last-Event-ID", "")
    if resumed.isdecimal() and len(resumed) < 18:
        after = int(resumed)

    stop = ring.listen(on_line)
    first = ring.tail(limit=query.limit, wanted=wanted, after=after)
    last_seq = first[-1].seq if first else after

    async def texts() -> str:
        nonlocal first, last_seq
        lines, first = first, []
        if not lines:
            await arrived.wait()
            await asyncio.sleep(GATHER_LINES_S)  # lines come in crowds
            arrived.clear()
        while waiting:
            line = waiting.popleft()
            if line.seq > last_seq:
                last_seq = line.seq
                lines.append(line)
        return "".join(
            f"id: {line.seq}\ndata: {wire.log_line(line).model_dump_json()}\n\n" for line in lines
        )

    try:
        return await _stream(call, texts)
    finally:
        stop()


async def _stream(call: Call, texts: Callable[[], Awaitable[str]]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": EVENT_STREAM, "X-Accel-Buffering": "no"})
    await response.prepare(call.request)
    feed = call.services.feed
    text = ": connected\n\n"
    try:
        while True:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await response.write(text.encode())
            if feed.is_closed or not _may_go_on(call):
                break
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    text = await texts()
            except TimeoutError:
                text = ": still here\n\n"
    except (ConnectionError, TimeoutError):
        # The reader is gone, or it has stopped reading: an orderly end would wait for it.
        if call.request.transport is not None:
            call.request.transport.abort()
    return response


def _may_go_on(call: Call) -> bool:
    session = None if call.caller is None else call.caller.session
    return session is None or call.access.sessions.is_open(session)


HANDLERS: dict[str, Handler] = {"events": events, "log_stream": log_stream}

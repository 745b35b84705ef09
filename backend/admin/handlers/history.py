"""What has left the queue."""

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.admin.handlers.queue import attempt
from backend.api import queue as q
from backend.core.errors import NotFoundError
from backend.core.ids import QueueId
from backend.core.problems import Problem
from backend.outbound.history_listing import MAX_COUNTED, Past, PastFilter, find_past, list_past
from backend.outbound.in_short import in_short
from backend.outbound.paging import read_cursor, write_cursor

_ORDER = "history"


def _item(past: Past) -> q.HistoryItem:
    result: q.HistoryResult = past.outcome.value
    return q.HistoryItem(
        id=past.id,
        trace=past.trace,
        account=past.account,
        sender=past.sender,
        recipient=past.recipient,
        subject=past.subject,
        message_id=past.message_id,
        size_bytes=past.size_bytes,
        created_at=wire.at(past.created_at),
        left_at=wire.at(past.left_at),
        attempts=past.attempts,
        result="returned" if result == "delivered" and past.came_back == "failed" else result,
        acted_by=past.acted_by,
        transport=past.transport,
        transport_reason=past.reason,
        last_answer=past.last_answer,
        server=past.remote_mta,
        came_back=past.came_back,
        unconfirmed=past.unconfirmed,
        answer_in_short=in_short(past.last_answer),
    )


async def history(call: Call) -> q.History:
    query, outbound = call.query(q.HistoryQuery), call.services.outbound
    page = await list_past(
        outbound.queue,
        PastFilter(
            result=query.result,
            account=query.account,
            sender=query.sender,
            recipient=query.recipient,
            domain=query.domain,
            trace=query.trace,
            text=query.text,
            since=None if query.since is None else wire.seconds(query.since),
            until=None if query.until is None else wire.seconds(query.until),
        ),
        after=read_cursor(_ORDER, query.cursor),
        limit=query.limit,
    )
    return q.History(
        items=[_item(past) for past in page.items],
        total=min(page.total, MAX_COUNTED),
        counted=MAX_COUNTED,
        next=write_cursor(_ORDER, page.next),
        days=call.services.config.current.server.outbound.history_days,
    )


async def history_item(call: Call) -> q.HistoryDetail:
    detail = await find_past(call.services.outbound.queue, QueueId(call.number("id")))
    if detail is None:
        raise NotFoundError(
            Problem(
                code="history.unknown",
                message=f"There is no message {call.path('id')} in the history (any more).",
                fix="It may still be in the queue, or its days are over (“history_days”).",
            )
        )
    return q.HistoryDetail(
        item=_item(detail.past),
        attempts=[attempt(entry) for entry in detail.attempts],
        reports=[
            q.CameBack(
                at=wire.at(report.at),
                kind=report.kind,
                status=report.status,
                text=report.text,
                reporter=report.reporter,
                trace=report.trace,
                certain=report.certain,
            )
            for report in detail.came_back
        ],
    )


HANDLERS: dict[str, Handler] = {"history": history, "history_item": history_item}

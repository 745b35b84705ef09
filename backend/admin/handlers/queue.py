"""The outgoing queue."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.api import queue as q
from backend.api import types as t
from backend.api.delivery import ChooseTransport
from backend.api.tls import ChooseTls
from backend.core.errors import ConflictError, NotFoundError, UserError
from backend.core.ids import QueueId
from backend.core.problems import Problem
from backend.outbound import actions
from backend.outbound.actions import Acted, Before, Target
from backend.outbound.asked import in_words, moment
from backend.outbound.catalogue import unknown_transport
from backend.outbound.entries import Detail, Item, LoggedTry, State
from backend.outbound.in_short import in_short
from backend.outbound.listing import Filter, find_content, find_item, list_groups, list_items
from backend.outbound.paging import read_cursor, write_cursor
from backend.outbound.queue import Queue
from backend.outbound.route import DIRECT
from backend.outbound.service import Outbound
from backend.outbound.transport import TlsChoice

# The API's word for each state that the list can show.
_STATES: dict[State, t.QueueState] = {
    State.LOCAL: "sending",
    State.WAITING: "waiting",
    State.HELD: "held",
    State.SENDING: "sending",
    State.DONE: "done",
    State.FAILED: "failed",
}


def _item(outbound: Outbound, item: Item) -> t.QueueItem:
    state, note = _STATES[item.state], item.note
    if item.state is State.LOCAL and item.attempts == 0:
        # Such are listed only while they wait for the time that their sender chose.
        state = "waiting"
    is_for_later = (
        state in {"waiting", "held"}
        and item.attempts == 0
        and item.next_attempt_at == item.release_at
    )
    if is_for_later:
        note = "; ".join(filter(None, (note, f"will be sent on {moment(item.release_at)}")))
    transport, reason = item.transport, item.transport_reason
    if item.state in {State.WAITING, State.HELD}:
        choice = outbound.choices.explain(item)
        transport, reason = choice.transport, choice.reason
    return t.QueueItem(
        id=item.id,
        trace=item.trace,
        account=item.account,
        sender=item.sender,
        recipient=item.recipient,
        size_bytes=item.size_bytes,
        state=state,
        note=note,
        created_at=wire.at(item.created_at),
        next_attempt_at=wire.at(item.next_attempt_at) if state == "waiting" else None,
        send_at=wire.at(item.release_at) if is_for_later else None,
        attempts=item.attempts,
        last_answer=item.last_answer,
        transport=transport,
        transport_reason=reason,
        transport_chosen=item.override is not None,
        tls_choice=item.tls_choice.value,
        unconfirmed=item.unconfirmed,
        max_attempts=item.max_attempts,
        subject=item.subject,
        hold_rule=item.hold_rule,
        answer_in_short=in_short(item.last_answer),
    )


def attempt(entry: LoggedTry) -> t.Attempt:
    return t.Attempt(
        at=wire.at(entry.at),
        duration_ms=entry.entry.duration_ms,
        host=entry.entry.host,
        ip=entry.entry.ip,
        tls=entry.entry.tls,
        succeeded=entry.entry.succeeded,
        answer=entry.entry.answer,
        transport=entry.transport,
        reason=entry.reason,
        excerpt=entry.entry.excerpt,
        policy=entry.entry.policy,
        in_short=in_short(entry.entry.answer),
    )


def _filter(given: t.QueueFilter, now: float) -> Filter | None:
    """None when nothing can match: what is done or dropped is not in the queue any more."""
    if given.state in {"done", "dropped"}:
        return None
    return Filter(
        state=State(given.state) if given.state else None,
        account=given.account,
        domain=given.domain,
        text=given.text,
        rule=given.rule,
        problem=given.problem,
        released_after=now if given.later else None,
    )


async def queue(call: Call) -> t.QueueList:
    query = call.query(t.QueueQuery)
    shown = _filter(query, call.services.outbound.queue.now())
    if shown is None:
        return t.QueueList(items=[], total=0)
    order = f"queue {query.sort} {query.descending}"
    page = await list_items(
        call.services.outbound.queue,
        shown,
        sort=query.sort,
        descending=query.descending,
        after=read_cursor(order, query.cursor),
        offset=query.offset,
        limit=query.limit,
    )
    counts = page.counts
    return t.QueueList(
        items=[_item(call.services.outbound, item) for item in page.items],
        total=page.total,
        waiting=counts.waiting + counts.sending,
        held=counts.held,
        sending=counts.sending,
        failed=counts.failed,
        problem=counts.problem,
        unconfirmed=counts.unconfirmed,
        next=write_cursor(order, page.next),
    )


async def queue_groups(call: Call) -> q.QueueGroups:
    return q.QueueGroups(
        items=[
            q.QueueGroup(
                domain=group.domain,
                count=group.count,
                held=group.held,
                next_attempt_at=None
                if group.next_attempt_at is None
                else wire.at(group.next_attempt_at),
                answer=group.answer,
                problem=group.problem,
                answer_in_short=in_short(group.answer),
            )
            for group in await list_groups(call.services.outbound.queue)
        ]
    )


async def queue_message(call: Call) -> web.StreamResponse:
    number = call.number("id")
    content = await find_content(call.services.outbound.queue, QueueId(number))
    if content is None:
        raise _not_queued(number)
    # SECURITY: written by a stranger to this page, so it is never shown as a part of it.
    headers = {"Content-Disposition": f'attachment; filename="message-{number}.eml"'}
    if isinstance(content, bytes):
        return web.Response(body=content, content_type="message/rfc822", headers=headers)
    return web.FileResponse(content, headers={**headers, "Content-Type": "message/rfc822"})


async def find_queued(queue: Queue, number: int) -> Detail:
    """Raises:
    NotFoundError: it is not in the queue (any more).
    """
    detail = await find_item(queue, QueueId(number))
    if detail is None:
        raise _not_queued(number)
    return detail


def _not_queued(number: int) -> NotFoundError:
    return NotFoundError(
        Problem(
            code="queue.unknown",
            message=f"There is no message {number} in the queue (any more).",
            fix=f"What became of it stands in the history: gatepost queue history {number}.",
        )
    )


async def queue_item(call: Call) -> t.QueueDetail:
    outbound = call.services.outbound
    detail = await find_queued(outbound.queue, call.number("id"))
    choice = outbound.choices.explain(detail.item)
    transport = "direct delivery" if choice.transport == DIRECT else f"“{choice.transport}”"
    return t.QueueDetail(
        item=_item(outbound, detail.item),
        attempts=[attempt(entry) for entry in detail.attempts],
        route=f"The next attempt goes by {transport}. {choice.reason}."
        if detail.item.state is not State.LOCAL
        else "It goes into a mailbox on this server.",
        route_steps=[str(step) for step in choice.steps],
        headers=detail.header.decode("utf-8", "replace"),
        asked=in_words(detail.asked, detail.wish, released_at=detail.item.release_at),
    )


async def choose_transport(call: Call) -> q.QueueActed:
    body, services = call.body(ChooseTransport), call.services
    name = body.transport
    if name not in {None, DIRECT} and name not in services.config.current.domains.transports:
        raise unknown_transport(str(name))
    target = await _target(call, body)
    return acted(await actions.choose_transport(services.outbound.queue, target, name))


async def choose_tls(call: Call) -> q.QueueActed:
    body = call.body(ChooseTls)
    target = await _target(call, body)
    queue = call.services.outbound.queue
    return acted(await actions.choose_tls(queue, target, TlsChoice(body.tls)))


async def limit_attempts(call: Call) -> q.QueueActed:
    body = call.body(q.LimitAttempts)
    target = await _target(call, body)
    return acted(await actions.limit_attempts(call.services.outbound.queue, target, body.attempts))


async def postpone(call: Call) -> q.QueueActed:
    body, queue = call.body(q.Postpone), call.services.outbound.queue
    if (body.until is None) == (body.seconds == 0):
        raise UserError(
            Problem(
                code="queue.postpone",
                path="/until",
                message="Say until when, or for how many seconds.",
                fix="Give one of the two.",
            )
        )
    until = queue.now() + body.seconds
    if body.until is not None:
        moment = body.until if body.until.tzinfo else body.until.replace(tzinfo=UTC)
        until = moment.timestamp()
    return acted(await actions.postpone(queue, await _target(call, body), until))


async def undo_queue(call: Call) -> q.QueueActed:
    before = [
        Before(
            id=QueueId(each.id),
            state=State(each.state),
            next_attempt_at=each.next_attempt_at.timestamp(),
            override=each.transport,
            tls_choice=TlsChoice(each.tls),
            max_attempts=each.attempts,
            note=each.note,
            hold_rule=each.hold_rule,
        )
        for each in call.body(q.UndoQueue).before
    ]
    return acted(await actions.undo(call.services.outbound.queue, before))


def acted(done: Acted) -> q.QueueActed:
    return q.QueueActed(
        changed=len(done.changed),
        missing=list(done.missing),
        before=[
            q.QueueBefore(
                id=each.id,
                state="held" if each.state is State.HELD else "waiting",
                next_attempt_at=datetime.fromtimestamp(each.next_attempt_at, UTC),
                transport=each.override,
                tls=each.tls_choice.value,
                attempts=each.max_attempts,
                note=each.note,
                hold_rule=each.hold_rule,
            )
            for each in done.before
        ],
    )


async def _target(call: Call, body: q.QueueIds) -> Target:
    """Raises:
    ConflictError: more match by now than the person was shown.
    """
    if body.matching is None:
        return [QueueId(number) for number in body.ids]
    shown = _filter(body.matching, call.services.outbound.queue.now())
    if shown is None:
        return []
    if body.at_most is not None:
        count = await actions.count_matching(call.services.outbound.queue, shown)
        if count > body.at_most:
            raise ConflictError(
                Problem(
                    code="queue.more_match",
                    path="/at_most",
                    message=f"{count} messages match by now, not {body.at_most}. Nothing was done.",
                    fix="Look at the list again, then repeat it.",
                )
            )
    return shown


_Act = Callable[[Queue, Target, str], Awaitable[Acted]]


def _acting(act: _Act) -> Handler:
    async def handler(call: Call) -> q.QueueActed:
        target = await _target(call, call.body(q.QueueIds))
        return acted(await act(call.services.outbound.queue, target, call.author))

    return handler


HANDLERS: dict[str, Handler] = {
    "queue": queue,
    "queue_groups": queue_groups,
    "queue_item": queue_item,
    "queue_message": queue_message,
    "kick": _acting(lambda queue, target, _: actions.kick(queue, target)),
    "hold": _acting(lambda queue, target, _: actions.hold(queue, target)),
    "release": _acting(lambda queue, target, _: actions.release(queue, target)),
    "drop": _acting(lambda queue, target, by: actions.drop(queue, target, by=by)),
    "fail": _acting(lambda queue, target, by: actions.fail(queue, target, by=by)),
    "choose_transport": choose_transport,
    "choose_tls": choose_tls,
    "limit_attempts": limit_attempts,
    "postpone": postpone,
    "undo_queue": undo_queue,
}

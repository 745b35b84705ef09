"""The outgoing queue."""

from collections.abc import Awaitable, Callable, Sequence

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.api import types as t
from backend.api.delivery import ChooseTransport
from backend.api.tls import ChooseTls
from backend.core.errors import NotFoundError
from backend.core.ids import QueueId
from backend.core.problems import Problem
from backend.outbound.acts import Acted
from backend.outbound.asked import in_words, moment
from backend.outbound.catalogue import unknown_transport
from backend.outbound.entries import Detail, Item, State
from backend.outbound.listing import Filter, find_item, list_items
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
        choice = outbound.explain(item)
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
    )


async def queue(call: Call) -> t.QueueList:
    query = call.query(t.QueueQuery)
    if query.state in {"done", "dropped"}:  # such are not in the queue any more
        return t.QueueList(items=[], total=0)
    page = await list_items(
        call.services.outbound.queue,
        Filter(
            state=State(query.state) if query.state else None,
            account=query.account,
            domain=query.domain,
            text=query.text,
        ),
        sort=query.sort,
        descending=query.descending,
        offset=query.offset,
        limit=query.limit,
    )
    return t.QueueList(
        items=[_item(call.services.outbound, item) for item in page.items],
        total=page.total,
        waiting=page.waiting,
        held=page.held,
        unconfirmed=page.unconfirmed,
    )


async def find_queued(queue: Queue, number: int) -> Detail:
    """Raises:
    NotFoundError: it is not in the queue (any more).
    """
    detail = await find_item(queue, QueueId(number))
    if detail is None:
        raise NotFoundError(
            Problem(
                code="queue.unknown",
                message=f"There is no message {number} in the queue (any more).",
                fix="Its timeline tells what became of it.",
            )
        )
    return detail


async def queue_item(call: Call) -> t.QueueDetail:
    outbound = call.services.outbound
    detail = await find_queued(outbound.queue, call.number("id"))
    choice = outbound.explain(detail.item)
    transport = "direct delivery" if choice.transport == DIRECT else f"“{choice.transport}”"
    return t.QueueDetail(
        item=_item(outbound, detail.item),
        attempts=[
            t.Attempt(
                at=wire.at(entry.at),
                duration_ms=entry.entry.duration_ms,
                host=entry.entry.host,
                ip=entry.entry.ip,
                tls=entry.entry.tls,
                succeeded=entry.entry.succeeded,
                answer=entry.entry.answer,
                transport=entry.transport,
                reason=entry.reason,
                policy=entry.entry.policy,
            )
            for entry in detail.attempts
        ],
        route=f"The next attempt goes by {transport}. {choice.reason}."
        if detail.item.state is not State.LOCAL
        else "It goes into a mailbox on this server.",
        route_steps=[str(step) for step in choice.steps],
        headers=detail.header.decode("utf-8", "replace"),
        asked=in_words(detail.asked, detail.wish, released_at=detail.item.release_at),
    )


async def choose_transport(call: Call) -> t.QueueActed:
    body, services = call.body(ChooseTransport), call.services
    name = body.transport
    if name not in {None, DIRECT} and name not in services.config.current.domains.transports:
        raise unknown_transport(str(name))
    ids = [QueueId(number) for number in body.ids]
    acted = await services.outbound.queue.choose_transport(ids, name)
    return t.QueueActed(changed=len(acted.changed), missing=list(acted.missing))


async def choose_tls(call: Call) -> t.QueueActed:
    body = call.body(ChooseTls)
    ids = [QueueId(number) for number in body.ids]
    acted = await call.services.outbound.queue.choose_tls(ids, TlsChoice(body.tls))
    return t.QueueActed(changed=len(acted.changed), missing=list(acted.missing))


_Act = Callable[[Queue, Sequence[QueueId]], Awaitable[Acted]]


def _acting(act: _Act) -> Handler:
    async def handler(call: Call) -> t.QueueActed:
        ids = [QueueId(number) for number in call.body(t.QueueIds).ids]
        acted = await act(call.services.outbound.queue, ids)
        return t.QueueActed(changed=len(acted.changed), missing=list(acted.missing))

    return handler


HANDLERS: dict[str, Handler] = {
    "queue": queue,
    "queue_item": queue_item,
    "kick": _acting(lambda queue, ids: queue.kick(ids)),
    "hold": _acting(lambda queue, ids: queue.hold(ids)),
    "release": _acting(lambda queue, ids: queue.release(ids)),
    "drop": _acting(lambda queue, ids: queue.drop(ids)),
    "choose_transport": choose_transport,
    "choose_tls": choose_tls,
    "fail": _acting(lambda queue, ids: queue.fail(ids)),
}

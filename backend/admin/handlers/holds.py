"""Hold rules, pausing, and addresses that no mail is sent to."""

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.admin.handlers.queue import acted
from backend.api import queue as q
from backend.api import types as t
from backend.core.address import AddressError, parse_address
from backend.core.errors import NotFoundError, UserError
from backend.core.problems import Problem
from backend.outbound import suppressions
from backend.outbound.history import DAY_S
from backend.outbound.holds import PAUSE, count_held
from backend.outbound.paging import read_cursor, write_cursor

_ORDER = "suppressions"


async def hold_rules(call: Call) -> q.HoldRules:
    services = call.services
    held = await count_held(services.outbound.queue)
    rules = services.hold_rules.rules
    items = [
        q.HoldRule(
            name=name,
            settings=q.HoldRuleSettings.model_validate(rule.model_dump()),
            held=held.get(name, 0),
        )
        for name, rule in rules.items()
    ]
    items += [
        q.HoldRule(name=name, held=count)
        for name, count in held.items()
        if name and name not in rules
    ]
    return q.HoldRules(
        items=items,
        held_by_hand=held.get("", 0),
        paused=services.hold_rules.paused,
        pause_rule=PAUSE,
    )


async def add_hold_rule(call: Call) -> q.QueueActed:
    body, rules = call.body(q.AddHoldRule), call.services.hold_rules
    settings = body.settings.model_dump(exclude_defaults=True)
    await rules.add(body.name, settings, author=call.author)
    return acted(await rules.apply(body.name)) if body.apply else q.QueueActed(changed=0)


async def apply_hold_rule(call: Call) -> q.QueueActed:
    return acted(await call.services.hold_rules.apply(call.path("rule")))


async def remove_hold_rule(call: Call) -> q.QueueActed:
    release = call.query(q.RemoveHoldRule).release
    rules = call.services.hold_rules
    return acted(await rules.remove(call.path("rule"), release=release, author=call.author))


async def pause_sending(call: Call) -> q.QueueActed:
    comment = call.body(q.PauseSending).comment
    return acted(await call.services.hold_rules.pause(comment, author=call.author))


async def resume_sending(call: Call) -> q.QueueActed:
    return acted(await call.services.hold_rules.resume(author=call.author))


async def list_suppressions(call: Call) -> q.Suppressions:
    query, queue = call.query(q.SuppressionQuery), call.services.outbound.queue
    page = await suppressions.list_suppressions(
        queue.database,
        queue.now(),
        account=query.account,
        text=query.text,
        automatic=query.automatic,
        after=read_cursor(_ORDER, query.cursor),
        limit=query.limit,
    )
    return q.Suppressions(
        items=[
            q.Suppression(
                account=each.account,
                address=each.address,
                id=f"{each.address} for {each.account}" if each.account else each.address,
                automatic=each.automatic,
                reason=each.reason,
                trace=each.trace,
                since=wire.at(each.since),
                until=None if each.ends_at is None else wire.at(each.ends_at),
            )
            for each in page.items
        ],
        total=page.total,
        next=write_cursor(_ORDER, page.next),
        days=call.services.config.current.server.outbound.suppression_days,
    )


async def add_suppression(call: Call) -> t.Empty:
    body, queue = call.body(q.AddSuppression), call.services.outbound.queue
    try:
        address = str(parse_address(body.address))
    except AddressError as error:
        raise UserError(
            Problem(
                code="suppression.address",
                path="/address",
                message=f"“{body.address}” is no address: {error}.",
                fix="Enter one such as bo@example.net.",
            )
        ) from None
    account = call.services.accounts.find_account(body.account) if body.account else ""
    now = queue.now()
    ends_at = now + body.days * DAY_S if body.days else None
    if body.until is not None:
        ends_at = wire.seconds(body.until)
    await queue.database.write(
        lambda tx: suppressions.suppress(
            tx,
            account,
            address,
            reason=body.reason,
            automatic=body.automatic,
            now=now,
            trace=body.trace,
            ends_at=ends_at,
        )
    )
    return t.Empty()


async def remove_suppressions(call: Call) -> q.Removed:
    keys = [(each.account, each.address) for each in call.body(q.RemoveSuppressions).items]
    removed = await suppressions.remove(call.services.outbound.queue.database, keys)
    if not removed:
        raise NotFoundError(
            Problem(
                code="suppression.unknown",
                message="None of these addresses is suppressed (any more).",
                fix="See the list of suppressed addresses; an entry belongs to one account, or to all.",
            )
        )
    return q.Removed(removed=removed)


HANDLERS: dict[str, Handler] = {
    "hold_rules": hold_rules,
    "add_hold_rule": add_hold_rule,
    "apply_hold_rule": apply_hold_rule,
    "remove_hold_rule": remove_hold_rule,
    "pause_sending": pause_sending,
    "resume_sending": resume_sending,
    "suppressions": list_suppressions,
    "add_suppression": add_suppression,
    "remove_suppressions": remove_suppressions,
}

"""DKIM keys of a domain: list, add, sign with, change for new ones, remove."""

from datetime import datetime

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.api import dkim as d
from backend.mailauth.selectors import DomainKeys, RotationState, SelectorState


async def dkim(call: Call) -> d.Dkim:
    return await _reply(call, check=call.query(d.DkimQuery).check)


async def add_dkim_selector(call: Call) -> d.Dkim:
    body = call.body(d.AddDkimSelector)
    await call.services.dkim.add(
        call.path("domain"),
        name=body.name,
        algorithm=body.algorithm,
        sign=body.sign,
        author=call.author,
    )
    return await _reply(call)


async def choose_dkim_selectors(call: Call) -> d.Dkim:
    body = call.body(d.ChooseDkimSelectors)
    await call.services.dkim.set_signing(call.path("domain"), body.selectors, author=call.author)
    return await _reply(call)


async def rotate_dkim(call: Call) -> d.Dkim:
    body = call.body(d.RotateDkim)
    await call.services.dkim.rotate(
        call.path("domain"), hurry=body.skip_waiting, author=call.author
    )
    return await _reply(call)


async def remove_dkim_selector(call: Call) -> d.Dkim:
    query = call.query(d.RemoveDkimQuery)
    await call.services.dkim.remove(
        call.path("domain"),
        call.path("selector"),
        even_if_signing=query.even_if_signing,
        author=call.author,
    )
    return await _reply(call)


async def _reply(call: Call, *, check: bool = False) -> d.Dkim:
    return _domain(await call.services.dkim.describe(call.path("domain"), look_up=check))


def _domain(keys: DomainKeys) -> d.Dkim:
    rotation = keys.rotation
    return d.Dkim(
        domain=keys.domain,
        sign=list(keys.sign),
        selectors=[_selector(each) for each in keys.selectors],
        rotation=None if rotation is None else _rotation(rotation),
    )


def _selector(state: SelectorState) -> d.DkimSelector:
    record = d.DkimRecord(name=state.record_name, value=state.record, strings=list(state.strings))
    return d.DkimSelector(
        name=state.name,
        algorithm=state.algorithm,
        signs=state.signs,
        made_at=None if state.made_at is None else wire.at(state.made_at),
        record=record if state.record else None,
        in_dns=state.in_dns,
    )


def _rotation(state: RotationState) -> d.DkimRotation:
    due_at = None if state.due_at is None else wire.at(state.due_at)
    return d.DkimRotation(
        phase=state.phase,
        new=list(state.new),
        old=list(state.old),
        since=wire.at(state.since),
        due_at=due_at,
        next=_next(state, due_at),
    )


def _next(state: RotationState, due_at: datetime | None) -> str:
    new, old = ", ".join(state.new), ", ".join(state.old)
    when = "" if due_at is None else due_at.strftime("%Y-%m-%d %H:%M UTC")
    match state.phase:
        case "publish":
            return f"Publish the DNS records of {new}. As soon as they are seen there, the change goes on by itself."
        case "wait":
            return f"The records of {new} are in the DNS. From {when} on mail is signed with them; until then others may not see them yet."
        case "retire":
            return f"Mail is signed with {new}. Leave the DNS records of {old} until {when}, when their keys are removed here; then remove those records, too."


HANDLERS: dict[str, Handler] = {
    "dkim": dkim,
    "add_dkim_selector": add_dkim_selector,
    "choose_dkim_selectors": choose_dkim_selectors,
    "rotate_dkim": rotate_dkim,
    "remove_dkim_selector": remove_dkim_selector,
}

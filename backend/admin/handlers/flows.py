"""Wizards: begin, look, move, give up."""

from backend.admin.call import Call, Handler
from backend.admin.flows import engine
from backend.admin.handlers.forms import language_of
from backend.admin.language import Words, words_of
from backend.api import flows as w
from backend.api import types as t


def _words(call: Call) -> Words:
    return words_of(language_of(call))


async def flows(call: Call) -> w.Flows:
    return await engine.heads(call.services, _words(call))


async def begin_flow(call: Call) -> w.FlowStep:
    return await engine.begin(call.services, call.body(w.BeginFlow), _words(call), call.author)


async def flow(call: Call) -> w.FlowStep:
    return await engine.current(call.services, call.path("flow"), _words(call), call.author)


async def move_flow(call: Call) -> w.FlowStep:
    body = call.body(w.FlowMove)
    return await engine.move(call.services, call.path("flow"), body, _words(call), call.author)


async def give_up_flow(call: Call) -> t.Empty:
    await engine.give_up(call.services, call.path("flow"))
    return t.Empty()


HANDLERS: dict[str, Handler] = {
    "flows": flows,
    "begin_flow": begin_flow,
    "flow": flow,
    "move_flow": move_flow,
    "give_up_flow": give_up_flow,
}

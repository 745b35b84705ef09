"""The tester of routes: which way would a message take, or which takes one that waits? Also with rules not yet saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from backend.admin.call import Call, Handler
from backend.admin.handlers.queue import find_queued
from backend.api import delivery as w
from backend.config.routing import Route
from backend.core.address import AddressError, Domain, parse_address, parse_domain
from backend.core.errors import NotFoundError, UserError
from backend.core.problems import Problem
from backend.outbound.forecast import sentence, spans
from backend.outbound.route import DIRECT, Choice, Level
from backend.outbound.route_words import headline


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What is asked about, with all names as the settings spell them."""

    account: str
    sender_domain: str
    recipient_domain: str
    attempts: Sequence[int]
    override: str | None = None


async def evaluate_routes(call: Call) -> w.RouteEvaluation:
    body = call.body(w.RouteQuestion)
    case = _named(call, body) if body.queue_id is None else await _queued(call, body)
    drafts = _drafts(body.draft_routes) | _draft_lists(body.draft_lists, case)
    is_local = case.recipient_domain in call.services.config.current.domains.domains
    in_all = call.services.config.current.server.outbound.max_attempts
    ways = [_ask(call, case, attempts, drafts) for attempts in range(in_all)]
    found = spans(ways)
    return w.RouteEvaluation(
        account=case.account,
        sender_domain=case.sender_domain,
        recipient_domain=case.recipient_domain,
        is_local=is_local,
        answers=[
            _answer(number, _ask(call, case, number, drafts), case, is_local=is_local)
            for number in case.attempts
        ],
        notice="" if case.override is None else _notice(case.override),
        spans=[
            w.RouteSpan(first=s.first, last=s.last, transport=s.transport, known=s.known)
            for s in found
        ],
        forecast=sentence(found, in_all),
    )


def _ask(call: Call, case: _Case, attempts: int, drafts: Mapping[Level, Sequence[Route]]) -> Choice:
    return call.services.outbound.choices.evaluate(
        account=case.account,
        sender_domain=case.sender_domain,
        recipient_domain=case.recipient_domain,
        attempts=attempts,
        drafts=drafts,
        override=case.override,
    )


def _named(call: Call, body: w.RouteQuestion) -> _Case:
    if not body.recipient.strip():
        raise UserError(
            Problem(
                code="route.recipient",
                path="/to",
                message="The question names no recipient.",
                fix="Enter an address or domain, or choose a message in the queue.",
            )
        )
    return _Case(
        account=_account(call, body),
        sender_domain=_domain(body.sender, "/from"),
        recipient_domain=_domain(body.recipient, "/to"),
        attempts=body.attempts or (0,),
    )


async def _queued(call: Call, body: w.RouteQuestion) -> _Case:
    item = (await find_queued(call.services.outbound.queue, body.queue_id or 0)).item
    return _Case(
        account=str(item.account),
        sender_domain=_domain(item.sender.rpartition("@")[2], "/queue_id"),
        recipient_domain=_domain(item.recipient.rpartition("@")[2], "/queue_id"),
        attempts=body.attempts or (item.attempts,),
        override=item.override,
    )


def _notice(override: str) -> str:
    name = "direct delivery" if override == DIRECT else f"“{override}”"
    return f"This message in the queue has a fixed transport: {name}. Routes are ignored."


def _account(call: Call, body: w.RouteQuestion) -> str:
    if body.account:
        return call.services.accounts.find_account(body.account)
    try:
        return call.services.accounts.find_account(body.sender) if "@" in body.sender else ""
    except NotFoundError:
        return ""


def _domain(text: str, path: str) -> str:
    """Of an address or domain; empty for the null sender and for address literals."""
    plain = text.strip().removeprefix("<").removesuffix(">")
    if not plain or plain.endswith("]"):
        return ""
    try:
        if "@" in plain:
            address = parse_address(plain)
            return "" if address.literal else address.domain.ascii
        found: Domain = parse_domain(plain)
    except AddressError as error:
        raise UserError(
            Problem(
                code="route.address",
                path=path,
                message=f"{error}.",
                fix="Enter an address such as anna@example.org, or a domain.",
            )
        ) from error
    return found.ascii


def _drafts(drafts: w.DraftRoutes | None) -> dict[Level, list[Route]]:
    if drafts is None:
        return {}
    given = {
        Level.ACCOUNT: drafts.account,
        Level.DOMAIN: drafts.domain,
        Level.SERVER: drafts.server,
    }
    return {
        level: [_rule(level, index, rule) for index, rule in enumerate(rules)]
        for level, rules in given.items()
        if rules is not None
    }


def _draft_lists(lists: Sequence[w.RouteList], case: _Case) -> dict[Level, list[Route]]:
    concerned = {
        (Level.ACCOUNT, case.account),
        (Level.DOMAIN, case.sender_domain),
        (Level.SERVER, ""),
    }
    found = [(Level(each.level), each.owner, each.routes) for each in lists]
    return {
        level: [_rule(level, index, rule) for index, rule in enumerate(routes)]
        for level, owner, routes in found
        if (level, owner) in concerned
    }


def _rule(level: Level, index: int, settings: w.RouteSettings) -> Route:
    try:
        return Route.model_validate(settings.model_dump())
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        field = "".join(f"/{part}" for part in fault["loc"])
        raise UserError(
            Problem(
                code="route.draft",
                path=f"/draft_routes/{level}/{index}{field}",
                message=f"{fault['msg'].removeprefix('Value error, ')}.",
                fix="Correct that route.",
            )
        ) from error


def _answer(attempts: int, choice: Choice, case: _Case, *, is_local: bool) -> w.RouteAnswer:
    return w.RouteAnswer(
        attempts=attempts,
        transport=choice.transport,
        known=choice.known,
        headline=headline(
            choice,
            recipient_domain=case.recipient_domain,
            is_local=is_local,
            is_forced=case.override is not None,
        ),
        reason=choice.reason,
        steps=[
            w.RouteStep(
                level=step.level.value,
                position=step.position,
                transport=step.transport,
                matched=step.matched,
                reason=step.reason,
            )
            for step in choice.steps
        ],
    )


HANDLERS: dict[str, Handler] = {"evaluate_routes": evaluate_routes}

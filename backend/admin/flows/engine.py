"""Leads through a wizard: begins it, shows where it stands, moves it, applies it once, goes on after a restart."""

from collections.abc import Sequence
from copy import deepcopy

from backend.admin import wire
from backend.admin.flows.state import FlowState
from backend.admin.flows.steps import ChecksStep, FormStep, MenuStep, ReviewStep, Step, Visit
from backend.admin.flows.table import by_id
from backend.admin.forms.form import InvalidError
from backend.admin.forms.wording import to_wire
from backend.admin.language import Words, translated
from backend.admin.services import Services
from backend.admin.specs.check import Fault
from backend.api import flows as w
from backend.core.errors import ConfigError, NotFoundError, UserError
from backend.core.problems import Problem
from backend.observe import log as logs
from backend.runtime import tasks

log = logs.get(__name__)

MAX_CONTEXT_CHARS = 320  # of one value that a flow begins with, a security limit


async def begin(services: Services, body: w.BeginFlow, words: Words, author: str) -> w.FlowStep:
    """Raises:
    NotFoundError: there is no such wizard, or not what it is to be about. UserError: it can't begin.
    """
    kind = by_id().get(body.type)
    if kind is None:
        raise NotFoundError(
            Problem(code="flow.unknown_type", message=f"There is no wizard “{body.type[:64]}”.")
        )
    if any(len(text) > MAX_CONTEXT_CHARS for text in body.context.values()):
        raise UserError(Problem(code="flow.context", message="That is no name of anything here."))
    shelf = services.flows
    state = shelf.new(body.type, dict(body.context))
    visit = Visit(services, words, state, {}, author)
    kind.begin(visit)
    if not state.step:
        state.step = kind.steps(visit)[0].id
    await shelf.make_room()
    await shelf.save(state)
    async with shelf.lock(state.id):
        return await _shown(visit)


async def heads(services: Services, words: Words) -> w.Flows:
    """Those in which something was answered and that are not over, the latest first."""
    items = []
    for state in await services.flows.all():
        kind = by_id().get(state.type)
        if kind is None or state.done or not (state.passed or state.draft):
            continue
        visit = Visit(services, words, state, {}, "")
        step = _step_of(visit)
        items.append(
            w.FlowHead(
                id=state.id,
                type=state.type,
                name=words(kind.name),
                about=kind.about(state),
                step_title=words(step.title),
                at=wire.at(state.changed_at),
            )
        )
    return w.Flows(items=items)


async def current(services: Services, flow: str, words: Words, author: str) -> w.FlowStep:
    """Raises:
    NotFoundError: there is no such flow.
    """
    async with services.flows.lock(flow):
        return await _shown(await _visit(services, flow, words, author))


async def give_up(services: Services, flow: str) -> None:
    async with services.flows.lock(flow):
        await services.flows.remove(flow)
    services.flows.tell(flow)


async def move(
    services: Services, flow: str, body: w.FlowMove, words: Words, author: str
) -> w.FlowStep:
    """Raises:
    NotFoundError: there is no such flow.
    """
    async with services.flows.lock(flow):
        visit = await _visit(services, flow, words, author)
        step = _step_of(visit)
        if body.at and body.at != step.id:
            return await _shown(visit)  # a click that came twice, or from a page that is old
        faults: list[Fault] = []
        before = visit.state.model_dump_json()
        _absorb(visit, step, body)
        match body.action:
            case "back":
                _go(visit, _before(visit, step))
            case "go":
                visit.state.made.pop("return", None)
                if isinstance(step, ReviewStep):
                    visit.state.made["return"] = step.id
                _go(visit, body.step)
            case "run":
                faults = await _run(visit, step, body)
            case "skip":
                if step.skip:
                    faults = await step.skipped(visit)
                    if not faults:
                        _advance(visit, step)
            case "next":
                faults = await _next(visit, step, body)
        if visit.state.step == "":  # it is over
            await services.flows.remove(flow)
            services.flows.tell(flow)
            return w.FlowStep(
                id=flow,
                type=visit.state.type,
                name=by_id()[visit.state.type].name,
                step="",
                kind="done",
                title="",
                over=True,
            )
        if before != visit.state.model_dump_json() or body.values:
            await _keep(visit)
        return await _shown(visit, faults)


def _absorb(visit: Visit, step: Step, body: w.FlowMove) -> None:
    """Takes what was typed. What was answered behind this step is looked at anew when something has changed."""
    state = visit.state
    old = deepcopy(state.draft.get(step.id))
    step.absorb(visit, body.values)
    if state.draft.get(step.id) != old and old is not None:
        ids = [each.id for each in by_id()[state.type].steps(visit)]
        behind = ids[ids.index(step.id) :] if step.id in ids else ids
        state.passed = [each for each in state.passed if each not in behind]


async def _keep(visit: Visit) -> None:
    shelf = visit.services.flows
    await shelf.keep_secrets(visit.state.id, visit.secrets)
    await shelf.save(visit.state)
    shelf.tell(visit.state.id)


async def _visit(services: Services, flow: str, words: Words, author: str) -> Visit:
    state = await services.flows.find(flow)
    if state.type not in by_id():
        await services.flows.remove(flow)
        raise NotFoundError(
            Problem(code="flow.unknown", message="This wizard is not there any more.")
        )
    visit = Visit(services, words, state, await services.flows.secrets_of(flow), author)
    step = _step_of(visit)
    if state.committing:
        # The server ended while it was applied: the configuration tells whether it was.
        state.committing = False
        if isinstance(step, ReviewStep) and await step.is_applied(visit):
            log.info("flow was applied before the server ended", type=state.type)
            state.committed = True
            _advance(visit, step)
        await _keep(visit)
    return visit


def _step_of(visit: Visit) -> Step:
    steps = by_id()[visit.state.type].steps(visit)
    found = next((each for each in steps if each.id == visit.state.step), None)
    if found is None:
        # The draft leads another way than when it was left: to the first step without an answer.
        found = next((each for each in steps if each.id not in visit.state.passed), steps[-1])
        visit.state.step = found.id
    return found


def _before(visit: Visit, step: Step) -> str:
    steps = by_id()[visit.state.type].steps(visit)
    index = next(i for i, each in enumerate(steps) if each.id == step.id)
    return steps[index - 1].id if index else ""


def _open_from(visit: Visit, steps: Sequence[Step]) -> int:
    """Index of the first step that can be gone to: what was applied can't be gone back behind."""
    if not visit.state.committed:
        return 0
    last = max(i for i, each in enumerate(steps) if isinstance(each, ReviewStep))
    return last + 1


def _go(visit: Visit, wanted: str) -> None:
    """To an earlier step, or to a later one that was answered already."""
    steps = by_id()[visit.state.type].steps(visit)
    ids = [each.id for each in steps]
    if wanted not in ids or ids.index(wanted) < _open_from(visit, steps):
        return
    if (
        all(each in visit.state.passed for each in ids[: ids.index(wanted)])
        or visit.state.committed
    ):
        visit.state.step = wanted


def _advance(visit: Visit, step: Step) -> None:
    state = visit.state
    if step.id not in state.passed:
        state.passed.append(step.id)
    steps = by_id()[state.type].steps(visit)
    index = next((i for i, each in enumerate(steps) if each.id == step.id), len(steps))
    following = steps[index + 1] if index + 1 < len(steps) else None
    state.step = following.id if following is not None else ""
    state.done = following is not None and following.kind == "done"


async def _run(visit: Visit, step: Step, body: w.FlowMove) -> list[Fault]:
    if isinstance(step, ChecksStep) and body.run == step.test.id:
        if not visit.services.flows.is_running(visit.state.id, step.id):
            step.forget(visit)
        return []
    if isinstance(step, FormStep) and step.test is not None and body.run == step.test.id:
        try:
            if faults := await step.faults(visit, body.values):
                return faults
            visit.state.reports[step.id] = await step.act(visit)
        except (UserError, ConfigError, InvalidError) as error:
            return _faults_of(error)
    return []


async def _next(visit: Visit, step: Step, body: w.FlowMove) -> list[Fault]:
    try:
        faults = await step.submit(visit, body)
    except (UserError, ConfigError, InvalidError) as error:
        faults = _faults_of(error)
    if faults:
        return faults
    if isinstance(step, ReviewStep):
        return await _commit(visit, step)
    _advance(visit, step)
    if visit.state.step:
        await _return(visit)
        _forget_later(visit)
    return []


async def _return(visit: Visit) -> None:
    """Who came from the review to change one answer goes back there, past all that is still right."""
    state, target = visit.state, visit.state.made.pop("return", "")
    while target and state.step != target:
        step = _step_of(visit)
        if not isinstance(step, FormStep | MenuStep) or step.id not in state.draft:
            return
        again = w.FlowMove(action="next", values=state.draft[step.id], anyway=True)
        try:
            if await step.submit(visit, again):
                return
        except (UserError, ConfigError, InvalidError):
            return
        _advance(visit, step)


async def _commit(visit: Visit, step: ReviewStep) -> list[Fault]:
    state = visit.state
    steps = by_id()[state.type].steps(visit)
    for each in steps[: steps.index(next(s for s in steps if s.id == step.id))]:
        if each.id not in state.passed:
            state.step = each.id  # an answer has become void; nothing is applied without it
            return []
    state.committing = True
    await _keep(visit)
    try:
        await step.commit(visit)
    except (UserError, ConfigError, InvalidError) as error:
        state.committing = False
        return _faults_of(error)
    state.committing, state.committed = False, True
    log.info("flow applied", type=state.type)
    _advance(visit, step)
    return []


def _forget_later(visit: Visit) -> None:
    """The step that is entered by going forward is looked at anew if it was looked at with other answers."""
    step = _step_of(visit)
    if isinstance(step, ChecksStep):
        basis = repr(sorted((k, repr(v)) for k, v in visit.state.draft.items() if k != step.id))
        if visit.state.made.get(f"basis:{step.id}") != basis:
            visit.state.made[f"basis:{step.id}"] = basis
            step.forget(visit)


def _faults_of(error: UserError | ConfigError | InvalidError) -> list[Fault]:
    if isinstance(error, InvalidError):
        return list(error.faults)
    problems = error.problems if isinstance(error, ConfigError) else [error.problem]
    return [
        # What to type at a shell helps nobody in front of a page.
        Fault(each.code, (), each.message, "" if "gatepost " in each.fix else each.fix)
        for each in problems
    ]


async def _shown(visit: Visit, faults: Sequence[Fault] = ()) -> w.FlowStep:
    state, kind = visit.state, by_id()[visit.state.type]
    step = _step_of(visit)
    if isinstance(step, ChecksStep):
        await _start_checks(visit, step)
    steps = kind.steps(visit)
    ids = [each.id for each in steps]
    at, first = ids.index(step.id), _open_from(visit, steps)
    shown = w.FlowStep.model_validate(
        {
            "id": state.id,
            "type": state.type,
            "name": visit.words(kind.name),
            "about": kind.about(state),
            "step": step.id,
            "kind": step.kind,
            "title": step.title,
            "intro": visit.words(step.intro) if step.intro else "",
            "why": visit.words(step.why) if step.why else "",
            "rail": [
                w.RailItem(
                    id=each.id,
                    title=each.short or each.title,
                    state="current" if i == at else "done" if each.id in state.passed else "ahead",
                    open=i != at and each.id in state.passed and i >= first and not state.done,
                )
                for i, each in enumerate(steps)
            ],
            "can_back": at > first and step.kind != "done",
            "primary": visit.words(step.primary),
            "applied": state.committed,
            "skip": visit.words(step.skip) if step.skip else "",
            **await step.show(visit),
        }
    )
    issues = [to_wire(each, visit.words) for each in faults]
    return translated(shown, visit.words).model_copy(update={"issues": issues})


async def _start_checks(visit: Visit, step: ChecksStep) -> None:
    """Begins them, or begins them anew when the server ended in the middle."""
    state, shelf = visit.state, visit.services.flows
    known = state.checks.get(step.id)
    unfinished = known is None or any(each.result == "running" for each in known)
    if not unfinished or shelf.is_running(state.id, step.id):
        return
    state.checks[step.id] = step.begin(visit)
    await shelf.save(state)
    if any(each.result == "running" for each in state.checks[step.id]):
        task = tasks.spawn(_look(visit, step), f"checks of {state.type}")
        shelf.run(state.id, step.id, task)


async def _look(visit: Visit, step: ChecksStep) -> None:
    shelf, flow = visit.services.flows, visit.state.id

    async def found(item: w.CheckItem) -> None:
        async with shelf.lock(flow):
            try:
                state = await shelf.find(flow)
            except NotFoundError:
                return  # given up meanwhile
            kept = state.checks.get(step.id, [])
            state.checks[step.id] = [item if each.id == item.id else each for each in kept]
            await shelf.save(state)
        shelf.tell(flow)

    try:
        await step.look(visit, found)
    except Exception as error:  # whatever somebody has in his DNS: the wizard goes on
        log.warning("checks of a flow failed", type=visit.state.type, error=repr(error))
    async with shelf.lock(flow):
        try:
            state: FlowState = await shelf.find(flow)
        except NotFoundError:
            return
        for item in state.checks.get(step.id, []):
            if item.result == "running":
                settled = item.model_copy(
                    update={"result": "unknown", "text": "This could not be told."}
                )
                kept = state.checks[step.id]
                state.checks[step.id] = [settled if e.id == item.id else e for e in kept]
        await shelf.save(state)
    shelf.tell(flow)

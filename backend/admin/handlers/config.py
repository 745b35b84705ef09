"""The configuration as text: read, check, apply, history."""

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.admin.faults import DeniedError
from backend.admin.services import Services
from backend.api import settings as st
from backend.api import types as t
from backend.config.files import Texts, read_texts
from backend.config.linediff import Line, compare
from backend.config.load import DOMAINS_FILE, SERVER_FILE, load_texts
from backend.config.model import ServerConfig
from backend.config.plan import MISSING, Step, needs_restart, plan, to_plain
from backend.config.revisions import Revision
from backend.config.store import Applied
from backend.core.errors import ConfigError, ConflictError
from backend.outbound.lint import useless_routes
from backend.runtime.threads import Pool, run_blocking

MAX_EFFECTS = 50  # sentences in one reply
MAX_DIFF_LINES = 2_000  # of one file in one reply


async def current(services: Services) -> t.Configuration:
    """What runs, and what stands in the files (the same, unless a file has a fault)."""
    await services.config.reload_from_disk()
    texts = await run_blocking(Pool.FILES, read_texts, services.folder)
    config = services.config.current
    return t.Configuration(
        revision=config.revision,
        files={SERVER_FILE: texts.server, DOMAINS_FILE: texts.domains},
        data={
            "server": config.server.model_dump(mode="json"),
            "domains": config.domains.model_dump(mode="json"),
        },
    )


async def get_config(call: Call) -> t.Configuration:
    return await current(call.services)


async def check_config(call: Call) -> st.ConfigCheck:
    body = call.body(st.ConfigFiles)
    texts = await run_blocking(Pool.FILES, read_texts, call.services.folder)
    return await _check(
        call.services,
        texts,
        body.files.get("server.toml", texts.server),
        body.files.get("domains.toml", texts.domains),
    )


async def check_revert(call: Call) -> st.ConfigCheck:
    texts = await run_blocking(Pool.FILES, read_texts, call.services.folder)
    target = await _revision(call)
    return await _check(call.services, texts, target.server, target.domains)


async def _check(services: Services, before: Texts, server: str, domains: str) -> st.ConfigCheck:
    """What these texts would do in place of those that stand in the files."""
    files = await run_blocking(
        Pool.FILES, _differences, (before.server, before.domains), (server, domains)
    )
    try:
        loaded = await run_blocking(Pool.FILES, load_texts, server, domains)
    except ConfigError as error:
        return st.ConfigCheck(
            problems=[wire.problem(problem) for problem in error.problems], files=files
        )
    old = services.config.current
    server_steps = plan(to_plain(old.server), to_plain(loaded.server))
    steps = (*server_steps, *plan(to_plain(old.domains), to_plain(loaded.domains)))
    restart = needs_restart(ServerConfig, server_steps)
    in_all = loaded.server.outbound.max_attempts
    warnings = [wire.problem(each.problem()) for each in useless_routes(loaded.domains, in_all)]
    return st.ConfigCheck(
        problems=warnings, effects=_effects(steps), needs_restart=bool(restart), files=files
    )


def _differences(old: tuple[str, str], new: tuple[str, str]) -> list[st.FileDiff]:
    """Of both files; one that stays as it is is left out."""
    found = []
    for name, before, after in zip((SERVER_FILE, DOMAINS_FILE), old, new, strict=True):
        if lines := compare(before, after):
            found.append(
                st.FileDiff(
                    file=name,
                    lines=[_line(line) for line in lines[:MAX_DIFF_LINES]],
                    left_out=max(0, len(lines) - MAX_DIFF_LINES),
                )
            )
    return found


def _line(line: Line) -> st.DiffLine:
    parts = [st.DiffPart(text=part.text, changed=part.changed) for part in line.parts]
    return st.DiffLine(kind=line.kind, old=line.old, new=line.new, parts=parts)


async def apply_config(call: Call) -> st.ConfigApplied:
    files = call.body(st.ConfigFiles).files
    try:
        applied = await call.services.config.apply_texts(
            server=files.get("server.toml"),
            domains=files.get("domains.toml"),
            author=call.author,
            base_revision=call.revision,
        )
    except ConflictError as error:
        raise await _conflict(call.services, error) from error
    return _applied(applied)


async def revert(call: Call) -> st.ConfigApplied:
    try:
        applied = await call.services.config.restore(
            call.number("number"), author=call.author, base_revision=call.revision
        )
    except ConflictError as error:
        raise await _conflict(call.services, error) from error
    return _applied(applied)


async def _conflict(services: Services, error: ConflictError) -> DeniedError:
    problem = error.problem
    theirs = await current(services)
    return DeniedError(409, problem.code, problem.message, fix=problem.fix, theirs=theirs)


def _applied(applied: Applied) -> st.ConfigApplied:
    return st.ConfigApplied(
        revision=applied.revision,
        effects=_effects(applied.steps),
        needs_restart=bool(applied.needs_restart),
    )


def _effects(steps: tuple[Step, ...]) -> list[str]:
    sentences = [_effect(step) for step in steps[:MAX_EFFECTS]]
    if len(steps) > MAX_EFFECTS:
        sentences.append(f"And {len(steps) - MAX_EFFECTS} more changes.")
    return sentences


def _effect(step: Step) -> str:
    name = ".".join(step.path)
    if step.new is MISSING:
        return f"{name} is removed."
    if isinstance(step.new, dict):
        return f"{name} is added."
    if step.old is MISSING:
        return f"{name} is set to {_shown(step.new)}."
    return f"{name} changes from {_shown(step.old)} to {_shown(step.new)}."


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return f"“{value}”"
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value) or "nothing"
    return str(value)


async def revisions(call: Call) -> st.Revisions:
    query = call.query(st.RevisionsQuery)
    store = call.services.config
    found = await store.revisions(limit=query.limit, offset=query.offset)
    return st.Revisions(
        items=[
            st.Revision(
                number=revision.number,
                at=wire.at(revision.at),
                author=revision.author,
                summary=revision.note,
            )
            for revision in found
        ],
        current=store.current.revision,
        total=await store.count_revisions(),
    )


async def revision_diff(call: Call) -> st.RevisionDiff:
    number = call.number("number")
    new = await _revision(call)
    before = await call.services.config.find_revision(number - 1)
    old = (before.server, before.domains) if before is not None else ("", "")
    return st.RevisionDiff(
        number=number,
        diff=await call.services.config.diff(number),
        files=await run_blocking(Pool.FILES, _differences, old, (new.server, new.domains)),
    )


async def _revision(call: Call) -> Revision:
    """Raises:
    NotFoundError: it is not kept.
    """
    return await call.services.config.get_revision(call.number("number"))


HANDLERS: dict[str, Handler] = {
    "config": get_config,
    "check_config": check_config,
    "apply_config": apply_config,
    "check_revert": check_revert,
    "revert": revert,
    "revisions": revisions,
    "revision_diff": revision_diff,
}

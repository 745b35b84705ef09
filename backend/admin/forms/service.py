"""Reading and saving a form: all faults at once, conflicts with both sides, effects before they happen, secrets one way only."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from backend.admin.forms.effects import effects_of, needs_restart
from backend.admin.forms.form import Form, InvalidError, RowForm, Secrets, Values
from backend.admin.forms.wording import fault_between, to_wire
from backend.admin.language import Words
from backend.admin.services import Services
from backend.admin.specs.check import Fault, Path, check_values, too_large
from backend.api import forms as f
from backend.api import types as t
from backend.config.check import check
from backend.config.load import load_texts
from backend.config.model import Config
from backend.core.errors import ConfigError, NotFoundError
from backend.core.problems import Problem
from backend.runtime.threads import Pool, run_blocking

SENTENCES = (
    "There is no “{key}” here.",
    "See the list.",
    "This has been changed by someone else in the meantime.",
    "Look at both, and choose what holds.",
    "This can't be a password.",
)
"""All texts of this module and of forms' own checks, for the catalogue."""


class RefusedFormError(Exception):
    """The values can't be saved; all faults."""

    def __init__(self, faults: list[Fault], words: Words) -> None:
        super().__init__(f"{len(faults)} faults")
        self.issues = [to_wire(fault, words) for fault in faults]


class FormConflictError(Exception):
    """What is to be changed has been changed by somebody else."""

    def __init__(self, conflict: f.Conflict, words: Words) -> None:
        super().__init__("changed meanwhile")
        self.conflict = conflict
        self.issue = t.Problem(
            code="form.conflict",
            message=words("This has been changed by someone else in the meantime."),
            fix=words("Look at both, and choose what holds."),
        )


@dataclass(frozen=True, slots=True)
class Request:
    form: Form
    key: str
    services: Services
    words: Words

    @property
    def config(self) -> Config:
        return self.services.config.current


async def load(request: Request) -> f.FormValues:
    """Raises:
    NotFoundError: there is no such thing, and the form does not make one.
    """
    await request.services.config.reload_from_disk()
    return await _values(request, request.config)


async def _values(request: Request, config: Config) -> f.FormValues:
    form, key = request.form, request.key
    values = form.read(config, key)
    exists = values is not None
    if values is None:
        if not form.spec.creates:
            raise _unknown(request)
        values = form.first_values()
    else:
        await form.mark_secrets(request.services, key, values)
    return f.FormValues(
        id=form.id,
        key=key,
        title=form.title(key),
        exists=exists,
        values=values,
        revision=config.revision,
    )


def _unknown(request: Request) -> NotFoundError:
    message = request.words("There is no “{key}” here.", key=request.key[:100])
    return NotFoundError(
        Problem(code="form.unknown_key", message=message, fix=request.words("See the list."))
    )


async def save(
    request: Request,
    sent: Mapping[str, JsonValue],
    *,
    base_revision: int,
    dry_run: bool,
    author: str,
) -> f.Saved:
    """Raises:
    RefusedFormError: with all faults. FormConflictError: changed meanwhile. NotFoundError: there is no such thing.
    ConfigError: a part of the server could not follow.
    """
    form, key, services, words = request.form, request.key, request.services, request.words
    if fault := too_large(dict(sent)):
        raise RefusedFormError([fault], words)
    if isinstance(form, RowForm):
        return await _save_row(request, form, sent, dry_run=dry_run)
    await services.config.reload_from_disk()
    base = await _base_values(request, base_revision)
    await _refuse_conflict(request, base)
    old = form.read(request.config, key)
    if old is None and not form.spec.creates:
        raise _unknown(request)
    marked = deepcopy(old or {})
    await form.mark_secrets(services, key, marked)
    wanted: Values = {**(marked if old is not None else form.first_values()), **sent}
    plain, secrets = split_secrets(form.spec, wanted)
    new = _planned(request, wanted, plain, secrets, is_new=old is None)
    planned = form.read(new, key) or {}
    restart = bool(needs_restart(form, old, planned))
    _copy_secrets(form.spec, planned, wanted)
    before = None if old is None else marked
    effects = effects_of(form, key, before, planned, (request.config, new), words)
    if dry_run:
        _copy_secrets(form.spec, planned, wanted, hide=True)
        return f.Saved(
            saved=False,
            revision=request.config.revision,
            values=planned,
            effects=effects,
            needs_restart=restart,
        )
    await form.keep_secrets(services, key, secrets, is_new=old is None, before=True)
    expected = old

    def change(config: Config) -> Config:
        # Somebody may have been quicker since the values were looked at.
        if form.read(config, key) != expected:
            raise _ChangedMeanwhileError
        return form.write(config, key, plain)

    title = f"{form.spec.title}{f' of {key}' if key else ''}"
    try:
        await services.config.edit(change, author=author, note=f"Saved the form: {title}")
    except _ChangedMeanwhileError:
        raise FormConflictError(await _conflict(request, base), request.words) from None
    except ConfigError as error:
        faults = [_placed(form, key, problem) for problem in error.problems]
        raise RefusedFormError(faults, words) from error
    await form.keep_secrets(services, key, secrets, is_new=old is None, before=False)
    now = await _values(request, request.config)
    return f.Saved(revision=now.revision, values=now.values, effects=effects, needs_restart=restart)


async def _save_row(
    request: Request, form: RowForm, sent: Mapping[str, JsonValue], *, dry_run: bool
) -> f.Saved:
    key, words, revision = request.key, request.words, request.config.revision
    values: Values = {**form.first_values(), **sent}
    faults = [*form.check_key(key), *check_values(form.spec.fields, values)]
    if not faults and not dry_run:
        faults = await form.save_row(request.services, key, values)
    if faults:
        raise RefusedFormError(_once_each(faults), words)
    added = f.Effect(text=words("{name} is added.", name=key))
    return f.Saved(saved=not dry_run, revision=revision, values=values, effects=[added])


class _ChangedMeanwhileError(Exception):
    pass


def _planned(
    request: Request, wanted: Values, plain: Values, secrets: Secrets, *, is_new: bool
) -> Config:
    """The configuration as it would be.

    Raises:
        RefusedFormError: with all faults.
    """
    form, key = request.form, request.key
    faults = check_values(form.spec.fields, wanted)
    faults += form.check_secrets(secrets)
    if is_new:
        faults += form.check_key(key)
    new: Config | None = None
    if not any(len(fault.path) <= 1 and fault.code == "field.kind" for fault in faults):
        try:
            new = form.write(request.config, key, plain)
        except InvalidError as error:
            faults += error.faults
        except (KeyError, TypeError, AttributeError):
            # Values of a wrong kind, which the faults already tell.
            if not faults:
                raise
    if new is not None and not faults:
        problems = check(new.server, new.domains)
        faults = [_placed(form, key, problem) for problem in problems]
    if faults:
        raise RefusedFormError(_once_each(faults), request.words)
    assert new is not None
    return new


def _once_each(faults: list[Fault]) -> list[Fault]:
    """One fault for each place; the first is the one that says more."""
    seen: dict[Path, Fault] = {}
    for fault in faults:
        seen.setdefault(fault.path, fault)
    return list(seen.values())


def _placed(form: Form, key: str, problem: Problem) -> Fault:
    """A fault of the configuration, at its field in the form; at the form itself when it lies elsewhere."""
    path = tuple(part.replace("~1", "/").replace("~0", "~") for part in problem.path.split("/")[1:])
    place = form.place(key)
    if path[: len(place)] != place:
        return fault_between(problem, ())
    below = form.path_of(path[len(place) :])
    if below and below[0] not in {each.key for each in form.spec.fields}:
        return Fault(problem.code, (), problem.message, problem.fix)
    return fault_between(problem, below)


# --- secrets -------------------------------------------------------------------------------------------------------------


def split_secrets(spec: f.Spec, values: Values) -> tuple[Values, Secrets]:
    """The values without secrets, and what is to be done with those."""
    given: dict[Path, str] = {}
    forgotten: set[Path] = set()

    def walk(fields: list[f.Field], value: Any, path: Path) -> Any:
        if not isinstance(value, Mapping):
            return value
        known = {each.key: each for each in fields}
        result: dict[str, Any] = {}
        for name, inner in value.items():
            field, here = known.get(name), (*path, name)
            if field is None:
                result[name] = inner
            elif field.kind == "secret":
                if isinstance(inner, str):
                    given[here] = inner
                elif inner is None:
                    forgotten.add(here)
            elif field.kind == "object":
                result[name] = walk(field.fields, inner, here)
                if inner is None:
                    forgotten.update(
                        (*here, each.key) for each in field.fields if each.kind == "secret"
                    )
            elif field.kind == "variant" and isinstance(inner, Mapping):
                result[name] = walk(_variant_fields(field, inner), inner, here)
            else:
                result[name] = inner
        return result

    plain = walk(spec.fields, values, ())
    return plain, Secrets(given, frozenset(forgotten))


def _variant_fields(field: f.Field, value: Mapping[str, Any]) -> list[f.Field]:
    chosen = value.get(field.tag)
    return next((each.fields for each in field.variants if each.value == chosen), [])


def _copy_secrets(spec: f.Spec, values: Values, source: Values, *, hide: bool = False) -> None:
    """Puts the secrets of `source` into the values; with `hide` only whether they would be set."""

    def walk(fields: list[f.Field], into: JsonValue, given: JsonValue) -> None:
        if not isinstance(into, dict) or not isinstance(given, Mapping):
            return
        for each in fields:
            inner = given.get(each.key)
            if each.kind == "secret" and each.key in given:
                is_set: JsonValue = {"set": isinstance(inner, str) or inner == {"set": True}}
                into[each.key] = is_set if hide else inner
            elif each.kind == "object":
                walk(each.fields, into.get(each.key), inner)
            elif each.kind == "variant" and isinstance(inner, Mapping):
                walk(_variant_fields(each, inner), into.get(each.key), inner)

    walk(spec.fields, values, source)


def mask_secrets(spec: f.Spec, values: Values, source: Values) -> None:
    """Says in `values` of each secret of `source` whether there is one."""
    _copy_secrets(spec, values, source, hide=True)


# --- conflicts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Base:
    """What the form held when it was read; `known` is False when that revision is not kept any more."""

    values: Values | None
    revision: int
    known: bool = True


async def _base_values(request: Request, revision: int) -> _Base:
    config = request.config
    if revision == config.revision:
        return _Base(request.form.read(config, request.key), revision)
    found = await request.services.config.find_revision(revision)
    if found is None:
        return _Base(None, revision, known=False)
    try:
        loaded = await run_blocking(Pool.FILES, load_texts, found.server, found.domains)
    except ConfigError:  # kept by an older version, whose rules were others
        return _Base(None, revision, known=False)
    then = Config(loaded.server, loaded.domains, revision)
    return _Base(request.form.read(then, request.key), revision)


async def _refuse_conflict(request: Request, base: _Base) -> None:
    if not base.known or request.form.read(request.config, request.key) != base.values:
        raise FormConflictError(await _conflict(request, base), request.words)


async def _conflict(request: Request, base: _Base) -> f.Conflict:
    form, key = request.form, request.key
    theirs = await _values(request, request.config)
    if base.values is None:
        return f.Conflict(theirs=theirs)
    # Whether a password was set then is not known; nobody has to merge that.
    values = deepcopy(base.values)
    await form.mark_secrets(request.services, key, values)
    return f.Conflict(
        theirs=theirs,
        base=f.FormValues(
            id=form.id, key=key, title=form.title(key), values=values, revision=base.revision
        ),
    )

"""The kinds of steps that wizards are made of. A step reads and writes the draft; only a review applies something."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import JsonValue

from backend.admin.flows.state import FlowState
from backend.admin.forms.form import Values, first_values_of
from backend.admin.forms.service import mask_secrets, split_secrets
from backend.admin.language import Words
from backend.admin.services import Services
from backend.admin.specs.check import Fault, check_values, too_large
from backend.api import flows as w
from backend.api import forms as f
from backend.api.conditions import holds
from backend.config.model import Config

SENTENCES = (
    "Choose one of these.",
    "Nobody has tried yet whether this works.",
    "It did not work when it was tried.",
    "Try it, or go on all the same.",
    "Type the name to confirm.",
)
"""All faults of this module, for the catalogue."""


@dataclass(slots=True)
class Visit:
    """One call for one flow: what steps may use."""

    services: Services
    words: Words
    state: FlowState
    secrets: dict[str, str]
    author: str

    def __repr__(self) -> str:
        return f"Visit({self.state.type})"

    @property
    def config(self) -> Config:
        return self.services.config.current

    def values(self, step: str) -> Values:
        return self.state.draft.get(step, {})

    def text(self, step: str, key: str) -> str:
        value = self.values(step).get(key)
        return value.strip() if isinstance(value, str) else ""

    def flag(self, step: str, key: str) -> bool:
        return self.values(step).get(key) is True

    def number(self, step: str, key: str) -> int:
        value = self.values(step).get(key)
        return int(value) if isinstance(value, int | float) else 0

    def choice(self, step: str) -> str:
        return self.text(step, "choice")

    def secret(self, step: str, *path: str) -> str | None:
        return self.secrets.get("/".join((step, *path)))


class Step(ABC):
    """`intro` is the sentence under the title, `why` the paragraph at the side."""

    kind: ClassVar[w.StepKind]
    id: str
    title: str
    short: str = ""
    """In the list of steps; empty: the title."""
    intro: str = ""
    why: str = ""
    primary: str = "Next"
    skip: str = ""

    @abstractmethod
    async def show(self, visit: Visit) -> dict[str, Any]:
        """The members of `FlowStep` that are this step's own."""

    def absorb(  # noqa: B027  # most kinds take nothing
        self, visit: Visit, values: Mapping[str, JsonValue]
    ) -> None:
        """Takes what was typed into the draft, right or wrong."""

    async def submit(self, visit: Visit, move: w.FlowMove) -> list[Fault]:  # noqa: ARG002  # others need them
        """What keeps the flow from going on."""
        return []

    async def skipped(self, visit: Visit) -> list[Fault]:  # noqa: ARG002  # others need it
        """As `submit`, for going on without an answer."""
        return []

    def forget(self, visit: Visit) -> None:
        """An earlier step has changed: what was found out here counts no more."""
        visit.state.checks.pop(self.id, None)
        visit.state.reports.pop(self.id, None)


class MenuStep(Step):
    kind = "menu"

    @abstractmethod
    def options(self, visit: Visit) -> list[w.MenuOption]: ...

    async def show(self, visit: Visit) -> dict[str, Any]:
        options = self.options(visit)
        possible = [each for each in options if not each.disabled]
        first = next((each for each in possible if each.recommended), None)
        chosen = visit.choice(self.id) or (first or possible[0]).value if possible else ""
        return {"options": options, "values": {"choice": chosen}}

    def absorb(self, visit: Visit, values: Mapping[str, JsonValue]) -> None:
        choice = values.get("choice")
        if any(each.value == choice and not each.disabled for each in self.options(visit)):
            visit.state.draft[self.id] = {"choice": choice}

    async def submit(self, visit: Visit, move: w.FlowMove) -> list[Fault]:
        chosen = visit.values(self.id).get("choice")
        if chosen is None or move.values.get("choice") != chosen:
            return [Fault("field.choice", ("choice",), "Choose one of these.")]
        return []


class FormStep(Step):
    kind = "form"
    test: w.StepAction | None = None

    @abstractmethod
    def fields(self, visit: Visit) -> list[f.Field]: ...

    def layout(self, visit: Visit) -> list[f.Section]:  # noqa: ARG002  # others need it
        return []

    def first(self, visit: Visit) -> Values:  # noqa: ARG002  # others need it
        """What the fields begin with, beside their defaults."""
        return {}

    async def check(self, visit: Visit) -> list[Fault]:  # noqa: ARG002  # others need it
        """Of values that have their shape."""
        return []

    async def act(self, visit: Visit) -> w.Report:  # noqa: ARG002  # others need it
        """The test that `test` names."""
        raise AssertionError("a step without a test")

    def spec(self, visit: Visit) -> f.Spec:
        return f.Spec(id="", version="", title="", fields=self.fields(visit))

    def plain(self, visit: Visit) -> Values:
        """Without secrets."""
        return split_secrets(self.spec(visit), self._all(visit))[0]

    def _all(self, visit: Visit) -> Values:
        fields = self.fields(visit)
        known = {each.key for each in fields}
        kept = {key: value for key, value in visit.values(self.id).items() if key in known}
        values = {**first_values_of(fields), **self.first(visit), **kept}
        # A field with nothing to begin with is left out: null is a value of its own.
        empty = {e.key for e in fields if not e.nullable and e.kind != "secret"}
        return {k: v for k, v in values.items() if v is not None or k not in empty}

    async def show(self, visit: Visit) -> dict[str, Any]:
        return {
            "fields": self.fields(visit),
            "layout": self.layout(visit),
            "values": self._all(visit),
            "actions": [] if self.test is None else [self.test],
            "report": visit.state.reports.get(self.id),
        }

    def absorb(self, visit: Visit, values: Mapping[str, JsonValue]) -> None:
        if not values or too_large(dict(values)) is not None:
            return
        spec = self.spec(visit)
        wanted = {**self._all(visit), **values}
        _, secrets = split_secrets(spec, wanted)
        for path, text in secrets.given.items():
            name = "/".join((self.id, *path))
            visit.secrets[name] = text
            if not text:
                del visit.secrets[name]
        for path in secrets.forgotten:
            visit.secrets.pop("/".join((self.id, *path)), None)
        masked = deepcopy(wanted)
        mask_secrets(spec, masked, wanted)
        if masked != visit.values(self.id) or secrets.given:
            self.forget(visit)
        visit.state.draft[self.id] = masked

    async def faults(self, visit: Visit, sent: Mapping[str, JsonValue]) -> list[Fault]:
        if fault := too_large(dict(sent)):
            return [fault]
        fields = self.fields(visit)
        values = {**self._all(visit), **sent}
        found = check_values(fields, values)
        found += [
            Fault("field.missing", (each.key,), "{ask}.", params={"ask": each.ask or each.label})
            for each in fields
            if each.kind == "secret"
            and each.required
            and not self._hidden(each, values)
            and not visit.secret(self.id, each.key)
            and all(fault.path != (each.key,) for fault in found)
        ]
        return found or await self.check(visit)

    @staticmethod
    def _hidden(field: f.Field, values: Values) -> bool:
        return not holds(field.show_if, values, ())

    async def submit(self, visit: Visit, move: w.FlowMove) -> list[Fault]:
        found = await self.faults(visit, move.values)
        if found or self.test is None or not self.test.gate or move.anyway:
            return found
        report = visit.state.reports.get(self.id)
        if report is not None and report.ok:
            return []
        text = (
            "Nobody has tried yet whether this works."
            if report is None
            else "It did not work when it was tried."
        )
        return [Fault("flow.untested", (), text, "Try it, or go on all the same.")]


class ChecksStep(Step):
    """Looks at something that takes a while. `begin` says what will be looked at, `look` finds it out, one after the other."""

    kind = "checks"
    test = w.StepAction(id="again", title="Check again", icon="refresh")

    @abstractmethod
    def begin(self, visit: Visit) -> list[w.CheckItem]: ...

    @abstractmethod
    async def look(self, visit: Visit, found: Callable[[w.CheckItem], Awaitable[None]]) -> None: ...

    def verdict(self, visit: Visit, checks: Sequence[w.CheckItem]) -> str:  # noqa: ARG002  # others need them
        return ""

    async def show(self, visit: Visit) -> dict[str, Any]:
        checks = visit.state.checks.get(self.id, [])
        running = any(each.result == "running" for each in checks)
        return {
            "checks": checks,
            "running": running,
            "verdict": "" if running else self.verdict(visit, checks),
            "actions": [] if running else [self.test],
        }


class ReviewStep(Step):
    """Everything once more; its button applies it. `commit` makes one change of the configuration."""

    kind = "review"
    short = "Review"
    danger: bool = False

    @abstractmethod
    def rows(self, visit: Visit) -> list[w.ReviewRow]: ...

    @abstractmethod
    async def effects(self, visit: Visit) -> list[f.Effect]: ...

    @abstractmethod
    async def commit(self, visit: Visit) -> None:
        """Raises UserError, ConflictError or ConfigError: nothing was applied."""

    @abstractmethod
    async def is_applied(self, visit: Visit) -> bool:
        """Whether a commit that the server did not live to finish came through."""

    def type_name(self, visit: Visit) -> str:  # noqa: ARG002  # others need it
        return ""

    def refusals(self, visit: Visit) -> list[Fault]:  # noqa: ARG002  # others need it
        """Why it can't be applied now."""
        return []

    async def show(self, visit: Visit) -> dict[str, Any]:
        return {
            "rows": self.rows(visit),
            "effects": await self.effects(visit),
            "commits": True,
            "danger": self.danger,
            "type_name": self.type_name(visit),
        }

    async def submit(self, visit: Visit, move: w.FlowMove) -> list[Fault]:
        wanted = self.type_name(visit)
        if wanted and move.typed.strip() != wanted:
            return [Fault("flow.typed", ("typed",), "Type the name to confirm.")]
        return self.refusals(visit)


class PageStep(Step):
    kind = "page"

    @abstractmethod
    def page(self, visit: Visit) -> str: ...

    async def show(self, visit: Visit) -> dict[str, Any]:
        return {"page": self.page(visit)}


class DoneStep(Step):
    kind = "done"
    id = "done"
    title = "Done"
    short = "Done"
    primary = "Finish"

    @abstractmethod
    def links(self, visit: Visit) -> list[w.Link]: ...

    def secrets(self, visit: Visit) -> list[w.ShownSecret]:  # noqa: ARG002  # others need it
        return []

    async def show(self, visit: Visit) -> dict[str, Any]:
        return {"links": self.links(visit), "secrets": self.secrets(visit)}


class FlowType(ABC):
    """One kind of wizard. Which steps there are may depend on the draft."""

    id: str
    name: str
    icon: str

    @abstractmethod
    def steps(self, visit: Visit) -> list[Step]: ...

    def about(self, state: FlowState) -> str:  # noqa: ARG002  # others need it
        """What it is about, in the list of those that were left."""
        return ""

    def begin(self, visit: Visit) -> None:  # noqa: B027  # some need nothing
        """Raises NotFoundError or UserError: it can't begin with that context."""

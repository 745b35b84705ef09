"""What goes over the admin API about wizards: flows that the server leads through, step by step.

    POST   /flows                 {type, context}    begins one; the reply is its first step
    GET    /flows                                    those that were left and can be gone on with
    GET    /flows/{id}                               the step where it stands
    POST   /flows/{id}            {action, ...}      next, back, go (to an earlier step), run (an action of the step)
    DELETE /flows/{id}                               given up: nothing of it stays

A flow lives on the server: closing the window, a reload or a restart leaves it where it is. Nothing is applied before
the step whose button says so (`commits`); until then every step can be gone back to. A face draws what the step is:

| kind | what it shows | what `next` sends |
|---|---|---|
| menu | `options`, the recommended one chosen | `values: {"choice": VALUE}` |
| form | `fields` in `layout` with `values`, faults at their places | `values` of the fields |
| checks | `checks`, each with its result; `running` while some are still asked | nothing |
| review | `rows` with a way back to their step, `effects` | nothing; this step commits |
| page | the page `page` of the faces inside the frame, such as the DNS records of the new domain | nothing |
| done | `links` to go on with | nothing; the flow is over |
"""

from datetime import datetime
from typing import Literal

from pydantic import Field as Setting
from pydantic import JsonValue

from backend.api.forms import Effect, Field, Section
from backend.api.types import Problem, Reply, Request

StepKind = Literal["menu", "form", "checks", "review", "page", "done"]
RailState = Literal["done", "current", "ahead"]
CheckResult = Literal["ok", "warn", "fail", "unknown", "running", "skipped"]

MAX_TEXT = 320


class RailItem(Reply):
    """One step in the list at the side."""

    id: str
    title: str
    state: RailState
    open: bool = False
    """It can be gone to."""


class MenuOption(Reply):
    """`recommended`: why; empty when it is not. `disabled`: why it can't be chosen."""

    value: str
    title: str
    help: str = ""
    icon: str = ""
    recommended: str = ""
    disabled: str = ""


class CheckItem(Reply):
    """One finding. `unknown` is no fault: it could not be told."""

    id: str
    title: str
    result: CheckResult
    severity: Literal["required", "recommended", "optional"] = "recommended"
    text: str = ""
    fix: str = ""
    expected: str = ""
    found: str = ""


class ReviewRow(Reply):
    """`step`: where it can be changed."""

    label: str
    value: str
    step: str = ""


class Link(Reply):
    """`page`: a path in the faces."""

    title: str
    help: str = ""
    icon: str = ""
    page: str
    primary: bool = False


class ShownSecret(Reply):
    """Shown this once, with a button to copy it."""

    label: str
    value: str
    help: str = ""


class StepAction(Reply):
    """Something to try in a step without leaving it (`{"action": "run", "run": id}`), such as "Test sign-in". `gate`: until it has
    worked, going on asks for `anyway`.
    """

    id: str
    title: str
    icon: str = ""
    gate: bool = False


class Report(Reply):
    """What an action of the step found."""

    ok: bool
    message: str
    fix: str = ""
    steps: list[CheckItem] = Setting(default_factory=list)
    excerpt: str = ""


class FlowStep(Reply):
    """Where a flow stands, whole. `issues` have the path of their field in `values`."""

    id: str
    """Of the flow."""
    type: str
    name: str
    """What the flow is called, such as "Add a domain"."""
    about: str = ""
    over: bool = False
    """It has ended with this move; there is nothing to show any more."""
    step: str
    kind: StepKind
    title: str
    intro: str = ""
    why: str = ""
    """A paragraph for the side: why this is asked."""
    rail: list[RailItem] = Setting(default_factory=list)
    can_back: bool = False
    primary: str = "Next"
    """What the main button says; empty when there is nothing to press."""
    skip: str = ""
    """What the button says that goes on without an answer; empty: there is none."""
    commits: bool = False
    """The main button applies everything."""
    applied: bool = False
    """What it was for has been done; giving it up takes nothing back."""
    danger: bool = False
    """What it applies destroys something."""
    type_name: str = ""
    """Must be typed before the main button works."""
    values: dict[str, JsonValue] = Setting(default_factory=dict)
    issues: list[Problem] = Setting(default_factory=list)

    fields: list[Field] = Setting(default_factory=list)
    layout: list[Section] = Setting(default_factory=list)
    options: list[MenuOption] = Setting(default_factory=list)
    checks: list[CheckItem] = Setting(default_factory=list)
    running: bool = False
    verdict: str = ""
    """One sentence over the checks."""
    rows: list[ReviewRow] = Setting(default_factory=list)
    effects: list[Effect] = Setting(default_factory=list)
    page: str = ""
    links: list[Link] = Setting(default_factory=list)
    secrets: list[ShownSecret] = Setting(default_factory=list)
    actions: list[StepAction] = Setting(default_factory=list)
    report: Report | None = None
    """What the last action of this step found."""


class FlowHead(Reply):
    """A flow that can be gone on with."""

    id: str
    type: str
    name: str
    about: str = ""
    """What it is about, such as the domain's name."""
    step_title: str
    at: datetime


class Flows(Reply):
    items: list[FlowHead]


class BeginFlow(Request):
    """`context`: what it begins with, such as `{"domain": "example.org"}`."""

    type: str = Setting(max_length=64)
    context: dict[str, str] = Setting(default_factory=dict, max_length=20)


class FlowMove(Request):
    """`next` with the values of the step; `back`; `go` to `step`; `run` the action `run` on the values; `skip`.

    `at`: the step that the values are for; when the flow stands elsewhere by now, the move is not made and the reply shows where.
    `anyway`: go on though a gated action has not worked. `typed`: the name that a dangerous step asks for.
    """

    action: Literal["next", "back", "go", "run", "skip"]
    at: str = Setting(default="", max_length=64)
    values: dict[str, JsonValue] = Setting(default_factory=dict)
    step: str = Setting(default="", max_length=64)
    run: str = Setting(default="", max_length=64)
    anyway: bool = False
    typed: str = Setting(default="", max_length=MAX_TEXT)

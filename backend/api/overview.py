"""What goes over the admin API about the first page: does mail work, what needs somebody, what happened on the last days.

All texts are made by the server, so that the window and the browser say the same.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.api.flows import FlowHead
from backend.api.model import Reply, Request
from backend.api.types import Disk, TraceSummary, VerdictName

Tone = Literal["ok", "warn", "error", "info", "neutral"]


class AttentionAction(Reply):
    """The first thing to do about it: a page to open, or something that the server does (`call`)."""

    title: str
    path: str = ""
    call: Literal["", "resume", "restart"] = ""


class Attention(Reply):
    """One thing that needs somebody. `why`: what it means; empty when the title says all."""

    code: str
    subject: str = ""
    tone: Tone
    title: str
    body: str = ""
    why: str = ""
    since: datetime | None = None
    action: AttentionAction | None = None
    may_acknowledge: bool = True


class AcknowledgedProblem(Reply):
    """Left as it is, by whom and why."""

    code: str
    subject: str = ""
    title: str
    note: str = ""
    by: str = ""
    at: datetime


class Stat(Reply):
    """One figure. `days`: the same on the last fourteen days, today last; empty when it is a state and no count."""

    id: str
    label: str
    value: int
    note: str
    path: str
    icon: str
    alert: bool = False
    days: list[int] = Field(default_factory=list)


class Fact(Reply):
    """A line about the system. `path`: where it is looked after."""

    label: str
    value: str
    tone: Tone = "neutral"
    path: str = ""


class NextStep(Reply):
    id: str
    icon: str
    title: str
    text: str
    action: str
    path: str


class Overview(Reply):
    """`recent`: the last messages. `flows`: wizards to go on with. `acknowledged`: what was left as it is and is still so."""

    verdict: VerdictName
    tone: Tone
    headline: str
    about: str
    practice_mode: bool
    sending_paused: bool
    accounts: int
    attention: list[Attention]
    acknowledged: list[AcknowledgedProblem]
    stats: list[Stat]
    recent: list[TraceSummary]
    facts: list[Fact]
    disk: Disk
    steps: list[NextStep]
    flows: list[FlowHead]


class ProblemName(Request):
    code: str = Field(max_length=100)
    subject: str = Field(default="", max_length=500)


class AcknowledgeProblem(ProblemName):
    """It does not call for attention any more, until it is over, gets worse or says something else."""

    note: str = Field(default="", max_length=500)

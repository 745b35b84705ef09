"""The DNS of a domain: the records it needs, and what a check has found."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.api.model import Reply, Request
from backend.api.summaries import CheckState

CheckSeverity = Literal["required", "recommended", "optional"]
CheckArea = Literal[
    "receive",
    "accepted",
    "setup",
    "protection",
    "server",
    "ports",
    "certificate",
    "mail",
    "domains",
]
CheckResult = Literal["ok", "missing", "different", "warn", "fail", "unknown"]


class DnsRecord(Reply):
    """`values`: one record each, names without their final dot; empty when the server does not know them (its own public
    address). `lines`: the same as they stand in a zone file.
    """

    code: str
    area: CheckArea
    title: str
    purpose: str
    severity: CheckSeverity
    name: str
    type: str
    values: list[str]
    lines: list[str]
    in_zone: bool
    """It belongs into the zone of the domain; otherwise to whoever gives the address, or into the zone of the host name."""
    note: str = ""


class DnsRecords(Reply):
    """`zone`: all of them as text for a zone file."""

    domain: str
    practice_mode: bool
    items: list[DnsRecord]
    zone: str
    notes: list[str] = Field(default_factory=list)


class CopyValue(Reply):
    """One field to paste into a DNS provider's form."""

    label: str
    value: str


class CheckFix(Reply):
    """`path`: the page on which it is done."""

    text: str
    values: list[CopyValue] = Field(default_factory=list)
    path: str = ""


class Span(Reply):
    """A piece of a value. `new`: only in what it should be; `gone`: only in what is there."""

    mark: Literal["same", "new", "gone"]
    text: str


class Entry(Reply):
    """One record as the provider's form takes it, field by field."""

    fields: list[CopyValue]
    note: str = ""


class Acknowledged(Reply):
    """Somebody has looked at it and wants it out of sight, until the finding is another one."""

    note: str
    by: str
    at: datetime


class Check(Reply):
    """One line of a check. `unknown` is “could not tell”, neither good nor bad; what is optional is never a fault.

    `id`: the same at every check. `word`: the state as a word. `should`, `now`: expected and found with what differs marked.
    `direct`: the servers of the zone itself said so, no cache. `how`: what was done to find out.
    """

    id: str = ""
    code: str
    area: CheckArea
    title: str
    purpose: str
    severity: CheckSeverity
    name: str
    type: str
    result: CheckResult
    state: CheckState
    word: str
    summary: str
    expected: list[str] = Field(default_factory=list)
    found: list[str] = Field(default_factory=list)
    should: list[list[Span]] = Field(default_factory=list)
    now: list[list[Span]] = Field(default_factory=list)
    fix: CheckFix | None = None
    entries: list[Entry] = Field(default_factory=list)
    where: str = ""
    """Over the entries: where they are entered, or by whom."""
    in_zone: bool = True
    """The steps of the provider lead to it."""
    direct: bool = False
    how: str = ""
    worldwide: str = ""
    """Whether public resolvers see it, in a sentence; empty when none was asked."""
    since: datetime | None = None
    acknowledged: Acknowledged | None = None


class CheckGroup(Reply):
    """`progress`: such as “2 of 3”; lines that were acknowledged are not counted in it, but in `hidden`."""

    area: CheckArea
    title: str
    purpose: str
    done: int
    total: int
    progress: str
    state: CheckState
    hidden: int = 0


class Provider(Reply):
    """Who keeps the DNS; without a name when that is nobody we know. `steps`: where its form is and how it is filled."""

    id: str
    name: str
    steps: list[str]


class Checks(Reply):
    """`headline`: all of it in a sentence. `news`: what the last check has seen change. No `checked_at`: never checked."""

    practice_mode: bool
    checked_at: datetime | None = None
    headline: str
    state: CheckState
    news: str = ""
    groups: list[CheckGroup] = Field(default_factory=list)
    items: list[Check] = Field(default_factory=list)


class DnsCheck(Checks):
    """`source`: who was asked, in a phrase."""

    domain: str
    unicode: str
    source: str = ""
    provider: Provider
    name_servers: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


class Health(Checks):
    """Whether the server itself is well."""


class HealthQuery(Request):
    """`only`: the id of the one check to run; empty: all."""

    only: str = Field(default="", max_length=400)


class AcknowledgeCheck(Request):
    """`subject`: the domain; empty for a check of the server. `id`: of its line."""

    subject: str = Field(default="", max_length=255)
    id: str = Field(min_length=1, max_length=400)
    note: str = Field(default="", max_length=500)


class AcknowledgedCheck(Request):
    """Which acknowledgement to take back."""

    subject: str = Field(default="", max_length=255)
    id: str = Field(min_length=1, max_length=400)

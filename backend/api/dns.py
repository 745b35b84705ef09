"""The DNS of a domain: the records it needs, and what a check has found."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.api.types import Reply

CheckSeverity = Literal["required", "recommended", "optional"]
CheckArea = Literal["receive", "accepted", "setup", "protection"]
CheckResult = Literal["ok", "missing", "different", "unknown"]


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
    text: str
    values: list[CopyValue] = Field(default_factory=list)


class Check(Reply):
    """One line of a check. `unknown` is “could not tell”, neither good nor bad; what is optional is never a fault.

    `direct`: the servers of the zone itself said so, no cache.
    """

    code: str
    area: CheckArea
    title: str
    purpose: str
    severity: CheckSeverity
    name: str
    type: str
    result: CheckResult
    summary: str
    expected: list[str] = Field(default_factory=list)
    found: list[str] = Field(default_factory=list)
    fix: CheckFix | None = None
    direct: bool = False


class DnsCheck(Reply):
    """`headline`: all of it in a sentence."""

    domain: str
    practice_mode: bool
    checked_at: datetime
    headline: str
    items: list[Check]
    notes: list[str] = Field(default_factory=list)

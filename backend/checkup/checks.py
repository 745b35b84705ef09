"""What a check has found, as data for the faces."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from backend.checkup.records import Area, Record, Severity
from backend.dns.answers import LookupFailed

Result = Literal["ok", "missing", "different", "warn", "fail", "unknown"]
State = Literal["ok", "warn", "fail", "optional", "unknown"]
"""What a result means: `optional` is missing without harm, and never red."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Something to paste elsewhere: `Value`, `v=spf1 mx ~all`."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Fix:
    """`path`: the page on which it is done."""

    text: str
    copy: tuple[Copy, ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`unknown` is “could not tell”: neither good nor bad. `direct`: the servers of the zone itself said so.

    `zone`: where the record lies, empty when that is not known. `how`: what was done to find out.
    """

    code: str
    area: Area
    title: str
    purpose: str
    severity: Severity
    name: str
    type: str
    result: Result
    summary: str
    expected: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    fix: Fix | None = None
    direct: bool = False
    zone: str = ""
    how: str = ""
    worldwide: str = ""
    """Whether public resolvers see it, in a sentence; empty when none was asked."""

    @property
    def state(self) -> State:
        match self.result:
            case "ok" | "warn" | "fail" | "unknown":
                return self.result
            case _:
                return _STATES[self.severity]

    @property
    def word(self) -> str:
        return "optional" if self.state == "optional" and not self.found else _WORDS[self.result]

    @property
    def is_bad(self) -> bool:
        """Somebody should do something about it."""
        return self.state in {"warn", "fail"}

    @property
    def finding(self) -> str:
        """What was acknowledged, when this is: another finding has to be looked at again."""
        return "\n".join((self.result, *sorted(self.found)))


_STATES: dict[Severity, State] = {"required": "fail", "recommended": "warn", "optional": "optional"}
_WORDS: dict[Result, str] = {
    "ok": "ok",
    "missing": "missing",
    "different": "different",
    "warn": "look at it",
    "fail": "fault",
    "unknown": "could not tell",
}


def keys(checks: Sequence[Check]) -> list[str]:
    """A name for each, the same at every check: `spf TXT example.org`."""
    seen: dict[str, int] = {}
    made = []
    for check in checks:
        key = " ".join(filter(None, (check.code, check.type, check.name)))
        seen[key] = seen.get(key, 0) + 1
        made.append(key if seen[key] == 1 else f"{key} #{seen[key]}")
    return made


def check_of(
    record: Record,
    result: Result,
    summary: str,
    *,
    found: tuple[str, ...] = (),
    fix: str = "",
    expected: tuple[str, ...] | None = None,
) -> Check:
    """With the values to copy where there is something to do."""
    values = record.values if expected is None else expected
    check = Check(
        code=record.code,
        area=record.area,
        title=record.title,
        purpose=record.purpose,
        severity=record.severity,
        name=record.name,
        type=record.type,
        result=result,
        summary=summary,
        expected=values,
        found=found,
    )
    return replace(check, fix=Fix(fix, copies(record, values))) if fix else check


def unknown(record: Record, failure: LookupFailed) -> Check:
    """Never red: who can't look has seen nothing."""
    return check_of(record, "unknown", f"Could not tell: {failure.reason}.")


def copies(record: Record, values: tuple[str, ...]) -> tuple[Copy, ...]:
    """Field by field, as the forms of DNS providers want them."""
    fields = [Copy("Name", record.name), Copy("Type", record.type)]
    for value in values:
        if record.type == "MX":
            preference, _, host = value.partition(" ")
            fields += [Copy("Priority", preference), Copy("Value", host)]
        elif record.type == "SRV":
            priority, weight, port, target = value.split()
            fields += [
                Copy("Priority", priority),
                Copy("Weight", weight),
                Copy("Port", port),
                Copy("Target", target),
            ]
        else:
            fields.append(Copy("Value", value))
    return tuple(fields)

"""What the overview says: one sentence, what needs attention, four numbers, the system in a few lines."""

from dataclasses import dataclass
from datetime import datetime

from backend.api import types as t
from ui.presenters import wording

TONES = {"ok": "ok", "attention": "warn", "problem": "error"}
SHOWN_PROBLEMS = 3
DISK_LOW_SHARE = 0.1


def tone_of(status: t.Status) -> str:
    return TONES[status.verdict]


def subtitle(status: t.Status, now: datetime) -> str:
    since = wording.duration((now - status.started_at).total_seconds())
    people = wording.count(status.accounts, "account")
    places = wording.count(status.domains, "domain")
    return f"{status.hostname} · {people} in {places} · running for {since}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    label: str
    value: str
    note: str
    path: str
    alert: bool = False


def stats(counters: t.Counters) -> tuple[Stat, ...]:
    held = counters.queue_held
    failures = counters.sign_in_failures
    bounced = counters.bounced
    return (
        Stat(
            label="Received today",
            value=wording.number(counters.received),
            note=f"{wording.number(counters.rejected)} refused",
            path="/activity",
        ),
        Stat(
            label="Sent today",
            value=wording.number(counters.sent),
            note=f"{wording.number(bounced)} came back" if bounced else "none came back",
            path="/activity",
            alert=bounced > 0,
        ),
        Stat(
            label="Waiting in the queue",
            value=wording.number(counters.queue_waiting),
            note=f"{wording.number(held)} on hold" if held else "none on hold",
            path="/queue",
        ),
        Stat(
            label="Sign-ins today",
            value=wording.number(counters.sign_ins),
            note=f"{wording.number(failures)} failed",
            path="/accounts",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    tone: str
    title: str
    body: str


def attention(problems: list[t.Problem]) -> tuple[tuple[Attention, ...], int]:
    """The most severe ones first, and how many more there are."""
    order = {"error": 0, "warning": 1, "info": 2}
    tones = {"error": "error", "warning": "warn", "info": "info"}
    ranked = sorted(problems, key=lambda problem: order[problem.severity])
    shown = tuple(
        Attention(
            tone=tones[problem.severity],
            title=problem.message,
            body=" ".join(part for part in (problem.fix, _place(problem)) if part),
        )
        for problem in ranked[:SHOWN_PROBLEMS]
    )
    return shown, max(0, len(ranked) - SHOWN_PROBLEMS)


def _place(problem: t.Problem) -> str:
    if problem.file:
        return f"({problem.file}, line {problem.line})" if problem.line else f"({problem.file})"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    label: str
    value: str
    tone: str = ""


def facts(status: t.Status) -> tuple[Fact, ...]:
    disk = status.disk
    low = disk.total_bytes > 0 and disk.free_bytes < disk.total_bytes * DISK_LOW_SHARE
    rows = [
        Fact(
            label="Disk",
            value=f"{wording.size(disk.free_bytes)} free of {wording.size(disk.total_bytes)}",
            tone="warn" if low else "",
        ),
        Fact(label="Host name", value=status.hostname),
        Fact(label="Version", value=status.version),
    ]
    if status.memory_bytes:
        rows.insert(1, Fact(label="Memory", value=wording.size(status.memory_bytes)))
    rows.append(Fact(label="Data folder", value=status.data_folder))
    return tuple(rows)


SECURITY = {"tls": "TLS", "starttls": "STARTTLS", "none": "not encrypted"}


def port_rows(ports: list[t.Port]) -> tuple[tuple[str, str, str], ...]:
    """(number, purpose, security), each door once even if it is open on several addresses."""
    seen: dict[tuple[int, str], tuple[str, str, str]] = {}
    for port in sorted(ports, key=lambda port: port.port):
        purpose = port.purpose[:1].upper() + port.purpose[1:]
        row = (str(port.port), purpose, SECURITY[port.security])
        seen.setdefault((port.port, port.purpose), row)
    return tuple(seen.values())

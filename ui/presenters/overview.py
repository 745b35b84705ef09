"""What the overview and the page of the server show: live figures, what needs attention, the system, the open ports."""

from dataclasses import dataclass

from backend.api import types as t
from ui.presenters import wording

SHOWN_PROBLEMS = 3
DISK_LOW_SHARE = 0.1


def live(counters: t.Counters) -> dict[str, str]:
    """Figures that move without reading the page again, by the card's id."""
    return {
        "received": wording.number(counters.received),
        "sent": wording.number(counters.sent),
        "waiting": wording.number(counters.queue_waiting),
        "rejected": wording.number(counters.rejected),
    }


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

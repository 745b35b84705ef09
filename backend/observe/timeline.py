"""What became of a message: its steps in plain words, the recent ones in memory, older ones on disk.

`details` of an entry may name `sender`, `recipient` (or `recipients`, separated by commas), `account`, `peer`,
`message_id`, `queue_id`, `direction` (`in`, `out`); the summary and the search box live on these.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from backend.core.events import TimelineEntry
from backend.core.ids import TraceId
from backend.observe.jsonl import JsonLines

MAX_TRACES = 2_000  # held in memory
MAX_STEPS = 200  # of one message, a security limit
MAX_RECIPIENTS = 20  # named in a summary
LOADED_BYTES = 2_000_000  # read back at start


@dataclass(slots=True)
class TraceRecord:
    """One message. `direction` is empty until a step tells."""

    trace: TraceId
    entries: list[TimelineEntry] = field(default_factory=list)
    direction: str = ""
    sender: str = ""
    recipients: list[str] = field(default_factory=list)

    def add(self, entry: TimelineEntry) -> None:
        if len(self.entries) >= MAX_STEPS:
            del self.entries[MAX_STEPS // 2]  # the beginning and the end tell most
        self.entries.append(entry)
        details = entry.details
        self.direction = self.direction or details.get("direction", "") or _direction(entry)
        self.sender = self.sender or details.get("sender", "")
        named = f"{details.get('recipient', '')},{details.get('recipients', '')}"
        for recipient in (part.strip() for part in named.split(",")):
            if (
                recipient
                and recipient not in self.recipients
                and len(self.recipients) < MAX_RECIPIENTS
            ):
                self.recipients.append(recipient)

    def matches(self, text: str) -> bool:
        """`text` is folded to lower case."""
        return text in self.trace.lower() or any(
            text in entry.text.lower()
            or any(text in value.lower() for value in entry.details.values())
            for entry in self.entries
        )


def _direction(entry: TimelineEntry) -> str:
    match entry.kind:
        case "queued" | "attempt" | "sent" | "deferred":
            return "out"
        case "received":
            return "in"
        case _:
            return ""


class Timeline:
    def __init__(self, folder: Path) -> None:
        self._file = JsonLines(folder, "timeline")
        self._traces: OrderedDict[TraceId, TraceRecord] = OrderedDict()

    def load(self) -> None:
        """Reads the recent part back; before the server starts."""
        for value in self._file.tail(LOADED_BYTES):
            if (entry := _parse(value)) is not None:
                self._remember(entry)

    def add(self, entry: TimelineEntry) -> None:
        self._remember(entry)
        self._file.append(
            {
                "trace": entry.trace,
                "at": entry.at,
                "kind": entry.kind,
                "text": entry.text,
                "details": entry.details,
            }
        )

    def recent(self, *, limit: int, text: str = "") -> list[TraceRecord]:
        """Newest first; `text` in any step, detail or the trace."""
        wanted = text.strip().lower()
        found: list[TraceRecord] = []
        for record in reversed(self._traces.values()):
            if not wanted or record.matches(wanted):
                found.append(record)
                if len(found) == limit:
                    break
        return found

    def find(self, trace: TraceId) -> TraceRecord | None:
        """In memory only."""
        return self._traces.get(trace)

    def find_on_disk(self, trace: TraceId) -> TraceRecord | None:
        """Reads every file: off the loop."""
        record = TraceRecord(trace)
        for value in self._file.scan():
            if value.get("trace") == trace and (entry := _parse(value)) is not None:
                record.add(entry)
        return record if record.entries else None

    def close(self) -> None:
        self._file.flush()

    def _remember(self, entry: TimelineEntry) -> None:
        record = self._traces.get(entry.trace)
        if record is None:
            record = self._traces[entry.trace] = TraceRecord(entry.trace)
            if len(self._traces) > MAX_TRACES:
                self._traces.popitem(last=False)
        else:
            self._traces.move_to_end(entry.trace)
        record.add(entry)


def _parse(value: dict[str, object]) -> TimelineEntry | None:
    try:
        details = cast("dict[str, object]", value.get("details") or {})  # our own file's shape
        return TimelineEntry(
            trace=TraceId(str(value["trace"])),
            at=float(str(value["at"])),
            kind=str(value["kind"]),
            text=str(value["text"]),
            details={str(key): str(item) for key, item in details.items()},
        )
    except (KeyError, ValueError, AttributeError):
        return None

"""What became of a message: its steps in plain words, the recent ones in memory, older ones on disk.

`details` of an entry may name `sender`, `recipient` (or `recipients`, separated by commas), `account`, `peer`,
`message_id`, `queue_id`, `direction` (`in`, `out`); the summary and the search box live on these.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import cast

from backend.core.events import TimelineEntry
from backend.core.ids import TraceId
from backend.observe.jsonl import JsonLines
from backend.observe.wanted import Wanted

MAX_TRACES = 2_000  # held in memory
MAX_STEPS = 200  # of one message, a security limit
FIRST_KINDS = frozenset({"received", "rejected"})
MAX_TRACE_CHARS = 200  # of a line, within which its trace stands
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
    is_whole: bool = True
    """All its steps are here, as far as they were kept."""

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

    @property
    def position(self) -> "Position":
        return self.entries[-1].at, self.trace

    def matches(self, wanted: Wanted) -> bool:
        return any(wanted.fits(self.trace, each.text, each.details) for each in self.entries)


Position = tuple[float, str]
"""Of a message in the list, newest first: when it moved last, and its trace, which decides between equals."""


@dataclass(frozen=True, slots=True)
class TracePage:
    """`next`: behind which the next page begins; None after the last one."""

    records: list[TraceRecord]
    next: Position | None


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
        for record in self._traces.values():
            record.is_whole = record.entries[0].kind in FIRST_KINDS

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

    def recent(self, *, limit: int) -> list[TraceRecord]:
        """Newest first, of those in memory."""
        return list(islice(reversed(self._traces.values()), limit))

    def snapshot(self) -> list[TraceRecord]:
        """Those in memory, newest first, for `page` on another thread."""
        return list(reversed(self._traces.values()))

    def page(
        self,
        known: Sequence[TraceRecord],
        wanted: Wanted,
        *,
        limit: int,
        before: Position | None = None,
    ) -> TracePage:
        """A page of those that fit, newest first; reads files when memory does not have enough: off the loop.

        `known`: a `snapshot`. A page may be shorter than `limit` although others follow.
        """
        found: list[TraceRecord] = []
        for record in known:
            if (before is None or record.position < before) and (
                not wanted.kind or record.matches(wanted)
            ):
                found.append(record)
                if len(found) > limit:
                    return TracePage(found[:limit], found[limit - 1].position)
        skip = {record.trace.encode() for record in known}
        older = self._older(wanted, skip, before, limit + 1 - len(found))
        page = [*found, *older]
        more = len(page) > limit
        page = page[:limit]
        after = page[-1].position if more else None
        return TracePage([each for each in page if not wanted.kind or each.matches(wanted)], after)

    def _older(
        self, wanted: Wanted, skip: set[bytes], before: Position | None, limit: int
    ) -> list[TraceRecord]:
        """From the files, without those to skip. Some may not fit: their lines have the text elsewhere."""
        matching = self._lines_with(wanted) if wanted.kind else None
        if matching is not None and matching <= skip:
            return []
        lines: dict[bytes, list[bytes]] = {}
        for data in self._file.contents():
            for line in reversed(data.splitlines()):
                trace = _trace_of(line)
                if (taken := lines.get(trace)) is not None:
                    if len(taken) < MAX_STEPS:
                        taken.append(line)
                    continue
                if trace in skip or (matching is not None and trace not in matching):
                    continue
                if len(lines) >= limit:
                    continue  # older steps of those that are taken may still come
                entry = _parsed(line)
                if entry is None or (before is not None and (entry.at, entry.trace) >= before):
                    skip.add(trace)  # it was on a page before
                else:
                    lines[trace] = [line]
        records = []
        for trace, taken in lines.items():
            record = TraceRecord(TraceId(trace.decode("utf-8", "replace")))
            for line in reversed(taken):
                if (entry := _parsed(line)) is not None:
                    record.add(entry)
            records.append(record)
        return records

    def _lines_with(self, wanted: Wanted) -> set[bytes]:
        """The traces of all lines with the text in them."""
        needle = wanted.needle
        found = {trace.encode() for trace in wanted.traces}
        for data in self._file.contents():
            # Folding letters of ASCII moves nothing: the line is found at the same place in what was not folded.
            folded = (
                data.lower()
                if needle.isascii()
                else data.decode("utf-8", "replace").lower().encode()
            )
            whole = data if needle.isascii() else folded
            at = folded.find(needle)
            while at >= 0:
                start = folded.rfind(b"\n", 0, at) + 1
                found.add(_trace_of(whole[start : start + MAX_TRACE_CHARS]))
                end = folded.find(b"\n", at)
                at = folded.find(needle, end) if end >= 0 else -1
        return found

    def find(self, trace: TraceId) -> TraceRecord | None:
        """In memory only."""
        return self._traces.get(trace)

    def find_on_disk(self, trace: TraceId) -> TraceRecord | None:
        """Reads every file: off the loop."""
        record = TraceRecord(trace)
        named = trace.encode("utf-8", "backslashreplace")
        lines = [
            line
            for data in reversed(list(self._file.contents()))
            for line in data.splitlines()
            if _trace_of(line) == named
        ]
        for line in lines:
            if (entry := _parsed(line)) is not None:
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


_START = b'{"trace":"'


def _trace_of(line: bytes) -> bytes:
    """Without parsing the line, as there are many; empty for a damaged one."""
    return line[len(_START) : line.find(b'"', len(_START))] if line.startswith(_START) else b""


def _parsed(line: bytes) -> TimelineEntry | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None  # the end of a line that a crash cut off
    return _parse(value) if isinstance(value, dict) else None


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

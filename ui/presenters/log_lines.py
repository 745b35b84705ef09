"""Which log lines are shown, and how one is written as text."""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from backend.api import types as t
from ui.presenters import wording

KEPT_LINES = 10_000  # what the window holds, a memory limit

LEVELS: tuple[tuple[str, str], ...] = (
    ("debug", "Everything"),
    ("info", "Information and worse"),
    ("warning", "Warnings and worse"),
    ("error", "Errors only"),
)
_RANK = {"debug": 0, "info": 1, "warning": 2, "error": 3}
TONES = {"debug": "muted", "info": "text", "warning": "warn", "error": "error"}


@dataclass(frozen=True, slots=True)
class LogRow:
    time: str
    level: str
    logger: str
    text: str


def present(line: t.LogLine) -> LogRow:
    fields = " ".join(f"{key}={_value(value)}" for key, value in line.fields.items())
    text = f"{line.message}  {fields}".rstrip()
    if line.trace:
        text += "  (with a trace)"
    return LogRow(wording.clock(line.at), line.level, line.logger, text)


def _value(value: object) -> str:
    text = str(value)
    return f'"{text}"' if " " in text or not text else text


def as_text(line: t.LogLine) -> str:
    row = present(line)
    head = f"{line.at.isoformat(timespec='milliseconds')} {row.level.upper():7} {row.logger}: "
    text = head + row.text
    return f"{text}\n{line.trace}" if line.trace else text


def part_of(line: t.LogLine) -> str:
    return line.logger.partition(".")[0]


def session_of(line: t.LogLine) -> str:
    """What finds all lines of the same connection or delivery; empty when the line belongs to none."""
    cid = line.fields.get("cid")
    return f"cid={cid}" if cid else ""


class LogBuffer:
    """The last lines in order, and which of them a level and a text let through."""

    def __init__(self) -> None:
        self._lines: deque[t.LogLine] = deque(maxlen=KEPT_LINES)
        self._last_seq = 0
        self.level = "info"
        self.part = ""
        """Of the server, such as `smtpd`; empty: all."""
        self._words = ""
        self._pattern: re.Pattern[str] | None = None

    @property
    def last_seq(self) -> int:
        return self._last_seq

    def __len__(self) -> int:
        return len(self._lines)

    def set_text(self, text: str) -> bool:
        """Plain words, or a regular expression between slashes; false if it is not one."""
        self._words, self._pattern = text.strip().lower(), None
        if len(text) > 2 and text.startswith("/") and text.endswith("/"):
            try:
                self._pattern = re.compile(text[1:-1], re.IGNORECASE)
            except re.error:
                return False
        return True

    def matches(self, line: t.LogLine) -> bool:
        if _RANK[line.level] < _RANK[self.level]:
            return False
        if self.part and part_of(line) != self.part:
            return False
        if not self._words:
            return True
        row = present(line)
        text = f"{row.logger} {row.text}"
        if self._pattern is not None:
            return self._pattern.search(text) is not None
        return all(word in text.lower() for word in self._words.split())

    def add(self, lines: Iterable[t.LogLine]) -> list[t.LogLine]:
        """Takes new lines, drops what was seen before, returns those that are to be shown."""
        shown = []
        for line in lines:
            if line.seq and line.seq <= self._last_seq:
                continue
            self._last_seq = line.seq
            self._lines.append(line)
            if self.matches(line):
                shown.append(line)
        return shown

    def parts(self) -> list[str]:
        """Parts of the server that have written something."""
        return sorted({part_of(line) for line in self._lines})

    def shown(self) -> list[t.LogLine]:
        return [line for line in self._lines if self.matches(line)]

    def restart(self) -> None:
        """A new server counts from the beginning; what was read stays."""
        self._last_seq = 0

    def clear(self) -> None:
        self._lines.clear()

"""The last lines of the log, in memory, for the faces' live view.

Lines come from any thread; listeners are called on that thread.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from backend.observe.log import record_to_dict
from backend.observe.metrics import Metrics

MAX_LINES = 10_000
MAX_TRACE_CHARS = 8_000
_HEAD = ("time", "level", "logger", "message")


@dataclass(frozen=True, slots=True)
class RingLine:
    """`level` is logging's number. `trace`: stack trace, if any."""

    seq: int
    at: float
    level: int
    logger: str
    message: str
    fields: dict[str, object]
    trace: str = ""


@dataclass(frozen=True, slots=True)
class LineFilter:
    """`level`: this and worse; `logger`: a package or module such as `smtpd`; `text`: in the message or a field, any case."""

    level: int = logging.DEBUG
    logger: str = ""
    text: str = ""

    def accepts(self, line: RingLine) -> bool:
        if line.level < self.level:
            return False
        if self.logger and line.logger != self.logger:
            if not line.logger.startswith(f"{self.logger}."):
                return False
        if not self.text:
            return True
        wanted = self.text.lower()
        return wanted in line.message.lower() or any(
            wanted in f"{key}={value}".lower() for key, value in line.fields.items()
        )


class LogRing(logging.Handler):
    """Add it to the `gatepost` logger."""

    def __init__(self, max_lines: int = MAX_LINES, metrics: Metrics | None = None) -> None:
        """`metrics` may be set later: the log begins before everything else."""
        super().__init__()
        self._lines: deque[RingLine] = deque(maxlen=max_lines)
        self._guard = threading.Lock()
        self._listeners: dict[int, Callable[[RingLine], None]] = {}
        self.metrics = metrics
        self._seq = 0
        self._formatter = logging.Formatter()

    @property
    def last_seq(self) -> int:
        return self._seq

    def emit(self, record: logging.LogRecord) -> None:
        values = record_to_dict(record)
        trace = ""
        if record.exc_info:
            trace = self._formatter.formatException(record.exc_info)[-MAX_TRACE_CHARS:]
        with self._guard:
            self._seq += 1
            line = RingLine(
                seq=self._seq,
                at=record.created,
                level=record.levelno,
                logger=str(values["logger"]),
                message=str(values["message"]),
                fields={key: value for key, value in values.items() if key not in _HEAD},
                trace=trace,
            )
            self._lines.append(line)
            listeners = list(self._listeners.values())
        if self.metrics is not None:
            self.metrics.count("gatepost_log_lines_total", level=record.levelname.lower())
        for listener in listeners:
            listener(line)

    def tail(self, *, limit: int, wanted: LineFilter, after: int = 0) -> list[RingLine]:
        """The newest `limit` lines that match and have a higher number than `after`, oldest first."""
        with self._guard:
            lines = list(self._lines)
        found = (line for line in reversed(lines) if line.seq > after and wanted.accepts(line))
        newest = list(islice(found, limit))
        newest.reverse()
        return newest

    def count_errors(self, since: float) -> int:
        """Of those lines that are still here."""
        with self._guard:
            lines = list(self._lines)
        return sum(1 for line in lines if line.level >= logging.ERROR and line.at >= since)

    def listen(self, listener: Callable[[RingLine], None]) -> Callable[[], None]:
        """`listener` must not log and not wait. Returns what ends it."""
        with self._guard:
            self._listeners[id(listener)] = listener

        def stop() -> None:
            with self._guard:
                self._listeners.pop(id(listener), None)

        return stop

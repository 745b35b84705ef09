"""Logs: a fixed phrase and fields. `log.info("message accepted", size_bytes=…)`.

Fields ride on the record as `record.fields`; the context (cid, account, queue id) comes from a context variable, so that
no function passes it on. What must never be logged: bodies, subjects, passwords, tokens, sign-in exchanges.
"""

import json
import logging
import logging.handlers
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

_context: ContextVar[dict[str, object]] = ContextVar("gatepost_log_context", default={})  # noqa: B039  # never changed in place

MAX_FIELD_CHARS = 500  # what a peer sends must not fill the disk, a security limit


class FieldLogger:
    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def _write(
        self, level: int, phrase: str, fields: dict[str, object], error: BaseException | None = None
    ) -> None:
        if self._logger.isEnabledFor(level):
            extra = {"fields": {**_context.get(), **fields}}
            self._logger.log(level, phrase, extra=extra, exc_info=error, stacklevel=3)

    def debug(self, phrase: str, **fields: object) -> None:
        """For us."""
        self._write(logging.DEBUG, phrase, fields)

    def info(self, phrase: str, **fields: object) -> None:
        """One line for each thing that an operator would ask about."""
        self._write(logging.INFO, phrase, fields)

    def warning(self, phrase: str, **fields: object) -> None:
        """Something will need a person."""
        self._write(logging.WARNING, phrase, fields)

    def error(self, phrase: str, *, error: BaseException | None = None, **fields: object) -> None:
        """A person is needed now. `error` adds its trace."""
        self._write(logging.ERROR, phrase, fields, error)


def get(name: str) -> FieldLogger:
    """A module's logger: `logs.get(__name__)`."""
    return FieldLogger(logging.getLogger(f"gatepost.{name}"))


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Adds fields to every line written inside the block (and in tasks started there)."""
    token = _context.set({**_context.get(), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def record_to_dict(record: logging.LogRecord) -> dict[str, object]:
    """A record as plain values: `time` (ISO, UTC), `level`, `logger`, `message`, and the fields, cut to a bounded length."""
    # Each handler asks; the record keeps the answer.
    known: dict[str, object] | None = getattr(record, "plain_values", None)
    if known is None:
        known = record.plain_values = _plain(record)
    return dict(known)


def _plain(record: logging.LogRecord) -> dict[str, object]:
    values: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name.removeprefix("gatepost.").removeprefix("backend."),
        "message": record.getMessage(),
    }
    for key, value in getattr(record, "fields", {}).items():
        plain = (
            value
            if isinstance(value, int | float | bool) or value is None
            else str(value)[:MAX_FIELD_CHARS]
        )
        values.setdefault(key, plain)
    return values


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        values = record_to_dict(record)
        if record.exc_info:
            values["trace"] = self.formatException(record.exc_info)
        return json.dumps(values, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        values = record_to_dict(record)
        head = f"{values.pop('time')} {str(values.pop('level')).upper():7} {values.pop('logger')}: {values.pop('message')}"
        tail = " ".join(
            f"{key}={value!r}" if isinstance(value, str) else f"{key}={value}"
            for key, value in values.items()
        )
        text = f"{head} {tail}".rstrip()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


class SizedFileHandler(logging.handlers.RotatingFileHandler):
    """Counts what it writes, instead of asking the system about the file and formatting twice for each line."""

    _octets = -1

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record) + self.terminator
            if self.stream is None:
                self.stream = self._open()
            if self._octets < 0:
                self._octets = self.stream.seek(0, os.SEEK_END)
            octets = len(line.encode("utf-8", "backslashreplace"))
            if self._octets + octets > self.maxBytes and os.path.isfile(self.baseFilename):
                self.doRollover()
                self._octets = 0
            self.stream.write(line)
            self.flush()
            self._octets += octets
        except Exception:  # logging's way: a full disk must not stop the work that is logged
            self.handleError(record)


def set_up(*, file: Path | None, console: bool, level: int = logging.INFO) -> logging.Logger:
    """Installs the handlers of the server process on the `gatepost` logger and returns it."""
    root = logging.getLogger("gatepost")
    root.setLevel(level)
    root.propagate = False
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        to_file = SizedFileHandler(
            file, maxBytes=10_000_000, backupCount=5, encoding="utf-8", errors="backslashreplace"
        )
        to_file.setFormatter(JsonFormatter())
        root.addHandler(to_file)
    if console:
        to_console = logging.StreamHandler()
        to_console.setFormatter(TextFormatter())
        root.addHandler(to_console)
    # aiosmtpd writes each line of DATA at DEBUG and every address at INFO.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    return root

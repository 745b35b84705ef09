"""A bounded record on disk: one JSON value a line, the oldest file is dropped when the newest is full.

Lines are gathered for half a second and written together, on a thread: a disk that is busy with syncing holds up even
writes that are not synced. What is lost in a crash is activity, never mail.
"""

import asyncio
import json
import os
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from backend.observe import log as logs

log = logs.get(__name__)

FLUSH_AFTER_S = 0.5
MAX_PENDING_LINES = 10_000  # lines that wait for a full disk, a security limit
MAX_LINE_CHARS = 20_000  # a security limit


class JsonLines:
    """`max_bytes` for each file, `keep` files in all: `name.jsonl` is the newest, then `name.1.jsonl` and so on."""

    def __init__(
        self, folder: Path, name: str, *, max_bytes: int = 8_000_000, keep: int = 4
    ) -> None:
        self._folder = folder
        self._name = name
        self._max_bytes = max_bytes
        self._keep = keep
        self._pending: deque[str] = deque(maxlen=MAX_PENDING_LINES)
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None
        self._one_writer = threading.Lock()
        self._failed = False

    def append(self, value: dict[str, object]) -> None:
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if len(line) > MAX_LINE_CHARS:
            return
        self._pending.append(line)
        if self._timer is not None or self._writing is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
        else:
            self._timer = loop.call_later(FLUSH_AFTER_S, self._flush_on_a_thread)

    def flush(self) -> None:
        """Writes what waits, here and now; behind what a thread is writing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._write(self._taken())

    def _flush_on_a_thread(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        # The loop's own threads: the named pools belong to `runtime`, which stands beside this package.
        self._writing = loop.run_in_executor(None, self._write, self._taken())
        self._writing.add_done_callback(self._written)

    def _written(self, _: asyncio.Future[None]) -> None:
        self._writing = None
        if self._pending and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(
                FLUSH_AFTER_S, self._flush_on_a_thread
            )

    def _taken(self) -> bytes:
        # What UTF-8 can't hold (half a pair of surrogates) must not keep all else from being written.
        data = "".join(f"{line}\n" for line in self._pending).encode("utf-8", "backslashreplace")
        self._pending.clear()
        return data

    def _write(self, data: bytes) -> None:
        if not data:
            return
        with self._one_writer:
            try:
                self._append(data)
            except OSError as error:
                if not self._failed:
                    log.warning("activity can't be recorded", file=self._name, reason=str(error))
                self._failed = True
            else:
                self._failed = False

    def tail(self, max_bytes: int) -> Iterator[dict[str, object]]:
        """The newest values, oldest of them first. Damaged lines are skipped."""
        chunks: list[bytes] = []
        left = max_bytes
        for number in range(self._keep):
            chunk = _last_bytes(self._file(number), left)
            chunks.append(chunk)
            left -= len(chunk)
            if left <= 0:
                break
        for chunk in reversed(chunks):
            yield from _values(chunk)

    def contents(self) -> Iterator[bytes]:
        """The files as they are, newest first, up to twice their bound each; to be called off the loop."""
        for number in range(self._keep):
            try:
                with self._file(number).open("rb") as file:
                    yield file.read(2 * self._max_bytes)
            except FileNotFoundError:
                continue

    def _file(self, number: int) -> Path:
        return self._folder / (f"{self._name}.{number}.jsonl" if number else f"{self._name}.jsonl")

    def _append(self, data: bytes) -> None:
        newest = self._file(0)
        try:
            size = newest.stat().st_size
        except FileNotFoundError:
            size = 0
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if size and size + len(data) > self._max_bytes:
            for number in reversed(range(self._keep - 1)):
                if self._file(number).exists():
                    os.replace(self._file(number), self._file(number + 1))
        fd = os.open(newest, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, data)
        finally:
            os.close(fd)


def _last_bytes(file: Path, count: int) -> bytes:
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            start = max(0, size - count)
            stream.seek(start)
            data = stream.read(count)
    except FileNotFoundError:
        return b""
    return data if start == 0 else data.partition(b"\n")[2]


def _values(data: bytes) -> Iterator[dict[str, object]]:
    for line in data.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue  # the end of a line that a crash cut off
        if isinstance(value, dict):
            yield value

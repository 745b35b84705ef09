"""Where the content of a message stays while it comes in: in memory up to 256 KiB, in a spool file beyond.

Nothing in the spool folder outlives its session; what a crash leaves there was never acknowledged.
"""

import os
from pathlib import Path

from backend.runtime.threads import Pool, run_blocking
from backend.store.values import Content

MEMORY_BYTES = 256 * 1024  # of one message, a security limit
_WRITE_BYTES = (
    512 * 1024
)  # gathered before the file is written, so that a thread is not woken for each packet


class Intake:
    """One message's content. `close()` whatever happens."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.eml"
        self._pieces: list[bytes] = []
        self._pending_bytes = 0
        self._fd = -1
        self._is_spooled = False

    async def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._pending_bytes += len(piece)
        if self._pending_bytes > (_WRITE_BYTES if self._is_spooled else MEMORY_BYTES):
            await self._write()

    async def content(self) -> Content:
        """All of it; the file is not synced, that is for who keeps it."""
        if not self._is_spooled:
            content = b"".join(self._pieces)
            self._pieces = []
            return content
        if self._pieces:
            await self._write()
        os.close(self._fd)
        self._fd = -1
        return self._path

    async def drop(self) -> None:
        """Forgets what came so far (a message too large to be taken)."""
        self._pieces = []
        self._pending_bytes = 0
        if self._is_spooled:
            await run_blocking(Pool.FILES, self.close)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._is_spooled:
            self._is_spooled = False
            self._path.unlink(missing_ok=True)

    async def _write(self) -> None:
        pieces, self._pieces, self._pending_bytes = self._pieces, [], 0
        if not self._is_spooled:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._fd = os.open(self._path, flags, 0o600)
            self._is_spooled = True
        await run_blocking(Pool.FILES, _write_all, os.dup(self._fd), b"".join(pieces))


def _write_all(fd: int, data: bytes) -> None:
    # A descriptor of its own: the session may end, and close its one, while this thread writes.
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
    finally:
        os.close(fd)


def clear_spool(folder: Path) -> int:
    """At the start of the server: removes what a crash has left; gives the number of files."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    count = 0
    for path in folder.glob("*.eml"):
        path.unlink(missing_ok=True)
        count += 1
    return count

"""Where the content of a message stays while it comes in: in memory up to 256 KiB, in a spool file beyond.

Nothing in the spool folder outlives its session; what a crash leaves there was never acknowledged.
"""

import os
from pathlib import Path

from backend.core.status import BARE_NEWLINE, DISK_FULL, SmtpStatus
from backend.observe import log as logs
from backend.runtime.threads import Pool, run_blocking
from backend.smtp.data import DataFault, DataReader
from backend.smtpd import answers
from backend.smtpd.wire import ServerSettings, Wire
from backend.store.values import Content

log = logs.get(__name__)

MEMORY_BYTES = 256 * 1024  # of one message, a security limit
# What comes after a message has grown too large is read and thrown away, so that the client gets its 552; a security limit.
MAX_DISCARDED_BYTES = 256 * 1024 * 1024
# Gathered before the file is written, so that a thread is not woken for each packet.
_WRITE_BYTES = 512 * 1024


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


async def receive_content(
    wire: Wire, intake: Intake, settings: ServerSettings
) -> SmtpStatus | None:
    """What follows 354, up to its end; None when all is there, else why it can't be taken."""
    reader = DataReader()
    limit = settings.message_size_bytes
    give_up = wire.now() + settings.data_timeout_s
    refusal: SmtpStatus | None = None
    wire.is_amid_input = True
    while not reader.ended:
        chunk = await wire.read_chunk()
        piece = reader.feed(chunk)
        if reader.size_bytes > limit:
            if refusal is None:
                text = f"The message is larger than this server accepts: {limit} bytes (setting “message_size_bytes”)"
                refusal = SmtpStatus(552, "5.3.4", text)
                await intake.drop()
            if reader.size_bytes - limit > MAX_DISCARDED_BYTES:
                wire.end(refusal)
        elif reader.fault is not None:
            if refusal is None:
                refusal = answers.NUL if reader.fault is DataFault.NUL else BARE_NEWLINE
                await intake.drop()
        elif piece and refusal is None:
            try:
                await intake.add(piece)
            except OSError as error:
                log.error("incoming message could not be spooled", error=error)
                refusal = DISK_FULL
                await intake.drop()
        if wire.now() > give_up:
            wire.end(answers.TIMED_OUT)
    wire.is_amid_input = False
    wire.unread(reader.rest)
    return refusal


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

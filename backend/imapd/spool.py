"""Big messages of an APPEND while they come in: files of one command, written on a thread, gone when it has ended."""

import os
from pathlib import Path
from typing import BinaryIO

from backend.observe import log as logs
from backend.runtime.threads import Pool, run_blocking

log = logs.get(__name__)


class Spool:
    """Owns its files. `paths` are complete as soon as the command is, unless `failed` says that the disk took no more."""

    __slots__ = ("_file", "_folder", "_name", "failed", "paths")

    def __init__(self, folder: Path, name: str) -> None:
        """`name` is unique among the connections."""
        self._folder = folder
        self._name = name
        self._file: BinaryIO | None = None
        self.paths: tuple[Path, ...] = ()
        self.failed = False

    async def begin(self) -> None:
        """The next file."""
        if self.failed:
            return
        path = self._folder / f"{self._name}-{len(self.paths)}.eml"
        self.paths = (*self.paths, path)
        try:
            self._file = await run_blocking(Pool.FILES, self._open, self._file, path)
        except OSError as error:
            await self._give_up(error)

    def _open(self, before: BinaryIO | None, path: Path) -> BinaryIO:
        if before is not None:
            before.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        # Unbuffered: whoever opens the path after the last chunk sees it whole.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "wb", buffering=0)

    async def write(self, data: bytes) -> None:
        """What comes after a failure is thrown away: the literal has to be read to its end."""
        if self.failed:
            return
        assert self._file is not None
        try:
            await run_blocking(Pool.FILES, _write_all, self._file, data)
        except OSError as error:
            await self._give_up(error)

    async def _give_up(self, error: OSError) -> None:
        log.error("appended message could not be spooled", error=error)
        self.failed = True
        await self.remove()

    async def remove(self) -> None:
        await run_blocking(Pool.FILES, self.discard)

    def discard(self) -> None:
        """At once, on this thread; for a connection that has been lost."""
        if self._file is not None:
            self._file.close()
            self._file = None
        for path in self.paths:
            path.unlink(missing_ok=True)
        self.paths = ()


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]

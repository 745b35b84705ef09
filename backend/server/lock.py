"""One server for one data folder."""

import os
import sys
from pathlib import Path

from backend.core.errors import UserError
from backend.core.problems import Problem


class FolderLock:
    """Held from `take` until `release` or the end of the process, however it ends."""

    def __init__(self, run_folder: Path) -> None:
        self._file = run_folder / "lock"
        self._fd = -1

    def take(self) -> None:
        """Raises:
        UserError: another server has it.
        """
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(fd)
        except OSError as error:
            os.close(fd)
            raise UserError(
                Problem(
                    code="server.running",
                    subject=str(self._file.parent.parent),
                    message=f"A Gatepost server is running already for the folder {self._file.parent.parent}.",
                    fix="Use that one, stop it, or choose another folder with --dir.",
                )
            ) from error
        self._fd = fd

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

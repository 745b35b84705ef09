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
        UserError: another server has it, or the folder can't be used.
        """
        # Not through a link that somebody laid there before the folder was closed to others.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = os.open(self._file, flags, 0o600)
        except OSError as error:
            raise UserError(
                Problem(
                    code="server.folder",
                    subject=str(self._file.parent.parent),
                    message=f"The folder {self._file.parent.parent} can't be used: {error.strerror} ({error.filename}).",
                    fix="Give the user who runs the server all rights on it, or choose another folder with --dir.",
                )
            ) from error
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

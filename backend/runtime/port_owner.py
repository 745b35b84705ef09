"""Which program listens on a port of this computer: for the message that the port is taken. Linux; elsewhere nobody knows.

Other users' programs are known to root only. Blocking; for a thread.
"""

import os
import re
from pathlib import Path

LISTENING = "0A"
MAX_ROWS = 20_000  # of the system's table, a security limit

_SOCKET = re.compile(r"socket:\[(\d+)\]")


def owner_of(port: int, proc: Path = Path("/proc")) -> str:
    """Such as `nginx (process 812)`; empty when it can't be told."""
    wanted = _inodes(port, proc)
    if not wanted:
        return ""
    for folder in proc.glob("[0-9]*"):
        if folder.name != str(os.getpid()) and _holds(folder, wanted):
            name = _read(folder / "comm").strip()
            return f"{name} (process {folder.name})" if name else f"process {folder.name}"
    return ""


def _inodes(port: int, proc: Path) -> set[str]:
    """Of the sockets that listen on the port."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in _read(proc / "net" / table).splitlines()[1:MAX_ROWS]:
            cells = line.split()
            if len(cells) > 9 and cells[3] == LISTENING:
                if int(cells[1].rpartition(":")[2], 16) == port:
                    found.add(cells[9])
    return found - {"0"}


def _holds(process: Path, inodes: set[str]) -> bool:
    try:
        handles = list((process / "fd").iterdir())
    except OSError:
        return False  # somebody else's, or gone
    for handle in handles:
        try:
            match = _SOCKET.fullmatch(os.readlink(handle))
        except OSError:
            continue
        if match is not None and match[1] in inodes:
            return True
    return False


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

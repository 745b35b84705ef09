"""Where the server of a data folder is reached: its Unix socket and the note it leaves while it runs."""

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

MAX_SOCKET_PATH = 100  # sun_path holds 108 bytes on Linux, 104 on macOS

SESSION_COOKIE_TLS = "__Host-gatepost"
SESSION_COOKIE_PLAIN = "gatepost-session"
CSRF_HEADER = "X-CSRF-Token"
BUILD_HEADER = "X-Build"


def default_folder() -> Path:
    """The data folder when none is named."""
    import platformdirs

    chosen = os.environ.get("GATEPOST_DIR")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("gatepost", appauthor=False))


def socket_file(folder: Path) -> Path:
    return folder / "run" / "admin.sock"


def note_file(folder: Path) -> Path:
    return folder / "run" / "server.json"


@dataclass(frozen=True, slots=True)
class ServerNote:
    """What run/server.json says. `ports` maps a name such as `imaps` to its number."""

    pid: int
    started: str = ""
    ports: dict[str, int] = field(default_factory=dict)


def load_note(folder: Path) -> ServerNote | None:
    """The note of a server that runs or has died without taking it away; None when there is none or it is broken."""
    try:
        values = json.loads(note_file(folder).read_text(encoding="utf-8"))
        pid = int(values["pid"])
        ports = {str(name): int(port) for name, port in dict(values.get("ports", {})).items()}
        return ServerNote(pid, str(values.get("started", "")), ports)
    except (OSError, ValueError, KeyError, TypeError):
        return None


class SocketPath:
    """A path for `bind` and `connect` that fits into a socket address, however deep the data folder lies.

    Valid until `close()`: on Linux a long folder is reached through a descriptor of itself.
    """

    def __init__(self, folder: Path) -> None:
        file = socket_file(folder)
        self._fd = -1
        self.text = str(file)
        if len(os.fsencode(file)) > MAX_SOCKET_PATH and sys.platform == "linux":
            self._fd = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self.text = f"/proc/self/fd/{self._fd}/{file.name}"

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

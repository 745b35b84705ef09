"""What the window asks of whoever starts and stops the server process: `app.supervise` hands it in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LocalServer:
    """The server of a data folder on this computer."""

    folder: Path


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """A server by its address; `ca_file` is trusted besides the system's authorities."""

    url: str
    ca_file: Path | None = None


Target = LocalServer | RemoteServer


class ServerControl(Protocol):
    """Starts and stops the server of a data folder, detached from the window."""

    def is_alive(self, folder: Path) -> bool:
        """A server process of this folder runs."""
        ...

    def exists(self, folder: Path) -> bool:
        """The folder holds a server that was set up."""
        ...

    async def start(self, folder: Path, *, practice: bool = False) -> None:
        """Returns when the process runs. Raises: StartError."""
        ...

    async def stop(self, folder: Path) -> None:
        """Returns when the process has ended."""
        ...

    def practice_accounts(self, folder: Path) -> list[tuple[str, str]]:
        """Address and password of the accounts that practice mode made; empty when they are not known."""
        ...

    def note_practice_password(self, folder: Path, address: str, password: str) -> None:
        """The password of a practice account was changed."""
        ...

    def tail(self, folder: Path, lines: int) -> list[str]:
        """The last lines that the server wrote."""
        ...


class StartError(Exception):
    """The server could not be started; the text is for people."""

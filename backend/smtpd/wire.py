"""What a dialogue needs of the connection under it, and what it is told in exceptions."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from backend.core.errors import PeerError
from backend.core.ids import Cid
from backend.core.status import SmtpStatus
from backend.smtp.limits import SERVER_TIMEOUT_S

MAX_DATA_S = 3600.0  # one message, however steadily it drips in; a security limit


class ConnectionEndsError(Exception):
    """The session is over; what was to be said has been said."""


class LineError(PeerError):
    """A line that can't be used; `status` is the reply."""

    def __init__(self, status: SmtpStatus) -> None:
        super().__init__(status.text)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    hostname: str
    message_size_bytes: int
    recipients: int
    spool: Path
    """Folder for incoming messages over 256 KiB; exists."""
    timeout_s: float = SERVER_TIMEOUT_S
    data_timeout_s: float = MAX_DATA_S


class Wire(Protocol):
    cid: Cid
    peer: tuple[str, int]
    local: tuple[str, int]
    is_loopback: bool
    is_busy: bool
    """Set while something must not be broken off by a timeout or the end of the server."""
    is_amid_input: bool
    """Set while the peer is sending content, so that its last reply reaches it if we break off."""

    @property
    def offers_tls(self) -> bool: ...

    def now(self) -> float:
        """Seconds of the event loop."""

    async def say(self, status: SmtpStatus) -> None:
        """May wait in the buffer while the peer pipelines."""

    async def flush(self) -> None: ...

    async def read_line(self, limit: int) -> bytes:
        """Without its CRLF.

        Raises:
            LineError: too long, or with a bare CR or LF.
            ConnectionEndsError: the peer has gone, or its line has no end.
        """

    async def read_chunk(self) -> bytes:
        """Raises:
        ConnectionEndsError: the peer has gone.
        """

    def unread(self, data: bytes) -> None:
        """Puts back what belongs to the next command."""

    def tls_text(self) -> str:
        """Version and cipher; empty without TLS."""

    def tls_binding(self) -> bytes | None:
        """`tls-server-end-point` of the certificate that the peer was shown."""

    async def start_tls(self) -> None:
        """Says 220, forgets what was pipelined in plain text, and does the handshake."""

    def end(self, status: SmtpStatus) -> NoReturn:
        """Says it and ends the session."""

"""Looks at the server itself: what its checks judge. Nothing here says what is good or bad."""

import asyncio
import os
import shutil
import ssl
import stat
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from backend.config.paths import DataFolder
from backend.core.clock import Clock
from backend.core.problems import Problem
from backend.outbound.listing import QueueAge
from backend.runtime.threads import Pool, run_blocking
from backend.tls.authority import names_of
from backend.tls.contexts import client_context

KNOCK_TIMEOUT_S = 5.0
MAX_GREETING_OCTETS = 512
_SYNCHRONISED = (
    "/run/systemd/timesync/synchronized",  # systemd-timesyncd
    "/run/chrony/chronyd.pid",
    "/run/chronyd.pid",
    "/run/ntpd.pid",
)
_GREETINGS = {
    "smtp": b"220",
    "submission": b"220",
    "submissions": b"220",
    "imap": b"* OK",
    "imaps": b"* OK",
}
_GOODBYES = {"smtp": b"QUIT\r\n", "submission": b"QUIT\r\n", "submissions": b"QUIT\r\n"}


@dataclass(frozen=True, slots=True)
class Door:
    """An open port of this server."""

    listener: str
    service: str
    host: str
    port: int
    security: str
    purpose: str

    @property
    def reached_at(self) -> str:
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # compared, not bound


@dataclass(frozen=True, slots=True)
class Knock:
    """`fault` is empty when the port answered as its protocol wants."""

    fault: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """`open_to_others`: folders that hold secrets and that others on this computer may read. `fault`: why it can't be written."""

    open_to_others: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """`newest`: the newest time that this server has written down before. `kept`: something keeps the clock right."""

    now: float
    newest: float
    kept: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """`fault`: why it can't be read; then nothing else counts."""

    names: frozenset[str] = frozenset()
    expires: datetime | None = None
    own_authority: bool = False
    fault: str = ""


class Probes:
    """Each may raise; whoever asks takes that as “could not tell”."""

    def __init__(
        self,
        folder: DataFolder,
        *,
        ports: Callable[[], Sequence[Door]],
        certificate_file: Callable[[], tuple[Path, bool]],
        queue_age: Callable[[], Awaitable[QueueAge]],
        settings: Callable[[], Sequence[Problem]],
        sent_today: Callable[[], int],
        errors: Callable[[], int],
        clock: Clock,
    ) -> None:
        """`certificate_file`: the chain, and whether our own authority has issued it."""
        self._folder = folder
        self.ports = ports
        self._certificate_file = certificate_file
        self.queue = queue_age
        self.settings = settings
        self.sent_today = sent_today
        self.errors = errors
        self._clock = clock

    async def disk(self) -> Disk:
        usage = await run_blocking(Pool.FILES, shutil.disk_usage, self._folder.root)
        return Disk(usage.free, usage.total)

    async def folder(self) -> FolderFacts:
        return await run_blocking(Pool.FILES, self._look_at_folder)

    def _look_at_folder(self) -> FolderFacts:
        data = self._folder
        others = stat.S_IRWXG | stat.S_IRWXO
        open_to_others = tuple(
            str(folder)
            for folder in (data.root, data.secrets, data.tls)
            if os.name != "nt" and folder.exists() and folder.stat().st_mode & others
        )
        for folder in (data.root, data.accounts, data.queue, data.spool):
            trial = folder / f".check-{os.getpid()}"
            try:
                trial.write_bytes(b"x")
                trial.unlink()
            except OSError as error:
                return FolderFacts(open_to_others, f"{folder}: {error.strerror or error}")
        return FolderFacts(open_to_others)

    async def clock(self) -> ClockFacts:
        def look() -> ClockFacts:
            written = [
                file.stat().st_mtime
                for file in (
                    self._folder.server_toml,
                    self._folder.domains_toml,
                    self._folder.server_log,
                )
                if file.exists()
            ]
            kept = any(Path(file).exists() for file in _SYNCHRONISED)
            return ClockFacts(self._clock.time(), max(written, default=0.0), kept)

        return await run_blocking(Pool.FILES, look)

    async def certificate(self) -> Certificate:
        chain, own = self._certificate_file()

        def read() -> Certificate:
            try:
                leaf = x509.load_pem_x509_certificates(chain.read_bytes())[0]
            except (OSError, ValueError) as error:
                return Certificate(fault=str(error))
            return Certificate(frozenset(names_of(leaf)), leaf.not_valid_after_utc, own)

        return await run_blocking(Pool.FILES, read)

    async def knock(self, door: Door) -> Knock:
        """Connects as a client would and waits for the greeting."""
        context: ssl.SSLContext | None = None
        if door.security == "tls":
            # Whether the certificate is good is a check of its own.
            context = await run_blocking(Pool.FILES, lambda: client_context(verify=False))
        try:
            async with asyncio.timeout(KNOCK_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(
                    door.reached_at, door.port, ssl=context
                )
                try:
                    return await self._greet(door, reader, writer)
                finally:
                    writer.close()
        except TimeoutError:
            return Knock(f"no answer within {KNOCK_TIMEOUT_S:g} seconds")
        except (OSError, EOFError) as error:
            number = getattr(error, "errno", None)
            # asyncio writes addresses into the text; the number says it in a few words.
            words = os.strerror(number) if number and number > 0 else str(error)
            return Knock(words or type(error).__name__)

    async def _greet(
        self, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Knock:
        wanted = _GREETINGS.get(door.service)
        if wanted is None:
            return Knock()  # on a web port the client speaks first: that it is open is enough
        greeting = await reader.read(MAX_GREETING_OCTETS)
        if not greeting.startswith(wanted):
            shown = greeting[:60].decode("ascii", "replace").strip()
            return Knock(f"it answers “{shown}”" if shown else "it closes the connection")
        writer.write(_GOODBYES.get(door.service, b"a LOGOUT\r\n"))
        await writer.drain()
        return Knock()

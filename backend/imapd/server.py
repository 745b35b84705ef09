"""Who may connect? Counts sessions per address and in all, makes a connection for each, and says BYE to them at the end."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backend.accounts.login import Logins
from backend.core.clock import Clock, SystemClock
from backend.core.ids import AccountId
from backend.core.network import network_of
from backend.imapd.connection import Connection
from backend.imapd.rendered import Rendered
from backend.observe import log as logs
from backend.store.store import Store

log = logs.get(__name__)

STOP_GRACE_S = 5.0  # for commands that run when the server stops


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapLimits:
    """All of them are security limits."""

    connections: int = 2000
    connections_per_address: int = 60
    message_bytes: int = 50 * 1024 * 1024
    bad_commands: int = 20
    login_timeout_s: float = 180.0
    # RFC 9051 §5.4: an autologout timer MUST be 30 minutes at least.
    idle_timeout_s: float = 1800.0


class ImapServer:
    """The service. `tls` gives the context of STARTTLS; `is_exempt` names addresses that no per-address limit holds for."""

    def __init__(
        self,
        *,
        store: Store,
        logins: Logins,
        spool: Path,
        hostname: str,
        tls: Callable[[], ssl.SSLContext] | None = None,
        limits: ImapLimits | None = None,
        is_exempt: Callable[[str], bool] = lambda _: False,
        clock: Clock | None = None,
    ) -> None:
        self.store = store
        self.logins = logins
        self.spool = spool
        self.hostname = hostname
        self.tls = tls
        self.limits = limits or ImapLimits()
        self.clock = clock or SystemClock()
        self.rendered = Rendered()
        self._is_exempt = is_exempt
        self._connections: set[Connection] = set()
        self._per_address: Counter[str] = Counter()
        self._last_number = 0
        self._stopping = False

    def protocol_factory(self, *, implicit_tls: bool) -> Callable[[], asyncio.BaseProtocol]:
        """For `loop.create_server`; with `implicit_tls` the socket is expected to be encrypted from the start."""
        return lambda: Connection(self, is_encrypted=implicit_tls)

    def next_number(self) -> int:
        """A number for a session; 0 means none."""
        self._last_number += 1
        return self._last_number

    @property
    def connection_count(self) -> int:
        return len(self._connections)

    # For connections

    def admit(self, connection: Connection) -> str | None:
        """Counts a new connection; gives the reason why it must go, or None."""
        peer = connection.peer
        network = network_of(peer)
        if self._stopping:
            return "The server is stopping"
        if len(self._connections) >= self.limits.connections:
            log.warning("too many IMAP connections", limit=self.limits.connections)
            return "Too many connections, please try again later"
        if self._per_address[
            network
        ] >= self.limits.connections_per_address and not self._is_exempt(peer):
            log.info("too many IMAP connections from one address", peer=peer)
            return "Too many connections from your address"
        self._connections.add(connection)
        self._per_address[network] += 1
        return None

    def release(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            network = network_of(connection.peer)
            self._per_address[network] -= 1
            if not self._per_address[network]:
                del self._per_address[network]

    # For the server

    def drop_account(self, account: AccountId) -> None:
        """Ends the sessions of an account that was removed, switched off or got a new password."""
        for connection in tuple(self._connections):
            if connection.account_id == account:
                connection.say_bye("Your account has changed, please sign in again")

    async def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """BYE to all; commands that run may end first, for a while."""
        self._stopping = True
        for connection in tuple(self._connections):
            connection.say_bye("The server is stopping")
        deadline = asyncio.get_running_loop().time() + grace_s
        while self._connections and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        for connection in tuple(self._connections):
            connection.abort()
        while self._connections:
            await asyncio.sleep(0.02)

"""Ports with immediate TLS: a connection counts from the moment that it is accepted, and has little time for its handshake.

A service counts its sessions, but it hears of one only when the handshake is done; silent strangers would be counted nowhere.
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from functools import partial

from backend.core.network import network_of
from backend.runtime import tasks

ProtocolFactory = Callable[[], asyncio.BaseProtocol]

# Security limits, of connections that have not finished their handshake.
TLS_HANDSHAKE_TIMEOUT_S = 10.0
MAX_HANDSHAKES = 1_000
MAX_HANDSHAKES_PER_ADDRESS = 50
FULL_PAUSE_S = 1.0  # when the process has no more file descriptors


class Handshakes:
    """One for all ports. `is_exempt` names addresses that no per-address limit holds for."""

    def __init__(
        self,
        *,
        connections: int = MAX_HANDSHAKES,
        per_address: int = MAX_HANDSHAKES_PER_ADDRESS,
        is_exempt: Callable[[str], bool] = lambda _: False,
        timeout_s: float = TLS_HANDSHAKE_TIMEOUT_S,
    ) -> None:
        self._connections = connections
        self._per_address = per_address
        self._is_exempt = is_exempt
        self._timeout_s = timeout_s
        self._open: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self.refused = 0

    @property
    def open_connections(self) -> int:
        return self._open.total()

    async def close(self) -> None:
        """Ends those that are under way."""
        await tasks.stop(*self._tasks)

    def begin(
        self,
        connection: socket.socket,
        address: str,
        factory: ProtocolFactory,
        context: ssl.SSLContext,
    ) -> None:
        """Takes over an accepted connection; closes it at once when there are too many."""
        network = network_of(address)
        if self._open.total() >= self._connections or (
            self._open[network] >= self._per_address and not self._is_exempt(address)
        ):
            self.refused += 1
            connection.close()
            return
        self._open[network] += 1
        task = tasks.spawn(self._shake(connection, network, factory, context), "TLS handshake")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _shake(
        self,
        connection: socket.socket,
        network: str,
        factory: ProtocolFactory,
        context: ssl.SSLContext,
    ) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                factory, connection, ssl=context, ssl_handshake_timeout=self._timeout_s
            )
        except OSError:
            pass  # no TLS came, or the wrong one, or too late, or the peer has gone
        finally:
            self._open[network] -= 1
            if self._open[network] <= 0:
                del self._open[network]


class TlsServer:
    """A listening socket; what `asyncio.Server` is without TLS."""

    def __init__(
        self,
        listening: socket.socket,
        handshakes: Handshakes,
        factory: ProtocolFactory,
        context: ssl.SSLContext,
    ) -> None:
        listening.setblocking(False)
        self.sockets = (listening,)
        self._handshakes = handshakes
        self._factory = factory
        self._context = context
        self._task = tasks.spawn(
            tasks.supervise(partial(self._accept, listening), "accepting TLS connections"),
            "accepting TLS connections",
        )

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listening)
            except ConnectionError:
                continue  # it was gone before we came to it
            except OSError:
                await asyncio.sleep(FULL_PAUSE_S)
                continue
            self._handshakes.begin(connection, str(address[0]), self._factory, self._context)
            # While more wait, accepting does not give way by itself.
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Takes no more connections; those that are open go on."""
        await tasks.stop(self._task)
        self.sockets[0].close()

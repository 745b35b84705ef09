"""Listening sockets by a wanted set: what stays is left alone, what is new is opened, what is gone is closed.

A change is all or nothing: when one address can't be bound, those that were opened for it are closed again.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backend.core.errors import ConfigError
from backend.core.problems import Problem
from backend.runtime.handshakes import Handshakes, TlsServer
from backend.runtime.port_owner import owner_of
from backend.runtime.threads import Pool, run_blocking

ProtocolFactory = Callable[[], asyncio.BaseProtocol]
BACKLOG = 256
_Server = asyncio.Server | TlsServer


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`host` is an IP address; `port` 0 asks for any free one."""

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Service:
    """What answers on an endpoint. `tls` is for ports with immediate TLS."""

    factory: ProtocolFactory
    tls: Callable[[], ssl.SSLContext] | None = None


class Listeners:
    """Owns the sockets that are open. Not for Unix sockets."""

    def __init__(self, handshakes: Handshakes | None = None) -> None:
        self._handshakes = handshakes or Handshakes()
        self._open: dict[Endpoint, _Server] = {}

    def bound(self, endpoint: Endpoint) -> tuple[str, int]:
        """The address and port that were really bound."""
        name = self._open[endpoint].sockets[0].getsockname()
        return str(name[0]), int(name[1])

    def endpoints(self) -> list[Endpoint]:
        return list(self._open)

    async def update(self, wanted: Mapping[Endpoint, Service]) -> None:
        """Makes the open set the wanted one.

        Raises:
            ConfigError: an address can't be bound; the open set is as it was. Each problem names port and setting.
        """
        opened: dict[Endpoint, _Server] = {}
        problems: list[Problem] = []
        for endpoint, service in wanted.items():
            if endpoint in self._open:
                continue
            try:
                opened[endpoint] = await self._listen(endpoint, service)
            except OSError as error:
                taken = error.errno == errno.EADDRINUSE
                owner = await run_blocking(Pool.FILES, owner_of, endpoint.port) if taken else ""
                problems.append(_bind_problem(endpoint, error, owner))
        if problems:
            for server in opened.values():
                await _close(server)
            raise ConfigError(problems)
        for endpoint in [e for e in self._open if e not in wanted]:
            await _close(self._open.pop(endpoint))
        self._open.update(opened)

    async def close(self) -> None:
        while self._open:
            _, server = self._open.popitem()
            await _close(server)
        await self._handshakes.close()

    async def _listen(self, endpoint: Endpoint, service: Service) -> _Server:
        family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
        if service.tls is not None:
            address = (endpoint.host, endpoint.port)
            listening = socket.create_server(address, family=family, backlog=BACKLOG)
            return TlsServer(listening, self._handshakes, service.factory, service.tls())
        return await asyncio.get_running_loop().create_server(
            service.factory,
            endpoint.host,
            endpoint.port,
            family=family,
            backlog=BACKLOG,
            reuse_address=True,
        )


async def _close(server: _Server) -> None:
    if isinstance(server, TlsServer):
        await server.close()
        return
    # Closes the listening sockets only; wait_closed() would wait for the sessions (Python 3.12 and newer), and
    # those are their service's to end.
    server.close()


def _bind_problem(endpoint: Endpoint, error: OSError, owner: str) -> Problem:
    setting = f"the port of “{endpoint.name}” in server.toml"
    if error.errno == errno.EADDRINUSE:
        message = (
            f"Port {endpoint.port} on {endpoint.host} is used by {owner or 'another program'}."
        )
        fix = f"Stop that program or change {setting}."
    elif error.errno == errno.EACCES:
        message = f"This user may not open port {endpoint.port}; ports below 1024 need the installed service."
        fix = f"Start Gatepost as the installed service or change {setting} to one above 1024."
    elif error.errno == errno.EADDRNOTAVAIL:
        message = f"This computer has no address {endpoint.host}."
        fix = "Change the addresses of the listener in server.toml."
    else:
        message = f"Port {endpoint.port} on {endpoint.host} can't be opened: {error.strerror}."
        fix = f"Change {setting}."
    return Problem(
        code="listener.bind",
        path=f"/listeners/{endpoint.name}",
        subject=f"{endpoint.host}:{endpoint.port}",
        message=message,
        fix=fix,
    )

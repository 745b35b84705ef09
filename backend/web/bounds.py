"""How many HTTP connections there may be, and how long one may do nothing: aiohttp itself sets no such bounds."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import cast

from aiohttp.web_protocol import RequestHandler

from backend.core.network import network_of

MAX_CONNECTIONS = 1_000  # of one HTTP server, a security limit
MAX_PER_ADDRESS = 100  # browsers open six, and several may sit behind one address; a security limit
CHECK_EVERY_S = 30.0  # a connection without a request, or without reading, for one to two of these is closed, a security limit


class Bounded:
    """A protocol factory around aiohttp's. `max_*` and `check_every_s` are for tests."""

    def __init__(
        self,
        server: Callable[[], asyncio.BaseProtocol],
        *,
        max_connections: int = MAX_CONNECTIONS,
        max_per_address: int = MAX_PER_ADDRESS,
        check_every_s: float = CHECK_EVERY_S,
    ) -> None:
        self._server = server
        self._max_connections = max_connections
        self._max_per_address = max_per_address
        self.check_every_s = check_every_s
        self._by_address: Counter[str] = Counter()

    def __call__(self) -> asyncio.Protocol:
        handler = cast(RequestHandler, self._server())  # what aiohttp's factory makes
        return _Connection(self, handler)

    @property
    def open_connections(self) -> int:
        return self._by_address.total()

    def begin(self, address: str) -> bool:
        """False: there are too many already."""
        if self._by_address.total() >= self._max_connections:
            return False
        if self._by_address[address] >= self._max_per_address:
            return False
        self._by_address[address] += 1
        return True

    def end(self, address: str) -> None:
        self._by_address[address] -= 1
        if self._by_address[address] <= 0:
            del self._by_address[address]


class _Connection(asyncio.Protocol):
    """Passes everything on to aiohttp's protocol, once it is let in."""

    def __init__(self, bounds: Bounded, handler: RequestHandler) -> None:
        self._bounds = bounds
        self._handler = handler
        self._transport: asyncio.Transport | None = None
        self._address = ""
        self._is_in = False
        self._requests = 0
        self._is_writable = True
        self._is_blocked = False  # the other side has not read what was sent, since the last check
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        peer = transport.get_extra_info("peername")
        self._address = network_of(str(peer[0])) if peer else ""
        self._is_in = self._bounds.begin(self._address)
        if not self._is_in:
            self._transport.abort()
            return
        self._handler.connection_made(transport)
        self._check_later()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._is_in:
            self._is_in = False
            self._bounds.end(self._address)
            self._handler.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_in:
            self._handler.data_received(data)

    def eof_received(self) -> None:
        if self._is_in:
            self._handler.eof_received()

    def pause_writing(self) -> None:
        self._is_writable = False
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        self._is_writable, self._is_blocked = True, False
        self._handler.resume_writing()

    def _check_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._bounds.check_every_s, self._check)

    def _check(self) -> None:
        # aiohttp tells nowhere else what a connection is doing (its keep-alive timer ignores bytes that trickle).
        handler = self._handler
        busy = handler._request_in_progress
        is_idle = not busy and handler._request_count == self._requests
        if (is_idle or self._is_blocked) and self._transport is not None:
            self._transport.abort()
            return
        self._is_blocked = not self._is_writable
        self._requests = handler._request_count
        self._check_later()

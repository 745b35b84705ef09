"""Connections on ports with immediate TLS, before and after their handshake; with asyncio's loop and with uvloop."""

import asyncio
import contextlib
import ssl

import pytest

from backend.runtime.handshakes import Handshakes
from backend.runtime.listeners import Endpoint, Listeners, Service
from backend.tls.contexts import TlsContexts
from tests.support.settings import config_of

NAME = "mail.example.org"


class _Echo(asyncio.Protocol):
    made = 0

    def connection_made(self, transport) -> None:
        type(self).made += 1
        self.transport = transport
        transport.write(b"hello ")

    def data_received(self, data) -> None:
        self.transport.write(data)

    def eof_received(self) -> bool:
        self.transport.close()
        return False


class Port:
    def __init__(self, listeners, handshakes, contexts, port):
        self.listeners, self.handshakes = listeners, handshakes
        self.contexts, self.port = contexts, port
        self.keep = []

    async def silent(self) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.keep.append(writer)
        return reader

    async def say(self, words: bytes) -> bytes:
        trust = ssl.create_default_context(cafile=str(self.contexts.ca_file))
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=trust, server_hostname=NAME
        )
        writer.write(words)
        answer = await reader.readexactly(6 + len(words))
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()
        return answer


@contextlib.asynccontextmanager
async def listening(path, **limits):
    contexts = TlsContexts(path / "tls", config_of())
    await contexts.open()
    handshakes = Handshakes(**limits)
    listeners = Listeners(handshakes)
    endpoint = Endpoint("tls", "127.0.0.1", 0)
    await listeners.update({endpoint: Service(_Echo, contexts.server_context)})
    port = Port(listeners, handshakes, contexts, listeners.bound(endpoint)[1])
    try:
        async with asyncio.timeout(60):
            yield port
    finally:
        for writer in port.keep:
            writer.close()
        await listeners.close()
        assert handshakes.open_connections == 0


def run_on(loop, case):
    factory = None
    if loop == "uvloop":
        factory = pytest.importorskip("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(case)


BOTH = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


@BOTH
def test_what_is_said_with_the_end_of_the_handshake_is_not_lost(tmp_path, loop):
    async def case():
        async with listening(tmp_path) as port:
            answers = await asyncio.gather(*(port.say(b"word %d" % n) for n in range(20)))
            assert answers == [b"hello word %d" % n for n in range(20)]

    run_on(loop, case())


@BOTH
def test_hundreds_of_silent_connections_of_one_address_leave_room_for_others(tmp_path, loop):
    async def case():
        async with listening(tmp_path, per_address=20, connections=200) as port:
            made = _Echo.made
            readers = [await port.silent() for _ in range(300)]
            # Those beyond the limit are closed, the others wait for a handshake that never comes.
            ended = [asyncio.ensure_future(_until_closed(reader)) for reader in readers]  # noqa: TID251  # of the test
            while sum(task.done() for task in ended) < 280:
                await asyncio.sleep(0.01)
            assert port.handshakes.open_connections == 20
            assert port.handshakes.refused == 280
            assert _Echo.made == made, "the service hears of none"
            port.handshakes._is_exempt = lambda _: True
            assert await port.say(b"x") == b"hello x"
            for task in ended:
                task.cancel()
            await asyncio.gather(*ended, return_exceptions=True)

    run_on(loop, case())


@BOTH
def test_silence_ends_in_time_and_frees_its_place(tmp_path, loop):
    async def case():
        async with listening(tmp_path, per_address=5, timeout_s=0.3) as port:
            readers = [await port.silent() for _ in range(5)]
            for reader in readers:
                await _until_closed(reader)
            assert await port.say(b"x") == b"hello x"
            assert port.handshakes.refused == 0

    run_on(loop, case())


@BOTH
def test_what_is_no_handshake_is_closed(tmp_path, loop):
    async def case():
        async with listening(tmp_path) as port:
            for words in (b"EHLO me\r\n", b"", b"\x16\x03\x01\x00\x05junk!"):
                reader = await port.silent()
                port.keep[-1].write(words)
                if not words:
                    port.keep[-1].close()
                await _until_closed(reader)

    run_on(loop, case())


@BOTH
def test_the_end_of_the_listeners_ends_handshakes(tmp_path, loop):
    async def case():
        async with listening(tmp_path) as port:
            reader = await port.silent()
            while not port.handshakes.open_connections:
                await asyncio.sleep(0.01)
            await port.listeners.close()
            await _until_closed(reader)

    run_on(loop, case())


async def _until_closed(reader) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(1000):
            pass

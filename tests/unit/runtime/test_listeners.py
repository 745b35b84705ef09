"""The open sockets follow the wanted set, all or nothing."""

import asyncio
import socket

import pytest

from backend.core.errors import ConfigError
from backend.runtime.listeners import Endpoint, Listeners, Service
from tests.support.server_process import free_ports

HOST = "127.0.0.1"


class _Hello(asyncio.Protocol):
    def connection_made(self, transport) -> None:
        transport.write(b"hello")
        transport.close()


async def _answers(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    said = await reader.read()
    writer.close()
    return said == b"hello"


async def test_what_is_new_opens_and_what_is_gone_closes() -> None:
    listeners, service = Listeners(), Service(_Hello)
    one, two = (Endpoint(f"port {p}", HOST, p) for p in free_ports(HOST, 2))
    await listeners.update({one: service})
    assert await _answers(one.port)
    await listeners.update({two: service})
    assert await _answers(two.port)
    assert not await _answers(one.port)
    await listeners.close()
    assert not await _answers(two.port)


async def test_a_port_that_is_taken_undoes_the_whole_change_and_is_named() -> None:
    listeners, service = Listeners(), Service(_Hello)
    old, new = (Endpoint(f"port {p}", HOST, p) for p in free_ports(HOST, 2))
    await listeners.update({old: service})
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        bad = Endpoint("main/imap_port", HOST, taken.getsockname()[1])
        with pytest.raises(ConfigError) as refused:
            await listeners.update({new: service, bad: service})
    (problem,) = refused.value.problems
    assert str(bad.port) in problem.message
    assert "main/imap_port" in problem.fix
    assert await _answers(old.port)
    assert not await _answers(new.port)
    assert listeners.endpoints() == [old]
    await listeners.close()

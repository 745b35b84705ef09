"""Connections to the HTTP ports are counted, and idle ones closed."""

import asyncio

import pytest
from aiohttp import web

from backend.observe.http import make_runner
from backend.web.bounds import Bounded
from backend.web.site import Site

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def hello(_):
    return web.Response(text="hello")


@pytest.fixture
async def serve():
    runners, servers = [], []

    async def start(**bounds) -> int:
        app = web.Application()
        app.router.add_get("/", hello)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        factory = Bounded(runner.server, **bounds)

        def make() -> asyncio.Protocol:
            start.made.append(factory())
            return start.made[-1]

        server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
        servers.append(server)
        return server.sockets[0].getsockname()[1]

    start.made = []
    yield start
    for server in servers:
        server.close()
    for runner in runners:
        await runner.cleanup()


async def ask(reader, writer) -> bytes:
    writer.write(REQUEST)
    async with asyncio.timeout(5):
        return await reader.readuntil(b"hello")


async def is_closed(reader) -> bool:
    async with asyncio.timeout(5):
        try:
            return await reader.read(100) == b""
        except ConnectionError:
            return True


@pytest.mark.parametrize("bounds", [{"max_per_address": 2}, {"max_connections": 2}])
async def test_one_connection_too_many_is_closed_and_room_comes_back(serve, bounds):
    port = await serve(**bounds)
    first = await asyncio.open_connection("127.0.0.1", port)
    second = await asyncio.open_connection("127.0.0.1", port)
    assert b"200 OK" in await ask(*first)
    assert b"200 OK" in await ask(*second)
    third = await asyncio.open_connection("127.0.0.1", port)
    assert await is_closed(third[0])
    first[1].close()
    await first[1].wait_closed()
    async with asyncio.timeout(5):
        while True:
            again = await asyncio.open_connection("127.0.0.1", port)
            try:
                assert b"200 OK" in await ask(*again)
                break
            except (ConnectionError, asyncio.IncompleteReadError):
                again[1].close()
    for _, writer in (second, third, again):
        writer.close()


async def test_a_header_that_trickles_is_cut_off(serve):
    port = await serve(check_every_s=0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nX: ")
    assert await is_closed(reader)
    writer.close()


async def test_a_connection_that_is_used_stays_and_then_goes(serve):
    port = await serve(check_every_s=3600)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert b"200 OK" in await ask(reader, writer)
    connection = serve.made[-1]
    connection._check()
    assert b"200 OK" in await ask(reader, writer)
    connection._check()
    connection._check()  # nothing since the last one
    assert await is_closed(reader)
    writer.close()


def test_it_works_on_the_loop_that_servers_run_on():
    async def once() -> None:
        app = web.Application()
        app.router.add_get("/", hello)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        factory = Bounded(runner.server)
        server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
        connection = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert b"200 OK" in await ask(*connection)
        connection[1].close()
        server.close()
        await runner.cleanup()

    uvloop = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(once())


async def test_a_client_that_does_not_read_its_answer_is_cut_off():
    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 100_000)

    app = web.Application()
    app.router.add_get("/", endless)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    factory = Bounded(runner.server, check_every_s=0.1)
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), limit=1000)
    writer.write(REQUEST)
    async with asyncio.timeout(5):
        while not factory.open_connections:
            await asyncio.sleep(0)
        while factory.open_connections:
            await asyncio.sleep(0.01)
    writer.close()
    server.close()
    await runner.cleanup()


async def test_noise_on_an_http_port_is_answered_but_not_logged(caplog):
    site = Site(domains=tuple, ports=tuple)
    runner = make_runner(site.build())
    await runner.setup()
    server = await asyncio.get_running_loop().create_server(Bounded(runner.server), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"GET / HTTP/1.1\r\nContent-Length: +5\r\n\r\n")
    async with asyncio.timeout(5):
        assert b" 400 " in await reader.readline()
    writer.close()
    server.close()
    await runner.cleanup()
    assert not caplog.records

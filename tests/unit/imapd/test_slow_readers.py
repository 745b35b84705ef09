"""A client that reads nothing does not keep its connection for ever."""

import asyncio

from backend.imapd import connection
from backend.imapd.server import ImapLimits
from tests.support.imap_server import running_imap


async def test_a_connection_ends_although_nobody_reads_its_last_words(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "FLUSH_TIMEOUT_S", 0.2)
    async with running_imap(tmp_path, limits=ImapLimits(login_timeout_s=0.2)) as server:
        client = await server.connect()
        client.reader._transport.pause_reading()
        (silent,) = server.server._connections
        silent.write(b"x" * 16_000_000)  # more than sockets hold
        silent.flush()
        async with asyncio.timeout(5):
            while server.server.connection_count:
                await asyncio.sleep(0.01)


async def test_a_connection_under_tls_may_be_ended_twice(tmp_path):
    async with running_imap(tmp_path, practice_mode=False) as server:
        await server.connect(tls=True)
        (ending,) = server.server._connections
        for _ in range(3):
            ending.close()
        async with asyncio.timeout(5):
            while server.server.connection_count:
                await asyncio.sleep(0.01)

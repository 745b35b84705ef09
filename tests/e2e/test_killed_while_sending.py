"""The whole server is killed after a message went out and before the answer: it comes twice, and that is told everywhere."""

import asyncio
import smtplib
import ssl
from pathlib import Path
from typing import Any

import pytest

from backend.api.client import Client
from tests.support.dns_server import DnsServer
from tests.support.server_process import Serve, free_ports, gatepost
from tests.support.smtp_sink import ScriptedServer, say, up_to_data

pytestmark = pytest.mark.e2e

ADDRESS, PASSWORD = "anna@gatepost.test", "correct horse, battery"

SERVER_TOML = """
hostname = "mail.gatepost.test"

[listeners.test]
addresses = ["127.0.0.1"]
submissions_port = {submissions}

[outbound]
smtp_port = {smtp}
resolvers = ["{resolver}"]
allow_loopback = true
"""


class Remote:
    """Takes each message whole; answers once it `answers`."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.arrived = asyncio.Event()
        self.answers = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await up_to_data(reader, writer)
        self.taken.append(await reader.readuntil(b"\r\n.\r\n"))
        self.arrived.set()
        if not self.answers:
            await asyncio.Event().wait()
        await say(writer, "250 2.0.0 taken")
        await reader.readline()


def submit(folder: Path, port: int) -> None:
    (ca_file,) = folder.glob("tls/*ca*.pem")
    context = ssl.create_default_context(cafile=str(ca_file))
    context.check_hostname = False
    with smtplib.SMTP_SSL("127.0.0.1", port, context=context, timeout=20) as client:
        client.login(ADDRESS, PASSWORD)
        text = f"From: {ADDRESS}\r\nTo: bo@b.test\r\nSubject: once\r\n\r\nonce\r\n"
        client.sendmail(ADDRESS, ["bo@b.test"], text)


async def test_a_message_that_may_come_twice_is_told(tmp_path: Path) -> None:
    remote = Remote()
    zone = {"b.test": {"MX": ["10 mx.b.test."]}, "mx.b.test": {"A": ["127.0.0.1"]}}
    async with ScriptedServer(remote) as server, DnsServer(zone) as dns:
        (port,) = free_ports("127.0.0.1", 1)
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / "server.toml").write_text(
            SERVER_TOML.format(submissions=port, smtp=server.port, resolver=dns.endpoint)
        )
        (tmp_path / "config" / "domains.toml").write_text('[domains."gatepost.test"]\n')

        async def command(*words: str) -> Any:
            return await asyncio.to_thread(gatepost, tmp_path, *words)

        serve = Serve(tmp_path)
        try:
            await asyncio.to_thread(serve.start)
            await command("account", "add", ADDRESS, "--password", PASSWORD)
            await asyncio.to_thread(submit, tmp_path, port)
            async with asyncio.timeout(30):
                await remote.arrived.wait()
            await asyncio.to_thread(serve.kill)

            remote.answers = True
            await asyncio.to_thread(serve.start)
            listed = await command("queue", "list")
            (item,) = listed["items"] if isinstance(listed, dict) else listed
            assert item["note"] == "it was being sent when the server stopped; it may arrive twice"
            assert (item["state"], item["attempts"], item["unconfirmed"]) == ("waiting", 1, 1)
            async with Client.of_folder(tmp_path) as client:
                assert "gatepost_queue_unconfirmed_sendings 1" in await client.metrics()
                told = (await client.trace(item["trace"])).model_dump_json()
                assert (
                    "being sent to bo@b.test when the server stopped; it may arrive twice" in told
                )

            remote.arrived.clear()
            await command("queue", "kick", str(item["id"]))
            async with asyncio.timeout(30):
                await remote.arrived.wait()
            first, second = remote.taken
            assert first.partition(b"Subject")[2] == second.partition(b"Subject")[2]
        finally:
            await asyncio.to_thread(serve.__exit__)

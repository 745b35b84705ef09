"""A message that was answered with 250 survives the death of the server at any moment, once and whole."""

import asyncio
import contextlib
import random
import re
import socket
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from tests.support.smtp_servers import running_servers
from tests.support.smtp_talk import Talk

ROOT = Path(__file__).resolve().parents[2]
KILLS = 25
CLIENTS = 4
ID = re.compile(rb"^Subject: message (\d+)\r$", re.MULTILINE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def start(folder: Path, port: int) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.smtp_child",
        str(folder),
        str(port),
        stdout=PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"ready\n"
    return process


class Sender:
    """Numbers its messages; knows which were answered with 250, and which it can't tell of."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self.port = port
        self.chance = chance
        self.acknowledged: dict[int, tuple[str, ...]] = {}
        self.unknown: dict[int, tuple[str, ...]] = {}

    async def run(self) -> None:
        with contextlib.suppress(OSError, AssertionError, EOFError, IndexError):
            talk = await Talk.to(self.port)
            try:
                while True:
                    await self.one(talk)
            finally:
                await talk.close()

    async def one(self, talk: Talk) -> None:
        number = self.chance.randrange(10**12)
        recipients = self.chance.choice([("anna",), ("bert",), ("anna", "bert")])
        size = self.chance.choice([100, 5_000, 20_000, 400_000])
        await talk.say(
            "MAIL FROM:<x@other.test>", *(f"RCPT TO:<{r}@gatepost.test>" for r in recipients)
        )
        assert (await talk.say("DATA")).startswith("354")
        body = f"Subject: message {number}\r\n\r\n".encode() + b"0123456789abcde\r\n" * (size // 17)
        self.unknown[number] = recipients
        talk.writer.write(body + b"the end\r\n.\r\n")
        reply = await talk.reply()
        assert reply.startswith("250")
        del self.unknown[number]
        self.acknowledged[number] = recipients


@pytest.mark.kill
async def test_every_acknowledged_message_is_there_exactly_once(tmp_path: Path) -> None:
    chance = random.Random(4711)
    folder, port = tmp_path / "data", free_port()
    senders = [Sender(port, random.Random(seed)) for seed in range(CLIENTS)]
    loop = asyncio.get_running_loop()
    began = loop.time()
    kills = 0
    while kills < KILLS and loop.time() - began < 30:
        process = await start(folder, port)
        running = asyncio.gather(*(sender.run() for sender in senders))
        await asyncio.sleep(chance.uniform(0.02, 0.4))
        process.kill()
        await process.wait()
        await running
        kills += 1
    async with running_servers(folder, with_logins=False) as servers:
        found: dict[str, list[int]] = {}
        for account in ("anna", "bert"):
            messages = await servers.messages(account)
            assert all(m.endswith(b"the end\r\n") for m in messages)
            found[account] = [int(ID.search(m)[1]) for m in messages]
            assert len(set(found[account])) == len(found[account])
    acknowledged = {n: r for sender in senders for n, r in sender.acknowledged.items()}
    unknown = {n: r for sender in senders for n, r in sender.unknown.items()}
    assert len(acknowledged) > KILLS
    for number, recipients in acknowledged.items():
        for account in ("anna", "bert"):
            assert (number in found[account]) == (account in recipients), (number, account)
    # What was not answered may be there or not, but never for one of two recipients alone.
    for number in (set(found["anna"]) | set(found["bert"])) - set(acknowledged):
        for account in ("anna", "bert"):
            assert (number in found[account]) == (account in unknown[number]), (number, account)

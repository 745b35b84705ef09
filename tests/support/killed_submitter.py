"""Submits and delivers until it is killed, again and again: `killed_submitter.py FOLDER PORT DNS ROUNDS SEED`.

Imports once and forks a process for each round. What was acknowledged goes to standard output, a line for each message.
Run by tests/unit/outbound/test_kill.py, which plays the other side.
"""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

from backend.accounts.directory import Directory
from backend.core.address import parse_address
from backend.core.connection import SessionFacts
from backend.core.envelope import Envelope
from backend.core.ids import AccountId, Cid, TraceId
from backend.dns.resolver import DnsResolver
from backend.outbound.service import Outbound
from backend.runtime import tasks
from backend.store.store import Store
from tests.support.outbound_rig import FAST, rig_config

LANES = 3
BIG = 300_000
ACCOUNTS = {
    name: {
        "domain": "a.test",
        "destinations": {f"{name}@a.test": {}},
        "max_outgoing_messages_per_day": 1_000_000,
        "max_first_time_recipients_per_day": 1_000_000,
    }
    for name in ("anna", "ben")
}


def plan(number: str) -> tuple[int, tuple[str, ...]]:
    """Size and recipients of a message of that number."""
    rng = random.Random(number)
    recipients = rng.choice([("bo@b.test",), ("bo@b.test", "ben@a.test"), ("ben@a.test",)])
    return rng.choice([100, 3_000, BIG]), recipients


def content(number: str) -> bytes:
    line = b"0123456789abcdef0123456789abcdef\r\n"
    head = f"From: anna@a.test\r\nSubject: {number}\r\n\r\n".encode()
    return head + line * (plan(number)[0] // len(line)) + b"end\r\n"


async def work(folder: Path, port: int, dns: str, name: str, pipe: int) -> None:
    config = rig_config(port, accounts=ACCOUNTS)
    store = Store(folder)
    await store.open()
    outbound = Outbound(
        folder / "queue",
        config=lambda: config,
        directory=Directory(config),
        deliver=store.deliver,
        resolver=DnsResolver([dns]),
        limits=FAST,
    )
    await outbound.open()
    tasks.spawn(outbound.run(), "outbound")

    async def lane(n: int) -> None:
        for turn in range(100_000):
            number = f"{name}-{n}-{turn}"
            await outbound.submitter.submit(
                AccountId("anna"),
                Envelope(
                    sender=parse_address("anna@a.test"),
                    recipients=tuple(map(parse_address, plan(number)[1])),
                ),
                content(number),
                SessionFacts(trace=TraceId(number), cid=Cid("c"), peer_address="192.0.2.7"),
            )
            os.write(pipe, number.encode() + b"\n")
            await asyncio.sleep(0.01)  # leaves time to deliver

    async with asyncio.TaskGroup() as group:
        for n in range(LANES):
            group.create_task(lane(n))


def main() -> None:
    folder, port, dns, rounds, seed = sys.argv[1:]
    rng = random.Random(int(seed))
    for turn in range(int(rounds)):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            asyncio.run(work(Path(folder), int(port), dns, f"m{turn}", writer))
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as lines:
            wanted = rng.randrange(40)
            for seen, line in enumerate(lines):
                sys.stdout.buffer.write(line)
                if seen == wanted:
                    os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

"""Delivers to a store until it is killed, again and again: `killed_deliverer.py FOLDER ROUNDS SEED`.

Imports the store once and forks a process for each round, so that hundreds of kills take seconds. Each process says on
its pipe what was acknowledged; the lines go to standard output. Run by tests/unit/store/test_kill.py.
"""

import asyncio
import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from backend.core.ids import AccountId
from backend.store.store import Store
from backend.store.values import NewMessage, Target

ACCOUNTS = ("anna", "ben", "carl")
MAILBOXES = ("INBOX", "Archive", "Lists/new")
BIG = 300_000


def content(number: str, size: int) -> bytes:
    """What a message of that number holds; the same in each process."""
    head = f"From: a@example.org\r\nSubject: {number}\r\nMessage-ID: <{number}@example.org>\r\n\r\n"
    line = f"{number} " * 8 + "\r\n"
    return (head + line * (size // len(line)) + "end\r\n").encode()


def plan(number: str) -> tuple[int, list[tuple[str, str]]]:
    """Size and targets of a message of that number."""
    rng = random.Random(number)
    size = rng.choice([100, 2_000, 30_000, 2_000, BIG])
    accounts = rng.sample(ACCOUNTS, rng.choice([1, 1, 2, 3]))
    targets = [(account, rng.choice(MAILBOXES)) for account in accounts]
    if rng.random() < 0.1:
        targets.append((accounts[0], "Sent"))
    return size, targets


async def deliver(folder: Path, name: str, pipe: int) -> None:
    store = Store(folder)
    await store.open()

    async def one(lane: int) -> None:
        for turn in range(100_000):
            number = f"{name}-{lane}-{turn}"
            size, targets = plan(number)
            message = NewMessage(content(number, size), 1_700_000_000.0)
            await store.deliver(message, [Target(AccountId(a), box) for a, box in targets])
            os.write(pipe, number.encode() + b"\n")

    async with asyncio.TaskGroup() as group:
        for lane in range(4):
            group.create_task(one(lane))


def kill_one(folder: Path, name: str, rng: random.Random) -> list[str]:
    """What one process acknowledged before it was killed."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            asyncio.run(deliver(folder, name, writer))
        finally:
            os._exit(1)
    os.close(writer)
    if (
        rng.random() < 0.7
    ):  # the others are killed while they start and finish what the last one left
        select.select([reader], [], [], 20)
    time.sleep(rng.random() * rng.choice([0.002, 0.01, 0.04]))
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    data = b""
    while piece := os.read(reader, 65536):
        data += piece
    os.close(reader)
    if not os.WIFSIGNALED(status):
        raise SystemExit(f"the process of {name} ended by itself: {status}")
    return data.decode().split()


def main() -> None:
    folder, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    acknowledged = [kill_one(folder, f"r{n}", rng) for n in range(rounds)]
    print(json.dumps(acknowledged))


if __name__ == "__main__":
    main()

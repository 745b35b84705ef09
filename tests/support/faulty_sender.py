"""Submits messages and delivers them, killed several times: `faulty_sender.py FOLDER PORT DNS MESSAGES KILLS SEED`.

Imports once and forks a process for each life. The last life goes on until the queue is empty. What was acknowledged
goes to standard output, a line with the message's number; what was told about sendings without an answer goes to the
file `doubts`. Time runs fast for the queue, not for the network. Run by tests/flows/test_outbound_faults.py.
"""

import asyncio
import os
import random
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from backend.accounts.directory import Directory
from backend.core.address import parse_address
from backend.core.connection import SessionFacts
from backend.core.envelope import Envelope
from backend.core.events import TimelineEntry
from backend.core.ids import AccountId, Cid, TraceId
from backend.dns.resolver import DnsResolver
from backend.outbound.listing import count_items
from backend.outbound.service import Outbound
from backend.outbound.session import Limits
from backend.runtime import tasks
from backend.store.store import Store
from tests.support.settings import config_of

DESTINATIONS = 100
LANES = 4
CONCURRENCY = 40
SPEED = 8000.0  # the sixteen hours of all eight attempts take seven seconds
LIMITS = Limits(connect_s=5, step_s=0.4, session_s=20)
SENDER = "anna@a.test"


def recipients_of(number: int) -> tuple[str, ...]:
    """One, two of one domain, or two of two domains."""
    rng = random.Random(number)
    first, second = rng.sample(range(DESTINATIONS), 2)
    kind = rng.random()
    if kind < 0.8:
        return (f"m{number}@d{first}.test",)
    if kind < 0.9:
        return (f"m{number}-a@d{first}.test", f"m{number}-b@d{first}.test")
    return (f"m{number}-a@d{first}.test", f"m{number}-b@d{second}.test")


class FastClock:
    """Runs `SPEED` times as fast, and goes on where the process before it was."""

    def __init__(self, began: float) -> None:
        self._began = began

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    def time(self) -> float:
        return self._began + (time.time() - self._began) * SPEED

    def monotonic(self) -> float:
        return time.monotonic()


class Life:
    def __init__(self, folder: Path, port: int, dns: str, began: float) -> None:
        self.folder = folder
        self.doubts = os.open(folder / "doubts", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.config = config_of(
            {
                "hostname": "mail.a.test",
                "outbound": {
                    "smtp_port": port,
                    "allow_loopback": True,
                    "concurrency": CONCURRENCY,
                },
            },
            domains={"a.test": {}},
            accounts={
                "anna": {
                    "domain": "a.test",
                    "destinations": {SENDER: {}},
                    "max_outgoing_messages_per_day": 1_000_000,
                    "max_first_time_recipients_per_day": 1_000_000,
                }
            },
        )
        clock = FastClock(began)
        self.store = Store(folder, clock=clock)
        self.outbound = Outbound(
            folder / "queue",
            config=lambda: self.config,
            directory=Directory(self.config),
            deliver=self.store.deliver,
            resolver=DnsResolver([dns]),
            record=self.note,
            limits=LIMITS,
            clock=clock,
        )

    def note(self, entry: TimelineEntry) -> None:
        if "unconfirmed" in entry.details:
            os.write(self.doubts, f"{entry.trace}\n".encode())

    async def run(self, first: int, count: int, pipe: int) -> None:
        await self.store.open()
        await self.outbound.open()
        running = tasks.spawn(self.outbound.run(), "outbound")
        ticking = tasks.spawn(self.tick(), "time passes")
        numbers = iter(range(first, first + count))

        async def lane() -> None:
            for number in numbers:
                await self.submit(number)
                os.write(pipe, b"%d\n" % number)

        async with asyncio.TaskGroup() as group:
            for _ in range(LANES):
                group.create_task(lane())
        while True:
            counts = await count_items(self.outbound.queue)
            if not (counts.waiting or counts.sending or counts.failed):
                break
            await asyncio.sleep(0.1)
        await tasks.stop(ticking, running)
        await self.outbound.close()
        await self.store.close()

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            self.outbound.wake()

    async def submit(self, number: int) -> None:
        content = (
            f"From: {SENDER}\r\nSubject: message {number}\r\n\r\n".encode()
            + b"0123456789abcdef0123456789abcdef\r\n" * 20
        )
        await self.outbound.submitter.submit(
            AccountId("anna"),
            Envelope(
                sender=parse_address(SENDER),
                recipients=tuple(map(parse_address, recipients_of(number))),
            ),
            content,
            SessionFacts(trace=TraceId(str(number)), cid=Cid("c"), peer_address="192.0.2.7"),
        )


def main() -> None:
    folder, port, dns, messages, kills, seed = sys.argv[1:]
    rng, began = random.Random(int(seed)), time.time()
    acknowledged: list[int] = []
    first = 0
    for life in range(int(kills) + 1):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            missing = int(messages) - len(acknowledged)
            try:
                asyncio.run(Life(Path(folder), int(port), dns, began).run(first, missing, writer))
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        os.close(writer)
        killing = threading.Timer(rng.uniform(0.5, 2.5), os.kill, (child, signal.SIGKILL))
        if life < int(kills):
            killing.start()
        with os.fdopen(reader, "rb") as lines:
            acknowledged += [int(line) for line in lines if line.endswith(b"\n")]
        _, status = os.waitpid(child, 0)
        killing.cancel()
        if life == int(kills) and status:
            sys.exit("the last process failed")
        # What was handed in and not acknowledged may be there or not: its numbers are left out.
        first = max([first, *acknowledged]) + LANES + 1
    sys.stdout.write("".join(f"{number}\n" for number in acknowledged))


if __name__ == "__main__":
    main()

"""What is tried now? One running delivery for each recipient domain, and a bounded number in all.

Woken by the queue when something may be due, else by the time of the next attempt. Runs under `tasks.supervise`.
"""

import asyncio
from collections.abc import Awaitable, Callable

from backend.core.clock import Clock
from backend.observe import log as logs
from backend.outbound.entries import Batch
from backend.outbound.queue import Queue
from backend.runtime import tasks

log = logs.get(__name__)

LONGEST_WAIT_S = 300.0  # the computer may have slept, or its clock been set
DRAIN_S = 15.0  # for deliveries that run when the server stops

Attempt = Callable[[Batch], Awaitable[None]]
"""Delivers one batch and writes down what came of it; raises only for faults of our own."""


class Scheduler:
    def __init__(self, queue: Queue, attempt: Attempt, *, concurrency: int, clock: Clock) -> None:
        self._queue = queue
        self._attempt = attempt
        self._concurrency = concurrency
        self._clock = clock
        self._wake = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}

    @property
    def running(self) -> int:
        return len(self._running)

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled; deliveries that run go on until `drain`."""
        while True:
            self._wake.clear()
            await self._start_due()
            await self._wait()

    async def drain(self, timeout_s: float = DRAIN_S) -> None:
        """Lets running deliveries end; what is still running then is cancelled and comes back at its written time."""
        if self._running:
            await asyncio.wait(self._running.values(), timeout=timeout_s)
        await tasks.stop(*self._running.values())

    async def _start_due(self) -> None:
        free = self._concurrency - len(self._running)
        if free <= 0:
            return
        # A claim that was written must be carried out, also when this loop is being cancelled.
        await tasks.finish(self._claim(free))

    async def _claim(self, free: int) -> None:
        for batch in await self._queue.claim(tuple(self._running), free):
            domain = batch.outgoing.recipients[0].domain_text
            task = tasks.spawn(self._deliver(domain, batch), f"deliver to {domain}")
            self._running[domain] = task

    async def _deliver(self, domain: str, batch: Batch) -> None:
        try:
            with logs.bound(queue_id=batch.ids[0], trace=batch.outgoing.trace):
                await self._attempt(batch)
        finally:
            self._running.pop(domain, None)
            self._wake.set()

    async def _wait(self) -> None:
        timeout_s = LONGEST_WAIT_S
        if len(self._running) < self._concurrency:
            due = await self._queue.next_due(tuple(self._running))
            if due is not None:
                timeout_s = min(max(due - self._clock.time(), 0.0), LONGEST_WAIT_S)
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            pass

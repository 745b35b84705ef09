"""What is tried now? Messages are claimed for the domains that may have them (`lanes`) and carried one after another.

Woken by the queue when something may be due, else by the time of the next attempt. Runs under `tasks.supervise`.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from backend.core.clock import Clock
from backend.observe import log as logs
from backend.outbound import lanes
from backend.outbound.claims import SameWay
from backend.outbound.entries import Batch
from backend.outbound.lanes import Lane, Lanes
from backend.outbound.queue import Queue
from backend.runtime import tasks

log = logs.get(__name__)

LONGEST_WAIT_S = 300.0  # the computer may have slept, or its clock been set
DRAIN_S = 15.0  # for deliveries that run when the server stops

MAX_BEHIND = 2  # of one delivery: so many messages more may come twice when the process is killed


class Behind:
    """What goes on beside the next message of one delivery: the writing down of those before it, a bounded number."""

    def __init__(
        self, hold: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
    ) -> None:
        self._hold = hold
        self._tasks: deque[asyncio.Task[None]] = deque()

    async def add(self, write_down: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(self._hold(write_down, "outcome of a delivery"))
        if len(self._tasks) > MAX_BEHIND:
            await asyncio.wait({self._tasks.popleft()})

    async def end(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks)


Attempt = Callable[[Batch, Behind | None], Awaitable[bool]]
"""Delivers one batch and writes down what came of it, where that is given beside what follows; raises only for faults of
our own. False: something was put off."""


class Scheduler:
    def __init__(
        self,
        queue: Queue,
        attempt: Attempt,
        *,
        concurrency: int,
        per_domain: int,
        same_way: SameWay,
        clock: Clock,
    ) -> None:
        self.lanes = Lanes(concurrency, per_domain)
        self._queue = queue
        self._attempt = attempt
        self._same_way = same_way
        self._clock = clock
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        return self.lanes.running

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled; deliveries that run go on until `drain`."""
        while True:
            self._wake.clear()
            # A claim that was written must be carried out, also when this loop is being cancelled.
            await tasks.finish(self._claim())
            await self._wait()

    async def drain(self, timeout_s: float = DRAIN_S) -> None:
        """Lets running deliveries end; what is still running then is cancelled and comes back at its written time."""
        if not_begun := self.lanes.take_waiting():
            await self._queue.give_back(not_begun)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)
        await tasks.stop(*self._tasks)

    async def _claim(self) -> None:
        room = self.lanes.room()
        if room.places or any(room.served.values()):
            for batch in await self._queue.claim(room, self._same_way):
                self.lanes.add(batch)
        self._start()

    def _start(self) -> None:
        for lane in self.lanes.startable():
            lane.running += 1
            self._hold(self._serve(lane), f"deliver to {lane.domain}")

    def _hold(self, coroutine: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = tasks.spawn(coroutine, name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _serve(self, lane: Lane) -> None:
        """One message after another, as long as there are some and the lane may have that many deliveries."""
        behind = Behind(self._hold)
        try:
            while lane.waiting and lane.running <= lane.connections:
                batch = lane.waiting.popleft()
                if lane.is_low:
                    self._wake.set()
                with logs.bound(queue_id=batch.ids[0], trace=batch.outgoing.trace):
                    # Only where much goes on: else one that is killed would leave more in doubt than it must.
                    beside = behind if lane.connections > 1 else None
                    if await self._carry(lane, batch, beside):
                        lane.went_well(self.lanes.per_domain)
                        self._start()
                    else:
                        lane.went_badly()
            await behind.end()
        finally:
            lane.running -= 1
            self._wake.set()

    async def _carry(self, lane: Lane, batch: Batch, beside: "Behind | None") -> bool:
        stalled = False

        def stall() -> None:
            nonlocal stalled
            stalled = True
            lane.stalled += 1
            log.info("delivery takes long and gives up its place", domain=lane.domain)
            self._wake.set()

        timer = asyncio.get_running_loop().call_later(lanes.STALLED_AFTER_S, stall)
        try:
            return await self._attempt(batch, beside)
        except (
            Exception
        ) as error:  # a job's border: one message must not stay behind, nor stop the others
            log.error("delivery attempt ended by a fault of this server", error=error)
            await self._queue.put_back(batch)
            return False
        finally:
            timer.cancel()
            lane.stalled -= stalled

    async def _wait(self) -> None:
        timeout_s = LONGEST_WAIT_S
        room = self.lanes.room()
        if room.places or any(room.served.values()):
            due = await self._queue.next_due(room)
            if due is not None:
                timeout_s = min(max(due - self._clock.time(), 0.0), LONGEST_WAIT_S)
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            pass

"""When is the search index built? In the background, a few messages at a time, when the store is quiet.

Deliveries do not wait for it: it starts when nothing has arrived for a moment (or has kept arriving for long), rests
between batches as long as they took, and can be paused.
"""

import asyncio
from collections.abc import Awaitable, Callable

from backend.core.ids import AccountId
from backend.observe import log as logs
from backend.runtime import tasks

log = logs.get(__name__)

QUIET_S = 1.0
LONGEST_WAIT_S = 30.0
MAX_WAITING = 100_000  # accounts, a security limit

Step = Callable[[AccountId], Awaitable[bool]]


class Indexer:
    """`step` indexes the next batch of an account; False when there is nothing left to do."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._waiting: dict[AccountId, None] = {}
        self._wake = asyncio.Event()
        self._running = asyncio.Event()
        self._running.set()
        self._task: asyncio.Task[None] | None = None
        self._last_added = 0.0

    def start(self) -> None:
        self._task = tasks.spawn(tasks.supervise(self._run, "search index"), "search index")

    async def stop(self) -> None:
        await tasks.stop(self._task)

    def added(self, account: AccountId) -> None:
        """There may be something new in this account."""
        self._last_added = asyncio.get_running_loop().time()
        if len(self._waiting) < MAX_WAITING:
            self._waiting[account] = None
            self._wake.set()

    def forget(self, account: AccountId) -> None:
        self._waiting.pop(account, None)

    def pause(self) -> None:
        """For what needs the machine for itself: a large import."""
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._until_quiet()
            while self._waiting:
                account = next(iter(self._waiting))
                del self._waiting[account]
                await self._index(account)

    async def _until_quiet(self) -> None:
        loop = asyncio.get_running_loop()
        latest = loop.time() + LONGEST_WAIT_S
        while True:
            await self._running.wait()
            rest = min(self._last_added + QUIET_S, latest) - loop.time()
            if rest <= 0:
                return
            await asyncio.sleep(rest)

    async def _index(self, account: AccountId) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._running.wait()
            started = loop.time()
            try:
                if not await self._step(account):
                    return
            except (
                Exception
            ) as error:  # a job's border: one account's fault is not to stop the others
                log.error("search index can't be written", error=error, account=account)
                return
            await asyncio.sleep(loop.time() - started)
            if loop.time() - self._last_added < QUIET_S:
                await self._until_quiet()

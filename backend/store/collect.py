"""When do the files of messages go? In the background, when no content refers to them and none is about to."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from backend.core.ids import AccountId
from backend.runtime import tasks
from backend.runtime.threads import Pool, run_blocking
from backend.store.blobs import Blobs
from backend.store.database import Database, Transaction


class Collector:
    """Ends with `finish`, before the database is closed."""

    def __init__(self, account: AccountId, database: Database, blobs: Blobs) -> None:
        self._account = account
        self._database = database
        self._blobs = blobs
        self._running: set[asyncio.Task[None]] = set()

    def released(self, blobs: Sequence[str]) -> None:
        """These may have lost their last reference."""
        if blobs:
            self._start(self._collect(blobs))

    def look_for_orphans(self) -> None:
        """Files that a crash or a cancelled delivery left without a message."""
        self._start(self._collect_orphans())

    async def finish(self) -> None:
        if self._running:
            await asyncio.wait(self._running)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = tasks.spawn(work, f"remove files of {self._account}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _collect_orphans(self) -> None:
        names = await run_blocking(Pool.FILES, lambda: set(self._blobs.names()))
        if names:
            rows = await self._database.read(
                lambda reader: reader.rows("SELECT blob FROM content WHERE blob IS NOT NULL"),
                slow=True,
            )
            orphans = sorted(names.difference(name for (name,) in rows))
            if orphans:
                await self._collect(orphans)

    async def _collect(self, blobs: Sequence[str]) -> None:
        # In the writer's turn: no new reference can be committed between the look and the removal, and one that is
        # on its way has its file pinned.
        def collect(transaction: Transaction) -> None:
            for name in blobs:
                if not transaction.value(
                    "SELECT 1 FROM content WHERE blob = :blob", {"blob": name}
                ):
                    self._blobs.remove(name)

        await self._database.write(collect)

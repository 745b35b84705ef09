"""Writes that come within a moment, in one transaction: a commit costs more than what most of them write."""

import asyncio
from collections.abc import Callable

from backend.runtime import tasks
from backend.store.database import Database, Transaction

MOMENT_S = 0.002

Write = Callable[[Transaction], None]


class Gathered:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._writes: list[Write] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, write: Write) -> None:
        """Durable on return, all of the moment or none. It is carried out also when the caller is cancelled.

        Raises:
            TemporaryError: the disk is full; nothing was changed.
        """
        if self._task is None:
            self._task = tasks.spawn(self._write_soon(), "queue writes together")
        self._writes.append(write)
        await asyncio.shield(self._task)

    async def flush(self) -> None:
        """Until nothing waits any more; a failure is told to those who wrote."""
        while self._task is not None:
            await asyncio.wait({self._task})

    async def _write_soon(self) -> None:
        await asyncio.sleep(MOMENT_S)
        writes, self._writes, self._task = self._writes, [], None

        def run(tx: Transaction) -> None:
            for write in writes:
                write(tx)

        await self._database.write(run)

"""Which tasks belong to a window or a dialog: they end with it, and a failure of theirs becomes a message, never silence."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

_log = logging.getLogger("gatepost.ui.scope")


class Scope:
    """Holds tasks until they end; `close` cancels those that still run. `on_error` tells the user."""

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._on_error = on_error
        self._closed = False

    def start(self, coro: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any] | None:
        """Runs it in the background; None if the window is already gone."""
        loop = _running_loop()
        if self._closed or loop is None:
            coro.close()
            return None
        task = loop.create_task(coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Exception) and not self._closed:
            _log.debug("task failed: %s", task.get_name(), exc_info=error)
            self._on_error(error)

    def close(self) -> None:
        self._closed = True
        for task in list(self._tasks):
            task.cancel()

    async def drain(self) -> None:
        """Cancels and waits until all have ended."""
        self.close()
        waiting = [task for task in self._tasks if task is not asyncio.current_task()]
        if waiting:
            await asyncio.wait(waiting)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """None while the process ends: a timer may still fire then."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None

"""Tasks that somebody holds and whose failure somebody reads. The one place that creates them.

A service has a TaskGroup of its own and uses `start`. What outlives its caller (a write that must finish, a reply
that nobody awaits) uses `spawn`: it is held here until it ends, and its failure is logged.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_log = logging.getLogger("gatepost.runtime.tasks")
_held: set[asyncio.Task[Any]] = set()

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 60.0
CANCEL_AGAIN_S = 2.0


def start(group: asyncio.TaskGroup, coro: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """A task of a group: its failure ends the group."""
    return group.create_task(coro, name=name)


def spawn(coro: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """A task of its own, held until it ends; an exception that nobody awaits is logged."""
    task = asyncio.get_running_loop().create_task(coro, name=name)
    _held.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[Any]) -> None:
    _held.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("task failed: %s", task.get_name(), exc_info=error)


async def finish(awaitable: Awaitable[T]) -> T:
    """Waits for something that must not be left half done; a cancellation is delivered only after it has ended."""
    inner = asyncio.ensure_future(awaitable)  # noqa: TID251  # this module is the place that the ban points to
    cancelled: asyncio.CancelledError | None = None
    while not inner.done():
        try:
            await asyncio.shield(inner)
        except asyncio.CancelledError as error:
            if inner.cancelled():
                raise
            cancelled = error
        except Exception:  # the outcome is taken from `inner` below
            break
    if cancelled is not None:
        if not inner.cancelled():
            inner.exception()  # mark it as read: the waiter is gone
        raise cancelled
    return inner.result()


def raise_if_cancelled() -> None:
    """Makes good a cancellation that a library has lost: `wait_for` of Python 3.11 does when the result comes with it.

    Raises:
        CancelledError: the current task was asked to end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def stop(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancels and waits until all have ended."""
    waiting = {task for task in tasks if task is not None and not task.done()}
    while waiting:
        for task in waiting:
            task.cancel()
        # WORKAROUND(CPython 3.11, asyncio.wait_for): it loses a cancellation that comes together with its result, and
        # libraries use it; so who does not end is told again.
        _, waiting = await asyncio.wait(waiting, timeout=CANCEL_AGAIN_S)


async def supervise(run: Callable[[], Awaitable[None]], name: str) -> None:
    """Keeps a long-lived job alive: starts it again after a failure, at first after half a second, at most after a minute.

    Ends when `run` returns without an error or when it is cancelled.
    """
    loop = asyncio.get_running_loop()
    backoff_s = FIRST_BACKOFF_S
    while True:
        started = loop.time()
        try:
            await run()
        except Exception:  # a job loop's border: whatever failed is logged and tried again
            _log.exception("job failed, starting again: %s", name)
        else:
            return
        if loop.time() - started > LONGEST_BACKOFF_S:
            backoff_s = FIRST_BACKOFF_S
        await asyncio.sleep(backoff_s)
        backoff_s = min(backoff_s * 2, LONGEST_BACKOFF_S)

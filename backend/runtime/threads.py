"""The one door to threads: named, bounded pools for what would hold up the event loop for more than 5 ms."""

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Pool(Enum):
    CRYPTO = "crypto"  # password hashes, signatures
    FILES = "files"  # spool files, logs, certificates
    MESSAGE = "message"  # digests of large messages, text for the search index
    BLOCKING = "blocking"  # whatever else waits in a library
    DATABASE_WRITE = "database-write"  # shared by all databases; each has one writer at a time
    DATABASE_READ = "database-read"
    DATABASE_SLOW = (
        "database-slow"  # searches and checks, so that short reads need not wait for them
    )


_THREADS: dict[Pool, int] = {
    Pool.CRYPTO: 2,
    Pool.FILES: 2,
    Pool.MESSAGE: 1,
    Pool.BLOCKING: 4,
    Pool.DATABASE_WRITE: 4,
    Pool.DATABASE_READ: 3,
    Pool.DATABASE_SLOW: 1,
}

_executors: dict[Pool, ThreadPoolExecutor] = {}


def _executor(pool: Pool) -> ThreadPoolExecutor:
    executor = _executors.get(pool)
    if executor is None:
        executor = ThreadPoolExecutor(_THREADS[pool], thread_name_prefix=f"gatepost-{pool.value}")
        _executors[pool] = executor
    return executor


async def run_blocking(pool: Pool, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls `fn` on a thread of `pool` and waits. A started call goes on if the waiter is cancelled; its result is dropped."""
    context = contextvars.copy_context()
    call = functools.partial(context.run, fn, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_executor(pool), call)


def submit(pool: Pool, fn: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Calls `fn` on a thread of `pool` without waiting; `fn` sees to its own errors."""
    _executor(pool).submit(fn, *args, **kwargs)


def shut_down() -> None:
    """Ends all pools; waits for calls that have started."""
    while _executors:
        _, executor = _executors.popitem()
        executor.shutdown(wait=True, cancel_futures=True)

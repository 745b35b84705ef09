"""One writer, many bounded readers. A reader that falls behind gets a `Resync` mark instead of unbounded memory.

`publish` is to be called on the event loop's thread.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

DEFAULT_LIMIT = 1000  # events that wait for one reader, a security limit


class Resync:
    """Events were lost for this reader: read the whole state again."""

    def __repr__(self) -> str:
        return "RESYNC"


RESYNC = Resync()


class Subscription(Generic[T]):
    """One reader's queue. Ends with `close()` or by leaving its `with` block."""

    __slots__ = ("_events", "_hub", "_limit", "_overflowed", "_wake", "accepts", "on_event")

    def __init__(
        self,
        hub: "Hub[T]",
        accepts: Callable[[T], bool] | None,
        limit: int,
        on_event: Callable[[], None] | None,
    ) -> None:
        self._hub = hub
        self._events: deque[T] = deque()
        self._limit = limit
        self._overflowed = False
        self._wake: asyncio.Future[None] | None = None
        self.accepts = accepts
        self.on_event = on_event

    def put(self, event: T) -> None:
        if self.accepts is not None and not self.accepts(event):
            return
        if self._overflowed:
            return
        if len(self._events) >= self._limit:
            self._events.clear()
            self._overflowed = True
        else:
            self._events.append(event)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        if self.on_event is not None:
            self.on_event()

    def take(self) -> "list[T | Resync]":
        """All that waits, at once, without waiting."""
        if self._overflowed:
            self._overflowed = False
            self._events.clear()
            return [RESYNC]
        events: list[T | Resync] = list(self._events)
        self._events.clear()
        return events

    def has_events(self) -> bool:
        return self._overflowed or bool(self._events)

    async def wait(self) -> None:
        """Until something waits. One waiter at a time."""
        if self.has_events():
            return
        self._wake = asyncio.get_running_loop().create_future()
        try:
            await self._wake
        finally:
            self._wake = None

    async def get(self) -> "T | Resync":
        await self.wait()
        if self._overflowed:
            self._overflowed = False
            self._events.clear()
            return RESYNC
        return self._events.popleft()

    async def __aiter__(self) -> "AsyncIterator[T | Resync]":
        while True:
            yield await self.get()

    def close(self) -> None:
        self._hub.remove(self)

    def __enter__(self) -> "Subscription[T]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Hub(Generic[T]):
    def __init__(self) -> None:
        self._subscriptions: dict[Subscription[T], None] = {}

    def publish(self, event: T) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.put(event)

    def subscribe(
        self,
        accepts: Callable[[T], bool] | None = None,
        *,
        limit: int = DEFAULT_LIMIT,
        on_event: Callable[[], None] | None = None,
    ) -> Subscription[T]:
        """`accepts` filters; `on_event` is called (on the loop's thread) after an event was put, to wake a protocol."""
        subscription = Subscription(self, accepts, limit, on_event)
        self._subscriptions[subscription] = None
        return subscription

    def remove(self, subscription: Subscription[T]) -> None:
        self._subscriptions.pop(subscription, None)

    def __len__(self) -> int:
        return len(self._subscriptions)

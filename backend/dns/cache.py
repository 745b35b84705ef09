"""Answers that are still good: bounded in number and in time, whatever TTL a stranger's zone asks for."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from backend.core.clock import Clock

V = TypeVar("V")

MAX_ENTRIES = 5000  # a security limit
SHORTEST_TTL_S = 5.0  # a zone with TTL 0 is not asked again for each recipient of one message
LONGEST_TTL_S = 3600.0  # a mistake in somebody's zone should not outlive its repair by more
LONGEST_NEGATIVE_TTL_S = (
    300.0  # RFC 2308 §5 allows hours; people who set up a domain wait in front of the screen
)


class AnswerCache(Generic[V]):
    """Least recently used goes first when it is full."""

    def __init__(self, clock: Clock, *, max_entries: int = MAX_ENTRIES) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._entries: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()

    def find(self, key: Hashable) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        expires, value = entry
        if expires <= self._clock.monotonic():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return value

    def put(self, key: Hashable, value: V, ttl_s: float, *, negative: bool = False) -> None:
        longest = LONGEST_NEGATIVE_TTL_S if negative else LONGEST_TTL_S
        ttl_s = min(max(ttl_s, SHORTEST_TTL_S), longest)
        self._entries[key] = (self._clock.monotonic() + ttl_s, value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

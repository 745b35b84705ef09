"""How long must a failed sign-in wait, and when is it not even looked at? Bounded tables, no I/O."""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from backend.core.clock import Clock
from backend.core.network import network_of

WINDOW_S = 15 * 60.0
"""A failure is remembered for that long."""
MAX_FAILURES_PAIR = 10
"""Failures of one peer at one account in the window; then that peer waits."""
MAX_FAILURES_PEER = 50
"""Failures of one peer at all accounts in the window."""
MAX_PENDING_PEER = 32
"""Attempts of one peer at the same time: answers are slow, so this bounds guesses by many connections."""
MAX_ENTRIES = 20_000  # in each table; the oldest go first; a security limit
MAX_REMEMBERED_TRIES = 8  # different wrong passwords of a pair, as keyed hashes
FREE_FAILURES = 2
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 8.0


@dataclass(slots=True)
class _Failures:
    count: int = 0
    since: float = 0.0
    tried: list[bytes] = field(default_factory=list)


class _Table:
    def __init__(self) -> None:
        self._entries: OrderedDict[str, _Failures] = OrderedDict()

    def find(self, key: str, now: float) -> _Failures | None:
        entry = self._entries.get(key)
        if entry is not None and now - entry.since >= WINDOW_S:
            del self._entries[key]
            return None
        return entry

    def add(self, key: str, now: float) -> _Failures:
        entry = self.find(key, now)
        if entry is None:
            entry = self._entries[key] = _Failures(since=now)
            if len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)
        self._entries.move_to_end(key)
        return entry

    def remove(self, key: str) -> None:
        self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)


class Throttle:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._peers = _Table()
        self._pairs = _Table()
        self._names = _Table()
        self._pending: dict[str, int] = {}
        self._key = secrets.token_bytes(16)

    def begin(self, peer: str, name: str) -> float:
        """Seconds for which that peer is not listened to; 0 lets the attempt begin, to be ended with `end`."""
        now = self._clock.monotonic()
        key = network_of(peer)
        for entry, limit in (
            (self._pairs.find(f"{key} {name}", now), MAX_FAILURES_PAIR),
            (self._peers.find(key, now), MAX_FAILURES_PEER),
        ):
            if entry is not None and entry.count >= limit:
                return max(1.0, entry.since + WINDOW_S - now)
        pending = self._pending.get(key, 0)
        if pending >= MAX_PENDING_PEER:
            return 1.0
        self._pending[key] = pending + 1
        return 0.0

    def end(self, peer: str, _name: str) -> None:
        key = network_of(peer)
        pending = self._pending.get(key, 0) - 1
        if pending > 0:
            self._pending[key] = pending
        else:
            self._pending.pop(key, None)

    def failed(self, peer: str, name: str, tried: str) -> float:
        """Counts a failure; the seconds to wait before it is answered. The same wrong password again is not counted."""
        now = self._clock.monotonic()
        key = network_of(peer)
        pair = self._pairs.add(f"{key} {name}", now)
        if tried:
            mark = hmac.digest(self._key, tried.encode("utf-8", "surrogatepass"), "sha256")[:16]
            if mark in pair.tried:
                return _delay(pair.count)
            if len(pair.tried) < MAX_REMEMBERED_TRIES:
                pair.tried.append(mark)
        counts = []
        for entry in (pair, self._peers.add(key, now), self._names.add(name, now)):
            entry.count += 1
            counts.append(entry.count)
        return _delay(max(counts))

    def succeeded(self, peer: str, name: str) -> None:
        """Forgets the failures of that peer at that account. Those of the peer stay: it may own one account and try others."""
        self._pairs.remove(f"{network_of(peer)} {name}")
        self._names.remove(name)

    def sizes(self) -> tuple[int, int, int, int]:
        return len(self._peers), len(self._pairs), len(self._names), len(self._pending)


def _delay(count: int) -> float:
    if count <= FREE_FAILURES:
        return FIRST_DELAY_S
    return min(FIRST_DELAY_S * 2.0 ** min(count - FREE_FAILURES, 10), LONGEST_DELAY_S)

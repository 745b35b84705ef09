"""Failed sign-ins make the next try from the same network wait longer. Nobody is shut out for good."""

from collections import OrderedDict
from dataclasses import dataclass

from backend.core.clock import Clock
from backend.core.network import network_of

MAX_NETWORKS = 10_000  # remembered at a time, a security limit
FREE_FAILURES = 3
LONGEST_WAIT_S = 30.0
FORGET_AFTER_S = 3600.0


@dataclass(slots=True)
class _Network:
    failures: int
    last: float
    open_at: float


class Throttle:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._networks: OrderedDict[str, _Network] = OrderedDict()

    def wait_s(self, peer: str) -> float:
        """How long the peer still has to wait before its next try counts; 0: now."""
        known = self._networks.get(network_of(peer))
        return 0.0 if known is None else max(0.0, known.open_at - self._clock.monotonic())

    def failed(self, peer: str) -> None:
        now = self._clock.monotonic()
        key = network_of(peer)
        known = self._networks.pop(key, None)
        failures = 1 if known is None or now - known.last > FORGET_AFTER_S else known.failures + 1
        wait = 0.0
        if failures > FREE_FAILURES:
            wait = min(LONGEST_WAIT_S, 2.0 ** min(failures - FREE_FAILURES - 1, 10))
        self._networks[key] = _Network(failures, now, now + wait)
        if len(self._networks) > MAX_NETWORKS:
            self._networks.popitem(last=False)

    def succeeded(self, peer: str) -> None:
        self._networks.pop(network_of(peer), None)

"""How many deliveries to a domain at a time, and how many messages are taken for it together? Pure.

Behaviour T13 is one delivery for each recipient domain. A domain begins with one, and so it stays for nearly all mail.
Where many messages wait, further ones come as long as the other side takes what it gets, up to a setting; as soon as it
puts something off or can't be reached it is one again. Those beyond the first never have more than half of all places.

A delivery that takes long, mostly because the other side stalls, gives its place to the next one and goes on beside it,
in bounded number. Some places are for first attempts only, so that a crowd of servers that stall again and again, each
for half an hour, does not keep new mail waiting.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from backend.outbound.claims import Room
from backend.outbound.entries import Batch

GROW_AFTER = 20  # deliveries that went well, for each connection that there is
MAX_CHUNK = 16  # messages taken together for one connection: so many have an attempt counted when the process is killed
TRAIN = 200  # messages after which a domain gives its place to one that waits
STALLED_AFTER_S = 60.0  # that one message takes: then its delivery has a place beside the others
STALLED_BESIDE = 3  # times as many as there are places, a security limit; further ones keep theirs
FOR_FIRST = 5  # one in so many places is for first attempts only
MAX_KNOWN = 1000  # domains without work of which it is known how they did, a security limit


@dataclass(slots=True)
class Lane:
    """Deliveries to one domain. `connections`: how many at a time; `chunk`: messages to claim for each of them."""

    domain: str
    waiting: deque[Batch] = field(default_factory=deque)
    running: int = 0
    connections: int = 1
    chunk: int = 1
    in_a_row: int = 0
    carried: int = 0
    """Since it has had its place."""
    stalled: int = 0
    """Of those that run."""
    is_retrying: bool = False
    """Its place was taken for a message that had been tried before."""

    @property
    def has_work(self) -> bool:
        return bool(self.waiting) or self.running > 0

    @property
    def taken(self) -> int:
        """Places. A lane of which all work is claimed but none begun has one already."""
        return self.running - self.stalled if self.running else int(bool(self.waiting))

    def went_well(self, limit: int) -> None:
        self.carried += 1
        self.chunk = min(self.chunk * 2, MAX_CHUNK)
        self.in_a_row += 1
        if self.in_a_row >= GROW_AFTER * self.connections and self.connections < limit:
            self.connections += 1
            self.in_a_row = 0

    def went_badly(self) -> None:
        self.carried += 1
        self.connections = self.chunk = 1
        self.in_a_row = 0

    @property
    def room(self) -> int:
        """For how many more messages."""
        return max(self.connections * (self.chunk - 1) - len(self.waiting), 0)

    @property
    def is_low(self) -> bool:
        """Whether it is time to claim some: not for each one, so that claims are few and large."""
        return self.room > 0 and len(self.waiting) <= self.connections * (self.chunk - 1) // 2


class Lanes:
    """All domains with deliveries under way, `places` of which run at the same time, `per_domain` for one domain."""

    def __init__(self, places: int, per_domain: int) -> None:
        self.places = places
        self.per_domain = per_domain
        self._lanes: dict[str, Lane] = {}

    @property
    def running(self) -> int:
        return sum(lane.running for lane in self._lanes.values())

    @property
    def served(self) -> Mapping[str, Lane]:
        return {domain: lane for domain, lane in self._lanes.items() if lane.has_work}

    def room(self) -> Room:
        """What a claim may take."""
        served = self.served
        places = max(self.places - self._taken(self._lanes.values()), 0)
        again = [lane for lane in self._lanes.values() if lane.is_retrying]
        retries = max(self.places - self.places // FOR_FIRST - self._taken(again), 0)
        # Where one gets some, all are filled up.
        is_time = any(lane.is_low for lane in served.values())
        rooms = {
            domain: lane.room if is_time and not (places == 0 and lane.carried >= TRAIN) else 0
            for domain, lane in served.items()
        }
        idle = {
            domain: lane.chunk
            for domain, lane in self._lanes.items()
            if domain not in served and lane.chunk > 1
        }
        return Room(places=places, retries=min(retries, places), served=rooms, idle=idle)

    def _taken(self, lanes: Iterable[Lane]) -> int:
        """Places that some lanes have, of those that there are."""
        beyond = sum(lane.stalled for lane in self._lanes.values()) - STALLED_BESIDE * self.places
        return sum(lane.taken for lane in lanes) + max(beyond, 0)

    def add(self, batch: Batch) -> None:
        lane = self._lanes.pop(batch.domain, None) or Lane(batch.domain)
        if not lane.has_work:
            lane.carried = 0
            lane.is_retrying = batch.attempts > 1
        self._lanes[batch.domain] = lane  # at the end: it was used last
        lane.waiting.append(batch)
        while len(self._lanes) > MAX_KNOWN:
            oldest = next((d for d, known in self._lanes.items() if not known.has_work), None)
            if oldest is None:
                break
            del self._lanes[oldest]

    def startable(self) -> list[Lane]:
        """Where a delivery may begin now, once for each that may."""
        lanes = [lane for lane in self._lanes.values() if lane.waiting]
        if not lanes:
            return []
        free = self.places - self._taken(lane for lane in self._lanes.values() if lane.running)
        extra = self.places // 2 - sum(max(lane.running - 1, 0) for lane in self._lanes.values())
        found: list[Lane] = []
        for lane in lanes:
            if free > 0 and lane.running == 0:
                found.append(lane)
                free -= 1
        for lane in lanes:
            begun = max(lane.running, 1)
            most = min(lane.connections, begun + len(lane.waiting) - (lane.running == 0))
            while free > 0 and extra > 0 and begun < most:
                found.append(lane)
                begun, free, extra = begun + 1, free - 1, extra - 1
        return found

    def take_waiting(self) -> list[Batch]:
        """All that was claimed and has not begun."""
        batches = [batch for lane in self._lanes.values() for batch in lane.waiting]
        for lane in self._lanes.values():
            lane.waiting.clear()
        return batches

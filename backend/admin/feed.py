"""What the faces are told as it happens: server events with numbers, kept for ten minutes so that a broken line resumes.

Events are put into words of the API only when somebody listens; the ring holds them as they came.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import assert_never

from pydantic import BaseModel

from backend.admin import wire
from backend.api import types as t
from backend.core.clock import Clock
from backend.core.events import (
    ConfigApplied,
    MailboxChange,
    MessagesAdded,
    MessagesExpunged,
    ProblemCleared,
    ProblemRaised,
    QueueChanged,
    ServerEvent,
    SignedIn,
    TimelineEntry,
)
from backend.core.ids import AccountId
from backend.core.problems import Problem
from backend.runtime import tasks
from backend.runtime.hub import RESYNC, Hub, Resync, Subscription

RING_S = 600.0
RING_EVENTS = 5_000  # a security limit
GATHER_S = 0.25  # mailbox changes of one account become one event
COUNTERS_EVERY_S = 1.0
MAX_READERS = 100  # open streams, a security limit


@dataclass(frozen=True, slots=True)
class _Mail:
    account: AccountId
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class _Job:
    job: t.Job


@dataclass(frozen=True, slots=True)
class _Flow:
    id: str


@dataclass(frozen=True, slots=True)
class _Server:
    event: t.ServerEvent


@dataclass(frozen=True, slots=True)
class _Lost:
    pass


@dataclass(frozen=True, slots=True)
class _Counters:
    counters: t.Counters


_Source = (
    TimelineEntry
    | QueueChanged
    | ConfigApplied
    | ProblemRaised
    | ProblemCleared
    | SignedIn
    | _Mail
    | _Job
    | _Flow
    | _Server
    | _Counters
    | _Lost
)


@dataclass(frozen=True, slots=True)
class FeedEvent:
    seq: int
    at: float
    topic: str
    source: _Source


class Feed:
    """Owns the ring and the readers. `counters` gives today's figures; asked at most once a second while somebody listens."""

    def __init__(self, clock: Clock, counters: Callable[[], Awaitable[t.Counters]]) -> None:
        self._clock = clock
        self._counters = counters
        self._boot = secrets.token_hex(4)  # ids of another process's life never fit
        self._seq = 0
        self._ring: deque[FeedEvent] = deque(maxlen=RING_EVENTS)
        self._lost_seq = 0  # up to here the ring has forgotten
        self._hub: Hub[FeedEvent] = Hub()
        self._mail: dict[AccountId, tuple[int, int]] = {}
        self._mail_timer: asyncio.TimerHandle | None = None
        self._counters_timer: asyncio.TimerHandle | None = None
        self._last_counters: t.Counters | None = None
        self._readers: set[FeedReader] = set()
        self._is_closed = False

    # ---- in

    def publish(self, event: ServerEvent) -> None:
        """From the server's hub; on the loop's thread."""
        self._put(_topic(event), event)
        self._counters_soon()

    def publish_mailbox(self, change: MailboxChange) -> None:
        """From the store's hub; on the loop's thread."""
        match change:
            case MessagesAdded():
                self._gather(change.account, len(change.uids), 0)
            case MessagesExpunged():
                self._gather(change.account, 0, len(change.uids))
            case _:
                pass

    def publish_job(self, job: t.Job) -> None:
        self._put("jobs", _Job(job))

    def publish_flow(self, flow: str) -> None:
        self._put("flow", _Flow(flow))

    def publish_end(self, *, restarting: bool) -> None:
        """The last event; streams end after it."""
        self.close()
        state = t.ServerEvent(state="restarting" if restarting else "stopping")
        self._put("server", _Server(state))

    def resync(self) -> None:
        """Events were lost before they came here: every reader must read everything again."""
        self._put("resync", _Lost())
        self._ring.clear()
        self._lost_seq = self._seq

    # ---- out

    def subscribe(self, topics: Collection[str], last_id: str) -> "FeedReader | None":
        """None: too many listen already. `topics` empty: all."""
        if len(self._readers) >= MAX_READERS:
            return None
        wanted = frozenset({*topics, "resync", "server"}) if topics else frozenset()
        subscription = self._hub.subscribe(lambda e: not wanted or e.topic in wanted)
        first: list[FeedEvent | Resync] = []
        if last_id:
            missed = self._missed(last_id)
            if missed is None:
                first = [RESYNC]
            else:
                first = [e for e in missed if not wanted or e.topic in wanted]
        reader = FeedReader(self, subscription, first)
        self._readers.add(reader)
        return reader

    def remove(self, reader: "FeedReader") -> None:
        self._readers.discard(reader)

    def text(self, event: FeedEvent) -> str:
        """As it stands in the stream."""
        return self._record(event.seq, _data(event.source))

    def resync_text(self) -> str:
        return self._record(self._seq, t.ResyncEvent())

    def _record(self, seq: int, data: BaseModel) -> str:
        # Without `event:`, so that a browser's `onmessage` gets all of them; the topic stands in the data.
        return f"id: {self._boot}-{seq}\ndata: {data.model_dump_json()}\n\n"

    @property
    def is_closed(self) -> bool:
        """Streams end when they have sent what waits."""
        return self._is_closed

    def close(self) -> None:
        self._is_closed = True
        for timer in (self._mail_timer, self._counters_timer):
            if timer is not None:
                timer.cancel()

    # ---- inside

    def _put(self, topic: str, source: _Source) -> None:
        self._seq += 1
        event = FeedEvent(self._seq, self._clock.monotonic(), topic, source)
        if len(self._ring) == RING_EVENTS:
            self._lost_seq = self._ring[0].seq
        self._ring.append(event)
        self._hub.publish(event)

    def _missed(self, last_id: str) -> list[FeedEvent] | None:
        boot, _, number = last_id.partition("-")
        if boot != self._boot or not number.isdecimal():
            return None
        oldest = self._clock.monotonic() - RING_S
        while self._ring and self._ring[0].at < oldest:
            self._lost_seq = self._ring.popleft().seq
        last = int(number)
        if last < self._lost_seq or last > self._seq:
            return None
        return [event for event in self._ring if event.seq > last]

    def _gather(self, account: AccountId, added: int, removed: int) -> None:
        before = self._mail.get(account, (0, 0))
        self._mail[account] = (before[0] + added, before[1] + removed)
        if self._mail_timer is None:
            self._mail_timer = asyncio.get_running_loop().call_later(GATHER_S, self._flush_mail)

    def _flush_mail(self) -> None:
        self._mail_timer = None
        gathered, self._mail = self._mail, {}
        for account, (added, removed) in gathered.items():
            self._put("mail", _Mail(account, added, removed))

    def _counters_soon(self) -> None:
        if self._counters_timer is None and self._readers:
            loop = asyncio.get_running_loop()
            self._counters_timer = loop.call_later(COUNTERS_EVERY_S, self._flush_counters)

    def _flush_counters(self) -> None:
        self._counters_timer = None
        if self._readers and not self._is_closed:
            tasks.spawn(self._tell_counters(), "counters")

    async def _tell_counters(self) -> None:
        counters = await self._counters()
        if counters != self._last_counters:
            self._last_counters = counters
            self._put("status", _Counters(counters))


class FeedReader:
    """One open stream."""

    def __init__(
        self,
        feed: Feed,
        subscription: Subscription[FeedEvent],
        first: "list[FeedEvent | Resync]",
    ) -> None:
        self._feed = feed
        self._subscription = subscription
        self._first = first

    async def texts(self) -> str:
        """Waits for something and returns all that is there, as it goes into the stream."""
        if not self._first:
            await self._subscription.wait()
        events = [*self._first, *self._subscription.take()]
        self._first = []
        return "".join(
            self._feed.resync_text() if isinstance(event, Resync) else self._feed.text(event)
            for event in events
        )

    def close(self) -> None:
        self._subscription.close()
        self._feed.remove(self)


def _topic(event: ServerEvent) -> str:
    match event:
        case TimelineEntry():
            return "timeline"
        case QueueChanged():
            return "queue"
        case ConfigApplied():
            return "config"
        case ProblemRaised() | ProblemCleared():
            return "problems"
        case SignedIn():
            return "sign_ins"
        case _:
            assert_never(event)


def _data(source: _Source) -> BaseModel:
    match source:
        case TimelineEntry():
            return t.TimelineEvent(trace=source.trace, step=wire.timeline_step(source))
        case QueueChanged():
            return t.QueueEvent(id=source.queue_id, state=source.state)
        case ConfigApplied():
            return t.ConfigEvent(revision=source.revision, author=source.author)
        case ProblemRaised():
            return t.ProblemEvent(problem=wire.problem(source.problem))
        case ProblemCleared():
            gone = Problem(code=source.code, subject=source.subject, message="")
            return t.ProblemEvent(cleared=True, problem=wire.problem(gone))
        case SignedIn():
            return t.SignInEvent(entry=wire.sign_in(source))
        case _Mail():
            return t.MailEvent(account=source.account, added=source.added, removed=source.removed)
        case _Job():
            return t.JobEvent(job=source.job)
        case _Flow():
            return t.FlowEvent(id=source.id)
        case _Server():
            return source.event
        case _Counters():
            return t.StatusEvent(counters=source.counters)
        case _Lost():
            return t.ResyncEvent()
        case _:
            assert_never(source)

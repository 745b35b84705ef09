"""The durable queue: what was accepted and has not arrived, and in which state each recipient is.

        add (recipients elsewhere)                      add (own mailboxes)
                  │                                             │
                  ▼        hold                                 ▼
       ┌─────► waiting ─────────► held                        local ──► delivered here, gone
       │        │    ▲              │
       │  claim │    └── release ───┤
       │        ▼                   ├── drop ──► gone
       │     sending ──► done, gone │
       │        │  │                │
       └─ retry ┘  └ refused, or    │
      (or killed,    given up       │
      or not begun)    │            │
                       │            │
                       ▼            │
                     failed ◄─ fail ┘   ──► report delivered to the sender, gone

`drop` and `fail` (`actions.py`) take waiting and held ones, `hold` and `kick` waiting ones; `kick` and `drop` also local ones, which wait
only for a time that their sender chose. Who asked for a report of success gets it before a `done` one is gone.
What is gone stands in the history (`history.py`). `claim` (`claims.py`) writes the time of the next attempt and counts this one before anything is dialed (behaviour T13); so what a process was sending when it died comes back at the
written time (at once and uncounted where nothing had been sent, but only once: `interrupted.py`). `give_back` undoes it for what was not begun when the server stops. Whatever `add` has returned for is on the disk. An item leaves the queue only after the other side's 250
or after the report about it was delivered; a report that is owed is written down together with its cause.
"""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from backend.core.address import Address
from backend.core.clock import Clock, SystemClock
from backend.core.envelope import NO_WISH
from backend.core.errors import RefusedError, TemporaryError
from backend.core.events import QueueChanged, TimelineEntry
from backend.core.ids import AccountId, QueueId
from backend.observe import log as logs
from backend.outbound import accepting, backoff, claims, limits, settling, suppressions
from backend.outbound.asked import release_at
from backend.outbound.claims import Room, SameWay
from backend.outbound.content import remove_strays
from backend.outbound.entries import (
    Accepted,
    Batch,
    Fate,
    NewEntry,
    State,
    Verdict,
)
from backend.outbound.gathered import Gathered
from backend.outbound.history import Leaving
from backend.outbound.inflight import Inflight
from backend.outbound.interrupted import put_back_after_fault, put_back_interrupted
from backend.outbound.route import Choice
from backend.outbound.suppressions import Suppressing
from backend.outbound.transport import Try
from backend.runtime.threads import Pool, run_blocking
from backend.store.database import Database, Transaction
from backend.store.migrations import load

log = logs.get(__name__)

LOCAL_GRACE_S = 600.0
DEFAULT_HISTORY_DAYS = 30
DEFAULT_SUPPRESSION_DAYS = 60


RuleFor = accepting.RuleFor


def _no_relay(*_: object) -> str:
    return ""


class Queue:
    """Owns `queue.db` and the files of large messages. `on_work` is called when something may have become due."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock | None = None,
        practice_mode: bool = False,
        publish: Callable[[QueueChanged], None] = lambda _: None,
        record: Callable[[TimelineEntry], None] = lambda _: None,
        history_days: Callable[[], int] = lambda: DEFAULT_HISTORY_DAYS,
        suppression_days: Callable[[], int] = lambda: DEFAULT_SUPPRESSION_DAYS,
    ) -> None:
        self.files = folder / "messages"
        self.practice_mode = practice_mode
        self.on_work: Callable[[], None] = lambda: None
        self._folder = folder
        self._inflight = Inflight(folder / "sending")
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._publish = publish
        self.record = record
        self.leaving = Leaving(history_days)
        self.suppressing = Suppressing(suppression_days)
        self.rule_for: RuleFor = lambda _account, _sender, _recipient: None
        self.database = Database(folder / "queue.db", load("queue", "backend.outbound"))
        self._gathered = Gathered(self.database)

    async def open(self) -> None:
        """Takes up what an earlier process left."""
        await run_blocking(Pool.FILES, _make_folder, self.files)
        sent = await run_blocking(Pool.FILES, self._inflight.read)
        told = await self.database.write(
            lambda tx: put_back_interrupted(tx, sent, self._clock.time())
        )
        for entry in told:
            self.record(entry)
        await run_blocking(Pool.FILES, self._inflight.open)
        known = await self.database.write(
            lambda tx: accepting.recover(tx, practice_mode=self.practice_mode)
        )
        strays = await run_blocking(Pool.FILES, remove_strays, self.files, known)
        if strays:
            log.info("files without a message removed from the queue", count=strays)

    def now(self) -> float:
        return self._clock.time()

    async def close(self) -> None:
        await self._gathered.flush()
        self._inflight.close()
        await self.database.close()

    # Accepting

    async def add(
        self,
        entry: NewEntry,
        send_limits: limits.SendLimits | None = None,
        *,
        also: Callable[[Transaction], None] = lambda _: None,
    ) -> Accepted:
        """Durable on return, all recipients or none; counts towards the account's limits. `also` is written with it.

        Raises:
            RefusedError: the account sends nothing to any of the recipients (`suppressions.py`).
            TemporaryError: a limit on sending is reached, or the disk is full; nothing was kept.
        """
        now = self._clock.time()

        def write(tx: Transaction) -> Accepted:
            stopped = suppressions.find(tx, entry.account, entry.remote, now)
            if stopped and len(stopped) == len(entry.remote) and not entry.local:
                address, found = next(iter(stopped.items()))
                raise RefusedError(suppressions.refusal(found, address))
            wanted = [address for address in entry.remote if address not in stopped]
            recipients = [*wanted, *dict.fromkeys(address for address, _ in entry.local)]
            refusal = limits.check_and_count(tx, entry.account, recipients, send_limits, now)
            if refusal is not None:
                raise TemporaryError(refusal)
            practice = self.practice_mode
            message = accepting.insert_message(tx, entry, now, practice_mode=practice)
            released_at = release_at(entry.asked, now)
            remote = tuple(
                accepting.insert_remote(
                    tx,
                    message,
                    address,
                    released_at or now,
                    practice_mode=practice,
                    wish=entry.wishes.get(address, NO_WISH),
                    max_attempts=entry.max_attempts,
                )
                for address in wanted
            )
            held = accepting.hold_new(tx, remote, wanted, entry, self.rule_for)
            for address, target in entry.local:
                accepting.insert_local(
                    tx,
                    message,
                    address,
                    target,
                    released_at or now + LOCAL_GRACE_S,
                    wish=entry.wishes.get(address, NO_WISH),
                )
            refused = accepting.refuse_suppressed(tx, message, stopped, entry, self.leaving, now)
            also(tx)
            tx.after_commit(lambda: self.changed(remote, State.WAITING))
            tx.after_commit(lambda: self.changed(refused, State.FAILED))
            return Accepted(message=message, remote=remote, stopped=tuple(stopped), held=held)

        return await self.database.write(write)

    async def count_only(
        self,
        account: AccountId,
        recipients: Sequence[Address],
        send_limits: limits.SendLimits | None,
    ) -> None:
        """For a message that needs no place in the queue, all its recipients being here.

        Raises:
            TemporaryError: a limit on sending is reached.
        """
        now = self._clock.time()
        refusal = await self.database.write(
            lambda tx: limits.check_and_count(tx, account, recipients, send_limits, now)
        )
        if refusal is not None:
            raise TemporaryError(refusal)

    # Delivering

    async def claim(self, room: Room, same_way: SameWay = _no_relay) -> list[Batch]:
        """What is due, as far as there is room; it is `sending` then."""
        now = self._clock.time()
        jitter_s = random.randint(backoff.MIN_JITTER_S, backoff.MAX_JITTER_S)
        note = self._inflight.note
        batches = await self.database.write(
            lambda tx: claims.claim(tx, self.files, note, room, now, jitter_s, same_way)
        )
        for batch in batches:
            self.changed(batch.ids, State.SENDING, wake=False)
        return batches

    async def give_back(self, batches: Sequence[Batch]) -> None:
        """They were claimed and not begun: they wait again, and the attempt does not count."""
        now = self._clock.time()
        await self.database.write(lambda tx: claims.give_back(tx, batches, now))

    async def next_due(self, room: Room) -> float | None:
        """When the next attempt is due for which there is room."""
        return await self.database.read(lambda reader: claims.next_due(reader, room))

    async def settle(
        self,
        batch: Batch,
        fates: Sequence[Fate],
        tries: Sequence[Try],
        *,
        started_at: float,
        choice: Choice | None = None,
        together: bool = False,
    ) -> None:
        """Writes down what an attempt came to. `together`: with others that come within a moment, in one transaction."""

        def write(tx: Transaction) -> None:
            settling.settle(
                tx,
                self.files,
                self.leaving,
                self.suppressing,
                batch,
                fates,
                tries,
                started_at,
                self.now(),
                choice,
            )

        await (self._gathered.write(write) if together else self.database.write(write))
        self._inflight.settle(batch.ids)
        for fate in fates:
            self._publish(QueueChanged(fate.id, _PUBLISHED[fate.verdict]))
        if any(fate.notice for fate in fates):
            self.on_work()

    async def put_back(self, batch: Batch) -> None:
        """After a fault of our own: what was not settled is tried again at the time that the claim wrote down."""
        sent = self._inflight.noted(batch.ids)
        await self.database.write(lambda tx: put_back_after_fault(tx, batch.ids, sent))
        self._inflight.settle(batch.ids)
        self.changed(batch.ids, State.WAITING)

    # Inside transactions

    def sweep(self, tx: Transaction, message: int) -> None:
        """Removes a message that has no recipient left, and its file after the commit."""
        settling.sweep(tx, self.files, message)

    def changed(self, ids: Sequence[QueueId], state: State | None, *, wake: bool = True) -> None:
        """Tells the faces; None for removed by hand."""
        for i in ids:
            self._publish(QueueChanged(i, "dropped" if state is None else state.value))
        if ids and wake:
            self.on_work()


_PUBLISHED = {Verdict.DONE: "done", Verdict.RETRY: "waiting", Verdict.FAIL: "failed"}


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)

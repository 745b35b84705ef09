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
      (or killed)    given up       │
                       │            │
                       ▼            │
                     failed ◄─ fail ┘   ──► report delivered to the sender, gone

`drop` and `fail` take waiting and held ones, `hold` and `kick` waiting ones; `kick` and `drop` also local ones, which wait
only for a time that their sender chose. Who asked for a report of success gets it before a `done` one is gone. `claim` writes the time of the next attempt
and counts this one before anything is dialed (behaviour T13); so a process that dies while sending comes back at the
written time. Whatever `add` has returned for is on the disk. An item leaves the queue only after the other side's 250
or after the report about it was delivered; a report that is owed is written down together with its cause.
"""

import random
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from backend.core.address import Address
from backend.core.clock import Clock, SystemClock
from backend.core.envelope import NO_WISH
from backend.core.errors import TemporaryError
from backend.core.events import QueueChanged, TimelineEntry
from backend.core.ids import AccountId, QueueId
from backend.core.status import SmtpStatus
from backend.observe import log as logs
from backend.outbound import accepting, backoff, claims, limits, settling
from backend.outbound.acts import Act, Acted, carry_out
from backend.outbound.asked import release_at
from backend.outbound.content import remove_strays
from backend.outbound.entries import (
    PRACTICE_NOTE,
    Accepted,
    Batch,
    Fate,
    NewEntry,
    State,
    Verdict,
)
from backend.outbound.inflight import Inflight
from backend.outbound.interrupted import put_back_interrupted
from backend.outbound.route import Choice
from backend.outbound.transport import TlsChoice, Try
from backend.runtime.threads import Pool, run_blocking
from backend.store.database import Database, Transaction
from backend.store.migrations import load

log = logs.get(__name__)

LOCAL_GRACE_S = 600.0

GIVEN_UP = SmtpStatus(550, "5.0.0", "the administrator of this mail server gave up on it")


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
    ) -> None:
        self.files = folder / "messages"
        self.practice_mode = practice_mode
        self.on_work: Callable[[], None] = lambda: None
        self._folder = folder
        self._inflight = Inflight(folder / "sending")
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._publish = publish
        self._record = record
        self.database = Database(folder / "queue.db", load("queue", "backend.outbound"))

    async def open(self) -> None:
        """Takes up what an earlier process left."""
        await run_blocking(Pool.FILES, _make_folder, self.files)
        sent = await run_blocking(Pool.FILES, self._inflight.read)
        told = await self.database.write(
            lambda tx: put_back_interrupted(tx, sent, self._clock.time())
        )
        for entry in told:
            self._record(entry)
        await run_blocking(Pool.FILES, self._inflight.open)
        known = await self.database.write(
            lambda tx: accepting.recover(tx, practice_mode=self.practice_mode)
        )
        strays = await run_blocking(Pool.FILES, remove_strays, self.files, known)
        if strays:
            log.info("files without a message removed from the queue", count=strays)

    async def close(self) -> None:
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
            TemporaryError: a limit on sending is reached, or the disk is full; nothing was kept.
        """
        now = self._clock.time()

        def write(tx: Transaction) -> Accepted:
            recipients = [*entry.remote, *dict.fromkeys(address for address, _ in entry.local)]
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
                )
                for address in entry.remote
            )
            for address, target in entry.local:
                accepting.insert_local(
                    tx,
                    message,
                    address,
                    target,
                    released_at or now + LOCAL_GRACE_S,
                    wish=entry.wishes.get(address, NO_WISH),
                )
            also(tx)
            tx.after_commit(lambda: self._changed(remote, State.WAITING))
            return Accepted(message=message, remote=remote)

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

    async def claim(self, busy: Collection[str], count: int) -> list[Batch]:
        """Up to `count` batches that are due, none for a domain in `busy`, no two for one domain; they are `sending` then."""
        now = self._clock.time()
        jitter_s = random.randint(backoff.MIN_JITTER_S, backoff.MAX_JITTER_S)
        batches = await self.database.write(
            lambda tx: claims.claim(tx, self.files, self._inflight.note, busy, count, now, jitter_s)
        )
        for batch in batches:
            self._changed(batch.ids, State.SENDING, wake=False)
        return batches

    async def next_due(self, busy: Collection[str]) -> float | None:
        """When the next attempt is due that is not for a busy domain."""
        return await self.database.read(lambda reader: claims.next_due(reader, busy))

    async def settle(
        self,
        batch: Batch,
        fates: Sequence[Fate],
        tries: Sequence[Try],
        *,
        started_at: float,
        choice: Choice | None = None,
    ) -> None:
        """Writes down what an attempt came to, in one transaction."""
        await self.database.write(
            lambda tx: settling.settle(tx, self.files, batch, fates, tries, started_at, choice)
        )
        self._inflight.settle(batch.ids)
        for fate in fates:
            self._publish(QueueChanged(fate.id, _PUBLISHED[fate.verdict]))
        self.on_work()

    # What people do

    async def kick(
        self, ids: Sequence[QueueId], *, override: str | None = None, reset_override: bool = False
    ) -> Acted:
        """The next attempt is now. `override` chooses a transport for all further attempts, `""` is direct delivery."""
        params: dict[str, object] = {"now": self._clock.time(), "override": override}
        change = "next_attempt_at = :now"
        if override is not None or reset_override:
            change += ", override = :override"
        states = (State.WAITING, State.LOCAL)
        return await self._act(ids, states, change, params, State.WAITING, "")

    async def choose_transport(self, ids: Sequence[QueueId], override: str | None) -> Acted:
        """For all further attempts: a name, `""` for direct delivery, None for what the routes say. The next one is now;
        held ones stay held.
        """
        params: dict[str, object] = {"now": self._clock.time(), "override": override}
        told = (
            "The routes decide again how it leaves"
            if override is None
            else f"Chosen by hand: it leaves by {f'the transport “{override}”' if override else 'direct delivery'}"
        )
        change = "next_attempt_at = :now, override = :override"
        waiting = await self._act(ids, (State.WAITING,), change, params, State.WAITING, told)
        if not waiting.missing:
            return waiting
        change = "override = :override"
        held = await self._act(waiting.missing, (State.HELD,), change, params, State.HELD, told)
        return Acted((*waiting.changed, *held.changed), held.missing)

    async def choose_tls(self, ids: Sequence[QueueId], choice: TlsChoice) -> Acted:
        """What must hold for TLS at all further attempts by direct delivery. The next one is now; held ones stay held."""
        params: dict[str, object] = {"now": self._clock.time(), "choice": choice}
        told = _TLS_TOLD[choice]
        change = "next_attempt_at = :now, tls_choice = :choice"
        waiting = await self._act(ids, (State.WAITING,), change, params, State.WAITING, told)
        if not waiting.missing:
            return waiting
        change = "tls_choice = :choice"
        held = await self._act(waiting.missing, (State.HELD,), change, params, State.HELD, told)
        return Acted((*waiting.changed, *held.changed), held.missing)

    async def hold(self, ids: Sequence[QueueId]) -> Acted:
        return await self._act(
            ids,
            (State.WAITING,),
            "state = 'held', note = 'held until it is released'",
            {},
            State.HELD,
            "Held in the queue until somebody releases it",
        )

    async def release(self, ids: Sequence[QueueId]) -> Acted:
        """Held ones go on waiting; what is overdue is tried at once."""
        note = PRACTICE_NOTE if self.practice_mode else ""
        return await self._act(
            ids,
            (State.HELD,),
            "state = 'waiting', note = :note",
            {"note": note},
            State.WAITING,
            "Released: it will be sent",
        )

    async def fail(self, ids: Sequence[QueueId]) -> Acted:
        """No further attempts; the senders get a report."""
        change = (
            "state = 'failed', notice = 'failed', note = :text, answer_code = :code,"
            " answer_enhanced = :enhanced, answer_text = :text, remote_mta = ''"
        )
        params: dict[str, object] = {
            "code": GIVEN_UP.code,
            "enhanced": GIVEN_UP.enhanced,
            "text": GIVEN_UP.text,
        }
        return await self._act(
            ids, (State.WAITING, State.HELD), change, params, State.FAILED, "Given up by hand"
        )

    async def drop(self, ids: Sequence[QueueId]) -> Acted:
        """Removed; nobody is told."""
        return await self._act(
            ids,
            (State.WAITING, State.HELD, State.LOCAL),
            None,
            {},
            None,
            "Removed from the queue by hand",
        )

    # Inside transactions

    def sweep(self, tx: Transaction, message: int) -> None:
        """Removes a message that has no recipient left, and its file after the commit."""
        settling.sweep(tx, self.files, message)

    async def _act(
        self,
        ids: Sequence[QueueId],
        states: tuple[State, ...],
        change: str | None,
        params: dict[str, object],
        becomes: State | None,
        told: str,
    ) -> Acted:
        act = Act(states=states, change=change, params=params, becomes=becomes, told=told)
        now = self._clock.time()
        acted = await self.database.write(
            lambda tx: carry_out(tx, self.files, act, ids, now, self._record)
        )
        self._changed(acted.changed, becomes)
        return acted

    def _changed(self, ids: Sequence[QueueId], state: State | None, *, wake: bool = True) -> None:
        for i in ids:
            self._publish(QueueChanged(i, "dropped" if state is None else state.value))
        if ids and wake:
            self.on_work()


_TLS_TOLD = {
    TlsChoice.DEFAULT: "The recipient's domain decides again what must hold for encryption",
    TlsChoice.VERIFIED: "Chosen by hand: it leaves only with verified encryption",
    TlsChoice.INSECURE: "Chosen by hand: it may leave without verified encryption",
}
_PUBLISHED = {Verdict.DONE: "done", Verdict.RETRY: "waiting", Verdict.FAIL: "failed"}


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)

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

`drop` and `fail` take waiting and held ones, `hold` and `kick` waiting ones. `claim` writes the time of the next attempt
and counts this one before anything is dialed (behaviour T13); so a process that dies while sending comes back at the
written time. Whatever `add` has returned for is on the disk. An item leaves the queue only after the other side's 250
or after the report about it was delivered; a report that is owed is written down together with its cause.
"""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.core.address import Address, parse_address
from backend.core.clock import Clock, SystemClock
from backend.core.envelope import BodyType
from backend.core.errors import TemporaryError
from backend.core.events import QueueChanged, TimelineEntry
from backend.core.ids import AccountId, QueueId, TraceId
from backend.core.status import SmtpStatus
from backend.observe import log as logs
from backend.outbound import backoff, limits
from backend.outbound.content import remove_strays
from backend.outbound.entries import (
    FROM_PRACTICE_NOTE,
    MAX_NOTE_CHARS,
    PRACTICE_NOTE,
    UNCONFIRMED,
    Accepted,
    Batch,
    Fate,
    NewEntry,
    Notice,
    State,
    Verdict,
)
from backend.outbound.inflight import Inflight
from backend.outbound.interrupted import add_to_tally, put_back_interrupted
from backend.outbound.route import Choice
from backend.outbound.transport import Outgoing, Try
from backend.runtime import tasks
from backend.runtime.threads import Pool, run_blocking
from backend.store.database import Database, Reader, Row, Transaction
from backend.store.migrations import load

log = logs.get(__name__)

MAX_BATCH_RECIPIENTS = 100  # RFC 5321 §4.5.3.1.8: what any server takes in one transaction
LOCAL_GRACE_S = 600.0
MAX_LOGGED_TRIES = 200  # of one message to one domain, a security limit

GIVEN_UP = SmtpStatus(550, "5.0.0", "the administrator of this mail server gave up on it")


@dataclass(frozen=True, slots=True)
class Acted:
    """`missing`: ids that are gone or not in a state where this is possible."""

    changed: tuple[QueueId, ...]
    missing: tuple[QueueId, ...]


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
        known = await self.database.write(self._recover)
        strays = await run_blocking(Pool.FILES, remove_strays, self.files, known)
        if strays:
            log.info("files without a message removed from the queue", count=strays)

    async def close(self) -> None:
        self._inflight.close()
        await self.database.close()

    # Accepting

    async def add(self, entry: NewEntry, send_limits: limits.SendLimits | None = None) -> Accepted:
        """Durable on return, all recipients or none; counts towards the account's limits.

        Raises:
            TemporaryError: a limit on sending is reached, or the disk is full; nothing was kept.
        """
        now = self._clock.time()

        def write(tx: Transaction) -> Accepted:
            recipients = [*entry.remote, *(address for address, _ in entry.local)]
            refusal = limits.check_and_count(tx, entry.account, recipients, send_limits, now)
            if refusal is not None:
                raise TemporaryError(refusal)
            message = self._insert_message(tx, entry, now)
            remote = tuple(self._insert_remote(tx, message, a, now) for a in entry.remote)
            for address, target in entry.local:
                row = _new_row(message, address, State.LOCAL, now)
                # The one who adds delivers it at once; the queue takes over when that one is gone.
                row["now"] = now + LOCAL_GRACE_S
                row |= {"local_account": target.account, "local_mailbox": target.mailbox}
                tx.insert(_INSERT_RECIPIENT, row)
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

        def write(tx: Transaction) -> list[Batch]:
            taken = set(busy)
            batches: list[Batch] = []
            while len(batches) < count:
                first = _first_due(tx, taken, now)
                if first is None:
                    break
                batch = self._claim_batch(tx, first, now, jitter_s)
                taken.add(_domain_of(batch))
                batches.append(batch)
            return batches

        batches = await self.database.write(write)
        for batch in batches:
            self._changed(batch.ids, State.SENDING, wake=False)
        return batches

    async def next_due(self, busy: Collection[str]) -> float | None:
        """When the next attempt is due that is not for a busy domain."""
        where, params = _not_busy(busy)
        return await self.database.read(
            lambda reader: reader.value(
                f"SELECT min(next_attempt_at) FROM recipient WHERE state = 'waiting'{where}", params
            )
        )

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
        name = choice.transport if choice is not None else ""
        reason = choice.reason[:MAX_NOTE_CHARS] if choice is not None else ""

        def write(tx: Transaction) -> None:
            self._log_tries(tx, batch, tries, started_at, name, reason)
            add_to_tally(tx, "unconfirmed", sum(fate.result.unconfirmed for fate in fates))
            for fate in fates:
                owes_report = batch.outgoing.sender is not None
                if fate.verdict is Verdict.DONE or (
                    fate.verdict is Verdict.FAIL and not owes_report
                ):
                    tx.run("DELETE FROM recipient WHERE id = :id", {"id": fate.id})
                    continue
                status = fate.result.status
                failed = fate.verdict is Verdict.FAIL
                tx.run(
                    "UPDATE recipient SET state = :state, last_attempt_at = :at, chosen = :chosen,"
                    " chosen_reason = :reason, note = :note, answer_code = :code,"
                    " answer_enhanced = :enhanced, answer_text = :text, remote_mta = :mta,"
                    " unconfirmed = unconfirmed + :unconfirmed,"
                    " notice = CASE WHEN :notice <> '' THEN :notice ELSE notice END"
                    " WHERE id = :id",
                    {
                        "id": fate.id,
                        "state": State.FAILED if failed else State.WAITING,
                        "at": started_at,
                        "chosen": name,
                        "reason": reason,
                        "note": _note_of(fate, batch.attempts),
                        "code": status.code,
                        "enhanced": status.enhanced,
                        "text": status.text[:MAX_NOTE_CHARS],
                        "mta": fate.result.remote_mta,
                        "unconfirmed": int(fate.result.unconfirmed),
                        "notice": fate.notice if owes_report else Notice.NONE,
                    },
                )
            self.sweep(tx, batch.message)

        await self.database.write(write)
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
        return await self._act(ids, (State.WAITING,), change, params, State.WAITING, "")

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
            ids, (State.WAITING, State.HELD), None, {}, None, "Removed from the queue by hand"
        )

    # Inside transactions

    def _recover(self, tx: Transaction) -> set[str]:
        """Files that are in use."""
        if self.practice_mode:
            tx.run(
                "UPDATE recipient SET note = :note WHERE state = 'waiting'", {"note": PRACTICE_NOTE}
            )
        else:
            # Nobody expects that what was written for practice leaves when practice is over.
            tx.run(
                "UPDATE recipient SET state = 'held', note = :note WHERE state = 'waiting'"
                " AND message IN (SELECT id FROM message WHERE practice = 1)",
                {"note": FROM_PRACTICE_NOTE},
            )
            tx.run("UPDATE message SET practice = 0 WHERE practice = 1")
            tx.run("UPDATE recipient SET note = '' WHERE note = :note", {"note": PRACTICE_NOTE})
        tx.run("DELETE FROM message WHERE id NOT IN (SELECT message FROM recipient)")
        tx.run("DELETE FROM attempt WHERE message NOT IN (SELECT message FROM recipient)")
        return {name for (name,) in tx.rows("SELECT file FROM message WHERE file <> ''")}

    def _insert_message(self, tx: Transaction, entry: NewEntry, now: float) -> int:
        in_file = isinstance(entry.content, Path)
        return tx.insert(
            "INSERT INTO message (trace, account, sender, body, smtputf8, size_bytes, header_bytes,"
            " message_id, created_at, practice, file, content) VALUES (:trace, :account, :sender,"
            " :body, :smtputf8, :size_bytes, :header_bytes, :message_id, :now, :practice, :file, :content)",
            {
                "trace": entry.trace,
                "account": entry.account,
                "sender": str(entry.sender) if entry.sender is not None else "",
                "body": entry.body,
                "smtputf8": int(entry.smtputf8),
                "size_bytes": entry.size_bytes,
                "header_bytes": entry.header_bytes,
                "message_id": entry.message_id,
                "now": now,
                "practice": int(self.practice_mode),
                "file": entry.content.name if isinstance(entry.content, Path) else "",
                "content": None if in_file else entry.content,
            },
        )

    def _insert_remote(
        self, tx: Transaction, message: int, address: Address, now: float
    ) -> QueueId:
        row = _new_row(message, address, State.WAITING, now)
        if self.practice_mode:
            row["note"] = PRACTICE_NOTE
        return QueueId(tx.insert(_INSERT_RECIPIENT, row))

    def _claim_batch(self, tx: Transaction, first: Row, now: float, jitter_s: float) -> Batch:
        message, domain, attempts, override = first
        params: dict[str, object] = {
            "message": message,
            "domain": domain,
            "attempts": attempts,
            "override": override,
            "now": now,
            "limit": MAX_BATCH_RECIPIENTS,
        }
        rows = tx.rows(
            "SELECT id, address FROM recipient WHERE message = :message AND domain = :domain"
            " AND state = 'waiting' AND attempts = :attempts AND next_attempt_at <= :now"
            " AND coalesce(override, '*') = coalesce(:override, '*') ORDER BY id LIMIT :limit",
            params,
        )
        next_attempt_at = now + backoff.next_delay_s(attempts, jitter_s)
        ids = tuple(QueueId(row[0]) for row in rows)
        tx.run_many(
            "UPDATE recipient SET state = 'sending', attempts = :attempts, next_attempt_at = :next,"
            " last_attempt_at = :now WHERE id = :id",
            [{"id": i, "attempts": attempts + 1, "next": next_attempt_at, "now": now} for i in ids],
        )
        meta = tx.row(
            "SELECT trace, account, sender, body, smtputf8, size_bytes, file, content FROM message"
            " WHERE id = :message",
            params,
        )
        assert meta is not None
        trace, account, sender, body, smtputf8, size_bytes, file, content = meta
        return Batch(
            message=message,
            ids=ids,
            account=AccountId(account),
            outgoing=Outgoing(
                trace=TraceId(trace),
                sender=parse_address(sender) if sender else None,
                recipients=tuple(parse_address(row[1]) for row in rows),
                domain="" if domain.startswith("[") else domain,
                size_bytes=size_bytes,
                content=self.files / file if file else content,
                body=BodyType(body),
                smtputf8=bool(smtputf8),
                earlier=_earlier_addresses(tx, params) if attempts else (),
                going_out=lambda: self._inflight.note(ids, attempts + 1),
            ),
            attempts=attempts + 1,
            next_attempt_at=next_attempt_at,
            override=override,
        )

    @staticmethod
    def _log_tries(
        tx: Transaction,
        batch: Batch,
        tries: Sequence[Try],
        started_at: float,
        transport: str,
        reason: str,
    ) -> None:
        params = {"message": batch.message, "domain": _domain_of(batch)}
        tx.run_many(
            "INSERT INTO attempt (message, domain, at, host, ip, port, tls, succeeded, answer,"
            " duration_ms, excerpt, transport, reason) VALUES (:message, :domain, :at, :host, :ip,"
            " :port, :tls, :succeeded, :answer, :duration_ms, :excerpt, :transport, :reason)",
            [
                params
                | {
                    "at": started_at,
                    "host": entry.host,
                    "ip": entry.ip,
                    "port": entry.port,
                    "tls": entry.tls,
                    "succeeded": int(entry.succeeded),
                    "answer": entry.answer[:MAX_NOTE_CHARS],
                    "duration_ms": entry.duration_ms,
                    "excerpt": entry.excerpt,
                    "transport": transport,
                    "reason": reason,
                }
                for entry in tries
            ],
        )
        tx.run(
            "DELETE FROM attempt WHERE message = :message AND domain = :domain AND id NOT IN"
            " (SELECT id FROM attempt WHERE message = :message AND domain = :domain"
            " ORDER BY id DESC LIMIT :limit)",
            params | {"limit": MAX_LOGGED_TRIES},
        )

    def sweep(self, tx: Transaction, message: int) -> None:
        """Removes a message that has no recipient left, and its file after the commit."""
        params = {"message": message}
        row = tx.row(
            "SELECT file FROM message WHERE id = :message AND NOT EXISTS"
            " (SELECT 1 FROM recipient WHERE message = :message)",
            params,
        )
        if row is None:
            return
        tx.run("DELETE FROM attempt WHERE message = :message", params)
        tx.run("DELETE FROM message WHERE id = :message", params)
        if row[0]:
            path = self.files / row[0]

            def remove() -> None:
                tasks.spawn(_unlink(path), "queue file removal")

            tx.after_commit(remove)

    async def _act(
        self,
        ids: Sequence[QueueId],
        states: tuple[State, ...],
        change: str | None,
        params: dict[str, object],
        becomes: State | None,
        told: str,
    ) -> Acted:
        """`change` None removes. Senders without an address get no report, so failing means removal for them."""
        now = self._clock.time()
        allowed = ", ".join(f"'{state}'" for state in states)

        def write(tx: Transaction) -> Acted:
            changed: list[QueueId] = []
            entries: list[TimelineEntry] = []
            for i in dict.fromkeys(ids):
                row = tx.row(
                    "SELECT recipient.message, message.trace, message.sender, recipient.address"
                    " FROM recipient JOIN message ON message.id = recipient.message"
                    f" WHERE recipient.id = :id AND recipient.state IN ({allowed})",
                    {"id": i},
                )
                if row is None:
                    continue
                message, trace, sender, address = row
                if change is None or (becomes is State.FAILED and not sender):
                    tx.run("DELETE FROM recipient WHERE id = :id", {"id": i})
                    self.sweep(tx, message)
                else:
                    tx.run(f"UPDATE recipient SET {change} WHERE id = :id", params | {"id": i})
                changed.append(i)
                kind = "dropped" if becomes is None else becomes.value
                kind = {"waiting": "queued", "failed": "bounced"}.get(kind, kind)
                if told:
                    entries.append(
                        TimelineEntry(TraceId(trace), now, kind, told, {"recipient": address})
                    )

            def tell() -> None:
                for entry in entries:
                    self._record(entry)

            tx.after_commit(tell)
            gone = set(changed)
            return Acted(tuple(changed), tuple(i for i in dict.fromkeys(ids) if i not in gone))

        acted = await self.database.write(write)
        self._changed(acted.changed, becomes)
        return acted

    def _changed(self, ids: Sequence[QueueId], state: State | None, *, wake: bool = True) -> None:
        for i in ids:
            self._publish(QueueChanged(i, "dropped" if state is None else state.value))
        if ids and wake:
            self.on_work()


_PUBLISHED = {Verdict.DONE: "done", Verdict.RETRY: "waiting", Verdict.FAIL: "failed"}

_INSERT_RECIPIENT = (
    "INSERT INTO recipient (message, address, domain, state, attempts, next_attempt_at, chosen,"
    " chosen_reason, note, answer_code, answer_enhanced, answer_text, remote_mta, notice,"
    " local_account, local_mailbox) VALUES (:message, :address, :domain, :state, 0, :now, '', '',"
    " :note, 0, '', '', '', '', :local_account, :local_mailbox)"
)


def _new_row(message: int, address: Address, state: State, now: float) -> dict[str, object]:
    return {
        "message": message,
        "address": str(address),
        "domain": address.domain_text,
        "state": state,
        "now": now,
        "note": "",
        "local_account": "",
        "local_mailbox": "",
    }


def _domain_of(batch: Batch) -> str:
    return batch.outgoing.recipients[0].domain_text


def _not_busy(busy: Collection[str]) -> tuple[str, dict[str, object]]:
    if not busy:
        return "", {}
    params: dict[str, object] = {f"busy{n}": domain for n, domain in enumerate(busy)}
    return f" AND domain NOT IN ({', '.join(f':{name}' for name in params)})", params


def _first_due(reader: Reader, busy: Collection[str], now: float) -> Row | None:
    where, params = _not_busy(busy)
    return reader.row(
        "SELECT message, domain, attempts, override FROM recipient"
        f" WHERE state = 'waiting' AND next_attempt_at <= :now{where}"
        " ORDER BY next_attempt_at, id LIMIT 1",
        params | {"now": now},
    )


def _earlier_addresses(reader: Reader, params: dict[str, object]) -> tuple[str, ...]:
    """Where each attempt for the domain ended; connections of one attempt share their time."""
    rows = reader.rows(
        "SELECT ip FROM attempt WHERE id IN (SELECT max(id) FROM attempt WHERE message = :message"
        " AND domain = :domain AND ip <> '' GROUP BY at) ORDER BY id",
        params,
    )
    return tuple(ip for (ip,) in rows)


def _note_of(fate: Fate, attempts: int) -> str:
    text = fate.result.status.text.replace("\n", " ")
    said = (
        f"{fate.result.remote_mta} said: {fate.result.status}" if fate.result.remote_mta else text
    )
    if fate.verdict is Verdict.FAIL:
        return said[:MAX_NOTE_CHARS]
    more = f"; {fate.result.another_way}" if fate.result.another_way else ""
    more += f"; {UNCONFIRMED}" if fate.result.unconfirmed else ""
    return (
        f"attempt {attempts} of {backoff.MAX_ATTEMPTS} failed: {said[: MAX_NOTE_CHARS - 200]}{more}"
    )


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


async def _unlink(path: Path) -> None:
    await run_blocking(Pool.FILES, path.unlink, missing_ok=True)

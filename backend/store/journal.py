"""How does one message reach several accounts as a whole? The intent is made durable first, then each account is served.

Once the intent is durable the delivery will happen, at the latest at the next start: each account notes the delivery's
id in the same transaction as the message, so that a repetition adds nothing. An intent is forgotten when all accounts
have the message; that is written together with the next one, since a repetition does no harm.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.core.ids import AccountId
from backend.runtime.threads import Pool, run_blocking
from backend.store import migrations
from backend.store.blobs import Blobs
from backend.store.database import Database, Transaction
from backend.store.messages import Prepared
from backend.store.values import NewMessage, Target

_INSERT = """INSERT INTO delivery (id, at, targets, received_at, flags, content, spool)
             VALUES (:id, :at, :targets, :received_at, :flags, :content, :spool)
             ON CONFLICT (id) DO NOTHING"""


@dataclass(frozen=True, slots=True)
class Intent:
    """A delivery that is under way. `blob` is the name of a message that is a file; it stays pinned until `end`."""

    id: str
    at: float
    targets: tuple[Target, ...]
    blob: str | None


class Journal:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.database = Database(folder / "journal.db", migrations.load("journal"))
        self.blobs = Blobs(folder / "journal")
        self._done: list[Intent] = []
        self._open: dict[str, float] = {}

    async def begin(
        self,
        prepared: Prepared,
        targets: Sequence[Target],
        now: float,
        delivery_id: str | None = None,
    ) -> Intent:
        """Durable on return. `prepared.blob`, if any, lies in `blobs` and stays pinned until `end`.

        A `delivery_id` that is under way already is carried out once more, which adds nothing where it has arrived.
        """
        number = delivery_id or secrets.token_hex(16)
        intent = Intent(number, now, tuple(targets), prepared.blob)
        params = {
            "id": intent.id,
            "at": now,
            "targets": json.dumps([[target.account, target.mailbox] for target in targets]),
            "received_at": prepared.received_at,
            "flags": json.dumps(sorted(prepared.flags)),
            "content": prepared.data,
            "spool": prepared.blob,
        }
        done, self._done = self._done, []

        def write(transaction: Transaction) -> None:
            _forget(transaction, done)
            transaction.run(_INSERT, params)

        try:
            await self.database.write(write)
        except BaseException:
            self._done += done
            raise
        self._release(done)
        self._open[intent.id] = now
        return intent

    def end(self, intent: Intent) -> None:
        """All accounts have the message."""
        self._done.append(intent)
        self._open.pop(intent.id, None)

    def _release(self, done: Sequence[Intent]) -> None:
        # Not before the intent is forgotten: a crash in between would look for the file.
        for intent in done:
            if intent.blob is not None:
                self.blobs.unpin(intent.blob)

    def oldest(self, now: float) -> float:
        """The time of the oldest delivery that is under way, or now."""
        return min(self._open.values(), default=now)

    async def pending(self) -> list[tuple[Intent, NewMessage]]:
        """What a crash left; for the start."""
        await run_blocking(Pool.FILES, self.blobs.remove_unfinished)
        rows = await self.database.read(
            lambda reader: reader.rows(
                "SELECT id, at, targets, received_at, flags, content, spool FROM delivery ORDER BY at"
            )
        )
        found = []
        for number, at, targets, received_at, flags, content, spool in rows:
            intent = Intent(
                number,
                at,
                tuple(Target(AccountId(account), name) for account, name in json.loads(targets)),
                spool,
            )
            self._open[number] = at
            if spool is not None:
                self.blobs.pin(spool)
                content = self.blobs.path(spool)  # noqa: PLW2901  # the file in the place of the bytes
            message = NewMessage(content, received_at, frozenset(json.loads(flags)))
            found.append((intent, message))
        return found

    async def tidy(self) -> None:
        """Writes down what has ended and removes the files that nobody waits for."""
        done, self._done = self._done, []
        if done:
            await self.database.write(lambda transaction: _forget(transaction, done))
            self._release(done)
        await run_blocking(Pool.FILES, self._remove_files)

    def _remove_files(self) -> None:
        for name in list(self.blobs.names()):
            self.blobs.remove(name)

    async def close(self) -> None:
        await self.tidy()
        await self.database.close()


def _forget(transaction: Transaction, done: Sequence[Intent]) -> None:
    transaction.run_many("DELETE FROM delivery WHERE id = ?", [(intent.id,) for intent in done])

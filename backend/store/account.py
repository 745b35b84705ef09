"""One account's mailboxes and messages: what sessions, deliveries and the faces call.

Keeps in memory what SELECT and STATUS tell (the mailboxes' rows and UID sets), moved on by each commit, so that they
cost the same at any size. Opened by `Store.account`; the database's connections come and go behind it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from backend.core.clock import Clock
from backend.core.errors import UserError
from backend.core.events import (
    MailboxChange,
)
from backend.core.ids import AccountId, MailboxId, ModSeq, Uid
from backend.core.mailbox_name import INBOX
from backend.core.uidset import EMPTY, UidSet
from backend.imap.search import SearchKey
from backend.observe import log as logs
from backend.runtime import tasks
from backend.runtime.hub import Hub
from backend.runtime.threads import Pool, run_blocking
from backend.store import flags, mailboxes, messages, migrations, reading
from backend.store.blobs import Blobs, sync_folder
from backend.store.collect import Collector
from backend.store.database import Database, OpenLimit, Transaction
from backend.store.find import Finder
from backend.store.index import Index
from backend.store.messages import Added, Prepared, Removed
from backend.store.notify import Announcer
from backend.store.picture import MailboxState, Picture
from backend.store.prepare import prepare_all, unpin
from backend.store.quota import QuotaOf
from backend.store.values import (
    CopyResult,
    Delivered,
    Expunged,
    Field,
    FlagOp,
    FlagsResult,
    Mailbox,
    NewMessage,
    SearchResult,
    Snapshot,
    Usage,
)

T = TypeVar("T")

log = logs.get(__name__)

DATABASE_FILE = "mail.db"


FORGET_EVERY_S = 3600.0  # how often the notes of old deliveries are removed


class AccountStore:
    def __init__(
        self,
        account: AccountId,
        folder: Path,
        *,
        clock: Clock,
        everything: Hub[MailboxChange],
        quota_of: QuotaOf,
        limit: OpenLimit,
        on_added: Callable[[AccountId], None],
    ) -> None:
        """`on_added` is told that messages came in, for the search index."""
        self.id = account
        self.folder = folder
        self.blobs = Blobs(folder / "blobs")
        self.database = Database(folder / DATABASE_FILE, migrations.load("mail"), limit=limit)
        self.index = Index(folder, self.blobs, limit)
        self._clock = clock
        self._announcer = Announcer(everything)
        self._quota_of = quota_of
        self._picture = Picture(account, self._announcer, on_added)
        self._collector = Collector(account, self.database, self.blobs)
        self._forgot_before = 0.0
        self._loading: asyncio.Future[None] | None = None

    @property
    def changes(self) -> Hub[MailboxChange]:
        """This account's changes, in commit order."""
        return self._announcer.account

    # Mailboxes

    async def mailboxes(self) -> list[Mailbox]:
        """By name, INBOX first."""
        await self.load()
        boxes = [state.mailbox for state in self._picture]
        return sorted(boxes, key=lambda box: (box.name != INBOX, box.name))

    async def find_mailbox(self, name: str) -> Mailbox | None:
        await self.load()
        wanted = mailboxes.normal_name(name)
        for state in self._picture:
            if state.mailbox.name == wanted:
                return state.mailbox
        return None

    async def subscriptions(self) -> frozenset[str]:
        """Also names whose mailbox is gone."""
        await self.load()
        return frozenset(await self.database.read(mailboxes.subscriptions))

    async def create_mailbox(self, name: str, *, special_use: str = "") -> Mailbox:
        """Superior mailboxes are created as needed.

        Raises:
            ConflictError: it exists. UserError: the name or the special use can't be.
        """
        await self.load()

        def write(transaction: Transaction) -> list[Mailbox]:
            created = mailboxes.create(transaction, name, special_use)
            transaction.after_commit(partial(self._picture.mailboxes_created, created))
            return created

        return (await self.database.write(write))[-1]

    async def delete_mailbox(self, name: str) -> None:
        """With all its messages; those below it stay. INBOX can't be deleted.

        Raises:
            NotFoundError, UserError.
        """
        await self.load()

        def write(transaction: Transaction) -> tuple[str, ...]:
            mailbox = mailboxes.deletable(transaction, name)
            blobs = messages.delete_mailbox(transaction, mailbox)
            transaction.after_commit(partial(self._picture.mailbox_deleted, mailbox))
            return blobs

        self._collector.released(await self.database.write(write))

    async def rename_mailbox(self, old: str, new: str) -> None:
        """With what lies below. Renaming INBOX moves its messages to a new mailbox (RFC 9051 §6.3.6).

        Raises:
            NotFoundError, ConflictError, UserError.
        """
        await self.load()
        write: Callable[[Transaction], None]
        if mailboxes.normal_name(old) == INBOX:
            write = partial(self._empty_inbox_into, new)
        else:
            write = partial(self._rename, old, new)
        await self.database.write(write)

    def _empty_inbox_into(self, name: str, transaction: Transaction) -> None:
        created = mailboxes.create(transaction, name, "")
        transaction.after_commit(partial(self._picture.mailboxes_created, created))
        inbox = mailboxes.find(transaction, INBOX)
        assert inbox is not None  # it can't be deleted
        self._copy(transaction, inbox.id, reading.ALL_UIDS, created[-1].id, move=True)

    def _rename(self, old: str, new: str, transaction: Transaction) -> None:
        renamed = mailboxes.rename(transaction, old, new)
        transaction.after_commit(partial(self._picture.mailboxes_created, renamed.created))
        for old_name, mailbox in renamed.renamed:
            transaction.after_commit(partial(self._picture.mailbox_renamed, old_name, mailbox))

    async def set_subscribed(self, name: str, subscribed: bool) -> None:
        await self.load()

        def write(transaction: Transaction) -> None:
            stored = mailboxes.subscribe(transaction, name, subscribed=subscribed)
            mailbox = mailboxes.find(transaction, stored)
            transaction.after_commit(
                partial(self._picture.subscription_changed, stored, subscribed, mailbox)
            )

        await self.database.write(write)

    async def select(self, mailbox: MailboxId) -> Snapshot:
        """Raises:
        NotFoundError: it was deleted.
        """
        state = await self._state(mailbox)
        if state.uids is None:
            await self.database.write(partial(self._load_uids, mailbox))
            state = await self._state(mailbox)
        assert (
            state.uids is not None
        )  # set by the line above, and never unset while the mailbox is there
        return Snapshot(state.mailbox, state.uids, state.keywords)

    async def status(self, wanted: Sequence[MailboxId]) -> list[Mailbox]:
        """Those of `wanted` that exist."""
        await self.load()
        return [self._picture.get(number).mailbox for number in wanted if number in self._picture]

    # Messages

    async def append(self, mailbox: MailboxId, new: Sequence[NewMessage]) -> tuple[int, list[Uid]]:
        """All or none; (uidvalidity, uids). Durable on return.

        Raises:
            TemporaryError: over quota, or the disk is full. NotFoundError: no such mailbox.
        """
        state = await self._state(mailbox)
        prepared = await prepare_all(new, self.blobs)
        try:
            added = await self.database.write(partial(self._add, mailbox, prepared))
        finally:
            unpin(prepared, self.blobs)
        return state.mailbox.uidvalidity, list(added.uids)

    async def deliver(
        self,
        mailbox_names: Sequence[str],
        prepared: Sequence[Prepared],
        delivery_id: str | None,
        *,
        ignore_quota: bool = False,
        forget_before: float = 0.0,
    ) -> list[Delivered]:
        """Into each of the mailboxes by name, which are created as needed, in one transaction.

        With a `delivery_id` a repetition finds what the first one did. For `Store.deliver`, which prepared and unpins.
        """
        await self.load()
        write = partial(
            self._deliver, mailbox_names, prepared, delivery_id, ignore_quota, forget_before
        )
        return await self.database.write(write)

    def _deliver(
        self,
        mailbox_names: Sequence[str],
        prepared: Sequence[Prepared],
        delivery_id: str | None,
        ignore_quota: bool,
        forget_before: float,
        transaction: Transaction,
    ) -> list[Delivered]:
        delivered = []
        for number, name in enumerate(mailbox_names):
            key = f"{delivery_id}/{number}"
            if delivery_id is not None and (
                row := transaction.row(
                    "SELECT mailbox_id, uid, uidvalidity FROM delivered WHERE delivery_id = :id",
                    {"id": key},
                )
            ):
                delivered.append(Delivered(self.id, MailboxId(row[0]), Uid(row[1]), row[2]))
                continue
            mailbox = mailboxes.find(transaction, mailboxes.normal_name(name))
            if mailbox is None:
                mailbox = self._create_for_delivery(transaction, name)
            added = self._add(mailbox.id, prepared, transaction, ignore_quota=ignore_quota)
            delivered.append(Delivered(self.id, mailbox.id, added.uids[0], mailbox.uidvalidity))
            if delivery_id is not None:
                transaction.run(
                    """INSERT INTO delivered (delivery_id, at, mailbox_id, uid, uidvalidity)
                       VALUES (:id, :at, :mailbox, :uid, :uidvalidity)""",
                    {
                        "id": key,
                        "at": self._clock.time(),
                        "mailbox": mailbox.id,
                        "uid": added.uids[0],
                        "uidvalidity": mailbox.uidvalidity,
                    },
                )
        if delivery_id is not None and forget_before > self._forgot_before + FORGET_EVERY_S:
            self._forgot_before = forget_before
            transaction.run("DELETE FROM delivered WHERE at < :at", {"at": forget_before})
        return delivered

    def _create_for_delivery(self, transaction: Transaction, name: str) -> Mailbox:
        """The new mailbox; INBOX if it can't be made, because mail is not to be lost over a name."""
        try:
            created = mailboxes.create(transaction, name, "")
        except UserError as error:
            log.warning("mailbox can't be created, delivering to INBOX", cause=str(error))
            inbox = mailboxes.find(transaction, INBOX)
            assert inbox is not None  # it can't be deleted
            return inbox
        transaction.after_commit(partial(self._picture.mailboxes_created, created))
        return created[-1]

    def _add(
        self,
        mailbox: MailboxId,
        prepared: Sequence[Prepared],
        transaction: Transaction,
        *,
        ignore_quota: bool = False,
    ) -> Added:
        limit = None if ignore_quota else self._quota_of(self.id)
        added = messages.add(transaction, mailbox, prepared, self._clock.time(), limit)
        keywords = None
        if any(not flag.startswith("\\") for message in prepared for flag in message.flags):
            keywords = flags.mailbox_keywords(transaction, mailbox)
        transaction.after_commit(partial(self._picture.messages_added, added, keywords))
        return added

    async def copy(self, source: MailboxId, uids: UidSet, target: MailboxId) -> CopyResult:
        """Raises:
        TemporaryError: over quota, or the disk is full. NotFoundError: no such mailbox.
        """
        await self.load()
        return await self.database.write(
            lambda transaction: self._copy(transaction, source, uids, target, move=False)
        )

    async def move(self, source: MailboxId, uids: UidSet, target: MailboxId) -> CopyResult:
        """Raises:
        NotFoundError: no such mailbox.
        """
        await self.load()
        return await self.database.write(
            lambda transaction: self._copy(transaction, source, uids, target, move=True)
        )

    def _copy(
        self,
        transaction: Transaction,
        source: MailboxId,
        uids: UidSet,
        target: MailboxId,
        *,
        move: bool,
    ) -> CopyResult:
        copied = messages.copy(
            transaction,
            source,
            uids,
            target,
            self._clock.time(),
            self._quota_of(self.id),
            move=move,
        )
        if copied.added is not None:
            keywords = flags.mailbox_keywords(transaction, target)
            transaction.after_commit(partial(self._picture.messages_added, copied.added, keywords))
        if copied.removed is not None:
            transaction.after_commit(partial(self._picture.messages_removed, copied.removed))
        return copied.result

    async def store_flags(
        self,
        mailbox: MailboxId,
        uids: UidSet,
        op: FlagOp,
        given: frozenset[str],
        *,
        unchanged_since: int | None = None,
        origin: int = 0,
    ) -> FlagsResult:
        """Raises:
        NotFoundError: no such mailbox. UserError: too many keywords.
        """
        await self._state(mailbox)
        with_keywords = any(not flag.startswith("\\") for flag in given)

        def write(transaction: Transaction) -> FlagsResult:
            result = flags.store(transaction, mailbox, uids, op, given, unchanged_since)
            if result.changed:
                now = mailboxes.get(transaction, mailbox)
                keywords = flags.mailbox_keywords(transaction, mailbox) if with_keywords else None
                transaction.after_commit(
                    partial(self._picture.flags_changed, now, keywords, result, origin)
                )
            return result

        return await self.database.write(write)

    async def expunge(self, mailbox: MailboxId, uids: UidSet | None) -> Expunged:
        r"""Removes those of `uids` (None: of all) that are marked `\Deleted`.

        Raises:
            NotFoundError: no such mailbox.
        """
        state = await self._state(mailbox)
        if not state.mailbox.deleted:
            return Expunged(EMPTY, ModSeq(0))

        def write(transaction: Transaction) -> Removed | None:
            removed = messages.expunge(transaction, mailbox, uids)
            if removed is not None:
                transaction.after_commit(partial(self._picture.messages_removed, removed))
            return removed

        removed = await self.database.write(write)
        if removed is None:
            return Expunged(EMPTY, ModSeq(0))
        self._collector.released(removed.blobs)
        return Expunged(removed.uids, removed.modseq)

    async def rows(
        self,
        mailbox: MailboxId,
        uids: UidSet | None,
        fields: tuple[Field, ...],
        transform: Callable[[list[tuple[Any, ...]]], T],
        *,
        changed_since: int | None = None,
    ) -> AsyncIterator[T]:
        """Reads in chunks of bounded size, UIDs ascending; `transform` runs on the reader's thread.

        No transaction stays open between chunks; messages that were expunged meanwhile are left out.
        """
        await self.load()
        rest = reading.ALL_UIDS if uids is None else uids
        if changed_since is not None:
            rest &= await self.database.read(
                lambda reader: reading.changed_uids(reader, mailbox, changed_since)
            )
        while rest:
            result, rest = await self.database.read(
                partial(self._read_rows, mailbox, rest, fields, transform)
            )
            if result is not None:
                yield result

    def _read_rows(
        self,
        mailbox: MailboxId,
        uids: UidSet,
        fields: tuple[Field, ...],
        transform: Callable[[list[tuple[Any, ...]]], T],
        reader: Any,
    ) -> tuple[T | None, UidSet]:
        chunk = reading.read_chunk(reader, mailbox, uids, fields, self.blobs)
        return (transform(chunk.rows) if chunk.rows else None), chunk.rest

    async def read_content(
        self, mailbox: MailboxId, uid: Uid, offset: int = 0, length: int | None = None
    ) -> bytes:
        """Raises:
        NotFoundError: the message is gone.
        """
        await self.load()
        return await self.database.read(
            lambda reader: reading.content_part(reader, mailbox, uid, offset, length, self.blobs)
        )

    async def search(
        self, mailbox: MailboxId, key: SearchKey, *, want_modseq: bool = False
    ) -> SearchResult:
        """Raises:
        NotFoundError: no such mailbox. UserError: too complicated.
        """
        await self._state(mailbox)
        finder = Finder(self.database, self.index, self.blobs, self._clock, mailbox)
        return await finder.run(key, want_modseq=want_modseq)

    async def vanished(self, mailbox: MailboxId, since_modseq: int) -> UidSet:
        """What was expunged after a modseq (RFC 7162)."""
        await self.load()
        return await self.database.read(
            lambda reader: messages.vanished(reader, mailbox, since_modseq)
        )

    async def usage(self) -> Usage:
        await self.load()
        boxes = [state.mailbox for state in self._picture]
        return Usage(
            sum(box.messages for box in boxes),
            sum(box.size_bytes for box in boxes),
            self._quota_of(self.id),
        )

    # Life

    async def load(self) -> None:
        """Opens the database, sets up a new account, reads the mailboxes' rows. Cheap when it was done."""
        if self._picture.is_complete:
            return
        if self._loading is None:
            self._loading = tasks.spawn(self._load(), f"load account {self.id}")
            self._loading.add_done_callback(self._load_ended)
        await asyncio.shield(self._loading)

    async def _load(self) -> None:
        await run_blocking(Pool.FILES, self._prepare_folder)
        await self.database.write(self._read_states)
        if self.blobs.folder.is_dir():
            self._collector.look_for_orphans()

    def _prepare_folder(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, mode=0o700)
            sync_folder(self.folder.parent)
        self.blobs.remove_unfinished()

    def _load_ended(self, _: asyncio.Future[None]) -> None:
        self._loading = None

    def _read_states(self, transaction: Transaction) -> None:
        if transaction.value("SELECT 1 FROM account") is None:
            mailboxes.set_up_account(transaction, self._clock.time())
        found = [
            (mailbox, flags.mailbox_keywords(transaction, mailbox.id))
            for mailbox in mailboxes.all_of(transaction)
        ]
        transaction.after_commit(partial(self._picture.mailboxes_read, found))

    async def close(self) -> None:
        """Keeps the UID sets for the next start and closes the database."""
        await self._collector.finish()
        if self._picture.is_complete:
            states = [
                (state.mailbox, state.uids) for state in self._picture if state.uids is not None
            ]
            if states:
                await self.database.write(partial(_keep_uids, states))
        await self.index.close()
        await self.database.close()

    def _load_uids(self, mailbox: MailboxId, transaction: Transaction) -> None:
        # On the writer's thread, so that no commit can fall between the reading and `_uids_read`.
        now = mailboxes.get(transaction, mailbox)
        uids = messages.load_uids(transaction, now)
        transaction.after_commit(partial(self._picture.uids_read, now, uids))

    async def _state(self, mailbox: MailboxId) -> MailboxState:
        await self.load()
        return self._picture.get(mailbox)


def _keep_uids(states: Sequence[tuple[Mailbox, UidSet]], transaction: Transaction) -> None:
    for known, uids in states:
        row = transaction.row("SELECT highestmodseq FROM mailbox WHERE id = :id", {"id": known.id})
        if row == (known.highestmodseq,):
            messages.keep_uids(transaction, known, uids)

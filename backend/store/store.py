"""All accounts of a data folder: opening them, delivering to them, removing them."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from backend.core.clock import Clock, SystemClock
from backend.core.errors import TemporaryError, UserError
from backend.core.events import MailboxChange
from backend.core.ids import AccountId, MailboxId, Uid
from backend.core.problems import Problem
from backend.core.status import MAILBOX_FULL
from backend.observe import log as logs
from backend.runtime import tasks
from backend.runtime.hub import Hub
from backend.runtime.threads import Pool, run_blocking
from backend.store import mailboxes
from backend.store.account import DATABASE_FILE, AccountStore
from backend.store.blobs import sync_folder
from backend.store.database import OpenLimit, peek
from backend.store.indexer import Indexer
from backend.store.journal import Intent, Journal
from backend.store.messages import Prepared
from backend.store.prepare import prepare_all, unpin
from backend.store.quota import QuotaOf, unlimited
from backend.store.values import Delivered, NewMessage, Target, Usage

log = logs.get(__name__)

MAX_OPEN_DATABASES = 32
CLOSE_IDLE_AFTER_S = 60.0
SWEEP_EVERY_S = 20.0
RETRY_AFTER_S = 30.0
REMEMBER_DELIVERIES_S = 14 * 24 * 3600.0
MAX_ACCOUNT_CHARS = 64
_ACCOUNT_NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]+", re.ASCII)
_REMOVED = ".removed-"


class Store:
    """`quota` may be set to a function that knows each account's limit."""

    def __init__(self, folder: Path, *, clock: Clock | None = None) -> None:
        self.folder = folder
        self.changes: Hub[MailboxChange] = Hub()
        self.quota: QuotaOf = unlimited
        self._clock = clock if clock is not None else SystemClock()
        self._accounts: dict[AccountId, AccountStore] = {}
        self._limit = OpenLimit(MAX_OPEN_DATABASES)
        self._journal = Journal(folder)
        self._sweeper: asyncio.Task[None] | None = None
        self._retries: set[asyncio.Task[None]] = set()
        self.indexer = Indexer(self._index_step)

    async def open(self) -> None:
        """Finishes what a crash interrupted."""
        await run_blocking(Pool.FILES, self._tidy_folders)
        for intent, message in await self._journal.pending():
            await self._replay(intent, message)
        await self._journal.tidy()
        self._sweeper = tasks.spawn(tasks.supervise(self._sweep, "close idle databases"), "sweep")
        self.indexer.start()

    async def close(self) -> None:
        await self.indexer.stop()
        await tasks.stop(self._sweeper, *self._retries)
        for account in self._accounts.values():
            await account.close()
        self._accounts.clear()
        await self._journal.close()

    async def account(self, account: AccountId) -> AccountStore:
        """Creates what is missing.

        Raises:
            UserError: it can't be an account's name.
        """
        store = self._accounts.get(account)
        if store is None:
            store = AccountStore(
                account,
                self._account_folder(account),
                clock=self._clock,
                everything=self.changes,
                quota_of=self._limit_of,
                limit=self._limit,
                on_added=self.indexer.added,
            )
            self._accounts[account] = store
        await store.load()
        return store

    async def usages(self, accounts: Sequence[AccountId]) -> dict[AccountId, Usage]:
        """How much each keeps, without opening those that are closed: a list of all accounts costs little."""
        usages: dict[AccountId, Usage] = {}
        closed = []
        for number in accounts:
            store = self._accounts.get(number)
            if store is not None:
                usages[number] = await store.usage()
            else:
                closed.append(number)
        found = await run_blocking(Pool.FILES, self._peek_all, closed)
        for number in closed:
            row = found[number]
            if row is None:
                usages[number] = await (await self.account(number)).usage()
            else:
                usages[number] = Usage(*row, self._limit_of(number))
        return usages

    def _peek_all(self, accounts: Sequence[AccountId]) -> dict[AccountId, tuple[int, int] | None]:
        found: dict[AccountId, tuple[int, int] | None] = {}
        for number in accounts:
            file = self._account_folder(number) / DATABASE_FILE
            if not file.exists():
                found[number] = 0, 0
                continue
            row = peek(
                file, "SELECT coalesce(sum(messages), 0), coalesce(sum(size_bytes), 0) FROM mailbox"
            )
            found[number] = None if row is None else (row[0], row[1])
        return found

    def _limit_of(self, account: AccountId) -> int | None:
        return self.quota(account)  # looked up each time: it may be set after accounts were opened

    async def index_now(self, account: AccountId) -> None:
        """Brings the search index of an account up to date, without waiting for a quiet moment."""
        await self.account(account)
        while await self._index_step(account):
            pass

    async def _index_step(self, number: AccountId) -> bool:
        account = self._accounts.get(number)
        return account is not None and await account.index.step(account.database)

    async def remove_account(self, account: AccountId) -> None:
        """With all its mail, for good. No session may use it any more."""
        self.indexer.forget(account)
        folder = self._account_folder(account)
        store = self._accounts.pop(account, None)
        if store is not None:
            await store.close()
        await run_blocking(Pool.FILES, _remove_folder, folder)

    async def deliver(
        self,
        message: NewMessage,
        targets: Sequence[Target],
        *,
        delivery_id: str | None = None,
    ) -> list[Delivered]:
        """To all targets or to none, durable on return; in the order of `targets`. Mailboxes are created as needed.

        With a `delivery_id` of the caller's, a repetition with the same targets (after a crash, within two weeks) adds nothing.

        Raises:
            TemporaryError: a mailbox is full, or the disk is. UserError: a mailbox name that can't be.
        """
        wanted: dict[AccountId, list[str]] = {}
        for target in targets:
            name = mailboxes.normal_name(target.mailbox)
            names = wanted.setdefault(target.account, [])
            if name not in names:
                names.append(name)
        if len(wanted) == 1:
            ((number, names),) = wanted.items()
            delivered = await self._deliver_to_one(message, number, names, delivery_id)
        else:
            unique = [Target(number, name) for number, names in wanted.items() for name in names]
            delivered = await self._deliver_to_many(message, unique, delivery_id)
        return [
            delivered[target.account, mailboxes.normal_name(target.mailbox)] for target in targets
        ]

    async def _deliver_to_one(
        self, message: NewMessage, number: AccountId, names: list[str], delivery_id: str | None
    ) -> "dict[tuple[AccountId, str], Delivered]":
        account = await self.account(number)
        prepared = await prepare_all([message], account.blobs)
        try:
            forget_before = self._forget_before()
            found = await account.deliver(names, prepared, delivery_id, forget_before=forget_before)
        finally:
            unpin(prepared, account.blobs)
        return {(number, name): one for name, one in zip(names, found, strict=True)}

    async def _deliver_to_many(
        self, message: NewMessage, targets: list[Target], delivery_id: str | None
    ) -> "dict[tuple[AccountId, str], Delivered]":
        prepared = (await prepare_all([message], self._journal.blobs))[0]
        intent = None
        try:
            await self._check_quotas(prepared.size, targets)
            intent = await self._journal.begin(prepared, targets, self._clock.time(), delivery_id)
        finally:
            if intent is None:
                unpin([prepared], self._journal.blobs)
        # From here on the message is accepted: the delivery goes on though the waiter be gone.
        return await tasks.finish(self._carry_out(intent, prepared))

    async def _check_quotas(self, size: int, targets: Sequence[Target]) -> None:
        for number in {target.account for target in targets}:
            account = await self.account(number)
            copies = sum(target.account == number for target in targets)
            usage = await account.usage()
            if (
                usage.limit_bytes is not None
                and usage.size_bytes + size * copies > usage.limit_bytes
            ):
                raise TemporaryError(MAILBOX_FULL)

    async def _carry_out(
        self, intent: Intent, prepared: Prepared
    ) -> "dict[tuple[AccountId, str], Delivered]":
        """Serves each account that is still there; those that fail are tried again until the store is closed."""
        accounts = list(dict.fromkeys(target.account for target in intent.targets))
        async with asyncio.TaskGroup() as group:
            serving = [
                tasks.start(group, self._serve(intent, prepared, number), f"deliver to {number}")
                for number in accounts
            ]
        results = [task.result() for task in serving]
        if any(result is None for result in results):
            retry = tasks.spawn(self._retry(intent, prepared), f"retry delivery {intent.id}")
            self._retries.add(retry)
            retry.add_done_callback(self._retries.discard)
        else:
            self._journal.end(intent)
        found: dict[tuple[AccountId, str], Delivered] = {}
        for number, result in zip(accounts, results, strict=True):
            names = [target.mailbox for target in intent.targets if target.account == number]
            waiting = [Delivered(number, MailboxId(0), Uid(0), 0) for _ in names]
            for name, one in zip(names, waiting if result is None else result, strict=True):
                found[number, name] = one
        return found

    async def _serve(
        self, intent: Intent, prepared: Prepared, number: AccountId
    ) -> list[Delivered] | None:
        """None: not now."""
        names = [target.mailbox for target in intent.targets if target.account == number]
        try:
            if not self._account_folder(number).is_dir():
                log.info("account was removed, delivery dropped", account=number)
                return [Delivered(number, MailboxId(0), Uid(0), 0) for _ in names]
            account = await self.account(number)
            if prepared.blob is not None:
                source = self._journal.blobs.path(prepared.blob)
                await run_blocking(Pool.FILES, account.blobs.adopt, source, prepared.blob)
            try:
                return await account.deliver(
                    names,
                    [prepared],
                    intent.id,
                    ignore_quota=True,
                    forget_before=self._forget_before(),
                )
            finally:
                unpin([prepared], account.blobs)
        except Exception as error:  # the intent is durable: it is tried again, whatever it was
            log.error("delivery will be tried again", error=error, account=number)
            return None

    def _forget_before(self) -> float:
        """Of deliveries before that time no repetition can come any more."""
        return self._journal.oldest(self._clock.time()) - REMEMBER_DELIVERIES_S

    async def _retry(self, intent: Intent, prepared: Prepared) -> None:
        await asyncio.sleep(RETRY_AFTER_S)
        await self._carry_out(intent, prepared)

    async def _replay(self, intent: Intent, message: NewMessage) -> None:
        try:
            prepared = (await prepare_all([message], self._journal.blobs))[0]
        except FileNotFoundError as error:
            log.error("file of an unfinished delivery is missing", error=error, delivery=intent.id)
            self._journal.end(intent)
            return
        unpin([prepared], self._journal.blobs)  # the intent has a pin of its own
        await self._carry_out(intent, prepared)

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            self._limit.close_idle(loop.time() - CLOSE_IDLE_AFTER_S)
            await self._journal.tidy()

    def _account_folder(self, account: AccountId) -> Path:
        # SECURITY: the only name that becomes part of a path.
        if len(account) > MAX_ACCOUNT_CHARS or _ACCOUNT_NAME.fullmatch(account) is None:
            raise UserError(
                Problem(
                    code="account.name",
                    message=f"“{account}” can't be the name of an account.",
                    fix="Use letters, digits, dot, underscore and hyphen; 64 at most, no dot in front.",
                )
            )
        return self.folder / "accounts" / account

    def _tidy_folders(self) -> None:
        accounts = self.folder / "accounts"
        accounts.mkdir(parents=True, exist_ok=True, mode=0o700)
        sync_folder(self.folder)
        for entry in os.scandir(accounts):
            if entry.name.startswith(_REMOVED):
                shutil.rmtree(entry.path, ignore_errors=True)


def _remove_folder(folder: Path) -> None:
    """First out of the way, durably, then piece by piece."""
    away = folder.with_name(f"{_REMOVED}{os.urandom(8).hex()}")
    with contextlib.suppress(FileNotFoundError):
        os.rename(folder, away)
        sync_folder(folder.parent)
        shutil.rmtree(away, ignore_errors=True)

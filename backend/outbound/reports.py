"""Pays what the queue owes to our own mailboxes: reports to senders, and local parts that a crash or a fault left behind.

Reports go into the sender's INBOX, or to the postmaster when the account is gone; never anywhere else. What can't be
delivered now is tried again after a minute, then less often; the rows stay until it worked, reports five days at most.
"""

import asyncio
from collections.abc import Callable

from backend.accounts.directory import Directory
from backend.core.clock import Clock
from backend.core.errors import RefusedError, TemporaryError, UserError
from backend.core.events import QueueChanged, TimelineEntry
from backend.core.ids import AccountId
from backend.core.status import NO_SUCH_USER, UNKNOWN_FAULT, SmtpStatus
from backend.message.dsn import build_dsn
from backend.message.received import return_path_line
from backend.observe import log as logs
from backend.outbound import owed
from backend.outbound.entries import Notice, PendingLocal, PendingNotice
from backend.outbound.failure import build_report
from backend.outbound.queue import Queue
from backend.outbound.submit import Deliver
from backend.store.values import NewMessage, Target

log = logs.get(__name__)

RETRY_S = 60.0
LONGEST_RETRY_S = 3600.0  # of a report: waits double up to that
GIVE_UP_REPORT_AFTER_S = 5 * 24 * 3600.0  # a mailbox that stays full must not keep rows for ever
GIVE_UP_LOCAL_AFTER_S = 16 * 3600.0  # as long as the queue tries elsewhere

_NOT_DELIVERED = SmtpStatus(550, "5.3.0", "this server could not put it into the mailbox")


_TOLD = {
    Notice.DELAYED: ("deferred", "about the delay"),
    Notice.DELIVERED: ("delivered", "that it was delivered, as was asked for"),
    Notice.FAILED: ("bounced", "that it could not be delivered"),
    Notice.RELAYED: ("sent", "how far it was passed on, as was asked for"),
}
"""Kind of the entry in the timeline, and what the sender was told."""


class Reporter:
    def __init__(
        self,
        queue: Queue,
        *,
        hostname: str,
        directory: Directory,
        deliver: Deliver,
        clock: Clock,
        record: Callable[[TimelineEntry], None],
        publish: Callable[[QueueChanged], None],
    ) -> None:
        self._queue = queue
        self._hostname = hostname
        self._directory = directory
        self._deliver = deliver
        self._clock = clock
        self._record = record
        self._publish = publish
        self._wake = asyncio.Event()
        self._not_before: dict[int, float] = {}
        self._failing: dict[int, tuple[float, float]] = {}  # since when, and the last wait
        self._started = False

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            await self.settle_all()
            try:
                async with asyncio.timeout(RETRY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def settle_all(self) -> None:
        """One round over everything that is owed and may be tried now."""
        now = self._clock.time()
        self._not_before = {m: at for m, at in self._not_before.items() if at > now}
        await self._settle_locals(now)
        while notices := await owed.find_notices(self._queue, frozenset(self._not_before)):
            for notice in notices:
                await self._settle_notice(notice)

    async def _settle_locals(self, now: float) -> None:
        if self._started:
            for pending in await owed.find_locals(self._queue, now):
                await self._settle_local(pending)
            return
        # At the start nobody else delivers: what is there was left by a process that died.
        seen = 0
        while found := await owed.find_locals(self._queue, now, at_start=True, after=seen):
            for pending in found:
                await self._settle_local(pending)
            seen = found[-1].message
        self._started = True

    async def _settle_notice(self, notice: PendingNotice) -> None:
        target = self._target(notice.account)
        if target is None:
            log.warning("report has no mailbox to go to", trace=notice.trace)
            await owed.settle_notice(self._queue, notice)
            return
        now = self._clock.time()
        report = build_dsn(build_report(notice, hostname=self._hostname, now=now))
        message = NewMessage(content=report, received_at=now, prefix=return_path_line(None))
        try:
            await self._deliver(message, [target], delivery_id=notice.id)
        except Exception as error:  # the row stays: it is tried again
            await self._put_off(notice, now, error)
            return
        self._failing.pop(notice.message, None)
        await owed.settle_notice(self._queue, notice)
        kind, text = _TOLD[notice.kind]
        for recipient in notice.recipients:
            self._record(
                TimelineEntry(
                    notice.trace,
                    now,
                    kind,
                    f"{notice.sender} was told {text} ({recipient.address})",
                    {"recipient": str(recipient.address), "account": target.account},
                )
            )
            if notice.kind is not Notice.DELAYED:
                self._publish(QueueChanged(recipient.id, "done"))

    async def _put_off(self, notice: PendingNotice, now: float, error: Exception) -> None:
        since, wait_s = self._failing.get(notice.message, (now, RETRY_S / 2))
        if now - since > GIVE_UP_REPORT_AFTER_S:
            del self._failing[notice.message]
            log.warning("report is given up", trace=notice.trace, cause=repr(error))
            text = f"{notice.sender} could not be told what became of it, for five days; that is given up"
            self._record(TimelineEntry(notice.trace, now, "bounced", text))
            await owed.settle_notice(self._queue, notice)
            return
        wait_s = min(wait_s * 2, LONGEST_RETRY_S)
        log.warning("report could not be delivered yet", trace=notice.trace, cause=repr(error))
        self._failing[notice.message] = (since, wait_s)
        self._not_before[notice.message] = now + wait_s

    def _target(self, account: AccountId) -> Target | None:
        # Behaviour T14: the sender's INBOX; the postmaster's mailbox when the account is gone.
        if account in self._directory.accounts():
            return Target(account, "INBOX")
        postmaster = self._directory.postmaster()
        return None if postmaster is None else Target(postmaster.account, postmaster.mailbox)

    async def _settle_local(self, pending: PendingLocal) -> None:
        now = self._clock.time()
        accounts = set(self._directory.accounts())
        targets = [target for target in pending.targets if target.account in accounts]
        if not targets:
            await self._give_up(pending, NO_SUCH_USER, "the account is gone")
            return
        message = NewMessage(
            content=pending.content,
            received_at=max(pending.created_at, pending.release_at),
            prefix=return_path_line(pending.sender),
        )
        try:
            await self._deliver(message, targets, delivery_id=pending.id)
        except (RefusedError, UserError) as error:
            await self._give_up(pending, getattr(error, "status", _NOT_DELIVERED), repr(error))
        except Exception as error:  # the row stays: it is tried again
            status = error.status if isinstance(error, TemporaryError) else UNKNOWN_FAULT
            if now - max(pending.created_at, pending.release_at) > GIVE_UP_LOCAL_AFTER_S:
                await self._give_up(pending, status, repr(error))
                return
            log.warning("local part is put off", trace=pending.trace, cause=repr(error))
            await owed.put_off_local(self._queue, pending.message, now + RETRY_S)
        else:
            await owed.settle_local(self._queue, pending.message)
            if pending.release_at:
                self._tell_released(pending, targets, now)

    def _tell_released(self, pending: PendingLocal, targets: list[Target], now: float) -> None:
        """Of other local parts the timeline was told when they were accepted."""
        for target in targets:
            text = f"Put into {target.mailbox} of {target.account}, on this server"
            details = {"account": str(target.account)}
            self._record(TimelineEntry(pending.trace, now, "delivered", text, details))
        for i in pending.ids:
            self._publish(QueueChanged(i, "done"))

    async def _give_up(self, pending: PendingLocal, status: SmtpStatus, cause: str) -> None:
        log.warning("local part is given up", trace=pending.trace, cause=cause)
        await owed.give_up_local(self._queue, pending, status)

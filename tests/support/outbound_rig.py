"""Outgoing mail of a small server `mail.a.test` with accounts anna and ben: real store, queue, DNS and SMTP sinks."""

import asyncio
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Self

from backend.accounts.directory import Directory
from backend.config.model import Config
from backend.core.address import parse_address
from backend.core.connection import SessionFacts
from backend.core.envelope import NOTHING_ASKED, Asked, Envelope, Wish
from backend.core.events import QueueChanged, TimelineEntry
from backend.core.ids import AccountId, Cid, TraceId
from backend.core.status import SmtpStatus
from backend.dns.resolver import DnsResolver
from backend.outbound.entries import Item
from backend.outbound.listing import list_items
from backend.outbound.service import Outbound
from backend.outbound.session import Limits
from backend.runtime import tasks
from backend.store.store import Store
from backend.store.values import Field
from tests.support.dns_server import DnsServer
from tests.support.settings import config_of

CONTENT = (
    b"Return-Path: <forged@x.test>\r\nFrom: Anna <anna@a.test>\r\nTo: bo@b.test\r\n"
    b"Bcc: secret@b.test\r\n\tand more\r\nSubject: Lunch\r\n\r\nhello\r\n"
)
ZONE = {"b.test": {"MX": ["10 mx.b.test."]}, "mx.b.test": {"A": ["127.0.0.1"]}}
FAST = Limits(connect_s=5, step_s=5, session_s=20)


def rig_config(port: int, *, practice_mode: bool = False, **domains) -> Config:
    accounts = {
        name: {"domain": "a.test", "destinations": {f"{name}@a.test": {}}}
        for name in ("anna", "ben")
    }
    return config_of(
        {
            "hostname": "mail.a.test",
            "practice_mode": practice_mode,
            "outbound": {"smtp_port": port, "allow_loopback": True},
        },
        **{"domains": {"a.test": {}}, "accounts": accounts, **domains},
    )


class OutboundRig:
    """`async with OutboundRig(folder, port) as rig:`; `run=False` leaves the queue alone until `rig.start()`."""

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        clock=None,
        run: bool = True,
        config=None,
        limits=FAST,
        sign=None,
    ) -> None:
        self.folder = folder
        self.config = config or rig_config(port)
        self.clock = clock
        self.dns = DnsServer(ZONE)
        self.timeline: list[TimelineEntry] = []
        self.changes: list[QueueChanged] = []
        self._changed = asyncio.Event()
        self._run = run
        self._limits = limits
        self._sign = sign
        self._task: asyncio.Task | None = None
        self._stack = AsyncExitStack()
        self._sent = 0

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.dns)
        self.store = Store(self.folder, clock=self.clock)
        await self.store.open()
        self.directory = Directory(self.config)
        self.outbound = Outbound(
            self.folder / "queue",
            config=lambda: self.config,
            directory=self.directory,
            deliver=self.store.deliver,
            resolver=DnsResolver([self.dns.endpoint]),
            record=self.timeline.append,
            publish=self._published,
            clock=self.clock,
            limits=self._limits,
            sign=self._sign,
        )
        self.queue = self.outbound.queue
        await self.outbound.open()
        if self._run:
            self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await tasks.stop(self._task)
        await self.outbound.close(drain_s=0.2)
        await self.store.close()
        await self._stack.aclose()

    def start(self) -> None:
        self._task = tasks.spawn(self.outbound.run(), "outbound rig")

    def set_config(self, config: Config) -> None:
        self.config = config
        self.directory.update(config)

    def _published(self, event: QueueChanged) -> None:
        self.changes.append(event)
        self._changed.set()

    async def submit(
        self,
        *to: str,
        sender: str | None = "anna@a.test",
        content=CONTENT,
        account="anna",
        asked: Asked = NOTHING_ASKED,
        wishes: dict[str, Wish] | None = None,
        smtputf8: bool = False,
        **facts,
    ) -> SmtpStatus:
        self._sent += 1
        envelope = Envelope(
            sender=parse_address(sender) if sender else None,
            recipients=tuple(parse_address(address) for address in to or ("bo@b.test",)),
            smtputf8=smtputf8,
            asked=asked,
            wishes={parse_address(a): wish for a, wish in (wishes or {}).items()},
        )
        return await self.outbound.submitter.submit(
            AccountId(account),
            envelope,
            content,
            SessionFacts(
                trace=TraceId(f"t{self._sent}"),
                cid=Cid("c1"),
                peer_address="192.0.2.7",
                greeting="laptop",
                protocol="ESMTPSA",
                **facts,
            ),
        )

    async def items(self) -> list[Item]:
        return list((await list_items(self.queue, limit=100_000)).items)

    async def mail(self, account: str, mailbox: str = "INBOX") -> list[bytes]:
        store = await self.store.account(AccountId(account))
        box = await store.find_mailbox(mailbox)
        assert box is not None
        found = []
        async for chunk in store.rows(box.id, None, (Field.CONTENT,), list):
            found += [row[0] for row in chunk]
        return found

    async def until(self, condition) -> None:
        """Waits until an (async or plain) condition holds; looked at after each change of the queue."""
        async with asyncio.timeout(20):
            while True:
                self._changed.clear()
                holds = condition()
                if asyncio.iscoroutine(holds):
                    holds = await holds
                if holds:
                    return
                # A row may be read before its event is handled: look again soon.
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await self._changed.wait()

    async def until_empty(self) -> None:
        async def empty():
            return not await self.items()

        await self.until(empty)

    async def until_tried(self, attempts: int) -> None:
        """Until every item has that many attempts behind it and waits again (or has left)."""

        async def tried():
            return all(
                i.attempts >= attempts and i.state in {"waiting", "held"}
                for i in await self.items()
            )

        await self.until(tried)

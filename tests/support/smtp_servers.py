"""Real SMTP servers over a real store on loopback, for tests that speak to sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backend.accounts.directory import Directory
from backend.accounts.login import Logins
from backend.accounts.passwords import Passwords
from backend.config.model import Config, DomainsConfig, ServerConfig
from backend.config.secrets import SecretStore
from backend.core.connection import SessionFacts
from backend.core.envelope import Envelope
from backend.core.events import TimelineEntry
from backend.core.ids import AccountId
from backend.core.status import SmtpStatus
from backend.inbound.deliver import Inbound
from backend.smtpd.guard import Guard, GuardSettings
from backend.smtpd.listener import SmtpServer
from backend.smtpd.receive import ReceiveSession
from backend.smtpd.submission import SubmissionSession
from backend.smtpd.wire import ServerSettings
from backend.store.store import Store
from backend.store.values import Content, Field
from backend.tls.contexts import TlsContexts

HOST = "mail.gatepost.test"
PASSWORD = "correct horse battery"


def configuration(*, practice_mode: bool = True) -> Config:
    server = ServerConfig(hostname=HOST, practice_mode=practice_mode)
    domains = DomainsConfig.model_validate(
        {
            "domains": {
                "gatepost.test": {"catchall_separator": "+"},
                "catch.test": {},
                "closed.test": {"disabled": True},
            },
            "accounts": {
                "anna": {
                    "domain": "gatepost.test",
                    "destinations": {
                        "anna@gatepost.test": {},
                        "shop@gatepost.test": {"mailbox": "Shop"},
                        "jürgen@gatepost.test": {},
                        "@catch.test": {},
                    },
                },
                "bert": {"domain": "gatepost.test", "destinations": {"bert@gatepost.test": {}}},
            },
        }
    )
    return Config(server, domains)


@dataclass
class Submitted:
    account: AccountId
    envelope: Envelope
    content: bytes
    facts: SessionFacts


@dataclass
class Servers:
    folder: Path
    config: Config
    store: Store
    directory: Directory
    logins: Logins
    guard: Guard
    inbound: Inbound
    mx: SmtpServer
    submission: SmtpServer
    submissions: SmtpServer
    tls: TlsContexts
    ports: dict[str, int] = field(default_factory=dict)
    timeline: list[TimelineEntry] = field(default_factory=list)
    submitted: list[Submitted] = field(default_factory=list)

    def client_tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.tls.ca_file))

    async def messages(self, account: str = "anna", mailbox: str = "INBOX") -> list[bytes]:
        found = await self.store.account(AccountId(account))
        box = await found.find_mailbox(mailbox)
        if box is None:
            return []
        result: list[bytes] = []
        async for rows in found.rows(box.id, None, (Field.CONTENT,), list):
            result += [row[0] for row in rows]
        return result

    def spooled(self) -> list[Path]:
        return list((self.folder / "spool").glob("*.eml"))


@asynccontextmanager
async def running_servers(
    folder: Path,
    *,
    practice_mode: bool = True,
    guard: GuardSettings | None = None,
    message_size_bytes: int = 2_000_000,
    recipients: int = 100,
    timeout_s: float = 20.0,
    store: Store | None = None,
    with_logins: bool = True,
    port: int = 0,
) -> AsyncIterator[Servers]:
    config = configuration(practice_mode=practice_mode)
    directory = Directory(config)
    folder.mkdir(exist_ok=True)
    (folder / "spool").mkdir(exist_ok=True)
    secrets = SecretStore(folder / "secrets")
    secrets.open()
    passwords = Passwords(secrets)
    if with_logins:
        await passwords.open()
        await passwords.set(AccountId("anna"), PASSWORD)

    async def no_sleep(_: float) -> None:
        pass

    logins = Logins(
        directory, passwords, practice_mode=practice_mode, hostname=HOST, sleep=no_sleep
    )
    contexts = TlsContexts(folder / "tls", config)
    await contexts.open()
    store = store or Store(folder)
    await store.open()
    timeline: list[TimelineEntry] = []
    inbound = Inbound(store, directory, hostname=HOST, timeline=timeline.append)
    submitted: list[Submitted] = []

    async def submit(
        account: AccountId, envelope: Envelope, content: Content, facts: SessionFacts
    ) -> SmtpStatus:
        data = content if isinstance(content, bytes) else content.read_bytes()
        submitted.append(Submitted(account, envelope, data, facts))
        return SmtpStatus(250, "2.0.0", "Queued")

    settings = ServerSettings(
        hostname=HOST,
        message_size_bytes=message_size_bytes,
        recipients=recipients,
        spool=folder / "spool",
        timeout_s=timeout_s,
    )
    shared = Guard(
        guard or GuardSettings(practice_mode=practice_mode, greeting_delay_s=0, error_delay_s=0)
    )
    mx = SmtpServer(
        settings=settings,
        guard=shared,
        make_session=lambda: ReceiveSession(inbound),
        tls=contexts.server_context,
    )
    submission = SmtpServer(
        settings=settings,
        guard=shared,
        make_session=lambda: SubmissionSession(directory, submit, longest_hold_s=30 * 86_400),
        logins=logins,
        tls=contexts.server_context,
    )
    submissions = SmtpServer(
        settings=settings,
        guard=shared,
        make_session=lambda: SubmissionSession(directory, submit, longest_hold_s=30 * 86_400),
        logins=logins,
        tls=contexts.server_context,
    )
    servers = Servers(
        folder,
        config,
        store,
        directory,
        logins,
        shared,
        inbound,
        mx,
        submission,
        submissions,
        contexts,
    )
    servers.timeline, servers.submitted = timeline, submitted
    loop = asyncio.get_running_loop()
    listening = []
    for name, server, context in (
        ("mx", mx, None),
        ("submission", submission, None),
        ("submissions", submissions, contexts.server_context()),
    ):
        wanted = port if name == "mx" else 0
        listener = await loop.create_server(
            server.protocol_factory, "127.0.0.1", wanted, ssl=context
        )
        listening.append(listener)
        servers.ports[name] = listener.sockets[0].getsockname()[1]
    try:
        yield servers
    finally:
        for listener in listening:
            listener.close()
        for server in (mx, submission, submissions):
            await server.shut_down()
        await store.close()

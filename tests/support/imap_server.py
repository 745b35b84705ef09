"""A real IMAP server over a real store on loopback, and clients that speak to it line by line."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.accounts.directory import Directory
from backend.accounts.login import Logins
from backend.accounts.passwords import Passwords
from backend.config.secrets import SecretStore
from backend.core.clock import Clock
from backend.core.ids import AccountId
from backend.imapd.server import ImapLimits, ImapServer
from backend.store.store import Store
from backend.store.values import NewMessage, Target
from backend.tls.contexts import TlsContexts
from tests.support.settings import config_of

HOST = "mail.gatepost.test"
PASSWORD = "correct horse battery"
ANNA = AccountId("anna")
TIMEOUT_S = 20.0
RECEIVED_AT = 1_700_000_000.0  # 14-Nov-2023 22:13:20 +0000


class Client:
    """Sends commands and collects what comes back; literals are part of their line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._count = 0

    async def line(self) -> bytes:
        """One answer without its CRLF, literals included."""
        whole = b""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                line = await self.reader.readuntil(b"\r\n")
                whole += line
                _, brace, size = line[:-2].rpartition(b"{")
                if not brace or not size.endswith(b"}") or not size[:-1].isdigit():
                    return whole[:-2]
                whole += await self.reader.readexactly(int(size[:-1]))

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def call(self, command: str | bytes) -> tuple[list[bytes], bytes]:
        """Untagged lines, and the tagged one without its tag."""
        self._count += 1
        tag = b"T%d" % self._count
        raw = command.encode() if isinstance(command, str) else command
        self.writer.write(b"%b %b\r\n" % (tag, raw))
        return await self.until(tag)

    async def until(self, tag: bytes) -> tuple[list[bytes], bytes]:
        lines = []
        while not (line := await self.line()).startswith(tag + b" "):
            lines.append(line)
        return lines, line[len(tag) + 1 :]

    async def ok(self, command: str | bytes) -> list[bytes]:
        lines, done = await self.call(command)
        assert done.startswith(b"OK"), (command, lines, done)
        return lines

    async def login(self, name: str = "anna@gatepost.test") -> "Client":
        await self.ok(f'LOGIN {name} "{PASSWORD}"')
        return self

    async def append(self, mailbox: str, raw: bytes, arguments: str = "") -> bytes:
        """The tagged answer."""
        space = f"{arguments} " if arguments else ""
        _, done = await self.call(f"APPEND {mailbox} {space}~{{{len(raw)}+}}\r\n".encode() + raw)
        return done

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            pass


@dataclass
class RunningImap:
    folder: Path
    store: Store
    server: ImapServer
    logins: Logins
    tls: TlsContexts
    port: int
    tls_port: int
    _clients: list[Client]

    def client_tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.tls.ca_file))

    async def connect(self, *, tls: bool = False) -> Client:
        """After the greeting."""
        client = await self.raw_client(tls=tls)
        greeting = await client.line()
        assert greeting.startswith(b"* OK"), greeting
        return client

    async def raw_client(self, *, tls: bool = False) -> Client:
        port = self.tls_port if tls else self.port
        arguments = {"ssl": self.client_tls(), "server_hostname": HOST} if tls else {}
        streams = await asyncio.open_connection("127.0.0.1", port, limit=2**26, **arguments)
        client = Client(*streams)
        self._clients.append(client)
        return client

    async def login(self, name: str = "anna@gatepost.test", *, select: str = "") -> Client:
        client = await (await self.connect()).login(name)
        if select:
            await client.ok(f"SELECT {select}")
        return client

    async def deliver(
        self, raw: bytes, mailbox: str = "INBOX", flags: frozenset[str] = frozenset()
    ) -> None:
        await self.store.deliver(NewMessage(raw, RECEIVED_AT, flags), [Target(ANNA, mailbox)])


@asynccontextmanager
async def running_imap(
    folder: Path,
    *,
    practice_mode: bool = True,
    limits: ImapLimits | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[RunningImap]:
    config = config_of(
        {"hostname": HOST, "practice_mode": practice_mode},
        domains={"gatepost.test": {}},
        accounts={
            name: {
                "domain": "gatepost.test",
                "destinations": {f"{name}@gatepost.test": {}},
            }
            for name in ("anna", "bert")
        },
    )
    folder.mkdir(exist_ok=True)
    secrets = SecretStore(folder / "secrets")
    secrets.open()
    passwords = Passwords(secrets)
    await passwords.open()
    for name in ("anna", "bert"):
        await passwords.set(AccountId(name), PASSWORD)
    logins = Logins(Directory(config), passwords, practice_mode=practice_mode, hostname=HOST)
    tls = TlsContexts(folder / "tls", config)
    await tls.open()
    store = Store(folder, clock=clock)
    await store.open()
    server = ImapServer(
        store=store,
        logins=logins,
        spool=folder / "spool",
        hostname=HOST,
        tls=tls.server_context,
        limits=limits,
    )
    loop = asyncio.get_running_loop()
    plain = await loop.create_server(server.protocol_factory(implicit_tls=False), "127.0.0.1", 0)
    encrypted = await loop.create_server(
        server.protocol_factory(implicit_tls=True), "127.0.0.1", 0, ssl=tls.server_context()
    )
    running = RunningImap(
        folder,
        store,
        server,
        logins,
        tls,
        plain.sockets[0].getsockname()[1],
        encrypted.sockets[0].getsockname()[1],
        [],
    )
    try:
        yield running
    finally:
        plain.close()
        encrypted.close()
        for client in running._clients:
            await client.close()
        await server.stop(grace_s=2.0)
        await store.close()

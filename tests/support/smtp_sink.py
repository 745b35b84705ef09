"""SMTP servers on loopback that take, refuse, stall and break, for tests of what we send.

`SmtpSink` is aiosmtpd and well-behaved: it takes mail (`messages`) or answers what it was told for a recipient.
`ScriptedServer` gives each connection to a coroutine that does as it likes; the functions below are such coroutines.
"""

import asyncio
import datetime as dt
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Taken:
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    tls: bool


_PARAMETER_OF = {
    "RET": "DSN",
    "ENVID": "DSN",
    "NOTIFY": "DSN",
    "ORCPT": "DSN",
    "REQUIRETLS": "REQUIRETLS",
}


class _Server(SMTP):
    """Takes away what belongs to offers that the library would refuse."""

    async def smtp_MAIL(self, arg):
        await super().smtp_MAIL(self._without(arg))

    async def smtp_RCPT(self, arg):
        await super().smtp_RCPT(self._without(arg))

    def _without(self, arg: str) -> str:
        kept = []
        for word in arg.split():
            if _PARAMETER_OF.get(word.partition("=")[0].upper()) in self.event_handler.offers:
                self.event_handler.parameters.append(word)
            else:
                kept.append(word)
        return " ".join(kept)


class SmtpSink:
    """`replies` by recipient, `mail_reply` and `data_reply` for all; empty means it takes them.

    `offers`: of DSN and REQUIRETLS, which the library does not know; what clients say of them stands in `parameters`.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        hostname: str = "sink.test",
        tls: ssl.SSLContext | None = None,
        offers: tuple[str, ...] = (),
    ) -> None:
        self.offers = offers
        self.parameters: list[str] = []
        self.host = host
        self.port = 0
        self.messages: list[Taken] = []
        self.replies: dict[str, str] = {}
        self.mail_reply = ""
        self.data_reply = ""
        self.connections = 0
        self._hostname = hostname
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._arrived = asyncio.Condition()

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.get_running_loop().create_server(
            self._protocol, self.host, port or self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """The port refuses connections afterwards; `start` opens the same port again."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def wait_for(self, count: int) -> list[Taken]:
        """Until that many messages have come."""
        async with asyncio.timeout(20), self._arrived:
            await self._arrived.wait_for(lambda: len(self.messages) >= count)
        return self.messages

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _protocol(self) -> SMTP:
        self.connections += 1
        return _Server(
            self,
            hostname=self._hostname,
            ident="sink",
            enable_SMTPUTF8=True,
            tls_context=self._tls,
            data_size_limit=100_000_000,
        )

    # aiosmtpd's hooks

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        first, *rest = responses
        return [first, *(f"250-{word}" for word in self.offers), *rest]

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.mail_reply:
            return self.mail_reply
        envelope.mail_from = address
        return "250 2.1.0 ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if reply := self.replies.get(address):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        if self.data_reply:
            return self.data_reply
        sender = "" if envelope.mail_from == "<>" else envelope.mail_from or ""
        async with self._arrived:
            self.messages.append(
                Taken(
                    sender, tuple(envelope.rcpt_tos), envelope.original_content, bool(session.ssl)
                )
            )
            self._arrived.notify_all()
        return "250 2.0.0 taken"


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class ScriptedServer:
    """Each connection runs `conversation`; its task is cancelled at the end."""

    def __init__(self, conversation: Conversation, *, host: str = "127.0.0.1") -> None:
        self.conversation = conversation
        self.host = host
        self.port = 0
        self.connections = 0
        self._tasks: set[asyncio.Task] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self.conversation(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


async def say(writer: asyncio.StreamWriter, *lines: str) -> None:
    writer.write("".join(f"{line}\r\n" for line in lines).encode())
    await writer.drain()


async def up_to_data(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *offers: str
) -> None:
    """A good beginning: greeting, EHLO, MAIL, RCPT, DATA; returns when the content is about to come."""
    await say(writer, "220 scripted.test ESMTP")
    while True:
        verb = (await reader.readuntil(b"\r\n")).upper()
        if verb.startswith(b"EHLO"):
            await say(writer, *(f"250-{line}" for line in ("scripted.test", *offers)), "250 HELP")
        elif verb.startswith(b"DATA"):
            await say(writer, "354 go on")
            return
        elif verb.startswith(b"STARTTLS"):
            await say(writer, "220 go ahead")
            return
        else:
            await say(writer, "250 ok")


async def drop_in_data(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes in the middle of the content."""
    await up_to_data(reader, writer)
    await reader.read(100)
    writer.transport.abort()


async def drop_after_data(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the whole message and closes without a word: nobody knows whether it has it."""
    await up_to_data(reader, writer)
    await reader.readuntil(b"\r\n.\r\n")
    writer.transport.abort()


async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greets and says nothing more."""
    await say(writer, "220 stalling.test ESMTP")
    await asyncio.Event().wait()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Does not even greet."""
    await asyncio.Event().wait()


async def no_smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await say(writer, "HTTP/1.1 400 Bad Request", "Server: web")


def self_signed(folder: Path, name: str = "sink.test") -> ssl.SSLContext:
    """A server's context with a certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "sink.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context

"""A relay transport and the servers it talks to: certificates of an own authority, and a server that signs in with SCRAM."""

import asyncio
import datetime as dt
import ssl
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backend.core.clock import SystemClock
from backend.outbound.relay import RelaySettings, RelayTransport
from backend.outbound.session import Dialogues, Limits
from backend.sasl.mechanisms import server_exchange
from backend.sasl.steps import Challenge, Failure, NeedCredentials, NeedPasswordCheck, Success
from backend.smtp.client import Tls
from backend.tls.binding import server_end_point
from backend.tls.contexts import client_context
from tests.support.sasl import stored
from tests.support.smtp_sink import say

LIMITS = Limits(connect_s=5, step_s=5, session_s=20)


@dataclass(frozen=True)
class Issued:
    context: ssl.SSLContext
    der: bytes


class Authority:
    """A certificate authority of the test's own; `file` is what a client trusts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Test authority {folder.name}")])
        now = dt.datetime.now(dt.UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=400))
            .not_valid_after(now + dt.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, *names: str, expired: bool = False, digest=None) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        last = now - dt.timedelta(days=1) if expired else now + dt.timedelta(days=20)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=300))
            .not_valid_after(last)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
            .sign(self._key, digest or hashes.SHA256())
        )
        path = self._folder / f"{names[0]}.pem"
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
        return Issued(context, certificate.public_bytes(serialization.Encoding.DER))


class NamesHere:
    """A resolver that knows names of 127.0.0.1 only."""

    def __init__(self, *names: str) -> None:
        self._names = names

    async def addresses(self, name: str):
        from backend.dns.answers import Found, NoDomain

        return Found(("127.0.0.1",)) if name in self._names else NoDomain()


def relay(
    port: int, *, ca_file: Path | None = None, host: str = "relay.test", limits=LIMITS, **settings
):
    """A transport, and what its goodbyes hang on (to be closed)."""
    dialogues = Dialogues(SystemClock(), limits)

    async def context(verify: bool) -> ssl.SSLContext:
        return client_context(ca_file, verify=verify)

    values = {"name": "t", "host": host, "port": port, "tls": Tls.REQUIRED, "verify": True}
    transport = RelayTransport(
        RelaySettings(**values | settings),
        NamesHere("relay.test", "other.test"),
        hostname="mail.a.test",
        context=context,
        dialogues=dialogues,
        limits=limits,
    )
    return transport, dialogues


class SignInServer:
    """The conversation of a submission server with any mechanism of ours, for `ScriptedServer`.

    `bound` is the certificate that the server believes to have shown; None switches the -PLUS mechanisms off.
    `dialogue` keeps what the client said.
    """

    def __init__(
        self,
        mechanisms: Sequence[str],
        *,
        issued: Issued | None = None,
        bound: bytes | None = None,
        password: str = "pencil",
        sender_reply: str = "250 ok",
    ) -> None:
        self.mechanisms = mechanisms
        self.issued = issued
        self.binding = server_end_point(bound) if bound is not None else None
        self.password = password
        self.sender_reply = sender_reply
        self.dialogue: list[str] = []
        self.signed_in_with = ""
        self.messages = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secure = False
        await say(writer, "220 relay.test ESMTP")
        while True:
            line = (await reader.readuntil(b"\r\n")).decode().rstrip()
            self.dialogue.append(line)
            verb, _, rest = line.partition(" ")
            match verb:
                case "EHLO":
                    offers = ["STARTTLS"] if self.issued is not None and not secure else []
                    if self.mechanisms:
                        offers.append(f"AUTH {' '.join(self.mechanisms)}")
                    await say(writer, *(f"250-{o}" for o in ("relay.test", *offers)), "250 HELP")
                case "STARTTLS":
                    assert self.issued is not None
                    await say(writer, "220 go ahead")
                    await writer.start_tls(self.issued.context)
                    secure = True
                case "AUTH":
                    await self._sign_in(rest, reader, writer)
                case "MAIL":
                    await say(writer, self.sender_reply)
                case "DATA":
                    await say(writer, "354 go on")
                    await reader.readuntil(b"\r\n.\r\n")
                    self.messages += 1
                    await say(writer, "250 taken")
                case "QUIT":
                    await say(writer, "221 bye")
                    return
                case _:
                    await say(writer, "250 ok")

    async def _sign_in(
        self, rest: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        mechanism, _, initial = rest.partition(" ")
        exchange = server_exchange(
            mechanism, nonce="servernonce", challenge=b"<1.2@relay.test>", binding=self.binding
        )
        assert exchange is not None
        step = exchange.start(_decoded(initial) if initial else None)
        while True:
            match step:
                case Challenge(data):
                    answer = await self._ask(data, reader, writer)
                    if answer is None:
                        return
                    step = exchange.step(answer)
                case NeedCredentials():
                    step = exchange.supply(stored(mechanism, self.password))
                case NeedPasswordCheck(_, given):
                    step = exchange.supply(given == self.password)
                case Success(_, _, final):
                    if final is not None and await self._ask(final, reader, writer) is None:
                        return
                    self.signed_in_with = mechanism
                    await say(writer, "235 2.7.0 welcome")
                    return
                case Failure():
                    await say(writer, "535 5.7.8 who are you?")
                    return

    async def _ask(
        self, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        await say(writer, f"334 {b64encode(data).decode()}")
        line = (await reader.readuntil(b"\r\n")).decode().rstrip()
        self.dialogue.append(line)
        if line == "*":
            await say(writer, "501 5.7.0 cancelled")
            return None
        return b64decode(line)


def _decoded(initial: str) -> bytes:
    return b"" if initial == "=" else b64decode(initial)

"""One SMTP connection for one message, however it was made: the dialogue with its time limits, and the goodbye."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from backend.core.address import Address
from backend.core.clock import Clock
from backend.observe import log as logs
from backend.outbound.dial import CONNECT_TIMEOUT_S, Connection, DialError, Fault, TlsError
from backend.outbound.transport import MAX_EXCERPT_CHARS, Outgoing, Result, Try
from backend.runtime import tasks
from backend.runtime.threads import Pool, run_blocking
from backend.smtp.client import (
    Closed,
    Finished,
    Options,
    Outcome,
    Receive,
    RecipientResult,
    Send,
    SendContent,
    SmtpClient,
    Stage,
    StartTls,
    Step,
    Tls,
    Transaction,
)
from backend.smtp.data import DotStuffer
from backend.smtp.limits import QUIT_TIMEOUT_S, STARTTLS_TIMEOUT_S

log = logs.get(__name__)

SESSION_TIMEOUT_S = (
    1800.0  # one whole connection; a slow server must not hold a place in the queue for ever
)
CHUNK_OCTETS = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Tests make them short. `step_s` bounds each wait for the other side, which RFC 5321 lets be minutes."""

    connect_s: float = CONNECT_TIMEOUT_S
    step_s: float = float("inf")
    session_s: float = SESSION_TIMEOUT_S


DEFAULT_LIMITS = Limits()

Dial = Callable[[], Awaitable[Connection]]


@dataclass(slots=True, kw_only=True)
class Session:
    """One transaction over one connection. `own_name`: in a greeting it says that we have reached ourselves."""

    host: str
    ip: str
    port: int
    options: Options
    context: ssl.SSLContext
    message: Outgoing
    recipients: tuple[Address, ...]
    own_name: str
    client: SmtpClient = field(init=False)
    connection: Connection | None = None
    certificate: bytes | None = None
    """The server's, as DER, once TLS has started."""
    content_is_out: bool = False
    fault: Fault = Fault.OTHER

    def __post_init__(self) -> None:
        self.client = SmtpClient(self.options)
        self.client.add(
            Transaction(
                sender=self.message.sender,
                recipients=self.recipients,
                size_bytes=self.message.size_bytes,
                body=self.message.body,
                smtputf8=self.message.smtputf8,
                asked=self.message.asked,
                wishes=self.message.wishes,
            )
        )

    @property
    def is_greeted_by_ourselves(self) -> bool:
        # A router at home may lead our own public address back to us; then only the greeting tells.
        name = self.client.greeting.split(maxsplit=1)[:1]
        return bool(name) and name[0].lower() == self.own_name

    def is_unconfirmed(self, result: RecipientResult) -> bool:
        """Whether the other side may have the message for this recipient although it never said so."""
        return self.content_is_out and result.stage is Stage.DATA and not result.remote

    def give_up(self, text: str) -> Outcome:
        """The outcome of a session that broke."""
        self.client.lost(text)
        while not isinstance(step := self.client.step(), Finished):
            assert not isinstance(step, Closed)  # a client with one transaction finishes it first
        return step.outcome

    def entry(self, results: Iterable[Result], duration_ms: int) -> Try:
        """For the log of attempts."""
        said = list(results)
        last = next((r.status for r in said if not r.status.is_success), said[0].status)
        has_tls = self.connection is not None and self.client.is_tls
        return Try(
            host=self.host,
            ip=self.ip,
            port=self.port,
            tls=self.connection.tls if self.connection is not None and has_tls else "",
            succeeded=any(r.status.is_success for r in said),
            answer=str(last) if any(r.remote_mta for r in said) else last.text,
            duration_ms=duration_ms,
            excerpt="\n".join(self.client.transcript)[:MAX_EXCERPT_CHARS],
        )


class Dialogues:
    """Carries sessions through. Owns their goodbyes, which go on beside what follows."""

    def __init__(self, clock: Clock, limits: Limits = DEFAULT_LIMITS) -> None:
        self._clock = clock
        self._limits = limits
        self._farewells: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Ends what is still saying goodbye."""
        await tasks.stop(*self._farewells)

    async def hold(
        self, session: Session, dial: Dial, *, ready_s: float, deliver_s: float
    ) -> tuple[Outcome, int]:
        """One session up to its outcome, and its milliseconds. Never raises for what the network or the other side does.

        `ready_s` bounds the time from the connection until mail may be sent, `deliver_s` the time after that; waiting
        for the connection is bounded by `dial`.
        """
        started = self._clock.monotonic()
        try:
            try:
                session.connection = await dial()
                async with asyncio.timeout(ready_s) as deadline:
                    outcome = await self._converse(session.connection, session, deadline, deliver_s)
            except DialError as error:
                session.fault = session.fault or error.fault
                outcome = session.give_up(str(error))
            except TimeoutError:
                session.fault = Fault.TIMEOUT
                outcome = session.give_up("the connection took too long")
        except BaseException:
            if session.connection is not None:
                session.connection.abort()
            raise
        log.debug("smtp session ended", host=session.host, ip=session.ip)
        if session.connection is not None:
            self._part(session.connection, session)
        return outcome, round((self._clock.monotonic() - started) * 1000)

    async def _converse(
        self,
        connection: Connection,
        session: Session,
        deadline: asyncio.Timeout,
        deliver_s: float,
    ) -> Outcome:
        """Up to the outcome of the transaction; QUIT is left to `_part`."""
        client, longest = session.client, self._limits.step_s
        if session.options.tls is Tls.IMPLICIT:
            await self._start_tls(connection, session, STARTTLS_TIMEOUT_S)
        is_delivering = False
        while True:
            step = await self._next_step(client, session.options)
            if client.is_ready and not is_delivering:
                is_delivering = True
                deadline.reschedule(asyncio.get_running_loop().time() + deliver_s)
            match step:
                case Send(data, timeout_s):
                    await connection.write(data, min(timeout_s, longest))
                case Receive(timeout_s):
                    client.receive(await connection.read(min(timeout_s, longest)))
                    if session.is_greeted_by_ourselves:
                        client.lost("the connection leads back to this server")
                case StartTls(timeout_s):
                    if await self._start_tls(connection, session, timeout_s):
                        client.tls_started()
                case SendContent(_, timeout_s):
                    await self._send_content(connection, session, min(timeout_s, longest))
                    client.content_sent()
                case Finished(outcome):
                    return outcome
                case Closed():  # not before Finished: the client has one transaction
                    raise DialError("the dialogue ended early")
                case _:
                    assert_never(step)

    @staticmethod
    async def _next_step(client: SmtpClient, options: Options) -> Step:
        if options.choose_sasl is None or client.is_ready:
            return client.step()
        # The server says how often a password is hashed for SCRAM: that may take half a second.
        return await run_blocking(Pool.CRYPTO, client.step)

    async def _start_tls(self, connection: Connection, session: Session, timeout_s: float) -> bool:
        try:
            await connection.start_tls(
                session.context, session.host, min(timeout_s, self._limits.step_s)
            )
        except TlsError as error:
            session.fault = error.fault
            session.client.tls_failed(str(error))
            return False
        session.certificate = connection.certificate
        return True

    async def _send_content(
        self, connection: Connection, session: Session, timeout_s: float
    ) -> None:
        stuffer, content = DotStuffer(), session.message.content
        offset, size = 0, session.message.size_bytes
        while not session.content_is_out:
            if isinstance(content, Path):
                chunk = await run_blocking(Pool.FILES, _read_chunk, content, offset)
            else:
                chunk = content[offset : offset + CHUNK_OCTETS]
            if not chunk and offset < size:
                raise OSError(f"the content of a queued message is shorter than {size} bytes")
            offset += len(chunk)
            if offset < size:
                await connection.write(stuffer.feed(chunk), timeout_s)
            else:
                # From here on the other side may have the whole message, whatever we hear of it.
                session.content_is_out = True
                session.message.going_out()
                await connection.write(stuffer.feed(chunk) + stuffer.end(), timeout_s)

    def _part(self, connection: Connection, session: Session) -> None:
        """Says QUIT and closes beside the rest: the outcome is known and must be written down without delay."""
        farewell = tasks.spawn(self._say_goodbye(connection, session.client), "smtp goodbye")
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)

    async def _say_goodbye(self, connection: Connection, client: SmtpClient) -> None:
        timeout_s = min(QUIT_TIMEOUT_S, self._limits.step_s)
        try:
            with suppress(DialError, TimeoutError):
                async with asyncio.timeout(timeout_s):
                    while not isinstance(step := client.step(), Closed):
                        match step:
                            case Send(data):
                                await connection.write(data, timeout_s)
                            case Receive():
                                client.receive(await connection.read(timeout_s))
                            case _:
                                break
            await connection.close()
        except BaseException:
            connection.abort()
            raise


def _read_chunk(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(CHUNK_OCTETS)

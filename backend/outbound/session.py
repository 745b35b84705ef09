"""One message over one SMTP connection, however it was made or kept: the dialogue with its time limits, and the goodbye."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import assert_never

from backend.core.address import Address
from backend.core.clock import Clock
from backend.observe import log as logs
from backend.outbound.connections import IDLE_S, Connections, Open
from backend.outbound.dial import CONNECT_TIMEOUT_S, Connection, DialError, Fault, TlsError
from backend.outbound.outflow import send_in_chunks, send_with_dots
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
from backend.smtp.limits import QUIT_TIMEOUT_S, STARTTLS_TIMEOUT_S

log = logs.get(__name__)

SESSION_TIMEOUT_S = 1800.0  # one whole connection, and all of one attempt but its last one; a slow server must not hold a place in the queue for ever
AT_ONCE_OCTETS = (
    64 * 1024
)  # a message up to that size goes out with its envelope, to servers with CHUNKING
AT_ONCE_S = 1.0  # over a connection that has served not longer ago: one that has gone is noticed before the message is out
GOODBYE_S = 1.0  # for the servers to which we say QUIT when we stop
LEADS_BACK = "the connection leads back to this server"
FROM_BEFORE = "over a connection that was open from an earlier message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Tests make them short. `step_s` bounds each wait for the other side, which RFC 5321 lets be minutes."""

    connect_s: float = CONNECT_TIMEOUT_S
    step_s: float = float("inf")
    session_s: float = SESSION_TIMEOUT_S
    idle_s: float = IDLE_S


DEFAULT_LIMITS = Limits()

Dial = Callable[[], Awaitable[Connection]]
CheckChain = Callable[[Sequence[bytes]], Awaitable[None]]
"""Looks at the server's certificates after the handshake; raises TlsError."""


@dataclass(slots=True, kw_only=True)
class Session:
    """One transaction over one connection. `own_name`: in a greeting it says that we have reached ourselves.

    `reuse`: what must agree, beside what is known here, for a connection to serve again (see `connections`); None for a
    connection of its own. It holds whatever the connection was made with: settings with their password, proxy, and what
    was demanded of TLS.

    `tls_name`: what the server is asked for by TLS when that is not `host`. `policy`: what has to hold for TLS, for people.
    """

    host: str
    ip: str
    port: int
    options: Options
    context: ssl.SSLContext
    message: Outgoing
    recipients: tuple[Address, ...]
    own_name: str
    reuse: Hashable = field(default=None, repr=False)
    tls_name: str = ""
    check_chain: CheckChain | None = None
    policy: str = ""
    client: SmtpClient = field(init=False)
    connection: Connection | None = None
    certificate: bytes | None = None
    """The server's, as DER, once TLS has started."""
    content_is_out: bool = False
    is_reused: bool = False
    """The connection was open from before, and nothing of its TLS was done for this message."""
    fault: Fault = Fault.OTHER
    tls_fault: str = ""
    """Why the handshake failed, or what was wrong with the certificate."""

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """As if nothing had been tried yet."""
        self.client = SmtpClient(self.options)
        self.client.add(self._transaction(may_go_at_once=True))
        self.connection = self.certificate = None
        self.content_is_out = self.is_reused = False
        self.fault, self.tls_fault = Fault.OTHER, ""

    def adopt(self, found: Open, now: float) -> None:
        """Goes on where an earlier message has left."""
        self.client, self.connection = found.client, found.connection
        self.certificate = found.certificate
        self.is_reused = True
        self.client.begin_excerpt(FROM_BEFORE)
        self.client.add(self._transaction(may_go_at_once=now - found.kept_at <= AT_ONCE_S))

    def _transaction(self, *, may_go_at_once: bool) -> Transaction:
        return Transaction(
            sender=self.message.sender,
            recipients=self.recipients,
            size_bytes=self.message.size_bytes,
            body=self.message.body,
            smtputf8=self.message.smtputf8,
            asked=self.message.asked,
            wishes=self.message.wishes,
            at_once=may_go_at_once and self.message.size_bytes <= AT_ONCE_OCTETS,
        )

    @property
    def key(self) -> Hashable:
        options = self.options
        return (
            self.reuse,
            self.host,
            self.ip,
            self.port,
            options.tls,
            options.is_verified,
            options.ehlo_name,
            options.choose_sasl is not None,
            self.own_name,
        )

    def was_stale(self, outcome: Outcome) -> bool:
        """Whether the connection from before had gone, and surely nothing of this message was taken."""
        if not self.is_reused or self.client.can_go_on:
            return False
        return all(
            not (result.status.is_success or self.is_unconfirmed(result))
            for result in outcome.results
        )

    @property
    def is_greeted_by_ourselves(self) -> bool:
        # A router at home may lead our own public address back to us; then only the greeting tells.
        name = self.client.greeting.split(maxsplit=1)[:1]
        return bool(name) and name[0].lower() == self.own_name

    def is_unconfirmed(self, result: RecipientResult) -> bool:
        """Whether the other side may have the message for this recipient although it never said so."""
        return self.content_is_out and result.stage is Stage.DATA and not result.remote

    def going_out(self) -> None:
        """From here on the other side may have the whole message, whatever we hear of it."""
        self.content_is_out = True
        self.message.going_out(self.recipients)

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
            policy=self.policy,
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
        self.connections = Connections(self._part, limits.idle_s)

    async def close(self) -> None:
        """Says goodbye on the connections that are open, and ends what takes long with it."""
        self.connections.close()
        if self._farewells:
            await asyncio.wait(self._farewells, timeout=GOODBYE_S)
        await tasks.stop(*self._farewells)

    async def hold(
        self, session: Session, dial: Dial, *, ready_s: float, deliver_s: float
    ) -> tuple[Outcome, int]:
        """One session up to its outcome, and its milliseconds. Never raises for what the network or the other side does.

        `ready_s` bounds the time from the connection until mail may be sent, `deliver_s` the time after that; waiting
        for the connection is bounded by `dial`.
        """
        started = self._clock.monotonic()
        now = asyncio.get_running_loop().time()
        found = None if session.reuse is None else self.connections.take(session.key)
        if found is not None:
            session.adopt(found, now)
        outcome = await self._attempt(session, dial, ready_s=ready_s, deliver_s=deliver_s)
        if session.was_stale(outcome):
            # Such is the risk of keeping connections; it is not the message's.
            log.debug("an open smtp connection had gone", host=session.host, ip=session.ip)
            self._leave(session, found)
            found = None
            session.renew()
            outcome = await self._attempt(session, dial, ready_s=ready_s, deliver_s=deliver_s)
        self._leave(session, found)
        return outcome, round((self._clock.monotonic() - started) * 1000)

    async def _attempt(
        self, session: Session, dial: Dial, *, ready_s: float, deliver_s: float
    ) -> Outcome:
        try:
            try:
                if session.connection is None:
                    session.connection = await dial()
                async with asyncio.timeout(ready_s) as deadline:
                    return await self._converse(session.connection, session, deadline, deliver_s)
            except DialError as error:
                session.fault = session.fault or error.fault
                return session.give_up(str(error))
            except TimeoutError:
                session.fault = Fault.TIMEOUT
                return session.give_up("the connection took too long")
        except BaseException:
            if session.connection is not None:
                session.connection.abort()
            raise

    def _leave(self, session: Session, found: Open | None) -> None:
        """The connection waits for the next message, or is closed."""
        connection = session.connection
        if connection is None:
            return
        if session.reuse is None or not session.client.can_go_on:
            self._part(connection, session.client)
            return
        entry = found or Open(
            key=session.key,
            host=session.host,
            client=session.client,
            connection=connection,
            certificate=session.certificate,
            opened_at=asyncio.get_running_loop().time(),
        )
        entry.transactions += 1
        self.connections.keep(entry)

    async def _converse(
        self,
        connection: Connection,
        session: Session,
        deadline: asyncio.Timeout,
        deliver_s: float,
    ) -> Outcome:
        """Up to the outcome of the transaction; QUIT is left to `_part`."""
        client, longest = session.client, self._limits.step_s
        if session.options.tls is Tls.IMPLICIT and not session.is_reused:
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
                        client.lost(LEADS_BACK)
                case StartTls(timeout_s):
                    if await self._start_tls(connection, session, timeout_s):
                        client.tls_started()
                case SendContent(_, timeout_s, chunked, envelope):
                    wait_s = min(timeout_s, longest)
                    if chunked:
                        client.content_sent(
                            await send_in_chunks(
                                connection, session.message, wait_s, session.going_out, envelope
                            )
                        )
                    else:
                        await send_with_dots(connection, session.message, wait_s, session.going_out)
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
                session.context,
                session.tls_name or session.host,
                min(timeout_s, self._limits.step_s),
            )
            if session.check_chain is not None:
                await session.check_chain(connection.chain)
        except TlsError as error:
            session.fault, session.tls_fault = error.fault, str(error)
            session.client.tls_failed(str(error))
            return False
        session.certificate = connection.certificate
        return True

    def _part(self, connection: Connection, client: SmtpClient) -> None:
        """Says QUIT and closes beside the rest: the outcome is known and must be written down without delay."""
        farewell = tasks.spawn(self._say_goodbye(connection, client), "smtp goodbye")
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

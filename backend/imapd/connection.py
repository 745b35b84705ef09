"""One socket: bytes in, commands run one after the other, bytes out.

No task lives here while the client is silent: one is started when bytes come and ends when all commands are done, so
that an idle connection costs its buffers and nothing else. Writes wait for slow readers; reading pauses while much
input waits.
"""

import asyncio
import ssl
from typing import Protocol, cast

from backend.core.errors import RefusedError, TemporaryError, UserError
from backend.core.ids import AccountId
from backend.core.status import DISK_FULL
from backend.imap import responses, wire
from backend.imap.grammar import GrammarError
from backend.imap.parse import BadCommandError, Parsed, parse, tag_of
from backend.imap.responses import Kind
from backend.imap.states import State, is_legal, why_not
from backend.imapd.answers import Done, RefusedCommand, refusal
from backend.imapd.commands import run
from backend.imapd.session import Host, Limits, Session
from backend.imapd.spool import Spool
from backend.observe import log as logs
from backend.runtime import tasks
from backend.runtime.handshakes import TLS_HANDSHAKE_TIMEOUT_S
from backend.tls.binding import served_binding

log = logs.get(__name__)

# Received and not yet read, a security limit; above every literal that is kept in memory.
PAUSE_READING_BYTES = 512 * 1024
PAUSE_BEFORE_LOGIN_BYTES = 32 * 1024  # the same for strangers, a security limit
WRITE_HIGH_BYTES = 512 * 1024  # waiting in the transport; a writer waits above it
COLLECT_BYTES = 64 * 1024  # small answers are sent together up to this
WRITE_TIMEOUT_S = 300.0  # a client that reads nothing for so long is gone
FLUSH_TIMEOUT_S = 120.0  # for the last answers to a slow client, a security limit
GIVE_WAY_AFTER = 16  # commands of one connection before others get their turn


class ConnectionLimits(Limits, Protocol):
    @property
    def bad_commands(self) -> int: ...
    @property
    def login_timeout_s(self) -> float: ...
    @property
    def idle_timeout_s(self) -> float: ...


class Server(Host, Protocol):
    """What a connection needs of `ImapServer`."""

    @property
    def limits(self) -> ConnectionLimits: ...
    def admit(self, connection: "Connection") -> str | None: ...
    def release(self, connection: "Connection") -> None: ...
    def next_number(self) -> int: ...


class PeerGoneError(ConnectionError):
    """The client has closed, or does not read any more."""


class Connection(asyncio.Protocol):
    """Owns the transport, the reader and the timer; ends with `connection_lost`."""

    __slots__ = (
        "_bad_commands",
        "_bye",
        "_collected",
        "_collected_bytes",
        "_eof",
        "_last_activity",
        "_pause_at",
        "_paused_reading",
        "_reader",
        "_server",
        "_spool",
        "_task",
        "_timer",
        "_transport",
        "_waiter",
        "_woken",
        "_write_blocked",
        "is_encrypted",
        "number",
        "peer",
        "session",
    )

    def __init__(self, server: Server, *, is_encrypted: bool) -> None:
        self._server = server
        self.is_encrypted = is_encrypted
        self.peer = ""
        self.number = 0
        self.session: Session | None = None
        self._transport: asyncio.Transport | None = None
        self._reader = wire.CommandReader()
        self._spool: Spool | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._write_blocked: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last_activity = 0.0
        self._pause_at = PAUSE_BEFORE_LOGIN_BYTES
        self._paused_reading = False
        self._eof = False
        self._woken = False
        self._bye = ""
        self._bad_commands = 0
        self._collected: list[bytes] = []
        self._collected_bytes = 0

    @property
    def cid(self) -> str:
        """What ties the log lines of this connection together; told in [SERVERBUG] answers."""
        return f"imap-{self.number}"

    def tls_binding(self) -> bytes | None:
        if self._transport is None or self._transport.is_closing():
            return None
        return served_binding(self._transport.get_extra_info("ssl_object"))

    @property
    def account_id(self) -> AccountId | None:
        return self.session.account_id if self.session is not None else None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast: uvloop's transports have the methods, not the class.
        stream = self._transport = cast("asyncio.Transport", transport)
        stream.set_write_buffer_limits(high=WRITE_HIGH_BYTES)
        address = stream.get_extra_info("peername")
        self.peer = str(address[0]) if isinstance(address, tuple) else ""
        reason = self._server.admit(self)
        if reason is not None:
            # RFC 5530 §3: LIMIT would be for commands; a greeting may say UNAVAILABLE.
            stream.write(responses.reply(b"*", Kind.BYE, reason, b"UNAVAILABLE"))
            stream.close()
            return
        self.number = self._server.next_number()
        session = self.session = Session(self, self._server)
        loop = asyncio.get_running_loop()
        self._last_activity = loop.time()
        self._timer = loop.call_later(self._server.limits.login_timeout_s, self._check_time)
        self.write(
            responses.reply(
                b"*",
                Kind.OK,
                f"{self._server.hostname} Gatepost ready",
                b"CAPABILITY " + session.capabilities(),
            )
        )
        self.flush()

    def data_received(self, data: bytes) -> None:
        self._last_activity = asyncio.get_running_loop().time()
        self._reader.receive(data)
        if self._reader.waiting_bytes > self._pause_at and not self._paused_reading:
            self._paused_reading = True
            assert self._transport is not None
            self._transport.pause_reading()
        self.wake()
        if self._task is None and self.session is not None and not self._bye:
            self._task = tasks.spawn(self._work(), f"{self.cid} {self.peer}")

    def eof_received(self) -> bool:
        self._eof = True
        self.wake()
        # Answers to what was asked before are still sent; TLS can't be closed on one side alone.
        return self._task is not None and not self.is_encrypted

    def connection_lost(self, _: Exception | None) -> None:
        self._forget_transport()
        if self._task is not None:
            self._task.cancel()  # it cleans up after itself
        else:
            self._clean_up()

    def _forget_transport(self) -> None:
        self._transport = None
        self._server.release(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._write_blocked is not None and not self._write_blocked.done():
            self._write_blocked.set_exception(PeerGoneError())
            self._write_blocked.exception()  # read here: perhaps nobody waits
        self._collected.clear()

    def _clean_up(self) -> None:
        if self.session is not None:
            self.session.close()
        if self._spool is not None:
            self._spool.discard()
            self._spool = None

    def pause_writing(self) -> None:
        self._write_blocked = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._write_blocked is not None and not self._write_blocked.done():
            self._write_blocked.set_result(None)
        self._write_blocked = None

    # Timers

    def _check_time(self) -> None:
        self._timer = None
        if self.session is None or self._transport is None:
            return
        loop = asyncio.get_running_loop()
        limits = self._server.limits
        if self.session.state is State.NOT_AUTHENTICATED:
            self.say_bye("Too long without signing in", b"UNAVAILABLE")
            return
        left = self._last_activity + limits.idle_timeout_s - loop.time()
        if left <= 0:
            self.say_bye("Too long without a command")
            return
        self._timer = loop.call_later(left, self._check_time)

    # Writing

    def write(self, data: bytes) -> None:
        """Collects small pieces; `flush` or much data sends them."""
        self._collected.append(data)
        self._collected_bytes += len(data)
        if self._collected_bytes > COLLECT_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._collected and self._transport is not None:
            self._transport.write(
                self._collected[0] if len(self._collected) == 1 else b"".join(self._collected)
            )
        self._collected.clear()
        self._collected_bytes = 0

    async def drain(self) -> None:
        """Sends and waits while the client is slow.

        Raises:
            PeerGoneError: it reads nothing any more.
        """
        self.flush()
        if self._transport is None:
            raise PeerGoneError
        if self._write_blocked is not None:
            try:
                async with asyncio.timeout(WRITE_TIMEOUT_S):
                    await asyncio.shield(self._write_blocked)
            except TimeoutError as error:
                self.abort()
                raise PeerGoneError from error
            # Reading our answers is a sign of life.
            self._last_activity = asyncio.get_running_loop().time()

    # Reading, for commands that hold a dialogue

    def wake(self) -> None:
        """Lets `wait` return: there are bytes, news of the mailbox, or an end."""
        self._woken = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        """Until `wake`, also one that came since the last `wait`. The timer of the connection bounds it.

        Raises:
            PeerGoneError: the client has closed its side, or is to be closed.
        """
        if self._eof or self._bye or self._transport is None:
            raise PeerGoneError
        self._resume_reading()
        if not self._woken:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._woken = False

    def try_line(self) -> bytes | None:
        """A line that is no command, if it is there. To be called after `expect_line`."""
        event = self._reader.next_event()
        return event.text if isinstance(event, wire.Line) else None

    def expect_line(self) -> None:
        self._reader.expect_line()

    async def ask(self, challenge: bytes) -> bytes:
        """Sends a continuation and gives the line that comes back."""
        self.expect_line()
        self.write(b"+ %b\r\n" % challenge)
        self.flush()
        while (line := self.try_line()) is None:
            await self.wait()
        return line

    def raise_limits(self) -> None:
        """After sign-in longer commands, and more of them at once, are allowed."""
        self._reader.limits = wire.after_login(self._server.limits.message_bytes)
        self._pause_at = PAUSE_READING_BYTES

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """To be called when the OK has been written; what came in the clear behind STARTTLS is dropped."""
        self.flush()
        transport = self._transport
        if transport is None:
            raise PeerGoneError
        # SECURITY: commands that someone slipped in behind STARTTLS must not be run under TLS (RFC 9051 §6.2.1).
        self._reader.forget()
        transport.pause_reading()
        self._paused_reading = False
        try:
            encrypted = await asyncio.get_running_loop().start_tls(
                transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=TLS_HANDSHAKE_TIMEOUT_S,
            )
        except OSError as error:  # no TLS came, or the wrong one
            log.info("TLS handshake failed", reason=str(error))
            encrypted = None
            failure: OSError | None = error
        else:
            failure = None
        if encrypted is None:
            # The transport tells its new protocol alone that it has closed.
            transport.abort()
            self._forget_transport()
            raise PeerGoneError from failure
        self._transport = encrypted
        encrypted.set_write_buffer_limits(high=WRITE_HIGH_BYTES)
        self.is_encrypted = True

    # Ending

    def say_bye(self, text: str, code: bytes = b"") -> None:
        """At once if nothing runs, else when the command that runs has ended."""
        if self._bye:
            return
        self._bye = text
        if self._task is None:
            self._close_with_bye(code)
        else:
            self.wake()

    def _close_with_bye(self, code: bytes = b"") -> None:
        self.write(responses.reply(b"*", Kind.BYE, self._bye, code))
        self.close()

    def close(self) -> None:
        self.flush()
        if self._transport is not None and not self._transport.is_closing():
            waits = self._transport.get_write_buffer_size()  # a closed TLS transport can't tell
            self._transport.close()
            if waits:
                # A client that never reads would keep the socket, and what waits for it, for ever.
                asyncio.get_running_loop().call_later(FLUSH_TIMEOUT_S, self.abort)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # The loop

    def _resume_reading(self) -> None:
        if self._paused_reading and self._transport is not None:
            self._paused_reading = False
            self._transport.resume_reading()

    async def _work(self) -> None:
        """Runs what has come in; ends when more bytes are needed."""
        assert self.session is not None
        with logs.bound(cid=self.cid, account=self.account_id, peer=self.peer):
            handled = 0
            try:
                while not self._bye and self.session.state is not State.LOGOUT:
                    event = self._reader.next_event()
                    if event is None:
                        # Flow control stays out of the way: the rest of a command must be able to come.
                        self._resume_reading()
                        self.flush()
                        break
                    await self._handle(event)
                    handled += 1
                    if handled % GIVE_WAY_AFTER == 0:
                        await asyncio.sleep(0)
                    if self._paused_reading and self._reader.waiting_bytes < self._pause_at // 2:
                        self._resume_reading()
                if self._bye:
                    self._close_with_bye()
                elif self.session.state is State.LOGOUT or self._eof:
                    self.close()
            except wire.WireError as error:
                log.info("IMAP input can't be read", reason=str(error))
                self._bye = str(error)
                self._close_with_bye()
            except PeerGoneError:
                if self._bye and self._transport is not None:
                    self._close_with_bye()
                else:
                    self.close()
            except Exception as error:  # the connection's border: nothing may end in silence
                log.error("fault in an IMAP connection", error=error)
                self.abort()
            finally:
                self._task = None
                if self._transport is None:
                    self._clean_up()

    async def _handle(self, event: wire.Event) -> None:
        match event:
            case wire.ContinueWanted():
                self.write(b"+ Ready for the literal\r\n")
                self.flush()
            case wire.SpoolStart():
                if self._spool is None:
                    assert self.session is not None
                    self._spool = self.session.new_spool()
                await self._spool.begin()
            case wire.SpoolChunk(data):
                assert self._spool is not None
                await self._spool.write(data)
            case wire.CommandDropped():
                await self._drop_spool()
            case wire.LiteralRefused(start, _, limit):
                self.write(
                    responses.reply(
                        tag_of(start),
                        Kind.NO,
                        f"The literal is too big, the limit is {limit} bytes",
                        b"TOOBIG",
                    )
                )
                self._count_bad()
            case wire.RawCommand():
                try:
                    await self._command(event)
                finally:
                    await self._drop_spool()
            case wire.Line():
                # A dialogue ended before its line came; nobody waits for it any more.
                self.write(responses.reply(b"*", Kind.BAD, "Unexpected line"))

    async def _drop_spool(self) -> None:
        if self._spool is not None:
            spool, self._spool = self._spool, None
            await spool.remove()

    def _count_bad(self) -> None:
        self._bad_commands += 1
        if self._bad_commands >= self._server.limits.bad_commands:
            log.info("too many bad IMAP commands")
            self._bye = "Too many bad commands"

    async def _command(self, raw: wire.RawCommand) -> None:
        assert self.session is not None
        try:
            parsed = parse(raw, utf8=self.session.utf8)
        except BadCommandError as error:
            self.write(responses.reply(error.tag, Kind.BAD, str(error)))
            self._count_bad()
            return
        done = await self._outcome(parsed)
        if done is None:
            return
        if done.kind is Kind.BAD:
            self._count_bad()
        else:
            self._bad_commands = 0
        self.write(responses.reply(parsed.tag, done.kind, done.text, done.code))
        if done.after is not None:
            await done.after()
        if self._collected_bytes:
            await self.drain()

    async def _outcome(self, parsed: Parsed) -> Done | None:
        """Runs the command; whatever happens becomes one tagged reply."""
        session = self.session
        assert session is not None
        command = parsed.command
        if not is_legal(command, session.state):
            return Done(why_not(command, session.state), kind=Kind.BAD)
        if self._spool is not None and self._spool.failed:
            return refusal(TemporaryError(DISK_FULL))
        try:
            session.tag = parsed.tag
            session.spooled = self._spool.paths if self._spool is not None else ()
            done = await run(session, command)
            await session.tell_news(command)
        except GrammarError as error:
            return Done(str(error), kind=Kind.BAD)
        except RefusedCommand as error:
            return error.done
        except (UserError, TemporaryError, RefusedError) as error:
            return refusal(error)
        except (PeerGoneError, wire.WireError):
            raise
        except Exception as error:  # RFC 5530 §3: an unknown fault is a SERVERBUG, never silence
            log.error("fault in an IMAP command", error=error, command=type(command).__name__)
            return Done(
                f"A fault in this server; please tell its keeper the number {self.cid}",
                b"SERVERBUG",
                Kind.NO,
            )
        return done

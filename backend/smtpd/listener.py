"""The SMTP servers' sockets: the one module that knows aiosmtpd.

Of aiosmtpd we use the protocol object (stream, STARTTLS, life of a connection) as the `Wire` of a `Dialogue`, which has
the commands; the library's own are not reached.
"""

import asyncio
import re
import secrets
import ssl
from collections.abc import Callable
from typing import Any, NoReturn

from aiosmtpd.smtp import SMTP, TLSSetupException

from backend.accounts.login import Logins, is_loopback
from backend.core.ids import AccountId, Cid
from backend.core.status import UNKNOWN_FAULT, SmtpStatus
from backend.observe import log as logs
from backend.smtp.replies import format_reply
from backend.smtpd import answers
from backend.smtpd.dialogue import Dialogue
from backend.smtpd.guard import SPOKE_TOO_EARLY, Guard
from backend.smtpd.session import Session
from backend.smtpd.wire import ConnectionEndsError, LineError, ServerSettings
from backend.tls.binding import served_binding

log = logs.get(__name__)

READ_BYTES = 64 * 1024
# The reader stops the peer at twice this; a line beyond it ends the connection. A security limit.
BUFFER_BYTES = 128 * 1024
MAX_PENDING_REPLY_BYTES = 32 * 1024  # replies gathered while a client pipelines, a security limit
LINGER_S = 1.0  # after the last reply, for a client that is still sending
FLUSH_S = 5.0  # for a client that does not read its last replies
DRAIN_S = 10.0  # at the end of the server: for messages that are being stored

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


class SmtpServer:
    def __init__(
        self,
        *,
        settings: ServerSettings,
        guard: Guard,
        make_session: Callable[[], Session],
        logins: Logins | None = None,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """`logins` is needed where sessions sign in; `tls` None: no STARTTLS."""
        self.settings = settings
        self.guard = guard
        self.make_session = make_session
        self.logins = logins
        self.tls = tls
        self.is_stopping = False
        self._connections: set[_Connection] = set()

    def protocol_factory(self) -> asyncio.BaseProtocol:
        return _Connection(self)

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    async def shut_down(self, drain_s: float = DRAIN_S) -> None:
        """Says 421 to every session; a message that is being stored is finished and answered first."""
        self.is_stopping = True
        waiting = [c.task for c in self._connections if c.task is not None]
        for connection in list(self._connections):
            connection.stop()
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=drain_s)
            for connection in list(self._connections):
                connection.abort()
            if late:
                await asyncio.wait(late, timeout=drain_s)

    def drop_account(self, account: AccountId) -> None:
        """Ends the sessions of an account that was removed, switched off or got a new password; a message that is being
        stored is finished and answered first.
        """
        for connection in list(self._connections):
            if connection.account == account:
                connection.stop(answers.ACCOUNT_CHANGED)

    def add(self, connection: "_Connection") -> None:
        self._connections.add(connection)

    def discard(self, connection: "_Connection") -> None:
        self._connections.discard(connection)


class _Connection(SMTP):
    """One connection, as the library wants it below and as `Wire` asks above."""

    line_length_limit = BUFFER_BYTES

    def __init__(self, server: SmtpServer) -> None:
        # Of its own: the library's is one dictionary for all connections and cleared by each new one.
        self.command_size_limits = {}
        self.transport: Any = None
        self._server = server
        self._settings = server.settings
        self._guard = server.guard
        super().__init__(
            None,
            data_size_limit=None,
            enable_SMTPUTF8=True,
            hostname=server.settings.hostname,
            timeout=server.settings.timeout_s,
            tls_context=None,
            loop=asyncio.get_running_loop(),
        )
        self.cid = Cid(secrets.token_hex(4))
        self.peer: tuple[str, int] = ("", 0)
        self.local: tuple[str, int] = ("", 0)
        self.is_loopback = False
        self._is_admitted = False
        self._out = bytearray()
        self._deadline = 0.0
        self.is_busy = False
        self.is_amid_input = False
        self._is_ending = False
        self._stopped_for: SmtpStatus | None = None
        self._tls_description: str | None = None
        self._session_rules = server.make_session()
        self._dialogue = Dialogue(
            self,
            settings=server.settings,
            guard=server.guard,
            session=self._session_rules,
            logins=server.logins,
        )

    # The life of the connection

    @property
    def task(self) -> "asyncio.Task[None] | None":
        task: asyncio.Task[None] | None = self._handler_coroutine
        return task

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.peer = _endpoint(transport.get_extra_info("peername"))
        self.local = _endpoint(transport.get_extra_info("sockname"))
        self.is_loopback = is_loopback(self.peer[0])
        super().connection_made(transport)
        self._server.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.discard(self)
        if self._is_admitted:
            self._is_admitted = False
            self._guard.release(self.peer[0])
        super().connection_lost(error)

    def eof_received(self) -> bool:
        # The library cancels the session here; commands that were sent before the end (QUIT) still get their answer.
        asyncio.StreamReaderProtocol.eof_received(self)
        if self.transport is None or self.transport.is_closing():
            return False  # a TLS transport closed twice can't tell
        return not self.tls_text()

    @property
    def account(self) -> AccountId | None:
        return self._dialogue.account

    def stop(self, reason: SmtpStatus = answers.SHUTTING_DOWN) -> None:
        """Ends the session politely; while a message is being stored, after its reply."""
        self._stopped_for = self._stopped_for or reason
        if not self.is_busy:
            self._break_off(reason)

    def abort(self) -> None:
        _abort(self.transport)

    def _reset_timeout(self, duration: float | None = None) -> None:
        # Called for each command: moves the deadline and leaves the timer where it is.
        self._deadline = self.loop.time() + (duration or self._timeout_duration)
        if self._timeout_handle is None:
            self._timeout_handle = self.loop.call_at(self._deadline, self._timeout_cb)

    def _timeout_cb(self) -> None:
        now = self.loop.time()
        if self.is_busy:
            self._deadline = max(self._deadline, now + self._timeout_duration)
        if now < self._deadline:
            self._timeout_handle = self.loop.call_at(self._deadline, self._timeout_cb)
            return
        log.info("session timed out", peer=self.peer[0])
        self._break_off(answers.TIMED_OUT)

    def _break_off(self, status: SmtpStatus) -> None:
        """Ends the session from outside its task."""
        self._say_last(status)
        if self.task is not None:
            self.task.cancel()

    def _say_last(self, status: SmtpStatus) -> None:
        if self.transport is None or self.transport.is_closing() or self._is_ending:
            return
        self._is_ending = True
        self._writer.write(bytes(self._out) + format_reply(status))
        self._out.clear()
        if (self.is_amid_input or self._received) and self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    async def _close(self) -> None:
        if self.transport is None:
            return
        if self._is_ending and not self.transport.is_closing():
            # A socket that is closed with input unread is reset, and the reset overtakes our last reply.
            try:
                async with asyncio.timeout(LINGER_S):
                    while await self._reader.read(READ_BYTES):
                        pass
            except (TimeoutError, ConnectionError):
                pass
        if self.transport is not None:
            waits = (
                self.transport.get_write_buffer_size()
            )  # a TLS transport closed twice can't tell
            self.transport.close()
            # Without this a peer that never reads keeps the socket, and what waits for it, for ever.
            if waits:
                self.loop.call_later(FLUSH_S, self.abort)

    # Reading and writing

    async def say(self, status: SmtpStatus) -> None:
        """Replies to pipelined commands are gathered and go out together; the library sends and awaits each line."""
        self._out += format_reply(status)
        if len(self._out) > MAX_PENDING_REPLY_BYTES or b"\n" not in self._received:
            await self.flush()

    async def push(self, status: str | bytes) -> None:
        """What the library itself says (of the code that we use: before the TLS handshake)."""
        self._out += (status.encode("ascii") if isinstance(status, str) else status) + b"\r\n"
        await self.flush()

    @property
    def _received(self) -> bytearray:
        """What has come and not been read yet."""
        buffer: bytearray = self._reader._buffer  # type: ignore[attr-defined]  # asyncio has no public name for it
        return buffer

    async def flush(self) -> None:
        if self._out:
            self._writer.write(bytes(self._out))
            self._out.clear()
        await self._writer.drain()

    async def read_line(self, limit: int) -> bytes:
        if self._out and b"\n" not in self._received:
            await self.flush()
        try:
            line: bytes = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            raise ConnectionEndsError from None
        except asyncio.LimitOverrunError:
            self.is_amid_input = True
            self.end(answers.TOO_LONG)
        self._reset_timeout()
        # SECURITY: what other servers take for two lines must not be one here.
        if _BARE.search(line) is not None:
            raise LineError(answers.BARE_LINE)
        if len(line) > limit:
            raise LineError(answers.TOO_LONG)
        return line[:-2]

    async def read_chunk(self) -> bytes:
        chunk: bytes = await self._reader.read(READ_BYTES)
        if not chunk:
            raise ConnectionEndsError
        self._reset_timeout()
        return chunk

    def unread(self, data: bytes) -> None:
        self._received[:0] = data

    async def start_tls(self) -> None:
        assert self._server.tls is not None  # offers_tls says so
        # SECURITY: RFC 3207 §4.2: what was sent behind STARTTLS in plain text may come from someone in between.
        self._received.clear()
        self.tls_context = self._server.tls()
        try:
            await self.smtp_STARTTLS("")
        except TLSSetupException as error:
            log.info("TLS handshake failed", peer=self.peer[0], reason=str(error.__cause__))
            _abort(self._original_transport)
            # The library's TLS layer does not tell the protocol that it never got through to.
            self.connection_lost(None)
            raise ConnectionEndsError from error
        self._tls_description = None

    def end(self, status: SmtpStatus) -> NoReturn:
        self._say_last(status)
        raise ConnectionEndsError

    # The session

    async def _handle_client(self) -> None:
        with logs.bound(cid=self.cid):
            try:
                if await self._may_enter():
                    await self._dialogue.greet()
                    while self.transport is not None:
                        await self._dialogue.one_command()
                        if self._stopped_for is not None:
                            self.end(self._stopped_for)
            except (ConnectionEndsError, ConnectionError):
                pass
            except Exception as error:  # the connection loop's border
                log.error("SMTP session failed", error=error)
                self._say_last(UNKNOWN_FAULT)
            finally:
                await self._close()

    async def _may_enter(self) -> bool:
        peer = self.peer[0]
        refusal = answers.SHUTTING_DOWN if self._server.is_stopping else self._guard.admit(peer)
        if refusal is not None:
            log.info("connection refused", peer=peer, reason=refusal.text)
            self._say_last(refusal)
            return False
        self._is_admitted = True
        settings = self._guard.settings
        is_stranger = not self._session_rules.signs_in and not self.is_loopback
        if is_stranger and settings.greeting_delay_s > 0:
            await asyncio.sleep(settings.greeting_delay_s)
            if self._received:
                log.info("client spoke before the greeting", peer=peer)
                self._say_last(SPOKE_TOO_EARLY)
                return False
        return True

    @property
    def offers_tls(self) -> bool:
        return self._server.tls is not None

    def now(self) -> float:
        return self.loop.time()

    def tls_binding(self) -> bytes | None:
        if self.transport is None or self.transport.is_closing():
            return None
        return served_binding(self.transport.get_extra_info("ssl_object"))

    def tls_text(self) -> str:
        if self._tls_description is None:
            ssl_object = self.transport.get_extra_info("ssl_object") if self.transport else None
            if ssl_object is None:
                self._tls_description = ""
            else:
                cipher = ssl_object.cipher()
                self._tls_description = f"{ssl_object.version()} {cipher[0] if cipher else ''}"
        return self._tls_description


def _abort(transport: Any) -> None:
    if transport is not None:
        transport.abort()


def _endpoint(name: object) -> tuple[str, int]:
    if isinstance(name, tuple) and len(name) >= 2:
        return str(name[0]), int(name[1])
    return "", 0

"""The SMTP servers' sockets: the one module that knows aiosmtpd.

Of aiosmtpd we use the protocol object (stream, STARTTLS, life of a connection); every command is ours, because of what
the library does with them (see the notes at each). What a session may do is decided in `receive` and `submission`.
"""

import asyncio
import binascii
import re
import secrets
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, TLSSetupException

from backend.accounts.authenticate import authenticate, offered_mechanisms
from backend.accounts.login import LoginRefused, Logins, Refusal, is_loopback
from backend.core.address import Address, Domain
from backend.core.connection import SessionFacts
from backend.core.envelope import BodyType, Envelope
from backend.core.errors import RefusedError, TemporaryError
from backend.core.ids import AccountId, Cid, TraceId
from backend.core.status import BARE_NEWLINE, DISK_FULL, UNKNOWN_FAULT, SmtpStatus
from backend.observe import log as logs
from backend.runtime import tasks
from backend.smtp.data import DataFault, DataReader
from backend.smtp.extensions import Extension, Offer, format_offer
from backend.smtp.grammar import (
    CommandError,
    Greeting,
    MailCommand,
    parse_command,
    parse_greeting,
    parse_mail,
    parse_rcpt,
)
from backend.smtp.limits import MAX_AUTH_OCTETS, MAX_COMMAND_OCTETS, SERVER_TIMEOUT_S
from backend.smtp.replies import format_reply
from backend.smtpd import answers
from backend.smtpd.guard import (
    MAX_ERRORS,
    MAX_MESSAGES,
    MAX_SIGN_IN_FAILURES,
    MAX_UNKNOWN_COMMANDS,
    SOFT_ERRORS,
    SPOKE_TOO_EARLY,
    TOO_MANY_ERRORS,
    TOO_MANY_MESSAGES,
    TOO_MANY_SIGN_INS,
    TOO_MANY_UNKNOWN,
    Guard,
)
from backend.smtpd.intake import Intake
from backend.smtpd.session import Session

log = logs.get(__name__)

READ_BYTES = 64 * 1024
# The reader stops the peer at twice this; a line beyond it ends the connection. A security limit.
BUFFER_BYTES = 128 * 1024
MAX_PENDING_REPLY_BYTES = 32 * 1024  # replies gathered while a client pipelines, a security limit
# What comes after a message has grown too large is read and thrown away, so that the client gets its 552; a security limit.
MAX_DISCARDED_BYTES = 256 * 1024 * 1024
MAX_DATA_S = 3600.0  # one message, however steadily it drips in; a security limit
LINGER_S = 1.0  # after the last reply, for a client that is still sending
FLUSH_S = 5.0  # for a client that does not read its last replies
DRAIN_S = 10.0  # at the end of the server: for messages that are being stored

# RFC 5321 §4.1.1.5 and others: known to exist, and not done here.
_NOT_IMPLEMENTED = frozenset(
    {"EXPN", "TURN", "ETRN", "ATRN", "SEND", "SOML", "SAML", "ONEX", "XCLIENT", "XFORWARD"}
)
# SECURITY: a browser that was talked into sending a form to this port must not have its body read as commands.
_OTHER_PROTOCOLS = frozenset(
    {"GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", "DELETE", "PATCH"}
)
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    hostname: str
    message_size_bytes: int
    recipients: int
    spool: Path
    """Folder for incoming messages over 256 KiB; exists."""
    timeout_s: float = SERVER_TIMEOUT_S
    data_timeout_s: float = MAX_DATA_S


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

    def add(self, connection: "_Connection") -> None:
        self._connections.add(connection)

    def discard(self, connection: "_Connection") -> None:
        self._connections.discard(connection)


class _ConnectionEndsError(Exception):
    """The session is over; what was to be said has been said."""


class _Connection(SMTP):
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
        self._session_rules = server.make_session()
        self._cid = Cid(secrets.token_hex(4))
        self._peer: tuple[str, int] = ("", 0)
        self._local: tuple[str, int] = ("", 0)
        self._is_loopback = False
        self._is_admitted = False
        self._out = bytearray()
        self._deadline = 0.0
        self._is_busy = False
        self._is_amid_input = False
        self._is_ending = False
        self._commands: dict[str, Callable[[str], Any]] = {
            "EHLO": self.smtp_EHLO, "HELO": self.smtp_HELO, "MAIL": self.smtp_MAIL, "RCPT": self.smtp_RCPT,
            "DATA": self.smtp_DATA, "RSET": self.smtp_RSET, "NOOP": self.smtp_NOOP, "QUIT": self.smtp_QUIT,
            "STARTTLS": self.smtp_STARTTLS, "AUTH": self.smtp_AUTH, "VRFY": self.smtp_VRFY, "HELP": self.smtp_HELP,
        }  # fmt: skip
        self._messages = 0
        self._errors = 0
        self._unknown = 0
        self._sign_in_failures = 0
        self._account: AccountId | None = None
        self._forget_greeting()

    # The life of the connection

    @property
    def task(self) -> "asyncio.Task[None] | None":
        task: asyncio.Task[None] | None = self._handler_coroutine
        return task

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._peer = _endpoint(transport.get_extra_info("peername"))
        self._local = _endpoint(transport.get_extra_info("sockname"))
        self._is_loopback = is_loopback(self._peer[0])
        super().connection_made(transport)
        self._server.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.discard(self)
        if self._is_admitted:
            self._is_admitted = False
            self._guard.release(self._peer[0])
        super().connection_lost(error)

    def eof_received(self) -> bool:
        # The library cancels the session here; commands that were sent before the end (QUIT) still get their answer.
        asyncio.StreamReaderProtocol.eof_received(self)
        return not self._tls_text()

    def stop(self) -> None:
        """Ends the session politely; while a message is being stored, after its reply."""
        if not self._is_busy:
            self._break_off(answers.SHUTTING_DOWN)

    def abort(self) -> None:
        _abort(self.transport)

    def _reset_timeout(self, duration: float | None = None) -> None:
        # Called for each command: moves the deadline and leaves the timer where it is.
        self._deadline = self.loop.time() + (duration or self._timeout_duration)
        if self._timeout_handle is None:
            self._timeout_handle = self.loop.call_at(self._deadline, self._timeout_cb)

    def _timeout_cb(self) -> None:
        now = self.loop.time()
        if self._is_busy:
            self._deadline = max(self._deadline, now + self._timeout_duration)
        if now < self._deadline:
            self._timeout_handle = self.loop.call_at(self._deadline, self._timeout_cb)
            return
        log.info("session timed out", peer=self._peer[0])
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
        if self._is_amid_input and self.transport.can_write_eof():
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
            self.transport.close()
            # Without this a peer that never reads keeps the socket, and what waits for it, for ever.
            if self.transport.get_write_buffer_size():
                self.loop.call_later(FLUSH_S, self.abort)

    # Reading and writing

    async def _say(self, status: SmtpStatus) -> None:
        """Replies to pipelined commands are gathered and go out together; the library sends and awaits each line."""
        self._out += format_reply(status)
        if len(self._out) > MAX_PENDING_REPLY_BYTES or b"\n" not in self._received:
            await self._flush()

    async def push(self, status: str | bytes) -> None:
        """What the library itself says (of the code that we use: before the TLS handshake)."""
        self._out += (status.encode("ascii") if isinstance(status, str) else status) + b"\r\n"
        await self._flush()

    @property
    def _received(self) -> bytearray:
        """What has come and not been read yet."""
        buffer: bytearray = self._reader._buffer  # type: ignore[attr-defined]  # asyncio has no public name for it
        return buffer

    async def _flush(self) -> None:
        if self._out:
            self._writer.write(bytes(self._out))
            self._out.clear()
        await self._writer.drain()

    async def _read_line(self, limit: int) -> bytes | None:
        """A line without its CRLF; None when it can't be used (and that was said).

        Raises:
            _ConnectionEndsError: the peer has gone, or its line has no end.
        """
        if self._out and b"\n" not in self._received:
            await self._flush()
        try:
            line: bytes = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            raise _ConnectionEndsError from None
        except asyncio.LimitOverrunError:
            self._is_amid_input = True
            self._say_last(answers.TOO_LONG)
            raise _ConnectionEndsError from None
        # SECURITY: what other servers take for two lines must not be one here.
        if _BARE.search(line) is not None:
            await self._refuse(answers.BARE_LINE)
            return None
        if len(line) > limit:
            await self._refuse(answers.TOO_LONG)
            return None
        return line[:-2]

    async def _refuse(self, status: SmtpStatus) -> None:
        """Says an error; many of them end the connection, and after the first few they come late."""
        if status.is_permanent:
            self._errors += 1
        if self._errors > MAX_ERRORS:
            self._end(TOO_MANY_ERRORS)
        if self._errors > SOFT_ERRORS and not self._guard.is_exempt(self._peer[0]):
            await self._flush()
            await asyncio.sleep(self._guard.settings.error_delay_s)
        await self._say(status)

    def _end(self, status: SmtpStatus) -> None:
        self._say_last(status)
        raise _ConnectionEndsError

    async def _answer(self, status: SmtpStatus) -> None:
        if status.code >= 400:
            await self._refuse(status)
        else:
            await self._say(status)

    # The session

    async def _handle_client(self) -> None:
        with logs.bound(cid=self._cid):
            try:
                if await self._greet():
                    while self.transport is not None:
                        await self._one_command()
                        if self._server.is_stopping:
                            self._end(answers.SHUTTING_DOWN)
            except (_ConnectionEndsError, ConnectionError):
                pass
            except TLSSetupException as error:
                log.info("TLS handshake failed", peer=self._peer[0], reason=str(error.__cause__))
                _abort(self._original_transport)
                # The library's TLS layer does not tell the protocol that it never got through to.
                self.connection_lost(None)
            except Exception as error:  # the connection loop's border
                log.error("SMTP session failed", error=error)
                self._say_last(UNKNOWN_FAULT)
            finally:
                await self._close()

    async def _greet(self) -> bool:
        peer = self._peer[0]
        refusal = answers.SHUTTING_DOWN if self._server.is_stopping else self._guard.admit(peer)
        if refusal is not None:
            log.info("connection refused", peer=peer, reason=refusal.text)
            self._say_last(refusal)
            return False
        self._is_admitted = True
        settings = self._guard.settings
        is_stranger = not self._session_rules.signs_in and not self._is_loopback
        if is_stranger and settings.greeting_delay_s > 0:
            await asyncio.sleep(settings.greeting_delay_s)
            if self._received:
                log.info("client spoke before the greeting", peer=peer)
                self._say_last(SPOKE_TOO_EARLY)
                return False
        status = SmtpStatus(
            answers.READY.code, "", f"{self._settings.hostname} {answers.READY.text}"
        )
        await self._say(status)
        return True

    async def _one_command(self) -> None:
        line = await self._read_line(MAX_AUTH_OCTETS)
        self._reset_timeout()
        if line is None:
            return
        try:
            command = parse_command(line)
            # RFC 4954 §4: AUTH may be longer than all other commands.
            if len(line) > MAX_COMMAND_OCTETS and command.verb != "AUTH":
                await self._refuse(answers.TOO_LONG)
                return
            run = self._commands.get(command.verb)
            if run is None:
                await self._unknown_command(command.verb)
            else:
                await run(command.argument)
        except CommandError as error:
            await self._refuse(error.status)
        except (RefusedError, TemporaryError) as error:
            await self._refuse(error.status)
        except (_ConnectionEndsError, ConnectionError, TLSSetupException):
            raise
        except (
            Exception
        ) as error:  # the request's border: the peer hears nothing of our fault, and tries again
            await self._say(self._fault(error))

    @staticmethod
    def _fault(error: Exception) -> SmtpStatus:
        log.error("SMTP command failed", error=error)
        return UNKNOWN_FAULT

    async def _unknown_command(self, verb: str) -> None:
        if verb in _OTHER_PROTOCOLS:
            self._end(answers.NOT_SMTP)
        if verb == "BDAT":
            # RFC 3030: its data follows at once, and would be read as commands.
            self._end(answers.NO_BINARY)
        if verb in _NOT_IMPLEMENTED:
            await self._refuse(answers.NOT_HERE)
            return
        self._unknown += 1
        if self._unknown > MAX_UNKNOWN_COMMANDS:
            self._end(TOO_MANY_UNKNOWN)
        await self._refuse(answers.NOT_A_COMMAND)

    # Greeting, TLS, sign-in

    def _forget_greeting(self) -> None:
        self._greeting: Greeting | None = None
        self._is_extended = False
        self._tls_description: str | None = None
        self._offered: frozenset[Extension] = frozenset()
        self._forget_message()

    def _forget_message(self) -> None:
        self._mail: MailCommand | None = None
        self._recipients: list[Address] = []
        self._message_facts: SessionFacts | None = None
        self._session_rules.reset()

    def _offer(self) -> Offer:
        keywords = {
            Extension.SIZE,
            Extension.PIPELINING,
            Extension.EIGHT_BIT_MIME,
            Extension.SMTPUTF8,
            Extension.ENHANCED_STATUS_CODES,
        }
        is_tls = bool(self._tls_text())
        if self._server.tls is not None and not is_tls:
            keywords.add(Extension.STARTTLS)
        mechanisms: tuple[str, ...] = ()
        if self._session_rules.signs_in and self._server.logins is not None:
            mechanisms = offered_mechanisms(self._server.logins, peer=self._peer[0], tls=is_tls)
            if mechanisms:
                keywords.add(Extension.AUTH)
        return Offer(
            keywords=frozenset(keywords),
            size_bytes=self._settings.message_size_bytes,
            mechanisms=mechanisms,
        )

    async def smtp_EHLO(self, argument: str) -> None:
        greeting = parse_greeting(argument)
        self._forget_message()
        self._greeting, self._is_extended = greeting, True
        offer = self._offer()
        # RFC 4954 §5: MAIL's AUTH parameter goes with the extension; without it, it is let in and ignored like any hint.
        self._offered = offer.keywords | {Extension.AUTH}
        lines = (self._settings.hostname, *format_offer(offer))
        await self._say(SmtpStatus(250, "", "\n".join(lines)))

    async def smtp_HELO(self, argument: str) -> None:
        greeting = parse_greeting(argument)
        self._forget_message()
        self._greeting, self._is_extended = greeting, False
        self._offered = frozenset()
        await self._say(SmtpStatus(250, "", self._settings.hostname))

    async def smtp_STARTTLS(self, argument: str) -> None:
        if argument:
            await self._refuse(answers.NO_ARGUMENT)
        elif self._tls_text():
            await self._refuse(answers.TLS_ALREADY)
        elif self._server.tls is None:
            await self._refuse(answers.NOT_HERE)
        else:
            # SECURITY: RFC 3207 §4.2: what was sent behind STARTTLS in plain text may come from someone in between.
            self._received.clear()
            self.tls_context = self._server.tls()
            await super().smtp_STARTTLS("")
            # RFC 3207 §4.2: all that was said before is forgotten.
            self._account = None
            self._forget_greeting()

    async def smtp_AUTH(self, argument: str) -> None:
        if not self._session_rules.signs_in or self._server.logins is None:
            await self._refuse(answers.NOT_HERE)
            return
        if self._greeting is None or not self._is_extended:
            await self._refuse(answers.HELLO_FIRST)
            return
        if self._account is not None:
            await self._refuse(answers.ALREADY_SIGNED_IN)
            return
        # RFC 4954 §4: not during a message.
        if self._mail is not None:
            await self._refuse(answers.NESTED_MAIL)
            return
        mechanism, _, initial = argument.partition(" ")
        if not mechanism:
            raise CommandError(501, "5.5.4", "Name a mechanism after AUTH")
        await self._sign_in(self._server.logins, mechanism.upper(), initial.strip())

    async def _sign_in(self, logins: Logins, mechanism: str, initial: str) -> None:
        self._is_busy = True
        try:
            account = await authenticate(
                mechanism,
                _initial_response(initial),
                self._challenge,
                logins,
                protocol="submission",
                peer=self._peer[0],
                tls=bool(self._tls_text()),
            )
        except LoginRefused as refused:
            status = SmtpStatus(refused.kind.smtp_code, refused.kind.enhanced, refused.public)
            if refused.kind in {Refusal.WRONG, Refusal.DISABLED, Refusal.TOO_MANY}:
                self._sign_in_failures += 1
            if self._sign_in_failures >= MAX_SIGN_IN_FAILURES:
                self._out += format_reply(status)
                self._end(TOO_MANY_SIGN_INS)
            await self._refuse(status)
        else:
            self._account = account
            log.info("signed in", account=account, mechanism=mechanism, peer=self._peer[0])
            await self._say(answers.SIGNED_IN)
        finally:
            self._is_busy = False

    async def _challenge(self, challenge: bytes) -> bytes | None:
        # RFC 4954 §4: "334" SP [base64], the space even if nothing follows.
        self._out += b"334 " + b64encode(challenge) + b"\r\n"
        await self._flush()
        self._is_busy = False
        line = await self._read_line(MAX_AUTH_OCTETS)
        self._is_busy = True
        self._reset_timeout()
        if line is None:
            raise LoginRefused("The sign-in message is malformed", kind=Refusal.MALFORMED)
        return None if line == b"*" else _unbase64(line)

    # A message

    async def smtp_MAIL(self, argument: str) -> None:
        if self._greeting is None:
            await self._refuse(answers.HELLO_FIRST)
            return
        if self._session_rules.signs_in and self._account is None:
            may = bool(self._offer().mechanisms)
            await self._refuse(answers.SIGN_IN_FIRST if may else answers.TLS_FIRST)
            return
        if self._mail is not None:
            await self._refuse(answers.NESTED_MAIL)
            return
        if self._messages >= MAX_MESSAGES and not self._guard.is_exempt(self._peer[0]):
            self._end(TOO_MANY_MESSAGES)
        limit = self._settings.message_size_bytes
        command = parse_mail(argument, self._offered, max_size_bytes=limit)
        facts = self._facts(secrets.token_hex(8), smtputf8=command.smtputf8)
        status = await self._session_rules.sender(facts, command)
        if status.is_success:
            self._mail, self._message_facts = command, facts
        await self._answer(status)

    async def smtp_RCPT(self, argument: str) -> None:
        if self._mail is None or self._message_facts is None:
            await self._refuse(
                answers.MAIL_FIRST if self._greeting is not None else answers.HELLO_FIRST
            )
            return
        command = parse_rcpt(argument, self._offered, smtputf8=self._mail.smtputf8)
        if len(self._recipients) >= self._settings.recipients:
            text = f"At most {self._settings.recipients} recipients at a time (setting “recipients”); send the rest in another message"
            await self._refuse(SmtpStatus(452, "4.5.3", text))
            return
        recipient = command.recipient
        if command.is_bare_postmaster:
            recipient = Address(recipient.localpart, Domain(self._settings.hostname))
        status = await self._session_rules.recipient(self._message_facts, recipient)
        if status.is_success:
            self._recipients.append(recipient)
        await self._answer(status)

    async def smtp_DATA(self, argument: str) -> None:
        if argument:
            await self._refuse(answers.NO_ARGUMENT)
            return
        if self._mail is None or self._message_facts is None:
            await self._refuse(
                answers.MAIL_FIRST if self._greeting is not None else answers.HELLO_FIRST
            )
            return
        if not self._recipients:
            await self._refuse(answers.RCPT_FIRST)
            return
        facts = self._message_facts
        envelope = Envelope(
            sender=self._mail.sender,
            recipients=tuple(self._recipients),
            body=self._mail.body or BodyType.SEVEN_BIT,
            smtputf8=self._mail.smtputf8,
        )
        intake = Intake(self._settings.spool, f"{self._cid}-{self._messages}")
        try:
            self._out += format_reply(answers.SEND_DATA)
            await self._flush()
            self._is_amid_input = True
            refusal = await self._receive_content(intake)
            self._is_amid_input = False
            if refusal is None:
                # Once begun it is finished, even if the peer or the server goes away meanwhile.
                status = await tasks.finish(self._store(facts, envelope, intake))
            else:
                log.info("message refused", reason=refusal.text, peer=self._peer[0])
                status = refusal
        finally:
            intake.close()
            self._messages += 1
            self._forget_message()
        if status.is_success:
            self._errors = 0
        await self._answer(status)

    async def _receive_content(self, intake: Intake) -> SmtpStatus | None:
        """None when all is there; else why it can't be taken."""
        reader = DataReader()
        limit = self._settings.message_size_bytes
        give_up = self.loop.time() + self._settings.data_timeout_s
        refusal: SmtpStatus | None = None
        while not reader.ended:
            chunk = await self._reader.read(READ_BYTES)
            if not chunk:
                raise _ConnectionEndsError
            self._reset_timeout()
            piece = reader.feed(chunk)
            if reader.size_bytes > limit:
                if refusal is None:
                    text = f"The message is larger than this server accepts: {limit} bytes (setting “message_size_bytes”)"
                    refusal = SmtpStatus(552, "5.3.4", text)
                    await intake.drop()
                if reader.size_bytes - limit > MAX_DISCARDED_BYTES:
                    self._end(refusal)
            elif reader.fault is not None:
                if refusal is None:
                    refusal = answers.NUL if reader.fault is DataFault.NUL else BARE_NEWLINE
                    await intake.drop()
            elif piece and refusal is None:
                try:
                    await intake.add(piece)
                except OSError as error:
                    log.error("incoming message could not be spooled", error=error)
                    refusal = DISK_FULL
                    await intake.drop()
            if self.loop.time() > give_up:
                self._end(answers.TIMED_OUT)
        self._received[:0] = reader.rest
        return refusal

    async def _store(self, facts: SessionFacts, envelope: Envelope, intake: Intake) -> SmtpStatus:
        self._is_busy = True
        try:
            content = await intake.content()
            return await self._session_rules.message(facts, envelope, content)
        except (RefusedError, TemporaryError) as error:
            return error.status
        except Exception as error:  # the request's border
            return self._fault(error)
        finally:
            self._is_busy = False

    # Small commands

    async def smtp_RSET(self, argument: str) -> None:
        if argument:
            await self._refuse(answers.NO_ARGUMENT)
            return
        self._forget_message()
        await self._say(answers.OK)

    async def smtp_NOOP(self, _argument: str) -> None:
        await self._say(answers.OK)

    async def smtp_VRFY(self, _argument: str) -> None:
        # RFC 5321 §7.3: who has a mailbox here is not told.
        await self._say(answers.VRFY)

    async def smtp_HELP(self, _argument: str) -> None:
        await self._say(answers.HELP)

    async def smtp_QUIT(self, argument: str) -> None:
        if argument:
            await self._refuse(answers.NO_ARGUMENT)
            return
        self._end(answers.BYE)

    # Facts

    def _tls_text(self) -> str:
        if self._tls_description is None:
            ssl_object = self.transport.get_extra_info("ssl_object") if self.transport else None
            if ssl_object is None:
                self._tls_description = ""
            else:
                cipher = ssl_object.cipher()
                self._tls_description = f"{ssl_object.version()} {cipher[0] if cipher else ''}"
        return self._tls_description

    def _facts(self, trace: str, *, smtputf8: bool = False) -> SessionFacts:
        tls = self._tls_text()
        # RFC 3848 and RFC 6531 §4.3: what Received says after "with".
        name = "UTF8SMTP" if smtputf8 else "ESMTP" if self._is_extended else "SMTP"
        if self._is_extended:
            name += ("S" if tls else "") + ("A" if self._account is not None else "")
        greeting = self._greeting
        return SessionFacts(
            trace=TraceId(trace),
            cid=self._cid,
            peer_address=self._peer[0],
            peer_port=self._peer[1],
            local_address=self._local[0],
            local_port=self._local[1],
            greeting=greeting.name if greeting is not None else "",
            greeting_is_valid=greeting is not None and greeting.is_valid,
            protocol=name,
            tls=tls,
            account=self._account,
            peer_is_loopback=self._is_loopback,
        )


def _abort(transport: Any) -> None:
    if transport is not None:
        transport.abort()


def _endpoint(name: object) -> tuple[str, int]:
    if isinstance(name, tuple) and len(name) >= 2:
        return str(name[0]), int(name[1])
    return "", 0


def _initial_response(text: str) -> bytes | None:
    # RFC 4954 §4: "=" is the empty response.
    if not text:
        return None
    return b"" if text == "=" else _unbase64(text.encode("ascii", "replace"))


def _unbase64(data: bytes) -> bytes:
    try:
        return b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CommandError(
            answers.NOT_BASE64.code, answers.NOT_BASE64.enhanced, answers.NOT_BASE64.text
        ) from error

"""One SMTP session as a conversation: which command may come when, what it does, what is answered.

The socket is behind `Wire` (the listener has it); what kind of session it is decides `Session` (`receive`, `submission`).
"""

import asyncio
import binascii
import secrets
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable

from backend.accounts.authenticate import authenticate, offered_mechanisms
from backend.accounts.login import LoginRefused, Logins, Refusal
from backend.core.address import Address, Domain
from backend.core.connection import SessionFacts
from backend.core.envelope import NO_WISH, Asked, BodyType, Envelope, Wish
from backend.core.errors import RefusedError, TemporaryError
from backend.core.ids import AccountId, TraceId
from backend.core.status import UNKNOWN_FAULT, SmtpStatus
from backend.observe import log as logs
from backend.runtime import tasks
from backend.smtp.extensions import Extension, Offer, format_offer
from backend.smtp.grammar import (
    Greeting,
    MailCommand,
    parse_command,
    parse_greeting,
    parse_mail,
    parse_rcpt,
)
from backend.smtp.limits import MAX_AUTH_OCTETS, MAX_COMMAND_OCTETS
from backend.smtp.parameters import CommandError
from backend.smtpd import answers
from backend.smtpd.guard import (
    MAX_ERRORS,
    MAX_IDLE_COMMANDS,
    MAX_MESSAGES,
    MAX_SESSION_S,
    MAX_SIGN_IN_FAILURES,
    MAX_UNKNOWN_COMMANDS,
    SOFT_ERRORS,
    TOO_LONG_A_SESSION,
    TOO_MANY_ERRORS,
    TOO_MANY_IDLE_COMMANDS,
    TOO_MANY_MESSAGES,
    TOO_MANY_SIGN_INS,
    TOO_MANY_UNKNOWN,
    Guard,
)
from backend.smtpd.intake import Intake, receive_content
from backend.smtpd.session import Session
from backend.smtpd.wire import ConnectionEndsError, LineError, ServerSettings, Wire

log = logs.get(__name__)

# RFC 5321 §4.1.1.5 and others: known to exist, and not done here.
_NOT_IMPLEMENTED = frozenset(
    {"EXPN", "TURN", "ETRN", "ATRN", "SEND", "SOML", "SAML", "ONEX", "XCLIENT", "XFORWARD"}
)
# SECURITY: a browser that was talked into sending a form to this port must not have its body read as commands.
_OTHER_PROTOCOLS = frozenset(
    {"GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", "DELETE", "PATCH"}
)

# What does nothing for a message; a few are in order, hundreds are not.
_IDLE = frozenset({"NOOP", "RSET", "VRFY", "HELP", "EHLO", "HELO"})


class Dialogue:
    """The state of one session; ends by `ConnectionEndsError`."""

    def __init__(
        self,
        wire: Wire,
        *,
        settings: ServerSettings,
        guard: Guard,
        session: Session,
        logins: Logins | None,
    ) -> None:
        self._wire = wire
        self._settings = settings
        self._guard = guard
        self._session = session
        self._logins = logins
        self._commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "EHLO": self._run_ehlo,
            "HELO": self._run_helo,
            "MAIL": self._run_mail,
            "RCPT": self._run_rcpt,
            "DATA": self._run_data,
            "RSET": self._run_rset,
            "NOOP": self._run_noop,
            "QUIT": self._run_quit,
            "STARTTLS": self._run_starttls,
            "AUTH": self._run_auth,
            "VRFY": self._run_vrfy,
            "HELP": self._run_help,
        }
        self._messages = 0
        self._errors = 0
        self._unknown = 0
        self._idle = 0
        self._sign_in_failures = 0
        self._account: AccountId | None = None
        self._must_end_at = wire.now() + MAX_SESSION_S
        self._forget_greeting()

    @property
    def account(self) -> AccountId | None:
        """Who has signed in."""
        return self._account

    async def greet(self) -> None:
        text = f"{self._settings.hostname} {answers.READY.text}"
        await self._wire.say(SmtpStatus(answers.READY.code, "", text))

    async def one_command(self) -> None:
        try:
            line = await self._wire.read_line(MAX_AUTH_OCTETS)
            command = parse_command(line)
            # RFC 4954 §4: AUTH may be longer than all other commands.
            if len(line) > MAX_COMMAND_OCTETS and command.verb != "AUTH":
                await self._refuse(answers.TOO_LONG)
                return
            self._check_patience(command.verb)
            run = self._commands.get(command.verb)
            if run is None:
                await self._unknown_command(command.verb)
            else:
                await run(command.argument)
        except (CommandError, LineError, RefusedError, TemporaryError) as error:
            await self._refuse(error.status)
        except (ConnectionEndsError, ConnectionError):
            raise
        except Exception as error:  # the request's border: the peer hears nothing of our fault
            await self._wire.say(_fault(error))

    def _check_patience(self, verb: str) -> None:
        if self._guard.is_exempt(self._wire.peer[0]):
            return
        if self._wire.now() > self._must_end_at:
            self._wire.end(TOO_LONG_A_SESSION)
        if verb in _IDLE:
            self._idle += 1
            if self._idle > MAX_IDLE_COMMANDS:
                self._wire.end(TOO_MANY_IDLE_COMMANDS)

    async def _unknown_command(self, verb: str) -> None:
        if verb in _OTHER_PROTOCOLS:
            self._wire.end(answers.NOT_SMTP)
        if verb == "BDAT":
            # RFC 3030: its data follows at once, and would be read as commands.
            self._wire.end(answers.NO_BINARY)
        if verb in _NOT_IMPLEMENTED:
            await self._refuse(answers.NOT_HERE)
            return
        self._unknown += 1
        if self._unknown > MAX_UNKNOWN_COMMANDS:
            self._wire.end(TOO_MANY_UNKNOWN)
        await self._refuse(answers.NOT_A_COMMAND)

    async def _refuse(self, status: SmtpStatus) -> None:
        """Says an error; many of them end the connection, and after the first few they come late."""
        if status.is_permanent:
            self._errors += 1
        if self._errors > MAX_ERRORS:
            self._wire.end(TOO_MANY_ERRORS)
        if self._errors > SOFT_ERRORS and not self._guard.is_exempt(self._wire.peer[0]):
            await self._wire.flush()
            await asyncio.sleep(self._guard.settings.error_delay_s)
        await self._wire.say(status)

    async def _answer(self, status: SmtpStatus) -> None:
        if status.code >= 400:
            await self._refuse(status)
        else:
            await self._wire.say(status)

    # Greeting, TLS, sign-in

    def _forget_greeting(self) -> None:
        self._greeting: Greeting | None = None
        self._is_extended = False
        self._offered: frozenset[Extension] = frozenset()
        self._forget_message()

    def _forget_message(self) -> None:
        self._mail: MailCommand | None = None
        self._recipients: list[Address] = []
        self._wishes: dict[Address, Wish] = {}
        self._message_facts: SessionFacts | None = None
        self._session.reset()

    def _offer(self) -> Offer:
        keywords = {
            Extension.SIZE,
            Extension.PIPELINING,
            Extension.EIGHT_BIT_MIME,
            Extension.SMTPUTF8,
            Extension.ENHANCED_STATUS_CODES,
        }
        is_tls = bool(self._wire.tls_text())
        if self._wire.offers_tls and not is_tls:
            keywords.add(Extension.STARTTLS)
        mechanisms: tuple[str, ...] = ()
        if self._session.signs_in and self._logins is not None:
            mechanisms = offered_mechanisms(
                self._logins,
                peer=self._wire.peer[0],
                tls=is_tls,
                binding=self._wire.tls_binding(),
            )
            if mechanisms:
                keywords.add(Extension.AUTH)
        more = self._session.offer(is_tls=is_tls)
        return Offer(
            keywords=more.keywords | keywords,
            future_release=more.future_release,
            size_bytes=self._settings.message_size_bytes,
            mechanisms=mechanisms,
        )

    async def _run_ehlo(self, argument: str) -> None:
        greeting = parse_greeting(argument)
        self._forget_message()
        self._greeting, self._is_extended = greeting, True
        offer = self._offer()
        # RFC 4954 §5: MAIL's AUTH parameter goes with the extension; without it, it is let in and ignored like any hint.
        self._offered = offer.keywords | {Extension.AUTH}
        lines = (self._settings.hostname, *format_offer(offer))
        await self._wire.say(SmtpStatus(250, "", "\n".join(lines)))

    async def _run_helo(self, argument: str) -> None:
        greeting = parse_greeting(argument)
        self._forget_message()
        self._greeting, self._is_extended = greeting, False
        self._offered = frozenset()
        await self._wire.say(SmtpStatus(250, "", self._settings.hostname))

    async def _run_starttls(self, argument: str) -> None:
        if argument:
            await self._refuse(answers.NO_ARGUMENT)
        elif self._wire.tls_text():
            await self._refuse(answers.TLS_ALREADY)
        elif not self._wire.offers_tls:
            await self._refuse(answers.NOT_HERE)
        else:
            await self._wire.start_tls()
            # RFC 3207 §4.2: all that was said before is forgotten.
            self._account = None
            self._forget_greeting()

    async def _run_auth(self, argument: str) -> None:
        if not self._session.signs_in or self._logins is None:
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
        await self._sign_in(self._logins, mechanism.upper(), initial.strip())

    async def _sign_in(self, logins: Logins, mechanism: str, initial: str) -> None:
        self._wire.is_busy = True
        try:
            account = await authenticate(
                mechanism,
                _initial_response(initial),
                self._challenge,
                logins,
                protocol="submission",
                peer=self._wire.peer[0],
                tls=bool(self._wire.tls_text()),
                binding=self._wire.tls_binding(),
                client=self._greeting.name if self._greeting is not None else "",
            )
        except LoginRefused as refused:
            status = SmtpStatus(refused.kind.smtp_code, refused.kind.enhanced, refused.public)
            if refused.kind in {Refusal.WRONG, Refusal.DISABLED, Refusal.TOO_MANY}:
                self._sign_in_failures += 1
            if self._sign_in_failures >= MAX_SIGN_IN_FAILURES:
                await self._wire.say(status)
                self._wire.end(TOO_MANY_SIGN_INS)
            await self._refuse(status)
        else:
            self._account = account
            log.info("signed in", account=account, mechanism=mechanism, peer=self._wire.peer[0])
            await self._wire.say(answers.SIGNED_IN)
        finally:
            self._wire.is_busy = False

    async def _challenge(self, challenge: bytes) -> bytes | None:
        # RFC 4954 §4: "334" SP [base64], the space even if nothing follows.
        await self._wire.say(SmtpStatus(334, "", b64encode(challenge).decode("ascii")))
        await self._wire.flush()
        self._wire.is_busy = False
        line = await self._wire.read_line(MAX_AUTH_OCTETS)
        self._wire.is_busy = True
        return None if line == b"*" else _unbase64(line)

    # A message

    async def _run_mail(self, argument: str) -> None:
        if self._greeting is None:
            await self._refuse(answers.HELLO_FIRST)
            return
        if self._session.signs_in and self._account is None:
            may = bool(self._offer().mechanisms)
            await self._refuse(answers.SIGN_IN_FIRST if may else answers.TLS_FIRST)
            return
        if self._mail is not None:
            await self._refuse(answers.NESTED_MAIL)
            return
        if self._messages >= MAX_MESSAGES and not self._guard.is_exempt(self._wire.peer[0]):
            self._wire.end(TOO_MANY_MESSAGES)
        limit = self._settings.message_size_bytes
        command = parse_mail(argument, self._offered, max_size_bytes=limit)
        facts = self._facts(secrets.token_hex(8), smtputf8=command.smtputf8)
        status = await self._session.sender(facts, command)
        if status.is_success:
            self._mail, self._message_facts = command, facts
        await self._answer(status)

    async def _run_rcpt(self, argument: str) -> None:
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
        status = await self._session.recipient(self._message_facts, recipient)
        if status.is_success:
            self._recipients.append(recipient)
            # One that comes twice gets the message once, by the wishes that came first.
            wish = Wish(command.notify, command.original_recipient)
            self._wishes.setdefault(recipient, wish)
        await self._answer(status)

    async def _run_data(self, argument: str) -> None:
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
            asked=Asked(
                ret=self._mail.ret,
                envelope_id=self._mail.envelope_id or "",
                require_tls=self._mail.require_tls,
                hold=self._mail.hold,
            ),
            wishes={a: wish for a, wish in self._wishes.items() if wish != NO_WISH},
        )
        intake = Intake(self._settings.spool, f"{self._wire.cid}-{self._messages}")
        try:
            await self._wire.say(answers.SEND_DATA)
            await self._wire.flush()
            refusal = await receive_content(self._wire, intake, self._settings)
            if refusal is None:
                # Once begun it is finished, even if the peer or the server goes away meanwhile.
                status = await tasks.finish(self._store(facts, envelope, intake))
            else:
                log.info("message refused", reason=refusal.text, peer=self._wire.peer[0])
                status = refusal
        finally:
            intake.close()
            self._messages += 1
            self._forget_message()
        if status.is_success:
            self._errors = self._idle = 0
        await self._answer(status)

    async def _store(self, facts: SessionFacts, envelope: Envelope, intake: Intake) -> SmtpStatus:
        self._wire.is_busy = True
        try:
            content = await intake.content()
            return await self._session.message(facts, envelope, content)
        except (RefusedError, TemporaryError) as error:
            return error.status
        except Exception as error:  # the request's border
            return _fault(error)
        finally:
            self._wire.is_busy = False

    # Small commands

    async def _run_rset(self, argument: str) -> None:
        if argument:
            await self._refuse(answers.NO_ARGUMENT)
            return
        self._forget_message()
        await self._wire.say(answers.OK)

    async def _run_noop(self, _argument: str) -> None:
        await self._wire.say(answers.OK)

    async def _run_vrfy(self, _argument: str) -> None:
        # RFC 5321 §7.3: who has a mailbox here is not told.
        await self._wire.say(answers.VRFY)

    async def _run_help(self, _argument: str) -> None:
        await self._wire.say(answers.HELP)

    async def _run_quit(self, argument: str) -> None:
        if argument:
            await self._refuse(answers.NO_ARGUMENT)
            return
        self._wire.end(answers.BYE)

    # Facts

    def _facts(self, trace: str, *, smtputf8: bool = False) -> SessionFacts:
        tls = self._wire.tls_text()
        # RFC 3848 and RFC 6531 §4.3: what Received says after "with".
        name = "UTF8SMTP" if smtputf8 else "ESMTP" if self._is_extended else "SMTP"
        if self._is_extended:
            name += ("S" if tls else "") + ("A" if self._account is not None else "")
        greeting = self._greeting
        return SessionFacts(
            trace=TraceId(trace),
            cid=self._wire.cid,
            peer_address=self._wire.peer[0],
            peer_port=self._wire.peer[1],
            local_address=self._wire.local[0],
            local_port=self._wire.local[1],
            greeting=greeting.name if greeting is not None else "",
            greeting_is_valid=greeting is not None and greeting.is_valid,
            protocol=name,
            tls=tls,
            account=self._account,
            peer_is_loopback=self._wire.is_loopback,
        )


def _fault(error: Exception) -> SmtpStatus:
    log.error("SMTP command failed", error=error)
    return UNKNOWN_FAULT


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

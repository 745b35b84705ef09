"""The client's side of an SMTP connection, without a socket: it says what to do next, and the shell does it.

The shell's loop, whole (`content` gives the message in chunks):

    client = SmtpClient(Options(ehlo_name="mail.example.org"))
    client.add(Transaction(sender=sender, recipients=recipients, size_bytes=size))
    while not isinstance(step := client.step(), Closed):
        match step:
            case Send(data, timeout_s):
                writer.write(data)                               # and drain within timeout_s
            case Receive(timeout_s):
                client.receive(await reader.read(65536))         # b"" when the server has closed; within timeout_s
            case StartTls(timeout_s):
                await writer.start_tls(context, server_hostname=host)
                client.tls_started()                             # or client.tls_failed(text)
            case SendContent(transaction, timeout_s):            # with `chunked`: see there
                stuffer = DotStuffer()
                for chunk in content:                            # each write and drain within timeout_s
                    writer.write(stuffer.feed(chunk))
                writer.write(stuffer.end())
                client.content_sent()
            case Finished(outcome):
                ...                                              # outcome.results: one for each recipient, in their order
                                                                 # here the next transaction may be added

A timeout, a reset or a failed handshake is told with `client.lost(text)` or `client.tls_failed(text)`; `step()` then gives
the `Finished` of what was open and `Closed`. Before `tls_started` the shell makes sure that nothing read in plain text is left
in its own buffers. Every recipient gets exactly one result, whatever happens. Outgoing results
made by us (not said by the server) have `remote=False`. `client.transcript` is an excerpt for people, without secrets.
"""

from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import replace

from backend.core.address import Address
from backend.core.envelope import NO_WISH
from backend.core.status import SmtpStatus
from backend.smtp import needs
from backend.smtp.extensions import NOTHING, Extension, Offer, parse_offer
from backend.smtp.grammar import format_path
from backend.smtp.limits import (
    AUTH_TIMEOUT_S,
    DATA_BLOCK_TIMEOUT_S,
    DATA_END_TIMEOUT_S,
    DATA_START_TIMEOUT_S,
    EHLO_TIMEOUT_S,
    GREETING_TIMEOUT_S,
    MAIL_TIMEOUT_S,
    QUIT_TIMEOUT_S,
    RCPT_TIMEOUT_S,
    STARTTLS_TIMEOUT_S,
)
from backend.smtp.parameters import mail_parameters, rcpt_parameters
from backend.smtp.replies import Reply, ReplyError, ReplyReader
from backend.smtp.steps import (
    ChooseSasl,
    Closed,
    Finished,
    Options,
    Outcome,
    Receive,
    RecipientResult,
    SaslExchange,
    Send,
    SendContent,
    Stage,
    StartTls,
    Step,
    Tls,
    Transaction,
)

# What goes with the client is had with it.
__all__ = [
    "NO_MECHANISM",
    "ChooseSasl",
    "Closed",
    "Finished",
    "Options",
    "Outcome",
    "Receive",
    "RecipientResult",
    "SaslExchange",
    "Send",
    "SendContent",
    "SmtpClient",
    "Stage",
    "StartTls",
    "Step",
    "Tls",
    "Transaction",
]

# Recipients in one pipelined group: their commands and replies fit into socket buffers, so that both sides can't wait for each other.
PIPELINE_GROUP = 50
MAX_TRANSCRIPT_LINES = 120
MAX_TRANSCRIPT_CHARS = 300
NO_MECHANISM = "no matching authentication mechanisms"
"""How our own status begins when the server offers no mechanism that is allowed (behaviour T11, the words of its row)."""
MAX_AUTH_STEPS = 10  # a server that never ends its challenges, a security limit


class _SessionError(Exception):
    """Ends the session: all recipients without a result get this status."""

    def __init__(self, status: SmtpStatus, stage: Stage, *, remote: bool) -> None:
        super().__init__(str(status))
        self.status = status
        self.stage = stage
        self.remote = remote


_Dialogue = Generator[Step, None, None]
_Reading = Generator[Step, None, Reply]

_LOST = "4.4.2"
_TIMEOUT_OF: dict[Stage, float] = {
    Stage.CONNECT: EHLO_TIMEOUT_S,
    Stage.TLS: STARTTLS_TIMEOUT_S,
    Stage.AUTH: AUTH_TIMEOUT_S,
    Stage.MAIL: MAIL_TIMEOUT_S,
    Stage.RCPT: RCPT_TIMEOUT_S,
    Stage.DATA: DATA_START_TIMEOUT_S,
}


class SmtpClient:
    """One connection, from the greeting to QUIT. The dialogue is a generator that reads like the conversation."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._reader = ReplyReader()
        self._waiting: deque[Transaction] = deque()
        self._results: dict[Address, RecipientResult] = {}
        self._stage = Stage.CONNECT
        self._lost: tuple[str, str] | None = None
        self._tls_failed = False
        self._unfinished = False
        self._may_quit = True
        self._failed = False
        self._chunks = 0
        self.offer: Offer = NOTHING
        """What the server offered last (empty after HELO)."""
        self.greeting = ""
        self.is_ready = False
        """Greeted, and encrypted and signed in as far as that was asked for."""
        self.is_tls = options.tls is Tls.IMPLICIT
        self.transcript: list[str] = []
        self._dialogue = self._session()

    def add(self, transaction: Transaction) -> None:
        """To be sent in turn: before the first `step()` or on a `Finished`."""
        if not transaction.recipients:
            raise ValueError("a transaction needs a recipient")
        self._waiting.append(transaction)

    def step(self) -> Step:
        """What to do next; `Closed` for ever after the end."""
        return next(self._dialogue, _CLOSED)

    def receive(self, data: bytes) -> None:
        """What was read; `b""` says that the server has closed."""
        if data:
            self._reader.receive(data)
        else:
            self.lost("The server closed the connection")

    def lost(self, text: str) -> None:
        """The connection is gone or timed out; `text` is for people."""
        if self._lost is None:
            self._lost = (_LOST, text)
            self._note("--", text)

    def tls_started(self) -> None:
        self.is_tls = True
        # SECURITY: RFC 3207 §4.2: what came in plain text after STARTTLS, perhaps from someone between us, is forgotten.
        self._reader.discard()
        self._note("--", "TLS started")

    def tls_failed(self, text: str) -> None:
        """The handshake failed; the connection can't be used any more."""
        self._tls_failed = True
        self._lost = ("4.7.5", f"TLS could not be started: {text}")
        self._note("--", f"TLS could not be started: {text}")

    def content_sent(self, chunks: int = 0) -> None:
        """All of the content and its end were written, or so many chunks."""
        self._chunks = chunks
        self._note("C:", "BDAT (the message)" if chunks else "(the message)")

    @property
    def can_go_on(self) -> bool:
        """On a `Finished`: whether another transaction may be added, now or later."""
        # SECURITY: a reply that nobody asked for must not be taken for the answer to the next command.
        return (
            self.is_ready
            and not self._failed
            and self._lost is None
            and not self._waiting
            and self._reader.is_empty
        )

    def begin_excerpt(self, text: str) -> None:
        """The transcript starts anew with that line."""
        self.transcript.clear()
        self._note("--", text)

    @property
    def tls_handshake_failed(self) -> bool:
        """So that an opportunistic caller may try again without TLS."""
        return self._tls_failed

    # The dialogue

    def _session(self) -> _Dialogue:
        failure: _SessionError | None = None
        try:
            yield from self._open()
            self.is_ready = True
            while self._waiting:
                transaction = self._waiting[0]
                yield from self._transaction(transaction)
                self._waiting.popleft()
                yield Finished(self._outcome(transaction))
        except _SessionError as error:
            failure = error
        except ReplyError as error:
            # A server that breaks the protocol now may be healthy later.
            status = SmtpStatus(451, "4.5.0", str(error))
            failure = _SessionError(status, self._stage, remote=False)
            self._may_quit = False
        self._failed = failure is not None
        while self._waiting and failure is not None:
            transaction = self._waiting.popleft()
            for recipient in transaction.recipients:
                self._settle(recipient, failure.status, failure.stage, remote=failure.remote)
            yield Finished(self._outcome(transaction))
        if self._may_quit and self._lost is None:
            yield from self._quit()

    def _open(self) -> _Dialogue:
        reply = yield from self._read(Stage.CONNECT, GREETING_TIMEOUT_S)
        self.greeting = reply.lines[0]
        if not reply.is_success:
            self._fail(reply, Stage.CONNECT)
        yield from self._hello()
        if self._options.tls in {Tls.OPPORTUNISTIC, Tls.REQUIRED} and not self.is_tls:
            yield from self._secure()
        if self._options.choose_sasl is not None:
            yield from self._sign_in(self._options.choose_sasl)

    def _hello(self) -> _Dialogue:
        reply = yield from self._ask(f"EHLO {self._options.ehlo_name}", Stage.CONNECT)
        if reply.is_success:
            self.offer = parse_offer(reply.lines[1:])
            return
        # RFC 5321 §3.2: a server that does not know EHLO is spoken to with HELO. A 4xx or 421 is meant as it says.
        if reply.code not in {500, 501, 502, 504, 550}:
            self._fail(reply, Stage.CONNECT)
        self.offer = NOTHING
        reply = yield from self._ask(f"HELO {self._options.ehlo_name}", Stage.CONNECT)
        if not reply.is_success:
            self._fail(reply, Stage.CONNECT)

    def _secure(self) -> _Dialogue:
        required = self._options.tls is Tls.REQUIRED
        if Extension.STARTTLS not in self.offer:
            if required:
                status = SmtpStatus(451, "4.7.10", "The server does not offer TLS")
                raise _SessionError(status, Stage.TLS, remote=False)
            return
        reply = yield from self._ask("STARTTLS", Stage.TLS)
        if reply.code == 220:
            yield StartTls(STARTTLS_TIMEOUT_S)
            self._check_lost(Stage.TLS)
            # RFC 3207 §4.2: what was learned before does not count any more.
            yield from self._hello()
        elif required:
            self._fail(reply, Stage.TLS)

    def _sign_in(self, choose: ChooseSasl) -> _Dialogue:
        exchange = choose(self.offer.mechanisms)
        if exchange is None:
            offered = ", ".join(self.offer.mechanisms) or "none"
            status = SmtpStatus(
                535,
                "5.7.8",
                f"{NO_MECHANISM}, server supports {offered}",
            )
            raise _SessionError(status, Stage.AUTH, remote=False)
        initial = exchange.start()
        line = f"AUTH {exchange.name}"
        # RFC 4954 §4: an initial response that is empty is written as "=".
        if initial is not None:
            line += " " + (b64encode(initial).decode("ascii") or "=")
        reply = yield from self._ask(line, Stage.AUTH, shown=f"AUTH {exchange.name} …")
        for _ in range(MAX_AUTH_STEPS):
            if reply.code != 334:
                break
            try:
                response = exchange.step(b64decode(reply.lines[0], validate=True))
            except ValueError as error:
                # RFC 4954 §4: a client that can't go on cancels with "*".
                yield from self._ask("*", Stage.AUTH)
                status = SmtpStatus(535, "5.7.8", f"The sign-in was broken off: {error}")
                raise _SessionError(status, Stage.AUTH, remote=False) from None
            answer = b64encode(response).decode("ascii")
            reply = yield from self._ask(answer, Stage.AUTH, shown="…")
        if reply.code != 235:
            self._fail(reply, Stage.AUTH)
        if not exchange.is_complete:
            status = SmtpStatus(535, "5.7.8", "The server did not prove that it knows the password")
            raise _SessionError(status, Stage.AUTH, remote=False)

    def _transaction(self, transaction: Transaction) -> _Dialogue:
        if self._unfinished:
            # The one before ended without content; its MAIL and RCPT may still stand.
            self._unfinished = False
            yield from self._ask("RSET", Stage.MAIL)
        is_protected = self.is_tls and self._options.is_verified
        refusal, stage = needs.protection(transaction, self.offer, is_protected), Stage.TLS
        if refusal is None:
            refusal, stage = needs.capability(transaction, self.offer), Stage.MAIL
        if refusal is not None:
            for recipient in transaction.recipients:
                self._settle(recipient, refusal, stage, remote=False)
            return
        if transaction.needs_smtputf8 and Extension.SMTPUTF8 not in self.offer:
            transaction = self._without_international(transaction)
            if not transaction.recipients:
                return
        if self._options.try_sender:
            yield from self._try_sender(transaction)
            return
        wanted = {Extension.PIPELINING, Extension.CHUNKING}
        if self._options.chunking and wanted <= self.offer.keywords:
            yield from self._in_chunks(transaction)
            return
        if Extension.PIPELINING in self.offer:
            accepted = yield from self._envelope_pipelined(transaction)
        else:
            accepted = yield from self._envelope_step_by_step(transaction)
        if accepted is None:
            self._unfinished = True
            return
        if not accepted:
            # RFC 2920 §3.1: 354 although every recipient was refused: an empty message, whose reply says nothing.
            yield Send(b".\r\n", DATA_BLOCK_TIMEOUT_S)
            yield from self._read(Stage.DATA, DATA_END_TIMEOUT_S)
            return
        yield SendContent(transaction, DATA_BLOCK_TIMEOUT_S)
        self._check_lost(Stage.DATA)
        reply = yield from self._read(Stage.DATA, DATA_END_TIMEOUT_S)
        self._settle_all(accepted, reply)

    def _settle_all(self, accepted: Sequence[Address], reply: Reply) -> None:
        self._unfinished = not reply.is_success
        for recipient in accepted:
            self._settle(recipient, _final(reply), Stage.DATA)

    def _in_chunks(self, transaction: Transaction) -> _Dialogue:
        """RFC 3030: no 354 to wait for; a small message goes out together with its envelope."""
        self._chunks = 0
        if transaction.at_once and len(transaction.recipients) <= PIPELINE_GROUP:
            yield from self._all_at_once(transaction)
            return
        accepted = yield from self._envelope_pipelined(transaction, with_data=False)
        if not accepted:
            self._unfinished = True
            return
        yield SendContent(transaction, DATA_BLOCK_TIMEOUT_S, chunked=True)
        self._check_lost(Stage.DATA)
        reply = yield from self._read_chunks()
        self._settle_all(accepted, reply)

    def _all_at_once(self, transaction: Transaction) -> _Dialogue:
        lines = [self._mail_line(transaction)]
        lines += [self._rcpt_line(transaction, recipient) for recipient in transaction.recipients]
        self._stage = Stage.DATA
        envelope = self._send(lines).data
        yield SendContent(transaction, DATA_BLOCK_TIMEOUT_S, chunked=True, envelope=envelope)
        # From here on a lost connection means that the server may have all of it: for us that is DATA.
        mail = yield from self._read(Stage.MAIL, lost_in=Stage.DATA)
        accepted: list[Address] = []
        for recipient in transaction.recipients:
            reply = yield from self._read(Stage.RCPT, lost_in=Stage.DATA)
            if not mail.is_success:
                self._settle(recipient, _refusal(mail), Stage.MAIL)
            elif reply.is_success:
                accepted.append(recipient)
            else:
                self._settle(recipient, _refusal(reply), Stage.RCPT)
        reply = yield from self._read_chunks()
        self._settle_all(accepted, reply)

    def _read_chunks(self) -> _Reading:
        """The last reply, or the first one that refuses."""
        first = reply = yield from self._read(Stage.DATA, DATA_END_TIMEOUT_S)
        for _ in range(1, self._chunks):
            reply = yield from self._read(Stage.DATA, DATA_END_TIMEOUT_S)
            if first.is_success:
                first = reply
        return first

    def _try_sender(self, transaction: Transaction) -> _Dialogue:
        reply = yield from self._ask(self._mail_line(transaction), Stage.MAIL)
        for recipient in transaction.recipients:
            self._settle(recipient, _final(reply), Stage.MAIL)
        if reply.is_success:
            yield from self._ask("RSET", Stage.MAIL)

    def _without_international(self, transaction: Transaction) -> Transaction:
        """The rest of it, when only some recipients need what the server does not offer."""
        for recipient in transaction.recipients:
            if not recipient.is_ascii:
                self._settle(recipient, needs.NO_INTERNATIONAL_ADDRESS, Stage.MAIL, remote=False)
        rest = tuple(r for r in transaction.recipients if r.is_ascii)
        return replace(transaction, recipients=rest)

    def _mail_line(self, transaction: Transaction) -> str:
        line = f"MAIL FROM:{format_path(transaction.sender)}"
        if Extension.SIZE in self.offer and transaction.size_bytes:
            line += f" SIZE={transaction.size_bytes}"
        # RFC 6152 §3 asks to convert for a server without 8BITMIME; like all large senders, we send it as it is.
        if Extension.EIGHT_BIT_MIME in self.offer:
            line += f" BODY={transaction.body}"
        if transaction.needs_smtputf8:
            line += " SMTPUTF8"
        return line + mail_parameters(transaction.asked, self.offer)

    def _rcpt_line(self, transaction: Transaction, recipient: Address) -> str:
        wish = transaction.wishes.get(recipient, NO_WISH)
        return f"RCPT TO:{format_path(recipient)}" + rcpt_parameters(
            wish, self.offer, smtputf8=transaction.needs_smtputf8
        )

    def _envelope_pipelined(
        self, transaction: Transaction, *, with_data: bool = True
    ) -> Generator[Step, None, list[Address] | None]:
        """MAIL, all RCPT and DATA in one go (RFC 2920); the accepted recipients when content is awaited."""
        lines = [self._mail_line(transaction)]
        recipients = transaction.recipients
        accepted: list[Address] = []
        mail: Reply | None = None
        for start in range(0, len(recipients), PIPELINE_GROUP):
            group = recipients[start : start + PIPELINE_GROUP]
            lines += [self._rcpt_line(transaction, recipient) for recipient in group]
            is_last = start + PIPELINE_GROUP >= len(recipients)
            if is_last and with_data:
                lines.append("DATA")
            self._stage = Stage.MAIL if mail is None else Stage.RCPT
            yield self._send(lines)
            lines = []
            if mail is None:
                mail = yield from self._read(Stage.MAIL)
            for recipient in group:
                reply = yield from self._read(Stage.RCPT)
                if not mail.is_success:
                    self._settle(recipient, _refusal(mail), Stage.MAIL)
                elif reply.is_success:
                    accepted.append(recipient)
                else:
                    self._settle(recipient, _refusal(reply), Stage.RCPT)
            if not is_last and not mail.is_success:
                for recipient in recipients[start + PIPELINE_GROUP :]:
                    self._settle(recipient, _refusal(mail), Stage.MAIL)
                return None
        if not with_data:
            return accepted
        reply = yield from self._read(Stage.DATA)
        if reply.code == 354:
            return accepted
        for recipient in accepted:
            self._settle(recipient, _refusal(reply), Stage.DATA)
        return None

    def _envelope_step_by_step(
        self, transaction: Transaction
    ) -> Generator[Step, None, list[Address] | None]:
        reply = yield from self._ask(self._mail_line(transaction), Stage.MAIL)
        if not reply.is_success:
            for recipient in transaction.recipients:
                self._settle(recipient, _refusal(reply), Stage.MAIL)
            return None
        accepted: list[Address] = []
        for recipient in transaction.recipients:
            reply = yield from self._ask(self._rcpt_line(transaction, recipient), Stage.RCPT)
            if reply.is_success:
                accepted.append(recipient)
            else:
                self._settle(recipient, _refusal(reply), Stage.RCPT)
        if accepted:
            reply = yield from self._ask("DATA", Stage.DATA)
            if reply.code == 354:
                return accepted
            for recipient in accepted:
                self._settle(recipient, _refusal(reply), Stage.DATA)
        return None

    def _quit(self) -> _Dialogue:
        yield self._send(["QUIT"], QUIT_TIMEOUT_S)
        while self._lost is None:
            try:
                reply = self._reader.next()
            except ReplyError:
                return
            if reply is not None:
                self._note("S:", str(reply))
                return
            yield Receive(QUIT_TIMEOUT_S)

    # Sending and reading

    def _send(self, lines: Sequence[str], timeout_s: float = MAIL_TIMEOUT_S) -> Send:
        for line in lines:
            self._note("C:", line)
        return Send("".join(f"{line}\r\n" for line in lines).encode(), timeout_s)

    def _ask(self, line: str, stage: Stage, *, shown: str = "") -> _Reading:
        self._stage = stage
        self._note("C:", shown or line)
        yield Send(f"{line}\r\n".encode(), _TIMEOUT_OF[stage])
        return (yield from self._read(stage))

    def _read(
        self, stage: Stage, timeout_s: float = 0.0, *, lost_in: Stage | None = None
    ) -> _Reading:
        self._stage = lost_in or stage
        while (reply := self._reader.next()) is None:
            self._check_lost(lost_in or stage)
            yield Receive(timeout_s or _TIMEOUT_OF[stage])
        self._note("S:", str(reply))
        # RFC 5321 §3.8: 421 may come at any time and says that the server closes the channel.
        if reply.code == 421:
            self._may_quit = False
            raise _SessionError(reply.status, stage, remote=True)
        return reply

    def _check_lost(self, stage: Stage) -> None:
        if self._lost is not None:
            enhanced, text = self._lost
            raise _SessionError(SmtpStatus(451, enhanced, text), stage, remote=False)

    def _fail(self, reply: Reply, stage: Stage) -> None:
        raise _SessionError(_refusal(reply), stage, remote=True)

    # Results

    def _settle(
        self, recipient: Address, status: SmtpStatus, stage: Stage, *, remote: bool = True
    ) -> None:
        self._results.setdefault(
            recipient,
            RecipientResult(
                recipient=recipient,
                status=status,
                stage=stage,
                remote=remote,
                peer_reports=Extension.DSN in self.offer,
            ),
        )

    def _outcome(self, transaction: Transaction) -> Outcome:
        results = tuple(self._results[recipient] for recipient in transaction.recipients)
        self._results = {}
        return Outcome(transaction, results)

    def _note(self, who: str, text: str) -> None:
        if len(self.transcript) < MAX_TRANSCRIPT_LINES:
            self.transcript.append(f"{who} {text[:MAX_TRANSCRIPT_CHARS]}")


_CLOSED = Closed()


def _final(reply: Reply) -> SmtpStatus:
    """The reply to a command whose success is the end of the matter."""
    return reply.status if reply.is_success else _refusal(reply)


def _refusal(reply: Reply) -> SmtpStatus:
    """A reply that does not let us go on. SECURITY: never a success, whatever the server says out of turn (250 to DATA …)."""
    status = reply.status
    if status.is_temporary or status.is_permanent:
        return status
    return SmtpStatus(451, "4.5.0", f"The server gave an unexpected reply: {reply}")

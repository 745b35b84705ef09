"""May this account send that, and what becomes of it? The way from a submission to our own mailboxes and the queue.

All recipients or none: refusals come before anything is kept. Recipients elsewhere and, when there are both, those here
are committed to the queue together; then the local part is delivered and removed from the queue, and only then comes
the 250. After a crash in between, the queue delivers the local part under the same delivery id.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, assert_never

from backend.accounts.directory import (
    Directory,
    Group,
    Local,
    Unavailable,
    UnknownDomain,
    UnknownUser,
)
from backend.config.model import Config
from backend.core.address import Address, AddressError, parse_address
from backend.core.clock import Clock, SystemClock
from backend.core.connection import SessionFacts
from backend.core.envelope import NO_WISH, Envelope, Notify
from backend.core.errors import RefusedError, TemporaryError
from backend.core.events import TimelineEntry
from backend.core.ids import AccountId
from backend.core.status import NO_SUCH_USER, SmtpStatus
from backend.mailauth.signing import Signed
from backend.message import headers
from backend.message.addresses import parse_mailboxes
from backend.message.dates import format_timestamp
from backend.message.encoded import decode_header
from backend.message.received import received_line, return_path_line
from backend.observe import log as logs
from backend.outbound.asked import moment, release_at, wants
from backend.outbound.content import INLINE_LIMIT_BYTES, read_start, write_file
from backend.outbound.declared import corrected
from backend.outbound.entries import (
    MAX_SUBJECT_CHARS,
    PRACTICE_NOTE,
    Accepted,
    NewEntry,
    local_delivery_id,
)
from backend.outbound.limits import SendLimits, limit_of
from backend.outbound.owed import settle_local
from backend.outbound.queue import Queue
from backend.runtime.threads import Pool, run_blocking
from backend.store.values import Content, NewMessage, Target

log = logs.get(__name__)

MAX_HEADER_OCTETS = 1024 * 1024  # a security limit
MAX_SUBJECT_OCTETS = 4096  # looked at, for the lists of the faces
MAX_RECORDED_RECIPIENTS = 20  # in the timeline of one message

# Stripped from what leaves and from what is delivered here: the one tells a secret, the other is the last server's to write.
_STRIPPED = (b"Bcc", b"Resent-Bcc", b"Return-Path")

_HEADER_TOO_LARGE = SmtpStatus(
    552, "5.6.0", "The header of the message is larger than one megabyte"
)
_NO_AUTHOR = SmtpStatus(550, "5.6.0", "The message has no From line with an address")
_TWO_AUTHORS = SmtpStatus(550, "5.6.0", "The message has more than one From line")
_UNAVAILABLE = SmtpStatus(451, "4.3.2", "The recipient's domain is switched off for a while")
_DISABLED = SmtpStatus(550, "5.7.1", "This account may not send mail; ask who runs the server")


class Deliver(Protocol):
    """`Store.deliver`: to all targets or none, durable on return; the same `delivery_id` never twice."""

    async def __call__(
        self, message: NewMessage, targets: Sequence[Target], *, delivery_id: str | None = None
    ) -> object: ...


Sign = Callable[[Address, bytes, bytes | Path, int], Awaitable[Signed]]
"""`DkimSigner.sign`: the author, the header, and where in which content the body begins."""


@dataclass(frozen=True, slots=True)
class _Recipients:
    remote: tuple[Address, ...]
    local: tuple[tuple[Address, Target], ...]

    @property
    def targets(self) -> tuple[Target, ...]:
        return tuple(dict.fromkeys(target for _, target in self.local))


@dataclass(frozen=True, slots=True)
class _Prepared:
    content: bytes | Path
    size_bytes: int
    header: bytes
    message_id: str
    signed: Signed | None


class Submitter:
    def __init__(
        self,
        queue: Queue,
        *,
        config: Callable[[], Config],
        directory: Directory,
        deliver: Deliver,
        sign: Sign | None = None,
        clock: Clock | None = None,
        record: Callable[[TimelineEntry], None] = lambda _: None,
    ) -> None:
        self._queue = queue
        self._config = config
        self._directory = directory
        self._deliver = deliver
        self._dkim = sign
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._record = record

    async def submit(
        self, account: AccountId, envelope: Envelope, content: Content, facts: SessionFacts
    ) -> SmtpStatus:
        """Accepted for good on return. `content` as the client sent it; a file stays the caller's.

        Raises:
            RefusedError: the account may not send this, or a recipient here does not exist.
            TemporaryError: not now; a limit on sending, a full mailbox or disk.
        """
        try:
            return await self._take(account, envelope, content, facts)
        except (RefusedError, TemporaryError) as error:
            self._tell_refused(account, envelope, facts, error.status)
            raise

    async def _take(
        self, account: AccountId, envelope: Envelope, content: Content, facts: SessionFacts
    ) -> SmtpStatus:
        self._check_sender(account, envelope.sender)
        recipients = self._sort(account, envelope.recipients)
        header, body_at = await _read_header(content)
        author = self._check_authors(account, header)
        envelope = await corrected(envelope, header, content)
        prepared = await self._prepare(envelope, content, header, body_at, author, facts)
        try:
            if recipients.remote or self._must_wait(envelope, recipients):
                entry = self._entry(account, envelope, recipients, prepared, facts)
                accepted = await self._queue.add(entry, self._limits(account, facts))
            else:
                accepted = None
                await self._deliver_all(account, envelope.sender, recipients, prepared, facts)
        except Exception:
            # Not when cancelled: the queue may then own the file all the same; a stray is removed at the next start.
            await self._remove(prepared)
            raise
        if accepted is None:
            await self._remove(prepared)
        elif recipients.local and not release_at(envelope.asked, self._clock.time()):
            await self._deliver_local_part(accepted.message, envelope, recipients, prepared, facts)
        self._tell(account, envelope, recipients, prepared, facts, accepted)
        return SmtpStatus(250, "2.0.0", f"Accepted as {facts.trace}")

    # Checks

    def _check_sender(self, account: AccountId, sender: Address | None) -> None:
        if self._directory.is_disabled(account):
            raise RefusedError(_DISABLED)
        # The null sender is what mail apps use for read receipts; nobody will hear of their failure.
        if sender is not None and not self._directory.may_send_as(account, sender):
            raise RefusedError(_not_yours(str(sender)))

    def _check_authors(self, account: AccountId, header: bytes) -> Address:
        """The first author."""
        # RFC 6409 §6.1: a submission server may insist on an author that belongs to the one who signed in.
        fields = headers.get_all(header, b"From")
        if len(fields) > 1:
            raise RefusedError(_TWO_AUTHORS)
        boxes = parse_mailboxes(fields[0]) if fields else []
        if not boxes:
            raise RefusedError(_NO_AUTHOR)
        authors = []
        for box in boxes:
            try:
                author = parse_address(box.address)
            except AddressError:
                raise RefusedError(_not_yours(box.address)) from None
            if not self._directory.may_send_as(account, author):
                raise RefusedError(_not_yours(box.address))
            authors.append(author)
        return authors[0]

    def _sort(self, account: AccountId, addresses: Sequence[Address]) -> _Recipients:
        remote: list[Address] = []
        local: list[tuple[Address, Target]] = []
        unknown: list[str] = []
        for address in dict.fromkeys(addresses):
            match found := self._directory.resolve(address):
                case Local():
                    local.append((address, Target(found.account, found.mailbox)))
                case Group() if found.may_post(account):
                    local += [(address, Target(m.account, m.mailbox)) for m in found.members]
                case Group():
                    raise RefusedError(
                        SmtpStatus(550, "5.7.1", f"Only its members may write to {address}")
                    )
                case UnknownDomain():
                    remote.append(address)
                case UnknownUser():
                    unknown.append(str(address))
                case Unavailable():
                    raise TemporaryError(_UNAVAILABLE)
                case _:
                    assert_never(found)
        if unknown:
            names = ", ".join(unknown[:3])
            raise RefusedError(
                SmtpStatus(550, NO_SUCH_USER.enhanced, f"{NO_SUCH_USER.text}: {names}")
            )
        return _Recipients(tuple(remote), tuple(local))

    def _must_wait(self, envelope: Envelope, recipients: _Recipients) -> bool:
        """Whether the queue is needed although all are here: for a later time, or for a report that is owed."""
        if release_at(envelope.asked, self._clock.time()):
            return True
        wishes = [envelope.wishes.get(address, NO_WISH) for address, _ in recipients.local]
        return envelope.sender is not None and any(wants(w, Notify.SUCCESS) for w in wishes)

    def _limits(self, account: AccountId, facts: SessionFacts) -> SendLimits | None:
        config = self._config()
        if config.server.practice_mode and facts.peer_is_loopback:
            return None
        settings = config.domains.accounts.get(account)
        if settings is None:
            return None
        return SendLimits(settings.outgoing_limit, settings.first_time_limit)

    # Content

    async def _prepare(
        self,
        envelope: Envelope,
        content: Content,
        header: bytes,
        body_at: int,
        author: Address,
        facts: SessionFacts,
    ) -> _Prepared:
        now, hostname = self._clock.time(), self._config().server.hostname
        added = [
            received_line(
                helo=facts.greeting,
                peer_ip=facts.peer_address,
                by=hostname,
                protocol=facts.protocol,
                trace=facts.trace,
                at=now,
                tls=facts.tls,
            )
        ]
        # RFC 6409 §8.2 and §8.3: the submission server adds Date and Message-ID where the app left them out.
        if headers.get(header, b"Date") is None:
            added.append(f"Date: {format_timestamp(now)}\r\n".encode())
        message_id = (headers.get(header, b"Message-ID") or b"").decode("ascii", "replace")
        if not message_id:
            domain = envelope.sender.domain.ascii if envelope.sender is not None else hostname
            message_id = f"<{secrets.token_hex(16)}@{domain or hostname}>"
            added.append(f"Message-ID: {message_id}\r\n".encode())
        whole = headers.prepend(headers.without_fields(header, _STRIPPED), added)
        signed = await self._sign(author, whole, content, body_at)
        if signed is not None:
            whole = headers.prepend(whole, signed.fields)
        if isinstance(content, bytes) and len(content) <= INLINE_LIMIT_BYTES:
            stored: bytes | Path = whole + content[body_at:]
            size_bytes = len(whole) + len(content) - body_at
        else:
            stored = await run_blocking(
                Pool.FILES, write_file, self._queue.files, whole, content, body_at
            )
            size_bytes = stored.stat().st_size
        return _Prepared(stored, size_bytes, whole, message_id, signed)

    async def _sign(
        self, author: Address, header: bytes, content: Content, body_at: int
    ) -> Signed | None:
        """Behaviour D1: a domain without configuration is a fault; otherwise mail goes, with a signature or without."""
        if self._dkim is None:
            return None
        try:
            return await self._dkim(author, header, content, body_at)
        except TemporaryError:
            raise
        except Exception as error:
            log.error("message could not be signed", domain=author.domain.ascii, cause=repr(error))
            return None

    def _local_message(self, sender: Address | None, prepared: _Prepared) -> NewMessage:
        return NewMessage(
            content=prepared.content,
            received_at=self._clock.time(),
            prefix=return_path_line(sender),
        )

    # Keeping

    def _entry(
        self,
        account: AccountId,
        envelope: Envelope,
        recipients: _Recipients,
        prepared: _Prepared,
        facts: SessionFacts,
    ) -> NewEntry:
        return NewEntry(
            trace=facts.trace,
            account=account,
            sender=envelope.sender,
            content=prepared.content,
            size_bytes=prepared.size_bytes,
            header_bytes=len(prepared.header),
            message_id=prepared.message_id,
            subject=_subject(prepared.header),
            body=envelope.body,
            smtputf8=envelope.smtputf8,
            remote=recipients.remote,
            local=recipients.local,
            asked=envelope.asked,
            wishes=envelope.wishes,
            max_attempts=self._config().server.outbound.max_attempts,
        )

    async def _deliver_all(
        self,
        account: AccountId,
        sender: Address | None,
        recipients: _Recipients,
        prepared: _Prepared,
        facts: SessionFacts,
    ) -> None:
        addresses = list(dict.fromkeys(address for address, _ in recipients.local))
        await self._queue.count_only(account, addresses, self._limits(account, facts))
        await self._deliver(self._local_message(sender, prepared), recipients.targets)

    async def _deliver_local_part(
        self,
        message: int,
        envelope: Envelope,
        recipients: _Recipients,
        prepared: _Prepared,
        facts: SessionFacts,
    ) -> None:
        """The message is accepted already: what fails here, the queue does later."""
        try:
            await self._deliver(
                self._local_message(envelope.sender, prepared),
                recipients.targets,
                delivery_id=local_delivery_id(facts.trace, message),
            )
            await settle_local(self._queue, message)
        except Exception as error:
            log.warning("local part of a message is put off", cause=repr(error))
            self._queue.on_work()

    @staticmethod
    async def _remove(prepared: _Prepared) -> None:
        if isinstance(prepared.content, Path):
            await run_blocking(Pool.FILES, prepared.content.unlink, missing_ok=True)

    def _tell(
        self,
        account: AccountId,
        envelope: Envelope,
        recipients: _Recipients,
        prepared: _Prepared,
        facts: SessionFacts,
        accepted: Accepted | None,
    ) -> None:
        now = self._clock.time()
        sender = "<>" if envelope.sender is None else str(envelope.sender)
        named = [str(address) for address in envelope.recipients[:MAX_RECORDED_RECIPIENTS]]
        self._record(
            TimelineEntry(
                facts.trace,
                now,
                "received",
                f"The account {account} sent a message from {sender} to {len(envelope.recipients)} recipients"
                if len(envelope.recipients) > 1
                else f"The account {account} sent a message from {sender} to {named[0]}",
                {
                    "direction": "out",
                    "account": account,
                    "sender": sender,
                    "recipients": ", ".join(named),
                    "peer": facts.peer_address,
                    "message_id": prepared.message_id,
                    "session": str(facts.cid),
                },
            )
        )
        self._tell_signed(prepared.signed, facts)
        log.info(
            "message accepted for sending",
            trace=facts.trace,
            account=account,
            remote=len(recipients.remote),
            local=len(recipients.local),
        )
        released_at = release_at(envelope.asked, now)
        for address, target in recipients.local[:MAX_RECORDED_RECIPIENTS]:
            kind, text = (
                "delivered",
                f"Put into {target.mailbox} of {target.account}, on this server",
            )
            if released_at:
                kind, text = (
                    "queued",
                    f"Kept until {moment(released_at)}, then put into {target.mailbox} of {target.account}",
                )
            details = {"recipient": str(address), "account": str(target.account)}
            self._record(TimelineEntry(facts.trace, now, kind, text, details))
        later = f" after {moment(released_at)}" if released_at else ""
        practice = f"; {PRACTICE_NOTE}" if self._queue.practice_mode else ""
        held = dict(accepted.held) if accepted is not None else {}
        stopped = frozenset(accepted.stopped) if accepted is not None else frozenset()
        ids = iter(accepted.remote if accepted is not None else ())
        for address in recipients.remote[:MAX_RECORDED_RECIPIENTS]:
            kind, text = "queued", f"In the queue, to be sent to {address}{later}{practice}"
            if address in held:
                kind, text = "held", f"In the queue for {address}, {held[address]}"
            if address in stopped:
                kind, text = (
                    "bounced",
                    f"Not sent to {address}: it is among the suppressed addresses",
                )
            details = {"recipient": str(address)}
            if address not in stopped and (number := next(ids, None)) is not None:
                details["queue_id"] = str(number)
            self._record(TimelineEntry(facts.trace, now, kind, text, details))

    def _tell_refused(
        self, account: AccountId, envelope: Envelope, facts: SessionFacts, status: SmtpStatus
    ) -> None:
        sender = "<>" if envelope.sender is None else str(envelope.sender)
        named = [str(address) for address in envelope.recipients[:MAX_RECORDED_RECIPIENTS]]
        details = {
            "direction": "out",
            "account": account,
            "sender": sender,
            "recipients": ", ".join(named),
            "peer": facts.peer_address,
            "reply": str(status),
        }
        if reached := limit_of(status):
            details["limit"] = reached
        text = f"A message of the account {account} was not taken: {status.text}"
        self._record(TimelineEntry(facts.trace, self._clock.time(), "rejected", text, details))
        log.info("message not accepted for sending", account=account, reply=str(status))

    def _tell_signed(self, signed: Signed | None, facts: SessionFacts) -> None:
        if signed is None or not (signed.selectors or signed.failed):
            return
        names = ", ".join(signed.selectors)
        text = (
            f"Signed for {signed.domain} (DKIM) with {names}"
            if names
            else f"Not signed for {signed.domain} (DKIM)"
        )
        if signed.failed:
            text += f"; signing with {', '.join(signed.failed)} failed, see the log"
        self._record(
            TimelineEntry(
                facts.trace,
                self._clock.time(),
                "unsigned" if signed.failed else "signed",
                text,
            )
        )


async def _read_header(content: Content) -> tuple[bytes, int]:
    """The header block, ending in its blank line, and where the body begins.

    Raises:
        RefusedError: it is too large.
    """
    if isinstance(content, bytes):
        start = content[: MAX_HEADER_OCTETS + 1]
    else:
        start = await run_blocking(Pool.FILES, read_start, content, MAX_HEADER_OCTETS + 1)
    body_at = headers.find_body(start)
    if body_at > MAX_HEADER_OCTETS:
        raise RefusedError(_HEADER_TOO_LARGE)
    return start[:body_at], body_at


def _subject(header: bytes) -> str:
    text = decode_header((headers.get(header, b"Subject") or b"")[:MAX_SUBJECT_OCTETS])
    return "".join(c if c.isprintable() else " " for c in text[:MAX_SUBJECT_CHARS]).strip()


def _not_yours(address: str) -> SmtpStatus:
    shown = "".join(char if char.isprintable() else "?" for char in address[:200])
    return SmtpStatus(
        550,
        "5.7.1",
        f"Your account may not send as {shown}; add that address to the account or choose another sender",
    )

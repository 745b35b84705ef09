"""From an accepted message to the mailboxes: judged, marked with its trace lines, stored for all recipients or for none.

Port 25 asks `accept_recipient` at RCPT and calls `receive` after DATA. Mail of our own accounts goes by way of `outbound`.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from backend.accounts.directory import Directory
from backend.core.address import Address
from backend.core.clock import Clock, SystemClock
from backend.core.connection import SessionFacts
from backend.core.envelope import Envelope
from backend.core.errors import RefusedError, TemporaryError
from backend.core.events import TimelineEntry
from backend.core.ids import AccountId, TraceId
from backend.core.status import MAILBOX_FULL, SmtpStatus
from backend.inbound.checks import Check, Fact, Incoming, Verdict
from backend.inbound.decide import Action, Decision, decide
from backend.inbound.pipeline import gather_facts
from backend.inbound.recipients import Recipient, decide_recipient
from backend.message.headers import MAX_HEADER_OCTETS, find_body
from backend.message.received import received_line, return_path_line
from backend.observe import log as logs
from backend.runtime.threads import Pool, run_blocking
from backend.store.store import Store
from backend.store.values import Content, NewMessage, Target

log = logs.get(__name__)

Timeline = Callable[[TimelineEntry], None]
Follow = Callable[[Sequence[AccountId], Address | None, Content, TraceId], Awaitable[object]]
"""What comes after a delivery: the accounts, the sender, the content as it came, and its trace."""

_RECIPIENTS_CHANGED = SmtpStatus(
    451, "4.2.1", "The recipients have changed in the meantime; please send it again"
)
_RECEIVED = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rb"(?im)^message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\r\n]{1,250}>)")


def _untold(_: TimelineEntry) -> None:
    pass


async def _unfollowed(*_: object) -> None:
    pass


class Inbound:
    def __init__(
        self,
        store: Store,
        directory: Directory,
        *,
        hostname: str,
        checks: Sequence[Check] = (),
        clock: Clock | None = None,
        timeline: Timeline = _untold,
        follow: Follow = _unfollowed,
    ) -> None:
        self._store = store
        self._directory = directory
        self._hostname = hostname
        self._checks = tuple(checks)
        self._clock = clock or SystemClock()
        self._timeline = timeline
        self._follow = follow

    def accept_recipient(
        self, session: SessionFacts, sender: Address | None, address: Address
    ) -> Recipient | SmtpStatus:
        """The answer to RCPT; a refusal stands in the timeline, so that "why did it not arrive" has an answer."""
        answer = decide_recipient(self._directory, address)
        if isinstance(answer, SmtpStatus):
            self._tell(
                session.trace,
                "rejected",
                f"Mail from {_name(sender)} for {address} was refused: {answer.text}",
                sender=_name(sender),
                recipient=str(address),
                reply=str(answer),
                peer=session.peer_address,
                session=session.cid,
            )
            log.info(
                "recipient refused",
                recipient=address,
                peer=session.peer_address,
                reply=answer.code,
                enhanced=answer.enhanced,
            )
        return answer

    async def has_room(self, session: SessionFacts, recipient: Recipient, size_bytes: int) -> bool:
        """Whether a message of the announced size (0: unknown) fits within the account's limit.

        Asked at RCPT: a message goes to all of its recipients or to none, and one full mailbox must not keep it from others.
        """
        accounts = {place.account for place in recipient.places}
        if all([await self._account_has_room(account, size_bytes) for account in accounts]):
            return True
        self._tell(
            session.trace,
            "rejected",
            f"Mail for {recipient.address} was refused: the mailbox is full",
            recipient=str(recipient.address),
            reply=str(MAILBOX_FULL),
            peer=session.peer_address,
            session=session.cid,
        )
        return False

    async def _account_has_room(self, account: AccountId, size_bytes: int) -> bool:
        if self._store.quota(account) is None:
            return True
        usage = await (await self._store.account(account)).usage()
        limit = usage.limit_bytes
        return limit is None or usage.size_bytes + max(size_bytes, 1) <= limit

    async def receive(
        self,
        envelope: Envelope,
        targets: Sequence[Recipient],
        content: Content,
        session: SessionFacts,
    ) -> SmtpStatus:
        """One message with all its recipients; durable before the 250 is returned.

        Raises:
            RefusedError, TemporaryError: with the reply.
        """
        trace = session.trace
        size_bytes = _size(content)
        header = await _header(content)
        self._tell(
            trace,
            "received",
            f"Mail from {_name(envelope.sender)} for {_names(targets)} came from {session.peer_address}",
            sender=_name(envelope.sender),
            recipients=", ".join(str(target.address) for target in targets[:20]),
            peer=session.peer_address,
            greeting=session.greeting,
            protocol=session.protocol,
            tls=session.tls,
            size_bytes=str(size_bytes),
            message_id=_message_id(header),
            session=session.cid,
        )
        facts = await gather_facts(self._checks, Incoming(envelope, content, session))
        decision = decide(facts, received_count=_count_received(header))
        reasons = " ".join(decision.reasons)
        if facts:
            texts = "; ".join(fact.text for fact in facts if fact.text)
            verdicts = {fact.check: fact.verdict.value for fact in facts}
            self._tell(trace, "checked", texts, reasons=reasons, **verdicts)
        if decision.action is Action.REJECT:
            assert decision.status is not None  # REJECT has one
            self._tell(
                trace,
                "rejected",
                f"It was refused: {decision.status.text}",
                reply=str(decision.status),
            )
            log.info("message rejected", trace=trace, reasons=reasons, size_bytes=size_bytes)
            return decision.status
        prefix = _return_path_and_delivered_to(envelope.sender, targets) + received_line(
            helo=session.greeting,
            peer_ip=session.peer_address,
            peer_name=_reverse_name(facts),
            by=self._hostname,
            protocol=session.protocol,
            trace=trace,
            at=self._clock.time(),
            tls=session.tls,
            recipient=_only(targets),
        )
        try:
            await self._commit(
                trace, _redirected(self._as_they_are_now(targets), decision), content, prefix
            )
        except (RefusedError, TemporaryError) as error:
            self._tell(
                trace,
                "rejected",
                f"It could not be stored: {error.status.text}",
                reply=str(error.status),
            )
            raise
        log.info(
            "message accepted",
            trace=trace,
            reasons=reasons,
            size_bytes=size_bytes,
            recipients=len(targets),
        )
        accounts = list(
            dict.fromkeys(place.account for target in targets for place in target.places)
        )
        try:
            await self._follow(accounts, envelope.sender, content, trace)
        except Exception as error:  # the message is stored, which is what was asked for
            log.warning("what follows a delivery failed", trace=trace, cause=repr(error))
        return SmtpStatus(250, "2.0.0", f"Stored as {trace}")

    def _as_they_are_now(self, targets: Sequence[Recipient]) -> list[Recipient]:
        """An account may have been removed, or an address given to another one, while the message came in.

        Raises:
            TemporaryError: one is none of ours any more; the client asks for each of them again.
        """
        now = [decide_recipient(self._directory, target.address) for target in targets]
        left = [recipient for recipient in now if isinstance(recipient, Recipient)]
        if len(left) < len(targets):
            raise TemporaryError(_RECIPIENTS_CHANGED)
        return left

    async def _commit(
        self,
        trace: TraceId,
        targets: Sequence[Recipient],
        content: Content,
        prefix: bytes,
    ) -> None:
        # Two recipients that lead to the same mailbox are one message in it.
        places = dict.fromkeys(
            Target(place.account, place.mailbox) for target in targets for place in target.places
        )
        message = NewMessage(content, self._clock.time(), prefix=prefix)
        await self._store.deliver(message, tuple(places))
        for place in places:
            self._tell(
                trace,
                "delivered",
                f"It lies in {place.mailbox} of the account {place.account}",
                account=place.account,
                mailbox=place.mailbox,
            )

    def _tell(self, trace: TraceId, kind: str, text: str, **details: str) -> None:
        shown = {key: value for key, value in details.items() if value}
        self._timeline(
            TimelineEntry(trace=trace, at=self._clock.time(), kind=kind, text=text, details=shown)
        )


def _redirected(targets: Sequence[Recipient], decision: Decision) -> Sequence[Recipient]:
    if decision.mailbox is None:
        return targets
    return [
        replace(t, places=tuple(replace(p, mailbox=decision.mailbox) for p in t.places))
        for t in targets
    ]


def _return_path_and_delivered_to(sender: Address | None, targets: Sequence[Recipient]) -> bytes:
    # RFC 5321 §4.4: the server that makes the final delivery puts Return-Path first.
    lines = return_path_line(sender)
    only = _only(targets)
    if only is not None:
        lines += f"Delivered-To: {only}\r\n".encode()
    return lines


def _only(targets: Sequence[Recipient]) -> Address | None:
    # SECURITY: with several recipients, naming one would tell the others of a blind copy.
    return targets[0].address if len(targets) == 1 else None


def _reverse_name(facts: Sequence[Fact]) -> str:
    for fact in facts:
        if fact.check == "iprev" and fact.verdict is Verdict.PASS:
            return fact.subject
    return ""


def _name(sender: Address | None) -> str:
    return "<>" if sender is None else str(sender)


def _names(targets: Sequence[Recipient]) -> str:
    shown = [str(target.address) for target in targets[:5]]
    more = len(targets) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _size(content: Content) -> int:
    return content.stat().st_size if isinstance(content, Path) else len(content)


async def _header(content: Content) -> bytes:
    if isinstance(content, Path):
        start = await run_blocking(Pool.FILES, _read_start, content)
        return start[: find_body(start)]
    return content[: find_body(content, 0, min(len(content), MAX_HEADER_OCTETS))]


def _read_start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_HEADER_OCTETS)


def _message_id(header: bytes) -> str:
    found = _MESSAGE_ID.search(header)
    return found[1].decode("utf-8", "replace") if found else ""


def _count_received(header: bytes) -> int:
    return len(_RECEIVED.findall(header))

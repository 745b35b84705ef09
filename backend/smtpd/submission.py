"""The session on ports 587 and 465: mail of our own accounts, to anyone. Signing in is demanded by the listener."""

from datetime import UTC, datetime
from typing import Protocol

from backend.accounts.directory import Directory, Group, UnknownUser
from backend.core.address import Address
from backend.core.clock import Clock, SystemClock
from backend.core.connection import SessionFacts
from backend.core.envelope import Envelope
from backend.core.ids import AccountId
from backend.core.status import SmtpStatus
from backend.smtp.extensions import Extension, Offer
from backend.smtp.grammar import MailCommand
from backend.smtpd.session import RECIPIENT_OK, SENDER_OK
from backend.store.values import Content


class Submit(Protocol):
    async def __call__(
        self, account: AccountId, envelope: Envelope, content: Content, facts: SessionFacts
    ) -> SmtpStatus:
        """Takes the message over: durable before it returns 250. A Path must be copied or linked, it is removed afterwards.

        Raises:
            RefusedError, TemporaryError: with the reply.
        """


class SubmissionSession:
    signs_in = True

    def __init__(
        self,
        directory: Directory,
        submit: Submit,
        *,
        longest_hold_s: int = 0,
        clock: Clock | None = None,
    ) -> None:
        """`longest_hold_s`: how far ahead a message may be sent for; 0: all go at once."""
        self._directory = directory
        self._submit = submit
        self._longest_hold_s = longest_hold_s
        self._clock: Clock = clock if clock is not None else SystemClock()

    def offer(self, *, is_tls: bool) -> Offer:
        keywords = {Extension.DSN}
        if is_tls:
            keywords.add(Extension.REQUIRETLS)
        limits = ""
        if self._longest_hold_s:
            keywords.add(Extension.FUTURERELEASE)
            latest = datetime.fromtimestamp(int(self._clock.time()) + self._longest_hold_s, UTC)
            limits = f"{self._longest_hold_s} {latest:%Y-%m-%dT%H:%M:%SZ}"
        return Offer(keywords=frozenset(keywords), future_release=limits)

    async def sender(self, facts: SessionFacts, command: MailCommand) -> SmtpStatus:
        assert facts.account is not None  # the listener demands the sign-in before MAIL
        # It may have been switched off since the sign-in.
        if self._directory.is_disabled(facts.account):
            return SmtpStatus(550, "5.7.1", "This account is switched off; ask who runs the server")
        now = self._clock.time()
        if command.hold is not None and command.hold.release_at(now) > now + self._longest_hold_s:
            days = self._longest_hold_s // 86_400
            return SmtpStatus(
                501,
                "5.5.4",
                f"This server keeps a message for at most {days} days before it sends it (setting “longest_hold_days”)",
            )
        # The null sender is for reports that mail apps send (RFC 8098 §3); the author in the header is checked later.
        if command.sender is None:
            return SENDER_OK
        if self._directory.may_send_as(facts.account, command.sender):
            return SENDER_OK
        return SmtpStatus(
            550,
            "5.7.1",
            f"Your account may not send as {command.sender}: choose one of its own addresses as sender in your mail app, or have the address added to the account",
        )

    async def recipient(self, facts: SessionFacts, recipient: Address) -> SmtpStatus:
        # A mistyped local address is told at once, not in a report later.
        found = self._directory.resolve(recipient)
        if isinstance(found, UnknownUser):
            return SmtpStatus(550, "5.1.1", f"No mailbox here has the address {recipient}")
        if isinstance(found, Group) and not found.may_post(facts.account):
            return SmtpStatus(550, "5.7.1", f"Only its members may write to {recipient}")
        return RECIPIENT_OK

    async def message(
        self, facts: SessionFacts, envelope: Envelope, content: Content
    ) -> SmtpStatus:
        assert facts.account is not None  # as above
        return await self._submit(facts.account, envelope, content, facts)

    def reset(self) -> None:
        """Nothing is kept between commands."""

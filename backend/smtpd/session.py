"""What the listener asks of a kind of session: port 25 (`receive`) and submission answer it, each in its own file."""

from typing import Protocol

from backend.core.address import Address
from backend.core.connection import SessionFacts
from backend.core.envelope import Envelope
from backend.core.status import SmtpStatus
from backend.smtp.extensions import Offer
from backend.smtp.grammar import MailCommand
from backend.store.values import Content

SENDER_OK = SmtpStatus(250, "2.1.0", "Sender ok")
RECIPIENT_OK = SmtpStatus(250, "2.1.5", "Recipient ok")


class Session(Protocol):
    """One connection's decisions. The listener keeps the order of commands, limits and content; a raised RefusedError or
    TemporaryError is sent as its status, anything else as 451.
    """

    signs_in: bool
    """Whether AUTH is spoken here, and demanded before MAIL."""

    def offer(self, *, is_tls: bool) -> Offer:
        """What EHLO offers here beside what every session offers."""

    async def sender(self, facts: SessionFacts, command: MailCommand) -> SmtpStatus: ...

    async def recipient(self, facts: SessionFacts, recipient: Address) -> SmtpStatus:
        """250 to take it."""

    async def message(
        self, facts: SessionFacts, envelope: Envelope, content: Content
    ) -> SmtpStatus:
        """Durable before a 250 is returned. Once called it is not cancelled. A Path is removed by the caller afterwards."""

    def reset(self) -> None:
        """The transaction is over or given up."""

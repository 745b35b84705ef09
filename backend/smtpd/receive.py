"""The session on port 25: mail from anywhere, for local recipients only. Nobody signs in here and nothing is relayed."""

from backend.core.address import Address
from backend.core.connection import SessionFacts
from backend.core.envelope import Envelope
from backend.core.status import MAILBOX_FULL, SmtpStatus
from backend.inbound.deliver import Inbound
from backend.inbound.recipients import Recipient
from backend.smtp.grammar import MailCommand
from backend.smtpd.session import RECIPIENT_OK, SENDER_OK
from backend.store.values import Content


class ReceiveSession:
    signs_in = False

    def __init__(self, inbound: Inbound) -> None:
        self._inbound = inbound
        self._sender: Address | None = None
        self._size_bytes = 0
        self._targets: list[Recipient] = []

    async def sender(self, _facts: SessionFacts, command: MailCommand) -> SmtpStatus:
        self._sender = command.sender
        self._size_bytes = command.size_bytes or 0
        return SENDER_OK

    async def recipient(self, facts: SessionFacts, recipient: Address) -> SmtpStatus:
        answer = self._inbound.accept_recipient(facts, self._sender, recipient)
        if isinstance(answer, SmtpStatus):
            return answer
        if not await self._inbound.has_room(facts, answer, self._size_bytes):
            return MAILBOX_FULL
        self._targets.append(answer)
        return RECIPIENT_OK

    async def message(
        self, facts: SessionFacts, envelope: Envelope, content: Content
    ) -> SmtpStatus:
        return await self._inbound.receive(envelope, tuple(self._targets), content, facts)

    def reset(self) -> None:
        self._sender = None
        self._size_bytes = 0
        self._targets = []

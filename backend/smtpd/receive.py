"""The session on port 25: mail from anywhere, for local recipients only. Nobody signs in here and nothing is relayed."""

from backend.core.address import Address
from backend.core.connection import SessionFacts
from backend.core.envelope import Envelope
from backend.core.status import MAILBOX_FULL, SmtpStatus
from backend.inbound.deliver import Inbound
from backend.inbound.recipients import Recipient
from backend.smtp.extensions import Extension, Offer
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

    def offer(self, *, is_tls: bool) -> Offer:
        # REQUIRETLS (RFC 8689) costs nothing here: what came over TLS stays on this server, and no report of ours leaves it.
        # SECURITY: not DSN, for RFC 3461 §5 binds who offers it: a report of success would go to whatever sender stands on
        # the envelope, which spam forges, and would tell strangers which addresses exist. So the server that brings the mail
        # tells its own user that it was passed on (§5.2.2); what fails is refused in the dialogue, before we have taken it.
        return Offer(keywords=frozenset({Extension.REQUIRETLS} if is_tls else ()))

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

"""Does a server offer what a message needs? What it does not is said before the message is shown to it. Pure."""

from typing import Protocol

from backend.core.address import Address
from backend.core.envelope import Asked
from backend.core.status import SmtpStatus
from backend.smtp.extensions import Extension, Offer

NO_VERIFIED_TLS = SmtpStatus(
    550,
    "5.7.10",
    "the message asks for protection on its whole way (REQUIRETLS), and this server can't be reached over TLS with a certificate that proves who it is",
)
NO_REQUIRETLS = SmtpStatus(
    550,
    "5.7.30",
    "the message asks for protection on its whole way (REQUIRETLS), and this server does not promise to pass it on so",
)
NO_INTERNATIONAL_MAIL = SmtpStatus(
    550,
    "5.6.7",
    "the other server does not take mail whose sender or header (subject, names) has letters beyond ASCII written as they are (SMTPUTF8)",
)
NO_INTERNATIONAL_ADDRESS = SmtpStatus(
    550,
    "5.6.7",
    "the other server does not take addresses with letters beyond ASCII before the @ (SMTPUTF8)",
)


class Needy(Protocol):
    """What is asked of a transaction here."""

    @property
    def sender(self) -> Address | None: ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def is_international(self) -> bool: ...

    @property
    def asked(self) -> Asked: ...


def capability(message: Needy, offer: Offer) -> SmtpStatus | None:
    """Why the server can't take it; None if it can."""
    limit = offer.size_bytes
    if limit and message.size_bytes > limit:
        return SmtpStatus(
            552,
            "5.3.4",
            f"The other server takes messages of at most {limit} bytes, this one has {message.size_bytes}",
        )
    if message.is_international and Extension.SMTPUTF8 not in offer:
        return NO_INTERNATIONAL_MAIL
    return None


def protection(message: Needy, offer: Offer, is_protected: bool) -> SmtpStatus | None:
    """Why REQUIRETLS forbids it to go there (RFC 8689 §4.2.1). `is_protected`: TLS, and the certificate was verified."""
    # §5: reports (the null sender) may go without.
    if not message.asked.require_tls or message.sender is None:
        return None
    if not is_protected:
        return NO_VERIFIED_TLS
    return None if Extension.REQUIRETLS in offer else NO_REQUIRETLS

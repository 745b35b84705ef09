"""May mail for that address come in here? Asked at RCPT, and never relays: an address of another domain is refused."""

from dataclasses import dataclass

from backend.accounts.directory import (
    Directory,
    Group,
    Local,
    Unavailable,
    UnknownDomain,
    UnknownUser,
)
from backend.core.address import Address
from backend.core.status import NO_RELAY, SmtpStatus

_UNAVAILABLE = SmtpStatus(
    450, "4.2.1", "Mail for that domain is not taken at the moment; try later"
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient that was accepted, and where its mail goes: one place, or one for each member of an alias."""

    address: Address
    places: tuple[Local, ...]


def decide_recipient(directory: Directory, address: Address) -> Recipient | SmtpStatus:
    """The accepted recipient, or the reply that refuses it."""
    match directory.resolve(address):
        case Local() as local:
            return Recipient(address, (local,))
        case Group() as group if not group.may_post(None):
            return SmtpStatus(
                550,
                "5.7.1",
                f"Only members may write to {address}, signed in to their account on this server",
            )
        case Group() as group:
            return Recipient(address, group.members)
        case UnknownUser():
            return SmtpStatus(550, "5.1.1", f"No mailbox here has the address {address}")
        case UnknownDomain():
            return NO_RELAY
        case Unavailable():
            return _UNAVAILABLE

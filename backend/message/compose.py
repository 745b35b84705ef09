"""Builds messages that the server itself writes: plain text, if need be with HTML beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address as LibraryAddress
from email.message import EmailMessage
from email.policy import SMTP

from backend.core.address import Address
from backend.message.dates import format_timestamp


@dataclass(frozen=True, slots=True)
class Person:
    """An address with the name that is shown for it."""

    address: Address
    name: str = ""


def compose_text(
    *,
    author: Person,
    to: Sequence[Person],
    subject: str,
    text: str,
    sent_at: float,
    message_id: str,
    html: str = "",
    in_reply_to: str = "",
    extra: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A complete message with CRLF, 7-bit clean unless an address is not.

    `message_id` stands in its angle brackets (see `make_message_id`); `extra` are further fields such as
    `("Auto-Submitted", "auto-generated")`.
    """
    policy = (
        SMTP if all(person.address.is_ascii for person in (author, *to)) else SMTP.clone(utf8=True)
    )
    message = EmailMessage(policy.clone(cte_type="7bit"))
    message["Date"] = format_timestamp(sent_at)
    message["From"] = _library_address(author)
    message["To"] = [_library_address(person) for person in to]
    message["Subject"] = _one_line(subject)
    message["Message-ID"] = message_id
    if in_reply_to:
        message["In-Reply-To"] = in_reply_to
        message["References"] = in_reply_to
    for name, value in extra:
        message[name] = _one_line(value)
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
        # The library would draw a random boundary; the id is unique enough and makes the result repeatable.
        message.set_boundary(
            "=_" + "".join(char if char.isalnum() else "_" for char in message_id)[:60]
        )
    return message.as_bytes()


def make_message_id(token: str, domain: str) -> str:
    """`<token@domain>`; the caller draws the token."""
    return f"<{token}@{domain}>"


def _library_address(person: Person) -> LibraryAddress:
    address = person.address
    return LibraryAddress(_one_line(person.name), address.localpart, address.domain_text)


def _one_line(text: str) -> str:
    return " ".join(text.split())

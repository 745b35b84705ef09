"""Mail into and out of a practice server, over its own ports."""

import imaplib
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage

import pytest

from tests.support.server_process import Ready


def letter(sender: str, to: Sequence[str], subject: str = "Good morning") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(to), subject
    message.set_content("Hello!\n")
    return message


def send_from_outside(
    ready: Ready, sender: str, to: Sequence[str], *, refused: bool = False
) -> None:
    with smtplib.SMTP(*ready.address("smtp")) as smtp:
        if not refused:
            smtp.send_message(letter(sender, to), sender, list(to))
            return
        with pytest.raises(smtplib.SMTPException):
            smtp.send_message(letter(sender, to), sender, list(to))


def send_as(
    ready: Ready, login: Sequence[str], to: Sequence[str], *, password: str = "", subject: str = ""
) -> None:
    """One message to each of `to`; `login`: the address that signs in and sends."""
    with smtplib.SMTP_SSL(*ready.address("submissions"), context=_context(ready)) as smtp:
        smtp.login(login[0], password or ready.password)
        for recipient in to:
            smtp.send_message(letter(login[0], [recipient], subject or f"To {recipient}"))


def signs_in(ready: Ready, address: str, password: str) -> bool:
    imap = imaplib.IMAP4_SSL(*ready.address("imaps"), ssl_context=_context(ready))
    try:
        imap.login(address, password)
    except imaplib.IMAP4.error:
        return False
    finally:
        imap.logout()
    return True


def _context(ready: Ready) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ready.ca_file)
    context.check_hostname = False
    return context

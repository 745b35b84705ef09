"""What goes over the admin API about setting up a mail app, and trying whether mail arrives."""

from typing import Literal

from backend.api.types import Reply


class MailServer(Reply):
    """One way to reach the account. `security`: tls (from the first byte), starttls, none."""

    protocol: Literal["imap", "smtp"]
    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    user_name: str
    authentication: str = "normal password"
    recommended: bool = False
    note: str = ""


class ClientSettings(Reply):
    """What a mail program must be told to use the account."""

    account: str
    full_name: str
    address: str
    incoming: list[MailServer]
    outgoing: list[MailServer]
    practice_mode: bool
    trust_note: str = ""
    """What to do about the certificate; empty when programs trust it by themselves."""
    ca_path: str = ""
    """API path that gives the certificate authority's certificate (PEM); empty when none is needed."""
    autoconfig_url: str = ""


class TestMessageSent(Reply):
    """The server sent a message to the account through its own SMTP port; follow `trace` in the timeline."""

    __test__ = False  # pytest: not a test class

    trace: str
    address: str

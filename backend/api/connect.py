"""What goes over the admin API about setting up a mail app, and trying whether mail arrives."""

from datetime import datetime
from typing import Literal

from pydantic import Field

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
    devices: list["Device"] = Field(default_factory=list)
    """How to, by device and program."""
    asked_at: datetime | None = None
    """When a mail app last asked this server for the settings, since it was started."""


class Device(Reply):
    """`profile`: it can fetch a configuration profile, see `ProfileLink`."""

    id: str
    title: str
    steps: list[str]
    profile: bool = False


class ProfileLink(Reply):
    """A link that gives Apple's configuration profile, without the password, once. `qr_svg`: the same as a code."""

    url: str
    qr_svg: str
    expires_at: datetime
    note: str = ""
    """What may be in the way."""


class SetupCheckStep(Reply):
    """`ok` None: it could not be told."""

    name: str
    ok: bool | None
    text: str


class SetupCheck(Reply):
    """Whether mail apps that look the settings up find them."""

    ok: bool
    message: str
    fix: str = ""
    steps: list[SetupCheckStep] = Field(default_factory=list)


class TestMessageSent(Reply):
    """The server sent a message to the account through its own SMTP port; follow `trace` in the timeline."""

    __test__ = False  # pytest: not a test class

    trace: str
    address: str

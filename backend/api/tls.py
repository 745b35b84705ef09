"""What must hold for TLS when mail leaves: what the faces choose and see."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.api.queue import QueueIds
from backend.api.types import Reply

TlsChoice = Literal["default", "verified", "insecure"]
"""What the recipient's domain asks for; verified encryption or not at all; without it if need be."""
TlsDemand = Literal["opportunistic", "encrypted", "verified", "dane"]
StsMode = Literal["enforce", "testing", "none"]


class ChooseTls(QueueIds):
    """For direct delivery; a relay has settings of its own."""

    tls: TlsChoice


class TlsHost(Reply):
    """One mail server. `demand` null: nothing is known of it. `fault`: why nothing would be sent there now."""

    host: str
    preference: int
    demand: TlsDemand | None = None
    summary: str
    reason: str = ""
    fault: str = ""
    signed: bool = False
    """DNSSEC vouches for its address."""
    tlsa: list[str] = Field(default_factory=list)


class StsPolicy(Reply):
    """The MTA-STS policy that holds."""

    id: str
    mode: StsMode
    mx: list[str]
    max_age_s: int
    expires_at: datetime


class TlsPolicyReport(Reply):
    """`sts_fault`: why a policy, or a newer one, could not be had. `signed`: DNSSEC vouches for the list of mail servers."""

    domain: str
    headline: str
    hosts: list[TlsHost] = Field(default_factory=list)
    sts: StsPolicy | None = None
    sts_fault: str = ""
    signed: bool = False

"""What came of TLS on the way to other domains, and the reports that they get of it (RFC 8460)."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from backend.api.types import MAX_NUMBER, MAX_PAGE, Reply, Request

TlsPolicyType = Literal["sts", "tlsa", "no-policy-found"]
TlsReportState = Literal[
    "waiting", "queued", "posting", "sent", "failed", "unknown", "unasked", "off", "late"
]


class TlsPageQuery(Request):
    """The last days first."""

    domain: str = Field(default="", max_length=255)
    """Empty: all."""
    offset: int = Field(default=0, ge=0, le=MAX_NUMBER)
    limit: int = Field(default=100, ge=1, le=MAX_PAGE)


class TlsFailure(Reply):
    """Failed connections that have everything in common. `result` as RFC 8460 §4.3 names it."""

    result: str
    count: int
    sending_ip: str = ""
    receiving_host: str = ""
    receiving_ip: str = ""
    receiving_helo: str = ""
    reason: str = ""
    info: str = ""


class TlsOutcomes(Reply):
    """Connections of one day (UTC) to one domain under one policy."""

    day: date
    domain: str
    policy_type: TlsPolicyType
    policy_domain: str
    policy_strings: list[str] = Field(default_factory=list)
    mx_hosts: list[str] = Field(default_factory=list)
    successes: int
    failures: int
    details: list[TlsFailure] = Field(default_factory=list)


class TlsOutcomeList(Reply):
    items: list[TlsOutcomes]
    total: int
    """Rows that match, on all pages."""


class TlsReportQuery(TlsPageQuery):
    unasked: bool = False
    """Also the domains that want none."""


class TlsReport(Reply):
    """The report of one day to one place. `destination` is empty while the domain was not asked for it."""

    day: date
    domain: str
    destination: str
    state: TlsReportState
    trace: str = ""
    """Of its mail."""
    attempts: int
    changed_at: datetime
    next_attempt_at: datetime | None = None
    answer: str = ""


class TlsReportList(Reply):
    enabled: bool
    """The setting `outbound.tls_reports`."""
    items: list[TlsReport]
    total: int

"""What a domain is told of TLS on the way to it: the daily report as JSON, and the mail that carries it (RFC 8460 §4.4, §5.3). Pure.

`backend.outbound.tls_reports` gathers the numbers and sends.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from backend.core.address import Address
from backend.message.dates import format_timestamp

JSON_TYPE = "application/tlsrpt+json"
GZIP_TYPE = "application/tlsrpt+gzip"

_BASE64_LINE_OCTETS = 57  # 76 characters


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureDetail:
    """Failed connections that have everything in common. Empty fields are left out of the report."""

    result_type: str
    count: int
    sending_mta_ip: str = ""
    receiving_mx_hostname: str = ""
    receiving_mx_helo: str = ""
    receiving_ip: str = ""
    failure_reason_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyResult:
    """Connections under one policy. `strings` and `mx_hosts` as `AppliedPolicy` in `backend.outbound.tls_outcomes` has them."""

    policy_type: str
    domain: str
    successes: int
    failures: int
    strings: Sequence[str] = ()
    mx_hosts: Sequence[str] = ()
    details: Sequence[FailureDetail] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsReport:
    """One report. `begin` and `end` are its first and last second, since 1970; `submitter` the domain that sends it."""

    domain: str
    submitter: str
    contact: str
    report_id: str
    begin: float
    end: float
    policies: Sequence[PolicyResult]

    @property
    def file_name(self) -> str:
        """RFC 8460 §5.1."""
        return f"{self.submitter}!{self.domain}!{int(self.begin)}!{int(self.end)}.json.gz"


def format_json(report: TlsReport) -> bytes:
    value = {
        "organization-name": report.submitter,
        "date-range": {"start-datetime": _stamp(report.begin), "end-datetime": _stamp(report.end)},
        "contact-info": report.contact,
        "report-id": report.report_id,
        "policies": [_policy(policy) for policy in report.policies],
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def compressed(report: TlsReport) -> bytes:
    """The same octets for the same report."""
    return gzip.compress(format_json(report), mtime=0)


def format_mail(
    report: TlsReport, content: bytes, *, author: Address, to: Address, hostname: str, at: float
) -> bytes:
    """A whole message with CRLF, unsigned. `content` is the compressed report; what it is sent to again gets the same
    Message-ID.
    """
    token = hashlib.sha256(f"{report.report_id} {to}".encode()).hexdigest()[:32]
    boundary = f"=_{token}"
    head = [
        f"From: TLS reports <{author}>",
        f"To: <{to}>",
        # RFC 8460 §5.3 gives the subject its form.
        f"Subject: Report Domain: {report.domain}",
        f"\tSubmitter: {report.submitter}",
        f"\tReport-ID: <{report.report_id}>",
        f"Date: {format_timestamp(at)}",
        f"Message-ID: <tlsrpt.{token}@{hostname}>",
        f"TLS-Report-Domain: {report.domain}",
        f"TLS-Report-Submitter: {report.submitter}",
        # RFC 8460 §5.3: it must arrive even when the TLS that it complains of fails; RFC 8689 §5 says so to servers.
        "TLS-Required: No",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type="tlsrpt";',
        f' boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "This is a report for programs: how connections with TLS went from the mail",
        f"server {hostname}",
        f"to {report.domain}",
        f"on {_stamp(report.begin)[:10]} (UTC).",
        "",
        f"--{boundary}",
        f"Content-Type: {GZIP_TYPE}",
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment;",
        f' filename="{report.file_name}"',
        "",
    ]
    lines = [
        base64.b64encode(content[at : at + _BASE64_LINE_OCTETS]).decode()
        for at in range(0, len(content), _BASE64_LINE_OCTETS)
    ]
    return "\r\n".join((*head, *lines, f"--{boundary}--", "")).encode()


def _policy(policy: PolicyResult) -> dict[str, object]:
    described: dict[str, object] = {"policy-type": policy.policy_type}
    if policy.strings:
        described["policy-string"] = list(policy.strings)
    described["policy-domain"] = policy.domain
    if policy.mx_hosts:
        described["mx-host"] = list(policy.mx_hosts)
    value: dict[str, object] = {
        "policy": described,
        "summary": {
            "total-successful-session-count": policy.successes,
            "total-failure-session-count": policy.failures,
        },
    }
    if policy.details:
        value["failure-details"] = [_detail(detail) for detail in policy.details]
    return value


def _detail(detail: FailureDetail) -> dict[str, object]:
    fields = {
        "result-type": detail.result_type,
        "sending-mta-ip": detail.sending_mta_ip,
        "receiving-mx-hostname": detail.receiving_mx_hostname,
        "receiving-mx-helo": detail.receiving_mx_helo,
        "receiving-ip": detail.receiving_ip,
        "failure-reason-code": detail.failure_reason_code,
    }
    present: dict[str, object] = {name: text for name, text in fields.items() if text}
    return present | {"failed-session-count": detail.count}


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

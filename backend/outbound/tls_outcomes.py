"""What came of TLS on one connection of direct delivery: what deliveries say and reports collect (RFC 8460 §4.2 to §4.4).

Whoever connects makes one `TlsOutcome` for each connection on which TLS was tried or required, and hands it to `Record`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from backend.core.ids import TraceId


class PolicyType(StrEnum):
    """Which kind of policy held for the connection (RFC 8460 §4.4, `policy-type`)."""

    STS = "sts"
    TLSA = "tlsa"
    NONE = "no-policy-found"


class TlsResult(StrEnum):
    """RFC 8460 §4.3, and `success`, which the report only counts."""

    SUCCESS = "success"
    STARTTLS_NOT_SUPPORTED = "starttls-not-supported"
    CERTIFICATE_HOST_MISMATCH = "certificate-host-mismatch"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_TRUSTED = "certificate-not-trusted"
    VALIDATION_FAILURE = "validation-failure"
    """Any other failure of TLS."""
    TLSA_INVALID = "tlsa-invalid"
    DNSSEC_INVALID = "dnssec-invalid"
    DANE_REQUIRED = "dane-required"
    STS_POLICY_FETCH_ERROR = "sts-policy-fetch-error"
    STS_POLICY_INVALID = "sts-policy-invalid"
    STS_WEBPKI_INVALID = "sts-webpki-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedPolicy:
    """One policy as it was found.

    `domain` is the recipient's domain, and for TLSA the base domain of the records, mostly the MX host. `strings` are the
    lines of an MTA-STS policy ("version: STSv1", "mode: enforce", ...) or the TLSA records in presentation form ("3 1 1
    1a2b..."); `mx_hosts` the patterns that an MTA-STS policy names.
    """

    type: PolicyType
    domain: str
    strings: tuple[str, ...] = ()
    mx_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOutcome:
    """One connection, or one that a policy forbade.

    `trace` is that of the message for which it was made: what carries our own reports is not reported in turn. `domain` is the domain of the recipients, as ASCII. `policies` are those that the result belongs to, at least one:
    where MTA-STS and DANE held together and came to different results, hand over one outcome for each. `reason` is a
    short code for `failure-reason-code`, `info` more for people; neither may hold anything of the message.
    """

    trace: TraceId
    domain: str
    policies: tuple[AppliedPolicy, ...]
    result: TlsResult
    sending_ip: str = ""
    receiving_host: str = ""
    receiving_ip: str = ""
    receiving_helo: str = ""
    reason: str = ""
    info: str = ""


Record = Callable[[TlsOutcome], None]
"""Takes it at once and never raises: it is written down later, beside the delivery."""


def forget(_: TlsOutcome) -> None:
    """For transports whose outcomes nobody collects: through a proxy, tests, trials."""


def no_policy(domain: str) -> AppliedPolicy:
    """Where neither MTA-STS nor DANE held."""
    return AppliedPolicy(type=PolicyType.NONE, domain=domain)

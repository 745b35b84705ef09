"""What must hold for TLS when mail leaves for a domain."""

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.api import tls as s
from backend.outbound.tls_policy import StsFinding
from backend.outbound.tls_survey import HostSurvey


async def tls_policy(call: Call) -> s.TlsPolicyReport:
    found = await call.services.outbound.survey_tls(call.path("domain"))
    return s.TlsPolicyReport(
        domain=found.domain,
        headline=found.headline,
        hosts=[_host(host) for host in found.hosts],
        sts=_sts(found.sts),
        sts_fault=found.sts.fault,
        signed=found.is_signed,
    )


def _host(host: HostSurvey) -> s.TlsHost:
    return s.TlsHost(
        host=host.host,
        preference=host.preference,
        demand=host.policy.demand.value if host.policy is not None else None,
        summary=host.summary,
        reason=host.policy.reason if host.policy is not None else "",
        fault=host.fault,
        signed=host.is_signed,
        tlsa=list(host.tlsa),
    )


def _sts(finding: StsFinding) -> s.StsPolicy | None:
    if finding.policy is None:
        return None
    return s.StsPolicy(
        id=finding.policy_id,
        mode=finding.policy.mode.value,
        mx=list(finding.policy.mx),
        max_age_s=finding.policy.max_age_s,
        expires_at=wire.at(finding.expires_at),
    )


HANDLERS: dict[str, Handler] = {"tls_policy": tls_policy}

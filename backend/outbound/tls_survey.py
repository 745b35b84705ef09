"""What would hold for TLS if a message left for that domain now, and why? Asks the DNS and the policy's web server, no mail server."""

from dataclasses import dataclass

from backend.core.address import AddressError, Domain, parse_domain
from backend.core.errors import UserError
from backend.core.problems import Problem
from backend.dns.answers import Found, LookupFailed
from backend.dns.lookups import MAX_MAIL_HOSTS, NoMailHosts, find_mail_hosts
from backend.dns.resolver import Resolver
from backend.outbound.tls_findings import Demands, TlsFindings
from backend.outbound.tls_policy import NO_STS, Demand, StsFinding, TlsPolicy
from backend.tls import dane
from backend.tls.sts import Mode

_WORDS = {
    Demand.OPPORTUNISTIC: "encrypted if the server can",
    Demand.ENCRYPTED: "always encrypted, any certificate",
    Demand.VERIFIED: "always encrypted, certificate verified",
    Demand.DANE: "always encrypted, certificate verified by DANE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSurvey:
    """`fault`: why nothing would be sent there now. `policy` None: not even its address is known."""

    host: str
    preference: int
    policy: TlsPolicy | None = None
    is_signed: bool = False
    """DNSSEC vouches for its address."""
    fault: str = ""

    @property
    def summary(self) -> str:
        return "no mail now" if self.fault or self.policy is None else _WORDS[self.policy.demand]

    @property
    def tlsa(self) -> tuple[str, ...]:
        """Those records that count."""
        found = () if self.policy is None else self.policy.records
        return tuple(dane.as_text(record) for record in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSurvey:
    domain: str
    headline: str
    hosts: tuple[HostSurvey, ...] = ()
    sts: StsFinding = NO_STS
    is_signed: bool = False
    """DNSSEC vouches for the list of mail servers."""


async def survey(text: str, resolver: Resolver, findings: TlsFindings) -> TlsSurvey:
    """Raises:
    UserError: that is no domain.
    """
    domain = _domain(text)
    found = await find_mail_hosts(resolver, domain.ascii)
    if isinstance(found, NoMailHosts):
        return TlsSurvey(
            domain=domain.ascii, headline=f"Mail to {domain.unicode} can't be sent: {found.reason}."
        )
    facts = await findings.of_domain(domain.ascii, found, Demands())
    hosts = []
    for preference, host in sorted(found.hosts)[:MAX_MAIL_HOSTS]:
        answer = await resolver.addresses(host)
        if isinstance(answer, Found):
            policy = await findings.of_host(facts, host, answer)
            hosts.append(
                HostSurvey(
                    host=host,
                    preference=preference,
                    policy=policy,
                    is_signed=answer.authentic,
                    fault=policy.refusal.text if policy.refusal is not None else "",
                )
            )
        else:
            reason = answer.reason if isinstance(answer, LookupFailed) else "it has no address"
            hosts.append(HostSurvey(host=host, preference=preference, fault=reason))
    return TlsSurvey(
        domain=domain.ascii,
        headline=_headline(domain.unicode, hosts, facts.sts),
        hosts=tuple(hosts),
        sts=facts.sts,
        is_signed=facts.mx_is_authentic,
    )


def _headline(domain: str, hosts: list[HostSurvey], sts: StsFinding) -> str:
    usable = [host.policy.demand for host in hosts if host.policy is not None and not host.fault]
    if not usable:
        return f"Nothing would be sent to {domain} now."
    if all(demand in {Demand.VERIFIED, Demand.DANE} for demand in usable):
        how = "DANE" if all(demand is Demand.DANE for demand in usable) else "MTA-STS"
        how = "DANE or MTA-STS" if len(set(usable)) > 1 else how
        how = "caution: its MTA-STS record can't be looked up" if sts.is_unsure else how
        return f"Mail to {domain} leaves only with verified encryption ({how})."
    if sts.policy is not None and sts.policy.mode is Mode.TESTING:
        return (
            f"Mail to {domain} goes in any case; its MTA-STS policy is only being tested by them."
        )
    return f"Mail to {domain} is encrypted where its server can; nothing there demands it of all servers."


def _domain(text: str) -> Domain:
    try:
        return parse_domain(text.rpartition("@")[2])
    except AddressError as error:
        raise UserError(
            Problem(
                code="tls.domain",
                path="/domain",
                message=f"{error}.",
                fix="Enter a domain such as example.org.",
            )
        ) from error

"""Gathers what the decision about TLS needs: MTA-STS once for a domain, TLSA records for each of its mail servers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from backend.dns.answers import Found
from backend.dns.lookups import MailHosts
from backend.dns.resolver import Resolver
from backend.outbound.tls_policy import (
    NO_STS,
    NO_TLSA,
    Question,
    StsFinding,
    TlsPolicy,
    decide,
    sets_domain_aside,
)
from backend.outbound.tlsa import find_tlsa
from backend.outbound.transport import Outgoing, TlsChoice

FindSts = Callable[[str], Awaitable[StsFinding]]


async def no_sts(_: str) -> StsFinding:
    """For those who keep no policies: tests, trials."""
    return NO_STS


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What the message itself says of TLS."""

    choice: TlsChoice = TlsChoice.DEFAULT
    require_tls: bool = False
    tls_optional: bool = False


def demands_of(message: Outgoing) -> Demands:
    return Demands(
        choice=message.tls_choice,
        # RFC 8689 §5: what has no sender (a report) is sent all the same, and says REQUIRETLS where that is understood.
        require_tls=message.require_tls and message.sender is not None,
        tls_optional=message.tls_optional,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFacts:
    """`names`: under which names DNSSEC leads to the mail servers; empty when it does not."""

    domain: str
    demands: Demands
    sts: StsFinding = NO_STS
    mx_is_authentic: bool = False
    names: tuple[str, ...] = ()

    @property
    def is_set_aside(self) -> bool:
        return sets_domain_aside(
            self.demands.choice,
            require_tls=self.demands.require_tls,
            tls_optional=self.demands.tls_optional,
        )


class TlsFindings:
    """`port`: at which mail servers are asked for."""

    def __init__(self, resolver: Resolver, *, port: int, find_sts: FindSts = no_sts) -> None:
        self._resolver = resolver
        self._port = port
        self._find_sts = find_sts

    async def of_domain(
        self, domain: str, hosts: MailHosts | None, demands: Demands
    ) -> DomainFacts:
        """`hosts` None: an address literal, for which nobody has a policy."""
        facts = DomainFacts(domain=domain, demands=demands)
        if hosts is None or facts.is_set_aside:
            return facts
        names = (domain, hosts.canonical) if hosts.authentic else ()
        return DomainFacts(
            domain=domain,
            demands=demands,
            sts=await self._find_sts(domain),
            mx_is_authentic=hosts.authentic,
            names=tuple(name for name in dict.fromkeys(names) if name),
        )

    async def of_host(
        self, facts: DomainFacts, host: str, addresses: Found[str] | None
    ) -> TlsPolicy:
        """`addresses` None: the host is named by its address, or the addresses are not known here."""
        tlsa = NO_TLSA
        if facts.mx_is_authentic and addresses is not None:
            tlsa = await find_tlsa(self._resolver, host, self._port, addresses)
        demands = facts.demands
        return decide(
            Question(
                domain=facts.domain,
                host=host,
                sts=facts.sts,
                tlsa=tlsa,
                mx_is_authentic=facts.mx_is_authentic,
                domain_names=facts.names,
                choice=demands.choice,
                require_tls=demands.require_tls,
                tls_optional=demands.tls_optional,
            )
        )

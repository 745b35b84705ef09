"""Which hosts take mail for a domain? (RFC 5321 §5.1, RFC 7505)

Called by outbound delivery and by the checks of one's own set-up. Addresses of the hosts are looked up one by one as
they are tried, not here.
"""

from dataclasses import dataclass
from typing import assert_never

from backend.dns.answers import Found, LookupFailed, NoDomain, NoRecord
from backend.dns.resolver import Resolver

MAX_MAIL_HOSTS = 10  # hosts looked at for one delivery, a security limit

NULL_MX = "domain does not accept email as indicated with single dot for mx record"


@dataclass(frozen=True, slots=True)
class MailHosts:
    """In the order to try them: (preference, host). `implicit`: the domain has no MX and is its own host."""

    hosts: tuple[tuple[int, str], ...]
    implicit: bool = False
    authentic: bool = False
    canonical: str = ""


@dataclass(frozen=True, slots=True)
class NoMailHosts:
    """`permanent`: the domain takes no mail. `enhanced` is the code for the report (RFC 3463, RFC 7505)."""

    reason: str
    permanent: bool
    enhanced: str


async def find_mail_hosts(resolver: Resolver, domain: str) -> MailHosts | NoMailHosts:
    answer = await resolver.mx(domain)
    match answer:
        case Found():
            hosts = tuple((mx.preference, mx.host) for mx in answer.records if mx.host)
            if not hosts:
                # RFC 7505 §3: a single record with the root as host; beside others it is an error and is skipped.
                return NoMailHosts(NULL_MX, permanent=True, enhanced="5.1.10")
            return MailHosts(
                hosts[:MAX_MAIL_HOSTS], authentic=answer.authentic, canonical=answer.canonical
            )
        case NoRecord():
            # RFC 5321 §5.1: without an MX the domain itself is the host, with preference 0.
            name = answer.canonical or domain
            return MailHosts(
                ((0, name),), implicit=True, authentic=answer.authentic, canonical=name
            )
        case NoDomain():
            return NoMailHosts(
                f"the domain {domain} does not exist", permanent=True, enhanced="5.1.2"
            )
        case LookupFailed():
            enhanced = "4.4.3" if answer.temporary else "5.4.4"
            return NoMailHosts(answer.reason, permanent=not answer.temporary, enhanced=enhanced)
    assert_never(answer)

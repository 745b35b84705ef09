"""Does a mail server have TLSA records that DNSSEC vouches for? (RFC 7672 §2.2)

The resolver says which answers are authentic: only one on this computer, or one that the settings name, is believed.
"""

from backend.dns.answers import Found, LookupFailed
from backend.dns.resolver import Resolver
from backend.outbound.tls_policy import NO_TLSA, TlsaFinding, TlsaState


async def find_tlsa(resolver: Resolver, host: str, port: int, addresses: Found[str]) -> TlsaFinding:
    """For a server that DNSSEC says is the right one; `addresses` is the answer to the question for them.

    Never asks in zones that are not signed: some name servers of large providers fail at the question (RFC 7672 §2.2.2).
    """
    for base in await _candidates(resolver, host, addresses):
        answer = await resolver.tlsa(f"_{port}._tcp.{base}")
        if isinstance(answer, LookupFailed):
            return TlsaFinding(state=TlsaState.FAILED, base=base, reason=answer.reason)
        if isinstance(answer, Found) and answer.authentic:
            return TlsaFinding(state=TlsaState.FOUND, records=answer.records, base=base)
    return NO_TLSA


async def _candidates(resolver: Resolver, host: str, addresses: Found[str]) -> list[str]:
    if addresses.authentic:
        expanded = addresses.canonical or host
        return list(dict.fromkeys((expanded, host)))
    if not addresses.aliases:
        return []
    # The chain of aliases ends in a zone that is not signed. Its first link may be, and then the server's own name counts.
    first = await resolver.alias(host)
    if isinstance(first, LookupFailed):
        return [host]  # and the question for the records will fail or not by itself
    return [host] if isinstance(first, Found) and first.authentic else []

"""Hands the checks of the set-up what they need of the other services."""

from collections.abc import Callable, Sequence
from typing import Protocol

from backend.checkup.dns import DnsCheckup
from backend.checkup.facts import DkimRecord, TlsFacts
from backend.config.model import Config
from backend.core.clock import Clock
from backend.dns.resolver import DnsResolver
from backend.runtime.threads import Pool, run_blocking
from backend.tls.contexts import TlsContexts
from backend.tls.published import read_published


class Selector(Protocol):
    """`record` is empty while its key can't be read."""

    @property
    def name(self) -> str: ...

    @property
    def record(self) -> str: ...

    @property
    def signs(self) -> bool: ...


class Selectors(Protocol):
    @property
    def selectors(self) -> Sequence[Selector]: ...


class Keys(Protocol):
    """Who knows the DKIM keys of our domains."""

    async def describe(self, domain: str) -> Selectors: ...


def make_dns_checkup(
    resolver: DnsResolver,
    *,
    config: Callable[[], Config],
    keys: Keys | None = None,
    tls: TlsContexts,
    clock: Clock,
) -> DnsCheckup:
    async def find_keys(domain: str) -> Sequence[DkimRecord]:
        found = await keys.describe(domain) if keys is not None else None
        return [
            DkimRecord(each.name, each.record, each.signs)
            for each in (found.selectors if found is not None else ())
            if each.record
        ]

    async def certificate() -> TlsFacts:
        own = tls.ca_file is not None
        found = await run_blocking(
            Pool.FILES, lambda: read_published(tls.certificate_file, own_authority=own)
        )
        return TlsFacts(found.tlsa, found.issuer)

    return DnsCheckup(resolver, config=config, dkim=find_keys, tls=certificate, clock=clock)

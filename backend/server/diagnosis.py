"""Hands the checks of the set-up what they need of the other services."""

import ssl
from collections.abc import Callable, Sequence
from typing import Protocol

from backend.checkup.dns import DnsCheckup
from backend.checkup.facts import DkimRecord, TlsFacts
from backend.config.model import Config
from backend.core.clock import Clock
from backend.dns.resolver import DnsResolver
from backend.outbound.dial import DialError
from backend.outbound.sts_fetch import PolicyFetcher
from backend.runtime.threads import Pool, run_blocking
from backend.tls.contexts import TlsContexts, client_context
from backend.tls.published import read_published
from backend.tls.sts import StsPolicy

POLICY_TIMEOUT_S = 10.0  # somebody waits for the answer


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

    async def context() -> ssl.SSLContext:
        ca_file = config().server.outbound.ca_file
        try:
            return await run_blocking(Pool.FILES, client_context, ca_file)
        except OSError as error:
            raise DialError(f"{ca_file} can't be read: {error.strerror or error}") from error

    async def fetch_policy(domain: str) -> StsPolicy:
        fetcher = PolicyFetcher(
            resolver,
            context=context,
            allow_private=config().server.outbound.allow_loopback,
            timeout_s=POLICY_TIMEOUT_S,
        )
        return await fetcher.fetch(domain)

    return DnsCheckup(
        resolver,
        config=config,
        dkim=find_keys,
        tls=certificate,
        fetch_policy=fetch_policy,
        clock=clock,
    )

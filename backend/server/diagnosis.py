"""Hands the checks of the set-up what they need of the other services."""

import ssl
from collections.abc import Callable, Sequence
from typing import Protocol

from backend.checkup.dns import DnsCheckup
from backend.checkup.facts import DkimRecord, TlsFacts
from backend.checkup.health import Health
from backend.checkup.probes import Door, Probes
from backend.checkup.service import Checkups
from backend.config.model import Config
from backend.config.paths import DataFolder
from backend.config.store import ConfigStore
from backend.core.clock import Clock
from backend.core.problems import Problem, Severity
from backend.dns.resolver import DnsResolver
from backend.observe.activity import Activity
from backend.outbound.dial import DialError
from backend.outbound.listing import queue_age
from backend.outbound.service import Outbound
from backend.outbound.sts_fetch import PolicyFetcher
from backend.runtime.threads import Pool, run_blocking
from backend.tls.contexts import TlsContexts, client_context
from backend.tls.published import read_published
from backend.tls.sts import StsPolicy

DAY_S = 86_400.0
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


def make_checkups(
    dns: DnsCheckup,
    *,
    folder: DataFolder,
    config: ConfigStore,
    tls: TlsContexts,
    outbound: Outbound,
    activity: Activity,
    ports: Callable[[], Sequence[Door]],
    errors: Callable[[float], int],
    clock: Clock,
    on_problem: Callable[[Problem], None],
    on_clear: Callable[[str, str], None],
) -> Checkups:
    """`errors`: how many the log holds since a time."""
    probes = Probes(
        folder,
        ports=ports,
        certificate_file=lambda: (tls.certificate_file, tls.ca_file is not None),
        queue_age=lambda: queue_age(outbound.queue, clock.time()),
        settings=lambda: settings_problems(config, outbound),
        sent_today=lambda: activity.today().sent,
        errors=lambda: errors(clock.time() - DAY_S),
        clock=clock,
    )
    return Checkups(
        dns,
        Health(probes, config=lambda: config.current, clock=clock),
        folder=folder.checks,
        config=lambda: config.current,
        clock=clock,
        on_problem=on_problem,
        on_clear=on_clear,
    )


def settings_problems(config: ConfigStore, outbound: Outbound) -> list[Problem]:
    """What the settings say that has no effect, or none yet."""
    problems = [each.problem() for each in outbound.choices.useless_routes()]
    if waiting := config.pending_restart:
        problems.append(
            Problem(
                code="config.restart_needed",
                message=f"Changed settings wait for a restart: {', '.join(waiting)}.",
                fix="Restart the server when it suits you.",
                severity=Severity.WARNING,
            )
        )
    return problems


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
        # A new one each time: what it knew an hour ago is just what is not wanted here.
        public=lambda address: DnsResolver([address], clock=clock),
        clock=clock,
    )

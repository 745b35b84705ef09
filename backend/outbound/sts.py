"""Which MTA-STS policy holds for a domain right now? Asks the DNS, fetches, remembers, refreshes (RFC 8461 §3, §5).

A policy that is known holds until it expires, whatever the DNS or the web server say or fail to say meanwhile; only another
policy takes its place. So somebody in between can at most keep us from hearing of a newer one.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace

from backend.core.clock import Clock
from backend.dns.answers import Found, LookupFailed
from backend.dns.resolver import Resolver
from backend.observe import log as logs
from backend.outbound.sts_cache import Known, StsCache
from backend.outbound.sts_fetch import FetchError, PolicyFetcher
from backend.outbound.tls_outcomes import TlsResult
from backend.outbound.tls_policy import StsFinding
from backend.runtime import tasks
from backend.tls.sts import StsError, parse_record

log = logs.get(__name__)

REFRESH_AFTER_S = 86_400.0  # RFC 8461 §3.3: once a day
CHECK_EVERY_S = 3600.0
REFRESH_AT_ONCE = 200  # policies in one round, a security limit
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 300.0, 6 * 3600.0  # RFC 8461 §3.3: after a failed fetch
MAX_FAILURES = 10_000  # domains whose last fetch failed that are remembered, a security limit
MAX_FETCHES = 20  # at a time, a security limit


@dataclass(slots=True)
class _Failure:
    error: FetchError
    count: int
    until: float


class StsPolicies:
    """One fetch a domain at a time, whoever waits for it; after a failure none for a while."""

    def __init__(
        self, resolver: Resolver, fetcher: PolicyFetcher, cache: StsCache, clock: Clock
    ) -> None:
        self._resolver = resolver
        self._fetcher = fetcher
        self.cache = cache
        self._clock = clock
        self._fetching: dict[str, asyncio.Task[Known | FetchError]] = {}
        self._failures: OrderedDict[str, _Failure] = OrderedDict()
        self._free = asyncio.Semaphore(MAX_FETCHES)

    async def close(self) -> None:
        await tasks.stop(*self._fetching.values())
        await self.cache.close()

    async def run(self) -> None:
        """Keeps what is in use fresh, until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(CHECK_EVERY_S)

    async def refresh(self) -> None:
        """One round of `run`. RFC 8461 §3.3, §10.2: long before they expire, so that nobody can wait for that."""
        before = self._clock.time() - REFRESH_AFTER_S
        for known in await self.cache.older_than(before, REFRESH_AT_ONCE):
            # Its record is asked as for a delivery: a domain that has given up on MTA-STS is left in peace.
            policy_id = await self._announced(known.domain)
            if isinstance(policy_id, str):
                await self._fetch(known.domain, policy_id)

    async def find(self, domain: str) -> StsFinding:
        """For a delivery to that domain (ASCII)."""
        policy_id = await self._announced(domain)
        known = await self.cache.find(domain)
        if known is not None:
            await self.cache.used(known)
        if not isinstance(policy_id, str):
            return _finding(known, policy_id)
        if known is not None and known.policy_id == policy_id:
            return _finding(known)
        fetched = await self._fetch(domain, policy_id)
        if isinstance(fetched, Known):
            return _finding(fetched)
        return _finding(known, fetched)

    async def _announced(self, domain: str) -> str | FetchError | LookupFailed | None:
        """The id of the policy that the DNS announces; None when it announces none."""
        answer = await self._resolver.txt(f"_mta-sts.{domain}")
        if isinstance(answer, LookupFailed):
            return answer if answer.temporary else None
        if not isinstance(answer, Found):
            return None
        try:
            return parse_record(answer.records)
        except StsError as error:
            # RFC 8461 §3.1: as if there were none; reports tell the domain.
            return FetchError(str(error), TlsResult.STS_POLICY_INVALID)

    async def _fetch(self, domain: str, policy_id: str) -> Known | FetchError:
        failure = self._failures.get(domain)
        if failure is not None and self._clock.monotonic() < failure.until:
            return failure.error
        task = self._fetching.get(domain)
        if task is None:
            task = tasks.spawn(self._fetch_now(domain, policy_id), "mta-sts fetch")
            self._fetching[domain] = task
            task.add_done_callback(lambda _: self._fetching.pop(domain, None))
        # A delivery that is cancelled leaves the fetch to the others that wait for it.
        return await asyncio.shield(task)

    async def _fetch_now(self, domain: str, policy_id: str) -> Known | FetchError:
        try:
            async with self._free:
                policy = await self._fetcher.fetch(domain)
        except FetchError as error:
            self._remember(domain, error)
            log.info("mta-sts policy not fetched", domain=domain, reason=str(error))
            return error
        self._failures.pop(domain, None)
        log.info("mta-sts policy fetched", domain=domain, mode=policy.mode, id=policy_id)
        return await self.cache.put(domain, policy_id, policy)

    def _remember(self, domain: str, error: FetchError) -> None:
        old = self._failures.pop(domain, None)
        count = 0 if old is None else old.count + 1
        wait_s = min(FIRST_BACKOFF_S * 2.0 ** min(count, 10), LONGEST_BACKOFF_S)
        self._failures[domain] = _Failure(error, count, self._clock.monotonic() + wait_s)
        if len(self._failures) > MAX_FAILURES:
            self._failures.popitem(last=False)


def _finding(known: Known | None, fault: FetchError | LookupFailed | None = None) -> StsFinding:
    reason = ""
    result = None
    if isinstance(fault, LookupFailed):
        reason = fault.reason
    elif fault is not None:
        reason, result = str(fault), fault.result
    finding = StsFinding(
        is_unsure=known is None and isinstance(fault, LookupFailed),
        fault=reason,
        fault_result=result,
    )
    if known is None:
        return finding
    return replace(
        finding, policy=known.policy, policy_id=known.policy_id, expires_at=known.expires_at
    )

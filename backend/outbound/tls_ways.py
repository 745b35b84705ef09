"""How a TLS policy becomes connections: what is tried in turn at one address, who checks the certificate, what is reported."""

import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from backend.core.clock import Clock, SystemClock
from backend.core.ids import TraceId
from backend.dns.resolver import Resolver
from backend.outbound.dial import Fault, TlsError, opportunistic_context
from backend.outbound.session import CheckChain, Session
from backend.outbound.tls_findings import TlsFindings
from backend.outbound.tls_outcomes import (
    AppliedPolicy,
    PolicyType,
    Record,
    TlsOutcome,
    TlsResult,
    forget,
)
from backend.outbound.tls_policy import Demand, StsFinding, TlsPolicy
from backend.runtime.threads import Pool, run_blocking
from backend.smtp.client import Outcome, Stage, Tls
from backend.smtp.extensions import Extension
from backend.tls import dane
from backend.tls.contexts import client_context

Context = Callable[[], Awaitable[ssl.SSLContext]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One connection. The next way of a policy is tried when the handshake of this one has failed.

    `reported`: the policies to which its outcome belongs.
    """

    tls: Tls
    is_verified: bool = False
    """Against the authorities that this computer trusts."""
    is_authenticated: bool = False
    """Once TLS has started, the server is who it says, by these or by DANE."""
    reported: tuple[AppliedPolicy, ...] = ()
    key: str
    """Of the policy and the way: a connection that is kept open may be used again for the same."""


def ways(policy: TlsPolicy) -> Iterator[Way]:
    key = policy.key
    if policy.demand is Demand.VERIFIED:
        yield Way(
            tls=Tls.REQUIRED,
            is_verified=True,
            is_authenticated=True,
            reported=policy.applied,
            key=key,
        )
        return
    if policy.demand is not Demand.OPPORTUNISTIC:
        yield Way(
            tls=Tls.REQUIRED,
            is_authenticated=policy.demand is Demand.DANE,
            reported=policy.applied,
            key=key,
        )
        return
    if policy.rehearsed is not None and not policy.rehearsal_fault:
        yield Way(
            tls=Tls.OPPORTUNISTIC,
            is_verified=True,
            reported=(policy.rehearsed,),
            key=f"{key}|rehearsed",
        )
    yield Way(tls=Tls.OPPORTUNISTIC, reported=policy.applied, key=key)
    yield Way(tls=Tls.NEVER, key=f"{key}|plain")


class Checks:
    """The TLS contexts of direct delivery and the check of TLSA records. `verifying` may raise DialError."""

    def __init__(self, clock: Clock, verifying: Context) -> None:
        self._clock = clock
        self._any = opportunistic_context()
        self._verifying = verifying

    async def context(self, way: Way) -> ssl.SSLContext:
        return await self._verifying() if way.is_verified else self._any

    def check_chain(self, policy: TlsPolicy, host: str) -> CheckChain | None:
        """What has to look at the server's certificates after the handshake."""
        if policy.demand is not Demand.DANE:
            return None
        names = policy.names or (host,)

        async def check(chain: Sequence[bytes]) -> None:
            try:
                await run_blocking(
                    Pool.CRYPTO, dane.check, policy.records, chain, names, self._clock.now()
                )
            except dane.DaneError as error:
                raise TlsError(str(error), _DANE_FAULTS.get(error.reason, Fault.TLSA)) from error

        return check


_DANE_FAULTS = {
    "certificate-expired": Fault.CERTIFICATE_EXPIRED,
    "certificate-host-mismatch": Fault.CERTIFICATE_NAME,
}
_RESULTS = {
    Fault.CERTIFICATE_EXPIRED: TlsResult.CERTIFICATE_EXPIRED,
    Fault.CERTIFICATE_NAME: TlsResult.CERTIFICATE_HOST_MISMATCH,
    Fault.CERTIFICATE_UNTRUSTED: TlsResult.CERTIFICATE_NOT_TRUSTED,
}


class Telling:
    """Hands what came of TLS to the reports, for one message."""

    def __init__(self, record: Record, trace: TraceId, domain: str) -> None:
        self._record = record
        self._trace = trace
        self._domain = domain

    def of_policy(self, policy: TlsPolicy, host: str) -> None:
        """What failed before any connection."""
        if policy.refusal is not None and policy.refusal_result is not None:
            self._tell(policy.applied, policy.refusal_result, host, info=policy.reason)
        if policy.rehearsed is not None and policy.rehearsal_fault:
            self._tell(
                (policy.rehearsed,),
                TlsResult.VALIDATION_FAILURE,
                host,
                info=policy.rehearsal_fault,
            )

    def of_fetch(self, finding: StsFinding) -> None:
        """A policy that is announced and could not be had (RFC 8460 §4.3.2.2)."""
        if finding.fault_result is not None:
            applied = AppliedPolicy(type=PolicyType.STS, domain=self._domain)
            self._tell((applied,), finding.fault_result, "", info=finding.fault)

    def of_session(self, way: Way, session: Session, outcome: Outcome) -> None:
        """A connection to its end. One that broke before TLS was spoken of tells nothing about TLS."""
        if session.is_reused:
            return  # what was found when it was opened was told then
        client = session.client
        info = ""
        if client.tls_handshake_failed:
            result = _RESULTS.get(session.fault, TlsResult.VALIDATION_FAILURE)
            info = session.tls_fault
        elif client.is_tls:
            result = TlsResult.SUCCESS
        elif client.is_ready or outcome.results[0].stage is Stage.TLS:
            is_offered = Extension.STARTTLS in client.offer
            result = (
                TlsResult.VALIDATION_FAILURE if is_offered else TlsResult.STARTTLS_NOT_SUPPORTED
            )
            info = "the server refused STARTTLS" if is_offered else ""
        else:
            return
        helo = client.greeting.split(maxsplit=1)[:1]
        self._tell(
            way.reported,
            result,
            session.host,
            ip=session.ip,
            sending_ip=session.connection.local_ip if session.connection is not None else "",
            helo=helo[0] if helo else "",
            reason="tlsa-mismatch" if session.fault is Fault.TLSA else "",
            info=info,
        )

    def _tell(
        self,
        policies: tuple[AppliedPolicy, ...],
        result: TlsResult,
        host: str,
        *,
        ip: str = "",
        sending_ip: str = "",
        helo: str = "",
        reason: str = "",
        info: str = "",
    ) -> None:
        if not policies:
            return
        self._record(
            TlsOutcome(
                trace=self._trace,
                domain=self._domain,
                policies=policies,
                result=result,
                sending_ip=sending_ip,
                receiving_host=host,
                receiving_ip=ip,
                receiving_helo=helo,
                reason=reason,
                info=info,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectTls:
    """All that direct delivery needs for TLS: what to find out, how to check, whom to tell."""

    findings: TlsFindings
    checks: Checks
    record: Record = forget


def without_policies(resolver: Resolver, port: int) -> DirectTls:
    """With DANE and the authorities of this computer, without MTA-STS and without reports: for trials."""

    async def verifying() -> ssl.SSLContext:
        return await run_blocking(Pool.FILES, client_context)

    return DirectTls(
        findings=TlsFindings(resolver, port=port), checks=Checks(SystemClock(), verifying)
    )

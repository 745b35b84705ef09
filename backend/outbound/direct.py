"""Delivery to the hosts that the recipient's domain names in the DNS (RFC 5321 §5.1; behaviour T1).

Hosts in the order of preference, each with its addresses. For each host a policy says what must hold for TLS
(`tls_policy`); without one it is STARTTLS where it is offered, without TLS when the handshake fails. The next host is tried when one does not answer or has no time, not when it has judged the message or a
recipient. Nothing is tried again in this attempt once the whole message has gone out and the reply is missing.

Also over one kind of addresses only, and through a SOCKS5 proxy (behaviour T6), which then looks up the addresses.
"""

import asyncio
import ipaddress
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from backend.core.address import Address
from backend.core.clock import SystemClock
from backend.core.status import SmtpStatus
from backend.dns.answers import Found, LookupFailed
from backend.dns.lookups import MailHosts, NoMailHosts, find_mail_hosts
from backend.dns.resolver import Resolver
from backend.outbound.address_order import (
    IpVersion,
    may_depend_on_address,
    order_addresses,
    other_version,
)
from backend.outbound.dial import (
    Connection,
    DialError,
    Endpoints,
    SocksProxy,
    dial,
    dial_through,
    is_own,
    refusal,
)
from backend.outbound.session import DEFAULT_LIMITS, Dialogues, Limits, Session
from backend.outbound.tls_findings import DomainFacts, demands_of
from backend.outbound.tls_outcomes import forget
from backend.outbound.tls_policy import Demand, TlsPolicy
from backend.outbound.tls_ways import DirectTls, Telling, Way, ways, without_policies
from backend.outbound.transport import Delivery, Outgoing, Result, Try
from backend.smtp.client import Options, Outcome, RecipientResult, Stage

MAX_TRIES = 10  # connections in one attempt, a security limit
MAX_ADDRESSES_OF_A_HOST = 4  # a security limit

LOOPS_BACK = SmtpStatus(554, "5.4.6", "mail loops back: the DNS names this very server for it")

Family = Literal[0, 4, 6]
"""Kind of addresses; 0 is both."""


@dataclass(slots=True)
class _Progress:
    """What is known so far: `settled` for good, `unsettled` the last finding of a host that could be another host's mail."""

    waiting: list[Address]
    until: float
    """When no other host is tried any more, in the time of the event loop."""
    settled: dict[Address, Result] = field(default_factory=dict)
    unsettled: dict[Address, Result] = field(default_factory=dict)
    tries: list[Try] = field(default_factory=list)
    other_version: IpVersion | None = None
    """The kind of addresses that the host of the moment has beside the one that is tried."""
    facts: DomainFacts | None = None
    telling: Telling | None = None

    @property
    def goes_on(self) -> bool:
        """Whether another address may be tried. SECURITY: hosts that all stall must not hold a place in the queue for hours."""
        is_in_time = asyncio.get_running_loop().time() < self.until
        return bool(self.waiting) and len(self.tries) < MAX_TRIES and is_in_time

    def settle_all(self, status: SmtpStatus, remote_mta: str = "") -> None:
        for recipient in self.waiting:
            self.settled[recipient] = Result(
                recipient=recipient, status=status, remote_mta=remote_mta
            )
        self.waiting = []

    def put_off_all(self, status: SmtpStatus, remote_mta: str = "") -> None:
        for recipient in self.waiting:
            self._put_off(Result(recipient=recipient, status=status, remote_mta=remote_mta))

    def take(self, results: Iterable[tuple[Result, bool]]) -> None:
        """`results` with whether each is final."""
        for result, final in results:
            if final:
                self.settled[result.recipient] = result
                self.waiting.remove(result.recipient)
            else:
                self._put_off(result)

    def _put_off(self, result: Result) -> None:
        # While one host may yet take it, the message is not refused for good.
        known = self.unsettled.get(result.recipient)
        if known is None or result.status.is_temporary or not known.status.is_temporary:
            self.unsettled[result.recipient] = result

    def delivery(self, message: Outgoing) -> Delivery:
        return Delivery(
            results=tuple(
                self.settled.get(recipient) or self.unsettled[recipient]
                for recipient in message.recipients
            ),
            tries=tuple(self.tries),
        )


class DirectTransport:
    def __init__(
        self,
        resolver: Resolver,
        *,
        hostname: str,
        port: int = 25,
        allow_private: bool = False,
        family: Family = 0,
        proxy: SocksProxy | None = None,
        proxy_hostname: str = "",
        own_endpoints: Callable[[], Endpoints] = tuple,
        dialogues: Dialogues | None = None,
        limits: Limits = DEFAULT_LIMITS,
        tls: DirectTls | None = None,
    ) -> None:
        """`proxy_hostname`: the name that belongs to the proxy's address, with which others are greeted."""
        self._resolver = resolver
        self._hostname = hostname.lower()
        self._port = port
        self._allow_private = allow_private
        self._family = family
        self._proxy = proxy
        self._ehlo_name = proxy_hostname.lower() or self._hostname
        self._own_endpoints = own_endpoints
        self._limits = limits
        self._tls = tls or without_policies(resolver, port)
        self._dialogues = dialogues or Dialogues(SystemClock(), limits)

    async def deliver(self, message: Outgoing) -> Delivery:
        until = asyncio.get_running_loop().time() + self._limits.session_s
        progress = _Progress(list(message.recipients), until)
        hosts, found = await self._find_hosts(message, progress)
        if not hosts:
            return progress.delivery(message)
        facts = await self._tls.findings.of_domain(message.domain, found, demands_of(message))
        progress.facts = facts
        progress.telling = Telling(
            forget if message.try_sender else self._tls.record, message.trace, message.domain
        )
        progress.telling.of_fetch(facts.sts)
        for host in hosts:
            if not progress.goes_on:
                break
            await self._deliver_to_host(host, message, progress)
        return progress.delivery(message)

    async def close(self) -> None:
        """Ends what is still saying goodbye."""
        await self._dialogues.close()

    # Hosts and addresses

    async def _find_hosts(
        self, message: Outgoing, progress: _Progress
    ) -> tuple[list[str], MailHosts | None]:
        literal = message.recipients[0].literal
        if literal:
            return [literal[1:-1].removeprefix("IPv6:")], None
        found = await find_mail_hosts(self._resolver, message.domain)
        if isinstance(found, NoMailHosts):
            code = 550 if found.permanent else 451
            progress.settle_all(SmtpStatus(code, found.enhanced, found.reason))
            return [], None
        hosts = list(found.hosts)
        # RFC 5321 §5.1: equals in random order; being one of the hosts ourselves, only better ones are tried.
        random.shuffle(hosts)
        open_to = self._dialogues.connections.leads_to
        hosts.sort(key=lambda entry: (entry[0], not open_to(entry[1])))
        own = [preference for preference, host in hosts if host == self._hostname]
        if own:
            hosts = [entry for entry in hosts if entry[0] < min(own)]
            if not hosts:
                progress.settle_all(LOOPS_BACK)
        return [host for _, host in hosts], found

    async def _addresses(
        self, host: str, message: Outgoing, progress: _Progress
    ) -> tuple[list[str], Found[str] | None]:
        """In the order to try them, and the answer that they come from."""
        try:
            return [str(ipaddress.ip_address(host))], None
        except ValueError:
            pass
        answer = await self._resolver.addresses(host)
        if isinstance(answer, Found):
            usable = [ip for ip in answer.records if self._is_usable(ip)]
            if usable:
                return order_addresses(usable, message.earlier), answer
            # Another route may take it later: the message itself is not at fault.
            status = SmtpStatus(
                451,
                "4.4.4",
                f"the mail server {host} has no IPv{self._family} address, and this transport uses no other",
            )
        elif isinstance(answer, LookupFailed) and answer.temporary:
            status = SmtpStatus(451, "4.4.3", answer.reason)
        elif isinstance(answer, LookupFailed):
            status = SmtpStatus(550, "5.4.4", answer.reason)
        elif host == message.domain:
            status = SmtpStatus(
                550, "5.4.4", f"the domain {host} has no mail server and no address in the DNS"
            )
        else:
            status = SmtpStatus(
                550,
                "5.4.4",
                f"the mail server {host} of {message.domain} has no address in the DNS",
            )
        progress.put_off_all(status)
        progress.tries.append(Try(host=host, answer=status.text))
        return [], None

    def _is_usable(self, ip: str) -> bool:
        return not self._family or (":" in ip) is (self._family == 6)

    async def _deliver_to_host(self, host: str, message: Outgoing, progress: _Progress) -> None:
        if self._proxy is not None:
            await self._deliver_through(host, message, progress)
            return
        addresses, answer = await self._addresses(host, message, progress)
        policy = await self._policy(host, answer, progress) if addresses else None
        if policy is None:
            return
        for ip in addresses[:MAX_ADDRESSES_OF_A_HOST]:
            progress.other_version = other_version(addresses, ip)
            if not progress.goes_on:
                return
            if is_own(ip, self._port, self._own_endpoints()):
                progress.tries.append(
                    Try(host=host, ip=ip, port=self._port, answer=LOOPS_BACK.text)
                )
                progress.put_off_all(LOOPS_BACK)
                continue
            if not self._is_refused(host, ip, progress):
                await self._try_each_way(host, ip, policy, message, progress)

    async def _deliver_through(self, host: str, message: Outgoing, progress: _Progress) -> None:
        """By name: the proxy has its own view of the DNS. Ours is asked only whether the name leads inside."""
        answer = await self._resolver.addresses(host)
        known = (
            [host] if _is_ip(host) else list(answer.records) if isinstance(answer, Found) else []
        )
        # SECURITY: it may take any of them, so that one which leads inside is one too many.
        if any(self._is_refused(host, ip, progress) for ip in known):
            return
        policy = await self._policy(host, answer if isinstance(answer, Found) else None, progress)
        if policy is not None:
            await self._try_each_way(host, "", policy, message, progress)

    async def _policy(
        self, host: str, addresses: Found[str] | None, progress: _Progress
    ) -> TlsPolicy | None:
        """What must hold for TLS; None when nothing may be sent to that host."""
        assert progress.facts is not None
        assert progress.telling is not None
        policy = await self._tls.findings.of_host(progress.facts, host, addresses)
        progress.telling.of_policy(policy, host)
        if policy.refusal is None:
            return policy
        progress.tries.append(Try(host=host, policy=policy.reason, answer=str(policy.refusal.text)))
        progress.put_off_all(policy.refusal)
        return None

    def _is_refused(self, host: str, ip: str, progress: _Progress) -> bool:
        reason = refusal(ip, allow_private=self._allow_private)
        if reason is None:
            return False
        text = f"{ip}, the address of {host}, {reason}; no mail is delivered there"
        progress.tries.append(Try(host=host, ip=ip, port=self._port, answer=text))
        progress.put_off_all(SmtpStatus(550, "5.4.4", text))
        return True

    # One connection

    async def _try_each_way(
        self, host: str, ip: str, policy: TlsPolicy, message: Outgoing, progress: _Progress
    ) -> None:
        for way in ways(policy):
            handshake_failed = await self._try(host, ip, policy, way, message, progress)
            if not handshake_failed:
                break

    async def _try(
        self,
        host: str,
        ip: str,
        policy: TlsPolicy,
        way: Way,
        message: Outgoing,
        progress: _Progress,
    ) -> bool:
        """Whether the TLS handshake failed, so that the same host may be tried in the next way."""
        try:
            context = await self._tls.checks.context(way)
        except DialError as error:
            progress.put_off_all(SmtpStatus(451, "4.7.5", str(error)))
            progress.tries.append(Try(host=host, ip=ip, policy=policy.reason, answer=str(error)))
            return False
        session = Session(
            host=host,
            ip=ip,
            port=self._port,
            options=Options(
                ehlo_name=self._ehlo_name,
                tls=way.tls,
                is_verified=way.is_authenticated,
                try_sender=message.try_sender,
                chunking=True,
            ),
            context=context,
            message=message,
            recipients=tuple(progress.waiting),
            own_name=self._hostname,
            tls_name=policy.tls_name,
            check_chain=self._tls.checks.check_chain(policy, host),
            policy=policy.reason,
            # Whatever is demanded of TLS belongs in here: a connection serves only what has the same demands.
            reuse=None if message.try_sender else ("direct", self._proxy, way.key),
        )
        longest = self._limits.session_s
        outcome, duration_ms = await self._dialogues.hold(
            session, lambda: self._dial(host, ip), ready_s=longest, deliver_s=longest
        )
        # Behaviour T13: at the first attempt only, so that a refusal that is meant is not asked for again and again.
        other = progress.other_version if not message.earlier else None
        results = list(_judged(session, outcome, other, policy))
        if progress.telling is not None and not session.is_greeted_by_ourselves:
            progress.telling.of_session(way, session, outcome)
        progress.take(results)
        progress.tries.append(session.entry([result for result, _ in results], duration_ms))
        return session.client.tls_handshake_failed

    async def _dial(self, host: str, ip: str) -> Connection:
        timeout_s = self._limits.connect_s
        if self._proxy is not None:
            return await dial_through(self._proxy, host, self._port, timeout_s=timeout_s)
        return await dial(ip, self._port, timeout_s=timeout_s)


def _judged(
    session: Session, outcome: Outcome, other: IpVersion | None, policy: TlsPolicy
) -> Iterable[tuple[Result, bool]]:
    """Each result, and whether it is final for this attempt: what it means for the other hosts."""
    if session.is_greeted_by_ourselves:
        for result in outcome.results:
            yield Result(recipient=result.recipient, status=LOOPS_BACK), False
        return
    for result in outcome.results:
        status, remote_mta = result.status, session.host
        if not result.remote:
            place = f"{session.host} ({session.ip})" if session.ip else session.host
            text = f"{place}: {status.text}"
            if result.stage is Stage.TLS and policy.demand is not Demand.OPPORTUNISTIC:
                text += f" ({policy.reason})"
            status = SmtpStatus(status.code, status.enhanced, text)
            remote_mta = ""
        is_worth_another = other is not None and result.remote and may_depend_on_address(status)
        yield (
            Result(
                recipient=result.recipient,
                status=status,
                remote_mta=remote_mta,
                unconfirmed=session.is_unconfirmed(result),
                another_way=f"the next attempt goes over IPv{other}" if is_worth_another else "",
                peer_reports=result.peer_reports,
            ),
            session.is_unconfirmed(result) or _is_final(result),
        )


def _is_final(result: RecipientResult) -> bool:
    status = result.status
    if status.is_success:
        return True
    if result.stage in {Stage.CONNECT, Stage.TLS, Stage.AUTH}:
        return False
    # 421 speaks of the server, not of the message; a broken connection says nothing of it either.
    is_about_server = status.code == 421 or (not result.remote and status.is_temporary)
    return not is_about_server


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

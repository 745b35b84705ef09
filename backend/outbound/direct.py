"""Delivery to the hosts that the recipient's domain names in the DNS (RFC 5321 §5.1; behaviour T1).

Hosts in the order of preference, each with its addresses; STARTTLS where it is offered, without TLS when the handshake
fails. The next host is tried when one does not answer or has no time, not when it has judged the message or a
recipient. Nothing is tried again in this attempt once the whole message has gone out and the reply is missing.
"""

import asyncio
import ipaddress
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from backend.core.address import Address
from backend.core.clock import Clock, SystemClock
from backend.core.status import SmtpStatus
from backend.dns.answers import Found, LookupFailed
from backend.dns.lookups import NoMailHosts, find_mail_hosts
from backend.dns.resolver import Resolver
from backend.observe import log as logs
from backend.outbound.dial import (
    CONNECT_TIMEOUT_S,
    Connection,
    DialError,
    Endpoints,
    TlsError,
    dial,
    is_own,
    opportunistic_context,
    refusal,
)
from backend.outbound.transport import MAX_EXCERPT_CHARS, Delivery, Outgoing, Result, Try
from backend.runtime import tasks
from backend.runtime.threads import Pool, run_blocking
from backend.smtp.client import (
    Closed,
    Finished,
    Options,
    Outcome,
    Receive,
    RecipientResult,
    Send,
    SendContent,
    SmtpClient,
    Stage,
    StartTls,
    Tls,
    Transaction,
)
from backend.smtp.data import DotStuffer
from backend.smtp.limits import QUIT_TIMEOUT_S

log = logs.get(__name__)

MAX_TRIES = 10  # connections in one attempt, a security limit
MAX_ADDRESSES_OF_A_HOST = 4  # a security limit
SESSION_TIMEOUT_S = (
    1800.0  # one whole connection; a slow server must not hold a place in the queue for ever
)
CHUNK_OCTETS = 64 * 1024

LOOPS_BACK = SmtpStatus(554, "5.4.6", "mail loops back: the DNS names this very server for it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Tests make them short. `step_s` bounds each wait for the other side, which RFC 5321 lets be minutes."""

    connect_s: float = CONNECT_TIMEOUT_S
    step_s: float = float("inf")
    session_s: float = SESSION_TIMEOUT_S


DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class _Progress:
    """What is known so far: `settled` for good, `unsettled` the last finding of a host that could be another host's mail."""

    waiting: list[Address]
    settled: dict[Address, Result] = field(default_factory=dict)
    unsettled: dict[Address, Result] = field(default_factory=dict)
    tries: list[Try] = field(default_factory=list)

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
        own_endpoints: Callable[[], Endpoints] = tuple,
        clock: Clock | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._resolver = resolver
        self._hostname = hostname.lower()
        self._port = port
        self._allow_private = allow_private
        self._own_endpoints = own_endpoints
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._limits = limits
        self._context = opportunistic_context()
        self._farewells: set[asyncio.Task[None]] = set()

    async def deliver(self, message: Outgoing) -> Delivery:
        progress = _Progress(list(message.recipients))
        hosts = await self._find_hosts(message, progress)
        for host in hosts:
            if not progress.waiting or len(progress.tries) >= MAX_TRIES:
                break
            await self._deliver_to_host(host, message, progress)
        return progress.delivery(message)

    async def close(self) -> None:
        """Ends what is still saying goodbye."""
        await tasks.stop(*self._farewells)

    # Hosts and addresses

    async def _find_hosts(self, message: Outgoing, progress: _Progress) -> list[str]:
        literal = message.recipients[0].literal
        if literal:
            return [literal[1:-1].removeprefix("IPv6:")]
        found = await find_mail_hosts(self._resolver, message.domain)
        if isinstance(found, NoMailHosts):
            code = 550 if found.permanent else 451
            progress.settle_all(SmtpStatus(code, found.enhanced, found.reason))
            return []
        hosts = list(found.hosts)
        # RFC 5321 §5.1: equals in random order; being one of the hosts ourselves, only better ones are tried.
        random.shuffle(hosts)
        hosts.sort(key=lambda entry: entry[0])
        own = [preference for preference, host in hosts if host == self._hostname]
        if own:
            hosts = [entry for entry in hosts if entry[0] < min(own)]
            if not hosts:
                progress.settle_all(LOOPS_BACK)
        return [host for _, host in hosts]

    async def _addresses(self, host: str, message: Outgoing, progress: _Progress) -> list[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        answer = await self._resolver.addresses(host)
        if isinstance(answer, Found):
            return list(answer.records[:MAX_ADDRESSES_OF_A_HOST])
        if isinstance(answer, LookupFailed) and answer.temporary:
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
        return []

    async def _deliver_to_host(self, host: str, message: Outgoing, progress: _Progress) -> None:
        for ip in await self._addresses(host, message, progress):
            if not progress.waiting or len(progress.tries) >= MAX_TRIES:
                return
            if is_own(ip, self._port, self._own_endpoints()):
                progress.tries.append(
                    Try(host=host, ip=ip, port=self._port, answer=LOOPS_BACK.text)
                )
                progress.put_off_all(LOOPS_BACK)
                continue
            reason = refusal(ip, allow_private=self._allow_private)
            if reason is not None:
                text = f"{ip}, the address of {host}, {reason}; no mail is delivered there"
                progress.tries.append(Try(host=host, ip=ip, port=self._port, answer=text))
                progress.put_off_all(SmtpStatus(550, "5.4.4", text))
                continue
            for tls in (Tls.OPPORTUNISTIC, Tls.NEVER):
                handshake_failed = await self._try(host, ip, tls, message, progress)
                if not handshake_failed:
                    break

    # One connection

    async def _try(
        self, host: str, ip: str, tls: Tls, message: Outgoing, progress: _Progress
    ) -> bool:
        """Whether the TLS handshake failed, so that the same host may be tried without."""
        started = self._clock.monotonic()
        session = _Session(host, ip, self._hostname, tls, message, tuple(progress.waiting))
        connection: Connection | None = None
        try:
            try:
                async with asyncio.timeout(self._limits.session_s):
                    connection = await dial(ip, self._port, timeout_s=self._limits.connect_s)
                    outcome = await self._converse(connection, session)
            except DialError as error:
                outcome = session.give_up(str(error))
            except TimeoutError:
                outcome = session.give_up("the connection took too long")
        except BaseException:
            if connection is not None:
                connection.abort()
            raise
        results = list(session.judged(outcome))
        progress.take(results)
        last = next((r.status for r, _ in results if not r.status.is_success), results[0][0].status)
        progress.tries.append(
            Try(
                host=host,
                ip=ip,
                port=self._port,
                tls=connection.tls if connection is not None and session.client.is_tls else "",
                succeeded=any(r.status.is_success for r, _ in results),
                answer=str(last) if any(r.remote_mta for r, _ in results) else last.text,
                duration_ms=round((self._clock.monotonic() - started) * 1000),
                excerpt="\n".join(session.client.transcript)[:MAX_EXCERPT_CHARS],
            )
        )
        log.debug("smtp session ended", host=host, ip=ip, answer=str(last))
        if connection is not None:
            self._part(connection, session)
        return session.client.tls_handshake_failed

    async def _converse(self, connection: Connection, session: "_Session") -> Outcome:
        """Up to the outcome of the transaction; QUIT is left to `_part`."""
        client, longest = session.client, self._limits.step_s
        while True:
            step = client.step()
            match step:
                case Send(data, timeout_s):
                    await connection.write(data, min(timeout_s, longest))
                case Receive(timeout_s):
                    client.receive(await connection.read(min(timeout_s, longest)))
                    if session.is_greeted_by_ourselves:
                        client.lost(LOOPS_BACK.text)
                case StartTls(timeout_s):
                    try:
                        await connection.start_tls(
                            self._context, session.host, min(timeout_s, longest)
                        )
                    except TlsError as error:
                        client.tls_failed(str(error))
                    else:
                        client.tls_started()
                case SendContent(_, timeout_s):
                    await self._send_content(connection, session, min(timeout_s, longest))
                    client.content_sent()
                case Finished(outcome):
                    return outcome
                case Closed():  # not before Finished: the client has one transaction
                    raise DialError("the dialogue ended early")
                case _:
                    assert_never(step)

    async def _send_content(
        self, connection: Connection, session: "_Session", timeout_s: float
    ) -> None:
        stuffer, content = DotStuffer(), session.message.content
        offset, size = 0, session.message.size_bytes
        while not session.content_is_out:
            if isinstance(content, Path):
                chunk = await run_blocking(Pool.FILES, _read_chunk, content, offset)
            else:
                chunk = content[offset : offset + CHUNK_OCTETS]
            if not chunk and offset < size:
                raise OSError(f"the content of a queued message is shorter than {size} bytes")
            offset += len(chunk)
            if offset < size:
                await connection.write(stuffer.feed(chunk), timeout_s)
            else:
                # From here on the other side may have the whole message, whatever we hear of it.
                session.content_is_out = True
                await connection.write(stuffer.feed(chunk) + stuffer.end(), timeout_s)

    def _part(self, connection: Connection, session: "_Session") -> None:
        """Says QUIT and closes beside the rest: the outcome is known and must be written down without delay."""
        farewell = tasks.spawn(self._say_goodbye(connection, session.client), "smtp goodbye")
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)

    async def _say_goodbye(self, connection: Connection, client: SmtpClient) -> None:
        timeout_s = min(QUIT_TIMEOUT_S, self._limits.step_s)
        try:
            with suppress(DialError, TimeoutError):
                async with asyncio.timeout(timeout_s):
                    while not isinstance(step := client.step(), Closed):
                        match step:
                            case Send(data):
                                await connection.write(data, timeout_s)
                            case Receive():
                                client.receive(await connection.read(timeout_s))
                            case _:
                                break
            await connection.close()
        except BaseException:
            connection.abort()
            raise


class _Session:
    """One transaction over one connection, and what its outcome means for the other hosts."""

    def __init__(
        self,
        host: str,
        ip: str,
        hostname: str,
        tls: Tls,
        message: Outgoing,
        recipients: tuple[Address, ...],
    ) -> None:
        self.host = host
        self._ip = ip
        self.message = message
        self.content_is_out = False
        self._hostname = hostname
        self.client = SmtpClient(Options(ehlo_name=hostname, tls=tls))
        self.client.add(
            Transaction(
                sender=message.sender,
                recipients=recipients,
                size_bytes=message.size_bytes,
                body=message.body,
                smtputf8=message.smtputf8,
            )
        )

    @property
    def is_greeted_by_ourselves(self) -> bool:
        # A router at home may lead our own public address back to us; then only the greeting tells.
        name = self.client.greeting.split(maxsplit=1)[:1]
        return bool(name) and name[0].lower() == self._hostname

    def give_up(self, text: str) -> Outcome:
        """The outcome of a session that broke."""
        self.client.lost(text)
        while not isinstance(step := self.client.step(), Finished):
            assert not isinstance(step, Closed)  # a client with one transaction finishes it first
        return step.outcome

    def judged(self, outcome: Outcome) -> Iterable[tuple[Result, bool]]:
        """Each result, and whether it is final for this attempt."""
        if self.is_greeted_by_ourselves:
            for result in outcome.results:
                yield Result(recipient=result.recipient, status=LOOPS_BACK), False
            return
        for result in outcome.results:
            status, remote_mta = result.status, self.host
            if not result.remote:
                text = f"{self.host} ({self._ip}): {status.text}"
                status, remote_mta = SmtpStatus(status.code, status.enhanced, text), ""
            yield (
                Result(recipient=result.recipient, status=status, remote_mta=remote_mta),
                self._is_final(result),
            )

    def _is_final(self, result: RecipientResult) -> bool:
        status = result.status
        if self.content_is_out or status.is_success:
            return True
        if result.stage in {Stage.CONNECT, Stage.TLS, Stage.AUTH}:
            return False
        # 421 speaks of the server, not of the message; a broken connection says nothing of it either.
        is_about_server = status.code == 421 or (not result.remote and status.is_temporary)
        return not is_about_server


def _read_chunk(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(CHUNK_OCTETS)

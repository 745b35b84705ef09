"""Delivery to one server that takes mail for everybody: a smarthost, or a submission service with sign-in (behaviour T3 to T5).

Its certificate is checked against the configured name, unless the settings say otherwise. What goes wrong before the
message is offered is temporary: it says nothing about the message, and the settings can be put right.
"""

import ipaddress
import secrets
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from backend.config.routing import SmtpTransport, Transport
from backend.core.status import SmtpStatus
from backend.dns.answers import Found, LookupFailed
from backend.dns.resolver import Resolver
from backend.outbound.dial import (
    Connection,
    DialError,
    Fault,
    dial,
    look_up_here,
    opportunistic_context,
)
from backend.outbound.session import DEFAULT_LIMITS, Dialogues, Limits, Session
from backend.outbound.transport import Delivery, Outgoing, Result, Try
from backend.sasl.mechanisms import CLIENT_MECHANISMS, choose, client_exchange, may_bind
from backend.sasl.saslprep import PrepError, saslprep
from backend.smtp.client import (
    NO_MECHANISM,
    Options,
    Outcome,
    RecipientResult,
    SaslExchange,
    Stage,
    Tls,
)
from backend.smtp.needs import NO_REQUIRETLS, NO_VERIFIED_TLS
from backend.tls.binding import names_on, server_end_point

READY_TIMEOUT_S = 60.0  # greeting, TLS and sign-in (behaviour T5)
DELIVER_TIMEOUT_S = 60.0
DELIVER_TIMEOUT_S_PER_MIB = 1.0
MAX_ADDRESSES = 4  # tried in one attempt, a security limit

NOT_STORED = "no password is stored; set it with: gatepost transport password {name}"
LEADS_BACK = "its server is this very server; enter the name of another one"
IN_THE_CLEAR = {"PLAIN", "LOGIN"}
"""Mechanisms that send the password itself."""

_PORTS = {"submissions": 465, "submission": 587, "smtp": 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """`password` None: none is stored. `username` empty: without sign-in."""

    name: str
    host: str
    port: int
    tls: Tls
    verify: bool
    username: str = ""
    mechanisms: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)


def relay_of(transport: Transport) -> tuple[str, SmtpTransport] | None:
    """The method and its settings; None for a transport of another kind."""
    for method in _PORTS:
        settings: SmtpTransport | None = getattr(transport, method)
        if settings is not None:
            return method, settings
    return None


def port_of(method: str, settings: SmtpTransport) -> int:
    """Behaviour T3: 0 is the usual one."""
    return settings.port or _PORTS[method]


def relay_settings(
    name: str, method: str, settings: SmtpTransport, password: str | None
) -> RelaySettings:
    # Behaviour T4: STARTTLS is a must and verified, unless it says otherwise.
    if method == "submissions":
        tls = Tls.IMPLICIT
    elif settings.no_starttls:
        tls = Tls.NEVER
    elif settings.starttls_insecure_skip_verify:
        tls = Tls.OPPORTUNISTIC
    else:
        tls = Tls.REQUIRED
    auth = settings.auth
    return RelaySettings(
        name=name,
        host=settings.host.lower(),
        port=port_of(method, settings),
        tls=tls,
        verify=not settings.starttls_insecure_skip_verify,
        username=auth.username if auth is not None else "",
        mechanisms=tuple(auth.mechanisms) if auth is not None else (),
        password=password,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one connection went: `stage` is the last one reached, `status` what it came to."""

    stage: Stage
    status: SmtpStatus
    remote: bool
    fault: Fault
    connected: bool
    mechanisms: tuple[str, ...]
    """What the server offered last."""
    signed_in_with: str
    """The mechanism that was tried; empty for none."""
    tried: Try
    names: tuple[str, ...] = ()
    """For whom the certificate is, when it is not for the host."""


class RelayTransport:
    def __init__(
        self,
        settings: RelaySettings,
        resolver: Resolver,
        *,
        hostname: str,
        context: Callable[[bool], Awaitable[ssl.SSLContext]],
        dialogues: Dialogues,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """`context(verify)`: for TLS to other servers, with or without a look at their certificate."""
        self.settings = settings
        self._resolver = resolver
        self._hostname = hostname.lower()
        self._context = context
        self._limits = limits
        self._dialogues = dialogues

    async def deliver(self, message: Outgoing) -> Delivery:
        settings = self.settings
        if settings.username and settings.password is None:
            status = SmtpStatus(
                451, "4.7.0", f"transport {settings.name}: {NOT_STORED.format(name=settings.name)}"
            )
            return _same_for_all(message, status)
        runs = await self._run(message)
        return Delivery(results=runs[-1].results, tries=tuple(run.tried for run in runs))

    async def probe(self, message: Outgoing) -> Finding:
        """How the last connection went, in all particulars."""
        run = (await self._run(message))[-1]
        result, session = run.outcome.results[0], run.session
        names: tuple[str, ...] = ()
        if session.fault is Fault.CERTIFICATE_NAME:
            names = await self._names(session.ip, message)
        return Finding(
            stage=result.stage,
            status=result.status,
            remote=result.remote,
            fault=session.fault,
            connected=session.connection is not None,
            mechanisms=tuple(session.client.offer.mechanisms),
            signed_in_with=run.mechanism,
            tried=run.tried,
            names=names,
        )

    async def _names(self, ip: str, message: Outgoing) -> tuple[str, ...]:
        """A second look at the certificate. SECURITY: without sign-in, for nothing vouches for that server."""
        context = await self._context(False)
        run = await self._one(ip, DialError(""), context, message, sign_in=False)
        return names_on(run.session.certificate) if run.session.certificate is not None else ()

    async def _run(self, message: Outgoing) -> list["_Run"]:
        """One connection, and others before it that did not come about: then the next address is tried."""
        try:
            context = await self._context(self.settings.verify)
        except DialError as error:
            context, missing = opportunistic_context(), error
            addresses: list[str] = []
        else:
            addresses, missing = await self._addresses()
        runs: list[_Run] = []
        for ip in addresses or [""]:
            run = await self._one(ip, missing, context, message)
            runs.append(run)
            if run.session.connection is not None:
                break
        return runs

    async def _addresses(self) -> tuple[list[str], DialError]:
        """What to connect to; when there is nothing, the reason."""
        host = self.settings.host
        try:
            return [str(ipaddress.ip_address(host))], DialError("")
        except ValueError:
            pass
        answer = await self._resolver.addresses(host)
        if isinstance(answer, Found):
            return list(answer.records[:MAX_ADDRESSES]), DialError("")
        # A name of the own network or of this computer is not in the DNS.
        here = await look_up_here(host, timeout_s=self._limits.connect_s)
        if isinstance(answer, LookupFailed):
            return here[:MAX_ADDRESSES], DialError(answer.reason, Fault.UNKNOWN_NAME)
        text = f"the name {host} has no address in the DNS"
        return here[:MAX_ADDRESSES], DialError(text, Fault.UNKNOWN_NAME)

    async def _one(
        self,
        ip: str,
        missing: DialError,
        context: ssl.SSLContext,
        message: Outgoing,
        *,
        sign_in: bool = True,
    ) -> "_Run":
        settings = self.settings
        chosen: list[str] = []

        def choose_sasl(offered: Sequence[str]) -> SaslExchange | None:
            exchange = self._exchange(session, offered)
            chosen.extend([exchange.name] if exchange is not None else [])
            return exchange

        async def connect() -> Connection:
            if not ip:
                raise missing
            return await dial(ip, settings.port, timeout_s=self._limits.connect_s)

        session = Session(
            host=settings.host,
            ip=ip,
            port=settings.port,
            options=Options(
                ehlo_name=self._hostname,
                tls=settings.tls,
                choose_sasl=choose_sasl if sign_in and settings.username else None,
                try_sender=message.try_sender,
                is_verified=settings.verify,
                chunking=True,
            ),
            context=context,
            message=message,
            recipients=message.recipients,
            own_name=self._hostname,
            # The settings hold the password: after a change it is a connection of its own.
            reuse=None if message.try_sender else settings,
        )
        mib = message.size_bytes / (1024 * 1024)
        outcome, duration_ms = await self._dialogues.hold(
            session,
            connect,
            ready_s=min(READY_TIMEOUT_S, self._limits.session_s),
            deliver_s=min(
                DELIVER_TIMEOUT_S + mib * DELIVER_TIMEOUT_S_PER_MIB, self._limits.session_s
            ),
        )
        results = tuple(self._result(result, session) for result in outcome.results)
        return _Run(
            session, outcome, results, session.entry(results, duration_ms), "".join(chosen[:1])
        )

    def _exchange(self, session: Session, offered: Sequence[str]) -> SaslExchange | None:
        settings = self.settings
        allowed: Sequence[str] = settings.mechanisms
        if not session.client.is_tls and settings.tls is not Tls.NEVER:
            # SECURITY: TLS may have been taken away on the way; the password itself is not sent then.
            allowed = [
                name for name in allowed or CLIENT_MECHANISMS if name.upper() not in IN_THE_CLEAR
            ]
            if not allowed:
                return None
        binding = None
        if may_bind(allowed) and session.certificate is not None:
            binding = server_end_point(session.certificate)
        mechanism = choose(offered, allowed, can_bind=binding is not None)
        if mechanism is None:
            return None
        return client_exchange(
            mechanism,
            _prepared(settings.username),
            settings.password or "",
            nonce=secrets.token_urlsafe(24),
            binding=binding,
        )

    def _result(self, result: RecipientResult, session: Session) -> Result:
        """Behaviour T5: the words of its row, and what is for good."""
        settings, status = self.settings, result.status
        place = f"{settings.host}:{settings.port}"
        if session.is_greeted_by_ourselves:
            status = SmtpStatus(451, "4.4.6", f"transport {settings.name}: {LEADS_BACK}")
            return Result(recipient=result.recipient, status=status)
        if status.is_success:
            return Result(
                recipient=result.recipient,
                status=status,
                remote_mta=settings.host,
                peer_reports=result.peer_reports,
            )
        is_early = result.stage in {Stage.CONNECT, Stage.TLS, Stage.AUTH}
        if session.connection is None:
            doing = f"dialing {place} for submission"
        elif is_early:
            doing = f"establishing smtp session with {place} for submission"
        else:
            doing = f"submitting email to {place}"
        code, enhanced = status.code, status.enhanced
        # Behaviour T11: a server that offers no way to sign in that we may use won't do so in an hour either.
        no_mechanism = not result.remote and status.text.startswith(NO_MECHANISM)
        # RFC 8689 §4.2.1: what needs protection that this way does not give is not kept for better days.
        unprotected = status in {NO_REQUIRETLS, NO_VERIFIED_TLS}
        if is_early and status.is_permanent and not (no_mechanism or unprotected):
            code, enhanced = 451, f"4{enhanced[1:]}" if enhanced else ""
        said = str(status) if result.remote else status.text
        return Result(
            recipient=result.recipient,
            status=SmtpStatus(code, enhanced, f"transport {settings.name}: {doing}: {said}"),
            remote_mta=settings.host if result.remote else "",
            unconfirmed=session.is_unconfirmed(result),
        )


@dataclass(frozen=True, slots=True)
class _Run:
    session: Session
    outcome: Outcome
    results: tuple[Result, ...]
    tried: Try
    mechanism: str


def _prepared(username: str) -> str:
    try:
        return saslprep(username)
    except PrepError:
        return username


def _same_for_all(message: Outgoing, status: SmtpStatus) -> Delivery:
    return Delivery(results=tuple(Result(recipient=r, status=status) for r in message.recipients))

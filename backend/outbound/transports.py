"""The transport behind a name: made anew for each attempt from the settings of the moment.

They keep nothing between attempts; the goodbyes to other servers and the TLS contexts are held here.
"""

import ssl
from collections.abc import Callable

from backend.config.fields import split_host_port
from backend.config.model import Config
from backend.config.routing import DirectTransport as DirectSettings
from backend.config.routing import SocksTransport, Transport
from backend.core.clock import Clock
from backend.core.status import SmtpStatus
from backend.dns.resolver import Resolver
from backend.outbound import transport as outbound_transport
from backend.outbound.dial import DialError, Endpoints, SocksProxy
from backend.outbound.direct import DirectTransport, Family
from backend.outbound.relay import RelayTransport, relay_of, relay_settings
from backend.outbound.route import DIRECT, Choice
from backend.outbound.session import DEFAULT_LIMITS, Dialogues, Limits
from backend.outbound.tls_findings import FindSts, TlsFindings, no_sts
from backend.outbound.tls_outcomes import Record, forget
from backend.outbound.tls_ways import Checks, DirectTls
from backend.runtime.threads import Pool, run_blocking
from backend.tls.contexts import client_context


class Transports:
    """`password` gives the stored password of a transport, None for none."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        config: Callable[[], Config],
        password: Callable[[str], str | None],
        own_endpoints: Callable[[], Endpoints],
        clock: Clock,
        limits: Limits = DEFAULT_LIMITS,
        find_sts: FindSts = no_sts,
        record_tls: Record = forget,
    ) -> None:
        """`find_sts` knows MTA-STS policies; `record_tls` takes what came of TLS, for reports."""
        self._resolver = resolver
        self._config = config
        self._password = password
        self._own_endpoints = own_endpoints
        self._clock = clock
        self._limits = limits
        self._dialogues = Dialogues(clock, limits)
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self.findings = TlsFindings(
            resolver, port=config().server.outbound.smtp_port, find_sts=find_sts
        )
        self._checks = Checks(clock, self.verifying_context)
        self._record_tls = record_tls
        self._direct = self._make_direct()

    async def close(self) -> None:
        """Ends what is still saying goodbye."""
        await self._dialogues.close()

    def with_draft(self, config: Config, password: str | None) -> "Transports":
        """For trying a transport that is not saved: with that configuration and password, leaving no trace in reports."""
        return Transports(
            self._resolver,
            config=lambda: config,
            password=lambda _: password,
            own_endpoints=self._own_endpoints,
            clock=self._clock,
            limits=self._limits,
        )

    def get(
        self, choice: Choice, limits: Limits | None = None
    ) -> outbound_transport.Transport | SmtpStatus:
        """What carries the message, or the answer that stands for it."""
        if choice.transport == DIRECT:
            return self._direct
        settings = self._config().domains.transports.get(choice.transport)
        if settings is None:
            # Behaviour T10: the name was valid when it was chosen.
            return SmtpStatus(451, "4.3.5", f'cannot find transport "{choice.transport}"')
        if settings.fail is not None:
            enhanced = "5.7.1" if settings.fail.smtp_code >= 500 else "4.7.1"
            return SmtpStatus(settings.fail.smtp_code, enhanced, settings.fail.smtp_message)
        relay = self._relay(choice.transport, settings, limits or self._limits)
        return relay if relay is not None else self._direct_by(choice.transport, settings)

    def _relay(self, name: str, settings: Transport, limits: Limits) -> RelayTransport | None:
        """None for a transport that does not hand mail to one server."""
        found = relay_of(settings)
        if found is None:
            return None
        return RelayTransport(
            relay_settings(name, *found, self._password(name)),
            self._resolver,
            hostname=self._config().server.hostname,
            context=self._context,
            dialogues=self._dialogues,
            limits=limits,
        )

    def _direct_by(self, name: str, settings: Transport) -> DirectTransport:
        """For a transport that is neither a relay nor a refusal."""
        if settings.socks is not None:
            return self._make_direct(
                proxy=self._proxy(name, settings.socks),
                proxy_hostname=settings.socks.remote_hostname,
            )
        if settings.direct is not None:
            return self._make_direct(family=_family(settings.direct))
        return self._direct

    def _proxy(self, name: str, socks: SocksTransport) -> SocksProxy:
        host, port = split_host_port(socks.address)
        password = self._password(name) if socks.username else None
        return SocksProxy(host=host, port=port, username=socks.username, password=password or "")

    def _make_direct(
        self,
        *,
        family: Family = 0,
        proxy: SocksProxy | None = None,
        proxy_hostname: str = "",
    ) -> DirectTransport:
        server = self._config().server
        return DirectTransport(
            self._resolver,
            hostname=server.hostname,
            port=server.outbound.smtp_port,
            allow_private=server.outbound.allow_loopback,
            family=family,
            proxy=proxy,
            proxy_hostname=proxy_hostname,
            own_endpoints=self._own_endpoints,
            dialogues=self._dialogues,
            limits=self._limits,
            tls=DirectTls(
                findings=self.findings,
                checks=self._checks,
                # Behind a proxy it is not known which address was reached, nor from which.
                record=forget if proxy is not None else self._record_tls,
            ),
        )

    async def verifying_context(self) -> ssl.SSLContext:
        """Raises:
        DialError: the additional certificate authorities can't be read.
        """
        return await self._context(True)

    async def _context(self, verify: bool) -> ssl.SSLContext:  # a callback's one argument
        """Raises:
        DialError: the additional certificate authorities can't be read.
        """
        if verify not in self._contexts:
            ca_file = self._config().server.outbound.ca_file
            try:
                self._contexts[verify] = await run_blocking(
                    Pool.FILES, client_context, ca_file, verify=verify
                )
            except OSError as error:
                raise DialError(
                    f"the additional certificate authorities in {ca_file} can't be read: {error.strerror or error}"
                ) from error
        return self._contexts[verify]


def _family(settings: DirectSettings) -> Family:
    if settings.disable_ipv4:
        return 6
    return 4 if settings.disable_ipv6 else 0

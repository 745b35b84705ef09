"""What the DNS of a domain depends on, gathered from the configuration. Pure."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from backend.config.model import Config
from backend.config.server import Listener
from backend.tls.own_policy import own_policy
from backend.tls.sts import StsPolicy

_SRV_SERVICES = ("imaps", "submissions", "imap", "submission")


@dataclass(frozen=True, slots=True)
class SocksExit:
    """A proxy through which mail leaves: under which addresses, and the name that belongs to them (behaviour T6, T7)."""

    transport: str
    addresses: tuple[str, ...]
    hostname: str


@dataclass(frozen=True, slots=True)
class DkimRecord:
    """`text`: the TXT record for `<selector>._domainkey.<domain>`. One that does not sign yet is kept in reserve."""

    selector: str
    text: str
    signs: bool = True


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """`tlsa`: what a TLSA record has to say of our certificate; `issuer`: the CAA name of who issued it. Empty: unknown."""

    tlsa: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`addresses`: the public ones, empty when the settings do not name them. `services`: what mail apps use, and its port."""

    domain: str
    hostname: str
    addresses: tuple[str, ...] = ()
    exits: tuple[SocksExit, ...] = ()
    includes: tuple[str, ...] = ()
    relays: tuple[str, ...] = ()
    """Transports whose own set-up can't be looked at from here."""
    dkim: tuple[DkimRecord, ...] = ()
    services: tuple[tuple[str, int], ...] = ()
    has_web: bool = False
    mta_sts: StsPolicy | None = None
    mta_sts_id: str = ""
    """Of the policy that this server publishes for the domain; empty: it publishes none."""
    tls: TlsFacts = TlsFacts()

    @property
    def is_own_host(self) -> bool:
        """Whether the server's own name lies in the domain."""
        return self.hostname == self.domain or self.hostname.endswith(f".{self.domain}")


def gather_facts(
    config: Config,
    domain: str,
    *,
    dkim: Sequence[DkimRecord] = (),
    tls: TlsFacts = TlsFacts(),  # frozen
) -> Facts:
    server = config.server
    listeners = [each for each in server.listeners.values() if _is_for_others(each)]
    public = [
        each
        for listener in listeners
        for each in listener.public_addresses or filter(is_public, listener.addresses)
    ]
    exits, includes, relays = [], [], []
    for name, transport in config.domains.transports.items():
        socks = transport.socks
        if socks is not None and socks.remote_ips:
            exits.append(SocksExit(name, tuple(socks.remote_ips), socks.remote_hostname))
        for relay in (transport.submissions, transport.submission, transport.smtp):
            if relay is not None:
                relays.append(name)
                if relay.spf_include:
                    includes.append(relay.spf_include)
    services = []
    for service in _SRV_SERVICES:
        ports = [getattr(listener, f"{service}_port") for listener in listeners]
        services += [(service, port) for port in ports if port][:1]
    policy = own_policy(config, domain)
    return Facts(
        domain=domain,
        hostname=server.hostname,
        addresses=tuple(dict.fromkeys(public)),
        exits=tuple(exits),
        includes=tuple(dict.fromkeys(includes)),
        relays=tuple(relays),
        dkim=tuple(dkim),
        services=tuple(services),
        mta_sts=policy.policy if policy is not None else None,
        mta_sts_id=policy.id if policy is not None else "",
        has_web=any(listener.http_port or listener.https_port for listener in listeners),
        tls=tls,
    )


def _is_for_others(listener: Listener) -> bool:
    """Whether more than this computer reaches it."""
    if listener.public_addresses:
        return True
    return not all(ipaddress.ip_address(each).is_loopback for each in listener.addresses)


def is_public(address: str) -> bool:
    """Whether the Internet could reach it."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False

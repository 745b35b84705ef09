"""HTTPS to servers that strangers name: no way inside, no proxy, no cookies, nothing unpacked. The door to aiohttp's client.

Who uses a session says `allow_redirects=False` as well: where it leads is the stranger's choice again.
"""

import ipaddress
import socket
import ssl
from collections.abc import Mapping

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from backend.dns.answers import Found, LookupFailed
from backend.dns.resolver import Resolver
from backend.outbound.dial import refusal

MAX_ADDRESSES = 4  # of a web server that are tried, a security limit


def open_session(
    resolver: Resolver,
    context: ssl.SSLContext,
    *,
    allow_private: bool,
    timeout_s: float,
    headers: Mapping[str, str],
) -> aiohttp.ClientSession:
    """Good for one request. Addresses that stand in the URL itself are not looked at here: `refusal_of_literal`."""
    connector = aiohttp.TCPConnector(
        ssl=context,
        resolver=_Addresses(resolver, allow_private=allow_private),
        use_dns_cache=False,
        force_close=True,
        limit=1,
    )
    # SECURITY: no proxy from the environment, no cookies, no unpacking of what may be small and become large.
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        headers=headers,
    )


def refusal_of_literal(host: str, *, allow_private: bool) -> str:
    """Why we don't connect to a host that is an address, or is taken for one; empty for names and good addresses.

    SECURITY: aiohttp asks no resolver for whatever is digits and dots, and the system takes 2130706433 for 127.0.0.1.
    """
    if ":" not in host and not host.replace(".", "").isdigit():
        return ""
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        return f"{host} is no name of a web server"
    refused = refusal(address, allow_private=allow_private)
    return f"{address} {refused}" if refused else ""


class _Addresses(AbstractResolver):
    """Addresses from the server's own resolver, without those that lead inside."""

    def __init__(self, resolver: Resolver, *, allow_private: bool) -> None:
        self._resolver = resolver
        self._allow_private = allow_private

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  # aiohttp gives it by name
    ) -> list[ResolveResult]:
        """Raises:
        OSError: there is none to connect to.
        """
        answer = await self._resolver.addresses(host)
        if isinstance(answer, LookupFailed):
            raise OSError(answer.reason)
        found = answer.records if isinstance(answer, Found) else ()
        if not found:
            raise OSError(f"{host} has no address in the DNS")
        # SECURITY: as for mail servers: a stranger's DNS must not make us knock at devices in the home.
        usable = [ip for ip in found if refusal(ip, allow_private=self._allow_private) is None]
        if not usable:
            raise OSError(f"{host} has only addresses inside private networks")
        return [_result(host, ip, port) for ip in usable[:MAX_ADDRESSES]]

    async def close(self) -> None:
        """Nothing is held."""


def _result(host: str, ip: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=ip,
        port=port,
        family=socket.AF_INET6 if ":" in ip else socket.AF_INET,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST,
    )

"""One POST to a URL that a stranger chose: no redirects, no private addresses, bounded in time and size.

The only place here that knows aiohttp's client.
"""

import asyncio
import errno
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from backend.dns.answers import Found
from backend.dns.resolver import Resolver
from backend.outbound.dial import refusal

TIMEOUT_S = 60.0
MAX_ADDRESSES = 4  # a security limit
MAX_REASON_CHARS = 200


@dataclass(frozen=True, slots=True)
class Posted:
    """What the server said. `temporary`: another attempt may help."""

    succeeded: bool
    temporary: bool
    answer: str


async def post(
    url: str,
    content: bytes,
    content_type: str,
    *,
    resolver: Resolver,
    context: ssl.SSLContext,
    allow_private: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Posted:
    """Never raises for what the network or the other side does."""
    # aiohttp asks no resolver for an address that stands in the URL.
    refused = _refusal_of_literal(url, allow_private=allow_private)
    if refused:
        return Posted(False, False, refused)
    connector = aiohttp.TCPConnector(
        resolver=_Checked(resolver, allow_private=allow_private), ssl=context, force_close=True
    )
    try:
        async with (
            asyncio.timeout(timeout_s),
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            ) as session,
            session.post(
                url,
                data=content,
                headers={"Content-Type": content_type, "User-Agent": "Gatepost"},
                allow_redirects=False,
            ) as response,
        ):
            # The body of the answer is never read.
            return _judged(response.status, response.reason or "")
    except TimeoutError:
        return Posted(False, True, f"no answer within {timeout_s:.0f} seconds")
    except aiohttp.ClientConnectorCertificateError as error:
        return Posted(False, True, f"its certificate is not valid: {error.certificate_error}")
    except aiohttp.ClientConnectorError as error:
        return Posted(False, True, f"it could not be reached: {error.os_error.strerror or error}")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Posted(False, True, f"it could not be reached: {error}")


def _judged(status: int, reason: str) -> Posted:
    said = f"{status} {reason}".strip()[:MAX_REASON_CHARS]
    answer = "".join(char if char.isprintable() else "?" for char in said)
    if 300 <= status < 400:
        return Posted(False, False, f"{answer} (redirections are not followed)")
    return Posted(200 <= status < 300, status >= 500 or status in {408, 429}, answer)


def _refusal_of_literal(url: str, *, allow_private: bool) -> str:
    host = urlsplit(url).hostname or ""
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        return ""
    refused = refusal(address, allow_private=allow_private)
    return f"{address} {refused}" if refused else ""


class _Checked(AbstractResolver):
    """Our own view of the DNS, without the addresses that we don't connect to."""

    def __init__(self, resolver: Resolver, *, allow_private: bool) -> None:
        self._resolver = resolver
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del family  # both kinds are taken
        answer = await self._resolver.addresses(host)
        if not isinstance(answer, Found):
            raise OSError(errno.EADDRNOTAVAIL, f"the DNS has no address for {host}")
        for address in answer.records:
            # SECURITY: one of them that leads inside is one too many.
            refused = refusal(address, allow_private=self._allow_private)
            if refused:
                raise OSError(errno.EACCES, f"{address}, the address of {host}, {refused}")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in answer.records[:MAX_ADDRESSES]
        ]

    async def close(self) -> None:
        """Holds nothing."""

"""Gets a domain's MTA-STS policy from its web server (RFC 8461 §3.3): https only, no redirects, little time, little space.

A stranger's DNS says where that web server is, so all of it is hostile until the certificate was checked, and after that too.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import aiohttp

from backend.dns.resolver import Resolver
from backend.outbound.dial import DialError
from backend.outbound.https_client import open_session
from backend.outbound.tls_outcomes import TlsResult
from backend.tls.sts import MAX_POLICY_OCTETS, StsError, StsPolicy, parse_policy

FETCH_TIMEOUT_S = 60.0  # RFC 8461 §3.3: the whole of it
HTTPS_PORT = 443

_PATH = "/.well-known/mta-sts.txt"


class FetchError(Exception):
    """No policy came; the text is a phrase for people, `result` the same for reports (RFC 8460 §4.3.2.2)."""

    def __init__(self, text: str, result: TlsResult = TlsResult.STS_POLICY_FETCH_ERROR) -> None:
        super().__init__(text)
        self.result = result


class PolicyFetcher:
    """`context` gives a TLS context that verifies; it may raise DialError."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        context: Callable[[], Awaitable[ssl.SSLContext]],
        allow_private: bool = False,
        port: int = HTTPS_PORT,
        timeout_s: float = FETCH_TIMEOUT_S,
    ) -> None:
        self._resolver = resolver
        self._allow_private = allow_private
        self._context = context
        self._port = port
        self._timeout_s = timeout_s

    async def fetch(self, domain: str) -> StsPolicy:
        """Raises:
        FetchError: it did not come, or is no policy.
        """
        host = f"mta-sts.{domain}"
        try:
            async with asyncio.timeout(self._timeout_s):
                body = await self._get(host)
        except TimeoutError:
            raise FetchError(
                f"the web server {host} did not answer within {self._timeout_s:g} seconds"
            ) from None
        except DialError as error:
            raise FetchError(str(error)) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise FetchError(
                f"the certificate of {host} is not valid for it", TlsResult.STS_WEBPKI_INVALID
            ) from error
        except aiohttp.ClientSSLError as error:
            raise FetchError(
                f"{host} can't be reached with TLS", TlsResult.STS_WEBPKI_INVALID
            ) from error
        except aiohttp.ClientConnectorDNSError as error:
            raise FetchError(str(error.os_error)) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchError(f"the web server {host} can't be asked") from error
        try:
            return parse_policy(body)
        except StsError as error:
            raise FetchError(f"{error} ({host})", TlsResult.STS_POLICY_INVALID) from error

    async def _get(self, host: str) -> bytes:
        async with (
            open_session(
                self._resolver,
                await self._context(),
                allow_private=self._allow_private,
                timeout_s=self._timeout_s,
                headers={"Accept": "text/plain", "Accept-Encoding": "identity"},
            ) as session,
            session.get(
                f"https://{host}:{self._port}{_PATH}"
                if self._port != HTTPS_PORT
                else f"https://{host}{_PATH}",
                allow_redirects=False,  # RFC 8461 §3.3
            ) as response,
        ):
            if response.status != 200:
                raise FetchError(f"the web server {host} answers {response.status}, not 200")
            if response.content_type != "text/plain":
                raise FetchError(f"the web server {host} gives no plain text for the policy")
            return await _read(response.content, host)


async def _read(stream: aiohttp.StreamReader, host: str) -> bytes:
    body = bytearray()
    async for chunk in stream.iter_any():
        body += chunk
        if len(body) > MAX_POLICY_OCTETS:
            raise FetchError(
                f"the policy of {host} is longer than {MAX_POLICY_OCTETS // 1024} KiB",
                TlsResult.STS_POLICY_INVALID,
            )
    return bytes(body)

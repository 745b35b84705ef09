"""One POST to a URL that a stranger chose: no redirects, no private addresses, bounded in time."""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from backend.dns.resolver import Resolver
from backend.outbound.https_client import open_session, refusal_of_literal

TIMEOUT_S = 60.0
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
    refused = refusal_of_literal(urlsplit(url).hostname or "", allow_private=allow_private)
    if refused:
        return Posted(False, False, refused)
    try:
        async with (
            asyncio.timeout(timeout_s),
            open_session(
                resolver,
                context,
                allow_private=allow_private,
                timeout_s=timeout_s,
                headers={"Content-Type": content_type, "User-Agent": "Gatepost"},
            ) as session,
            session.post(url, data=content, allow_redirects=False) as response,
        ):
            # The body of the answer is never read.
            return _judged(response.status, response.reason or "")
    except TimeoutError:
        return Posted(False, True, f"no answer within {timeout_s:.0f} seconds")
    except aiohttp.ClientConnectorCertificateError as error:
        return Posted(False, True, f"its certificate is not valid: {error.certificate_error}")
    except aiohttp.ClientConnectorError as error:
        return Posted(False, True, f"it could not be reached: {error.os_error}")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Posted(False, True, f"it could not be reached: {error}")


def _judged(status: int, reason: str) -> Posted:
    said = f"{status} {reason}".strip()[:MAX_REASON_CHARS]
    answer = "".join(char if char.isprintable() else "?" for char in said)
    if 300 <= status < 400:
        return Posted(False, False, f"{answer} (redirections are not followed)")
    return Posted(200 <= status < 300, status >= 500 or status in {408, 429}, answer)

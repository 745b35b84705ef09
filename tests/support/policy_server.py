"""A web server on loopback that publishes MTA-STS policies, with the certificate that it is given."""

import asyncio
import ssl
from typing import Self

from aiohttp import web


class PolicyServer:
    """`body`, `status`, `content_type` and `headers` may be changed while it runs. While `gate` is cleared it does not answer."""

    def __init__(self, body: str, tls: ssl.SSLContext) -> None:
        self.body = body
        self.status = 200
        self.content_type = "text/plain"
        self.headers: dict[str, str] = {}
        self.requests: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.port = 0
        self._tls = tls
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gate.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests.append(f"{request.host.partition(':')[0]}{request.path}")
        self.asked.set()
        await self.gate.wait()
        return web.Response(
            text=self.body,
            status=self.status,
            content_type=self.content_type,
            headers=self.headers,
        )


def policy_text(mode: str, *mx: str, max_age_s: int = 604_800) -> str:
    lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {name}" for name in mx)]
    return "\r\n".join((*lines, f"max_age: {max_age_s}", ""))

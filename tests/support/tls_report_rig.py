"""What the daily TLS reports need around them: a server that signs, a domain that asks for reports, and who takes them."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

from aiohttp import web

from backend.config.model import Config
from backend.core.clock import FakeClock
from backend.core.ids import TraceId
from backend.mailauth.signing import DkimSigner
from backend.outbound.tls_outcomes import TlsOutcome, TlsResult, no_policy
from tests.support.dkim import key_store
from tests.support.outbound_rig import ZONE, rig_config
from tests.support.relay_rig import Authority

SELECTOR = "2023e"
HOST = "reports.b.test"


def report_config(port: int, ca_file: Path | None = None, **outbound: object) -> Config:
    """`mail.a.test` as in the outbound rig; a.test signs."""
    config = rig_config(
        port,
        domains={
            "a.test": {
                "dkim": {"sign": [SELECTOR], "selectors": {SELECTOR: {"algorithm": "ed25519"}}}
            }
        },
    )
    changed = config.server.outbound.model_copy(update={"ca_file": str(ca_file or ""), **outbound})
    return Config(config.server.model_copy(update={"outbound": changed}), config.domains)


def signer(folder: Path, config: Callable[[], Config]) -> DkimSigner:
    keys = key_store(folder / "secrets")
    keys.make("a.test", SELECTOR, "ed25519")
    return DkimSigner(config, keys, FakeClock())


def zone(*rua: str) -> dict:
    """As the outbound rig's, with a domain b.test that wants its reports there."""
    return {
        **ZONE,
        HOST: {"A": ["127.0.0.1"]},
        "_smtp._tls.b.test": {"TXT": [f'"v=TLSRPTv1; rua={",".join(rua)}"']},
    }


def outcome(domain: str = "b.test", result: TlsResult = TlsResult.SUCCESS) -> TlsOutcome:
    return TlsOutcome(
        trace=TraceId("t1"), domain=domain, policies=(no_policy(domain),), result=result
    )


class HttpsReceiver:
    """A real HTTPS server with a certificate of `authority`. `answer` decides the status of each POST."""

    def __init__(self, authority: Authority) -> None:
        self._context = authority.issue(HOST).context
        self.reports: list[dict] = []
        self.requests: list[web.Request] = []
        self.statuses: list[int] = []
        self.hold: Callable[[], Awaitable[None]] | None = None
        self._arrived = asyncio.Condition()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1", self._take)
        app.router.add_post("/elsewhere", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.url = f"https://{HOST}:{self.port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        async with self._arrived:
            self.requests.append(request)
            self.reports.append(json.loads(gzip.decompress(body)))
            self._arrived.notify_all()
        if self.hold is not None:
            await self.hold()
        status = self.statuses.pop(0) if self.statuses else 201
        headers = {"Location": "/elsewhere"} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=headers)

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(20), self._arrived:
            await self._arrived.wait_for(lambda: len(self.reports) >= count)

"""The public side of the HTTP ports. The administration, where a listener has it, is built by `admin` around `add_to`."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from backend.accounts.setup import SetupDesk
from backend.core.address import AddressError, parse_domain
from backend.web.autoconfig import MailPort, format_autoconfig

MAX_BODY_BYTES = 65_536  # nobody has anything to send here, a security limit

MTA_STS_PATH = "/.well-known/mta-sts.txt"
PROFILE_PATH = "/setup/"
AUTOCONFIG_PATHS = ("/.well-known/autoconfig/mail/config-v1.1.xml", "/mail/config-v1.1.xml")

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Mail server</title></head>
<body><h1>This is a mail server</h1>
<p>There is nothing to see here. Its owner's mail programs know what to do.</p></body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`domains`: those that mail is taken for, in A-labels. `ports`: where mail programs connect. `mta_sts`: the policy of
    a domain, None without one.
    """

    domains: Callable[[], Collection[str]]
    ports: Callable[[], Sequence[MailPort]]
    mta_sts: Callable[[str], str | None] = lambda _: None
    setup: SetupDesk = field(default_factory=SetupDesk)
    now: Callable[[], float] = time.time

    def build(self) -> web.Application:
        """For listeners without administration."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_get("/", self._page)
        self._add_lookups(app)
        app.on_response_prepare.append(_add_headers)
        return app

    def add_to(self, app: web.Application) -> None:
        """Beside the administration, which the front page then leads to."""
        app.router.add_get("/", _to_admin)
        self._add_lookups(app)

    def _add_lookups(self, app: web.Application) -> None:
        for path in AUTOCONFIG_PATHS:
            app.router.add_get(path, self._autoconfig)
        app.router.add_get(MTA_STS_PATH, self._mta_sts)
        app.router.add_get(PROFILE_PATH + "{token}.mobileconfig", self._profile, allow_head=False)

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    async def _autoconfig(self, request: web.Request) -> web.Response:
        domain = self._domain(request)
        if domain is None:
            raise web.HTTPNotFound(text="This server has no mail for that domain.\n")
        self.setup.note(domain, "autoconfig", self.now())
        content = format_autoconfig(domain, self.ports())
        return web.Response(body=content, content_type="text/xml", charset="utf-8")

    async def _profile(self, request: web.Request) -> web.Response:
        content = self.setup.take(request.match_info["token"], self.now())
        if content is None:
            raise web.HTTPNotFound(
                text="This link has expired or was used already. Ask for a new one.\n"
            )
        headers = {
            "Content-Disposition": 'attachment; filename="mail.mobileconfig"',
            "Cache-Control": "no-store",
        }
        return web.Response(
            body=content, content_type="application/x-apple-aspen-config", headers=headers
        )

    async def _mta_sts(self, request: web.Request) -> web.Response:
        """RFC 8461 §3.3; behaviour H2: under the name `mta-sts.<domain>` alone."""
        first, _, domain = request.host.partition(":")[0].rstrip(".").lower().partition(".")
        policy = self.mta_sts(domain) if first == "mta-sts" else None
        if policy is None:
            raise web.HTTPNotFound(text="There is no policy here.\n")
        return web.Response(text=policy, content_type="text/plain")

    def _domain(self, request: web.Request) -> str | None:
        """Of the address that asks, else of the name that was asked: `autoconfig.example.org` speaks for example.org."""
        asked = request.query.get("emailaddress", "").rpartition("@")[2]
        host = asked or request.host.partition(":")[0]
        try:
            name = parse_domain(host).ascii
        except AddressError:
            return None
        known = self.domains()
        candidates = (name, name.removeprefix("autoconfig."))
        return next((candidate for candidate in candidates if candidate in known), None)


async def _to_admin(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/admin/")


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    headers = response.headers
    headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Server"] = "Gatepost"

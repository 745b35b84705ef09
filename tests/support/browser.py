"""Somebody at a browser: pages of the administration, signed in, watched for whatever goes wrong in them."""

import shutil
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.support.server_process import Ready

DEBIAN_CHROMIUM = "/usr/bin/chromium"
WAIT_MS = 15_000
DESKTOP, PHONE = 1280, 360
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = {"serious", "critical"}


def browser_path(bundled: str) -> str:
    """The browser that Playwright brought along, or the system's."""
    if Path(bundled).is_file():
        return bundled
    return shutil.which("chromium") or shutil.which("google-chrome") or DEBIAN_CHROMIUM


async def ask(page: Page, method: str, path: str, body: object = None) -> Any:
    """A call of the API with the sign-in of the page, to make what a test begins with."""
    return await page.evaluate(
        """async ([method, path, body]) => {
            const me = await (await fetch("/api/v1/session")).json();
            const headers = { "Content-Type": "application/json", "X-CSRF-Token": me.csrf_token };
            const reply = await fetch("/api/v1" + path, { method, headers, body: body && JSON.stringify(body) });
            return await reply.json();
        }""",
        [method, path, body],
    )


class Visitor:
    """`expected`: pieces of console errors that the test brings about on purpose."""

    # Signed-in windows, kept for the tests that follow: by server, width and theme. Only what differs is opened anew.
    _kept: dict[tuple[str, int, str], BrowserContext] = {}
    _states: dict[str, Any] = {}  # server → cookies

    def __init__(self, browser: Browser, ready: Ready) -> None:
        self._browser = browser
        self.ready = ready
        self.url = str(ready.values["admin"]["url"])
        self.password = str(ready.values["admin"]["password"])
        self.faults: list[str] = []
        self.expected: list[str] = []
        self._own: list[BrowserContext] = []

    async def context(
        self, *, width: int = DESKTOP, theme: str = "light", fresh: bool = False
    ) -> BrowserContext:
        context = await self._browser.new_context(
            viewport={"width": width, "height": 740 if width < 500 else 860},
            color_scheme="dark" if theme == "dark" else "light",
            storage_state=None if fresh else self._states.get(self.url),
            reduced_motion="reduce",
        )
        context.set_default_timeout(WAIT_MS)
        return context

    async def forget_sessions(self) -> None:
        """They have ended on the server."""
        for context in self._kept.values():
            await context.close()
        self._kept.clear()
        self._states.clear()

    async def arrive(self, **options: Any) -> Page:
        """At the door: nobody is signed in."""
        context = await self.context(fresh=True, **options)
        self._own.append(context)
        return await self._watched(context, "/")

    async def open(
        self, path: str, *, width: int = DESKTOP, theme: str = "light", fresh: bool = False
    ) -> Page:
        """A page of the administration, signed in; `fresh`: with a session of its own."""
        if fresh:
            page = await self.arrive(width=width, theme=theme)
            await self.sign_in(page)
            await self.go(page, path)
            return page
        key = (self.url, width, theme)
        context = self._kept.get(key)
        if context is None:
            context = await self.context(width=width, theme=theme)
            self._kept[key] = context
        page = await self._watched(context, path)
        if self.url not in self._states:
            await self.sign_in(page)
            self._states[self.url] = await context.storage_state()
        await page.locator(".page h1").wait_for()
        return page

    async def sign_in(self, page: Page, password: str = "") -> None:
        await page.get_by_label("Administrator's password").fill(password or self.password)
        await page.get_by_role("button", name="Sign in").click()
        if not password:
            await page.locator(".page h1").wait_for()

    async def go(self, page: Page, path: str) -> None:
        await page.goto(f"{self.url}#{path}")
        await page.locator(".page h1").wait_for()

    async def leave(self) -> None:
        for context in self._own:
            await context.close()
        for context in self._kept.values():
            for page in context.pages:
                await page.close()

    async def _watched(self, context: BrowserContext, path: str) -> Page:
        page = await context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        await page.goto(f"{self.url}#{path}")
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        text = f"{message.text} ({message.location.get('url', '')})"
        if not any(piece in text for piece in self.expected):
            self.faults.append(text)


async def barriers(page: Page) -> list[str]:
    """What axe finds serious or critical on the page as it stands."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    violations = await page.evaluate(
        "axe.run({ resultTypes: ['violations'] }).then((found) => found.violations)"
    )
    return [
        f"{found['id']}: {node['html'][:160]} — {node['failureSummary']}"
        for found in violations
        if found["impact"] in SERIOUS
        for node in found["nodes"]
    ]


async def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(await page.evaluate("document.documentElement.scrollWidth - innerWidth"))

"""A real server and a real browser, once for the whole run; every test gets pages of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.support.browser import Visitor, browser_path
from tests.support.server_process import Trial
from tests.support.trial_mail import send_as, send_from_outside


@pytest.fixture(scope="session")
def web_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    with Trial(tmp_path_factory.mktemp("web") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def mail_in_it(web_server: Trial) -> None:
    """Some mail came, some was refused, some waits."""
    ready = web_server.ready
    send_from_outside(ready, "clara@example.net", [ready.account])
    send_from_outside(ready, "spam@example.net", ["nobody@gatepost.test"], refused=True)
    send_as(ready, [ready.account], ["bernd@example.com", "dora@example.org", "emil@example.net"])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=browser_path(playwright.chromium.executable_path),
            args=["--no-sandbox", "--disable-gpu"],
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(chromium: Browser, web_server: Trial) -> AsyncIterator[Visitor]:
    visitor = Visitor(chromium, web_server.ready)
    yield visitor
    await visitor.leave()
    assert not visitor.faults, "\n".join(visitor.faults)

"""Several tabs share one event stream: the one that reads it passes everything on, and hands it over when it goes."""

import pytest
from playwright.async_api import expect

from tests.support.browser import Visitor, ask
from tests.support.trial_mail import send_from_outside

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_tabs_share_one_stream_and_hand_it_over(visitor: Visitor) -> None:
    first = await visitor.open("/activity")
    streams: list[str] = []
    first.context.on(
        "request", lambda request: request.url.endswith("/events") and streams.append(request.url)
    )
    second = await first.context.new_page()
    await second.goto(f"{visitor.url}#/activity")
    await expect(second.locator("h1")).to_have_text("Activity")
    send_from_outside(visitor.ready, "both@example.net", [visitor.ready.account])
    for page in (first, second):
        await expect(page.locator(".rows li", has_text="both@example.net")).to_be_visible()
    assert streams == []

    async with second.expect_request("**/api/v1/events"):
        await first.close()
    send_from_outside(visitor.ready, "heir@example.net", [visitor.ready.account])
    await expect(second.locator(".rows li", has_text="heir@example.net")).to_be_visible()


async def test_a_change_in_one_tab_is_seen_in_the_other(visitor: Visitor) -> None:
    first = await visitor.open("/domains")
    second = await first.context.new_page()
    await second.goto(f"{visitor.url}#/domains")
    await ask(second, "POST", "/domains", {"name": "tabs.example"})
    await expect(first.get_by_role("rowheader", name="tabs.example")).to_be_visible()

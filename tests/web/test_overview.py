"""The first page, the way of one message, and long work, in the browser."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import DESKTOP, PHONE, Visitor, barriers, overflow

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("mail_in_it")]

SHOTS = os.environ.get("GATEPOST_SCREENSHOTS", "")


async def picture(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=str(Path(SHOTS) / f"web-{name}.png"), full_page=True)


async def test_sending_is_paused_and_resumed_from_the_overview(visitor: Visitor) -> None:
    page = await visitor.open("/")
    await page.get_by_role("button", name="Pause sending").click()
    card = page.get_by_role("region", name="Needs attention")
    await expect(card).to_contain_text("Sending is paused")
    await card.get_by_role("button", name="Why?").click()
    await expect(card).to_contain_text("Somebody has paused sending.")
    for theme in ("light", "dark"):
        for width in (DESKTOP, PHONE):
            other = await visitor.open("/", theme=theme, width=width)
            await other.get_by_role("button", name="Why?").click()
            await picture(other, f"overview-{theme}-{width}")
            assert await barriers(other) == []
            assert await overflow(other) <= 0
            await other.close()
    await card.get_by_role("button", name="Resume sending").click()
    await expect(card).to_have_count(0)
    await page.get_by_role("button", name="Pause sending").wait_for()


async def test_a_next_step_is_put_away(visitor: Visitor) -> None:
    page = await visitor.open("/")
    step = page.locator(".step", has_text="Set up mail for your own domain")
    await step.get_by_role("button", name="Do not suggest").click()
    await expect(step).to_have_count(0)


async def test_a_refused_message_says_why(visitor: Visitor) -> None:
    page = await visitor.open("/activity")
    await page.get_by_label("Search messages").fill("spam@example.net")
    await expect(page.locator(".rows li")).to_have_count(1)
    await page.locator(".rows a").first.click()
    await page.get_by_role("heading", name="Why was this refused?").wait_for()
    for theme in ("light", "dark"):
        for width in (DESKTOP, PHONE):
            other = await visitor.open(page.url.partition("#")[2], theme=theme, width=width)
            await other.locator(".timeline li").first.wait_for()
            await picture(other, f"message-{theme}-{width}")
            assert await barriers(other) == []
            assert await overflow(other) <= 0
            await other.close()


async def test_a_delivered_message_says_where_it_is_and_leads_to_its_log(visitor: Visitor) -> None:
    page = await visitor.open("/activity")
    await page.get_by_label("Search messages").fill("clara@example.net")
    await expect(page.locator(".rows li")).to_have_count(1)
    await page.locator(".rows a").first.click()
    await expect(page.locator(".banner.ok")).to_contain_text("It was delivered to me's INBOX")
    await page.get_by_role("link", name="Log lines of this session").click()
    await page.get_by_role("heading", name="Live log", level=1).wait_for()
    assert await page.get_by_label("Only lines with").input_value() in page.url
    await page.locator(".log .line").first.wait_for()


async def test_a_waiting_message_leads_to_the_queue_and_is_found_by_its_number(
    visitor: Visitor,
) -> None:
    page = await visitor.open("/activity")
    await page.get_by_label("Search messages").fill("1")
    await expect(page.get_by_role("status").filter(has_text="queue number")).to_be_visible()
    await expect(page.locator(".rows li")).to_have_count(1)
    await page.locator(".rows a").first.click()
    await page.get_by_role("link", name="Queue: ").first.click()
    await page.get_by_role("heading", name="Queue", level=1).wait_for()


async def test_long_work_stands_at_the_top_until_its_end_was_seen(visitor: Visitor) -> None:
    page = await visitor.open("/")
    await page.evaluate(
        """async () => { const { post } = await import("./lib/api.mjs"); await post("/verify"); }"""
    )
    await visitor.go(page, "/queue")
    ended = page.get_by_role("button", name="1 task ended")
    await ended.click()
    tray = page.get_by_role("region", name="Long work")
    await expect(tray).to_contain_text("Checking the stored mail")
    await expect(tray).to_contain_text("finished")
    await picture(page, "tray")
    assert await barriers(page) == []
    await tray.get_by_role("button", name="Seen").click()
    await expect(page.locator(".tray")).to_have_count(0)

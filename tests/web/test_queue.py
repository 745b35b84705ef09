"""The queue's pages in the browser: bursts, all that match, menus, pausing, what has left, hold rules, suppressed addresses."""

import sqlite3
import time

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import DESKTOP, PHONE, Visitor, barriers, overflow
from tests.support.server_process import Trial
from tests.support.trial_mail import send_as

pytestmark = pytest.mark.asyncio(loop_scope="session")


def put_off(server: Trial, domain: str) -> None:
    """As if another server had answered so, a moment ago."""
    path = next(server.folder.rglob("queue.db"))
    with sqlite3.connect(path, timeout=10) as database:
        now = time.time()
        database.execute(
            "UPDATE recipient SET attempts = 2, note = '', answer_code = 421, answer_enhanced = '4.7.28',"
            " answer_text = 'an unusual rate of mail. gsmtp', last_attempt_at = ?, next_attempt_at = ?"
            " WHERE domain = ?",
            (now - 60, now + 1200, domain),
        )
        database.execute(
            "INSERT INTO attempt (message, domain, at, host, ip, port, tls, succeeded, answer, duration_ms, excerpt)"
            " SELECT DISTINCT message, domain, ?, 'mx.example', '192.0.2.1', 25, 'TLS 1.3', 0,"
            " '421 4.7.28 an unusual rate of mail. gsmtp', 740, 'S: 220 mx.example'"
            " FROM recipient WHERE domain = ?",
            (now - 60, domain),
        )
    database.close()


async def shown(page: Page, recipient: str) -> None:
    await expect(page.get_by_role("link", name=recipient, exact=True)).to_be_visible()


async def test_a_burst_is_one_line_and_its_story_is_in_the_drawer(
    visitor: Visitor, web_server: Trial
) -> None:
    send_as(visitor.ready, [visitor.ready.account], [f"burst{n}@burst.example" for n in range(4)])
    put_off(web_server, "burst.example")
    for theme, width in (("light", DESKTOP), ("dark", PHONE)):
        page = await visitor.open("/queue", theme=theme, width=width)
        burst = page.locator(".banner", has_text="4 messages to burst.example")
        await expect(burst).to_contain_text("Gmail: rate limited (421 4.7.28), next try ")
        assert await barriers(page) == []
        await burst.get_by_role("button", name="Show the messages to burst.example").click()
        await expect(page.locator("tbody tr")).to_have_count(4)
        await page.get_by_role("link", name="burst1@burst.example").click()
        drawer = page.get_by_role("complementary", name="Details of the message")
        await expect(drawer).to_contain_text("Next try in 19 min")
        await expect(drawer).to_contain_text("mx.example (192.0.2.1) · TLS 1.3 · 740 ms")
        await drawer.get_by_text("Show dialogue").first.click()
        await expect(drawer).to_contain_text("S: 220 mx.example")
        assert await barriers(page) == []
        assert await overflow(page) <= 0
    async with page.expect_download() as waiting:
        await drawer.get_by_role("link", name="Save the message…").click()
    assert (await waiting.value).suggested_filename.endswith(".eml")


async def test_all_that_match_are_held_and_let_go_again(visitor: Visitor) -> None:
    send_as(visitor.ready, [visitor.ready.account], [f"every{n}@every.example" for n in range(110)])
    page = await visitor.open("/queue")
    await page.get_by_label("Search the queue").fill("@every.example")
    await expect(page.locator(".pager span").filter(has_text="of 110")).to_be_visible()
    await page.get_by_label("Select all on this page").check()
    bar = page.get_by_role("toolbar", name="For the selected messages")
    await expect(bar).to_contain_text("100 messages selected")
    await bar.get_by_role("button", name="Select all 110 that match").click()
    await expect(bar).to_contain_text("All 110 that match")
    await bar.get_by_role("button", name="Hold").click()
    await expect(page.locator(".toast")).to_contain_text("110 messages put on hold.")
    await expect(page.locator("tbody .pill").first).to_contain_text("on hold")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("tbody .pill").first).to_contain_text("stays here")


async def test_menus_work_by_keyboard_and_what_is_risky_is_asked(visitor: Visitor) -> None:
    send_as(visitor.ready, [visitor.ready.account], ["menu@menu.example"])
    page = await visitor.open("/queue")
    await page.get_by_label("Search the queue").fill("menu@")
    await expect(page.locator("tbody tr")).to_have_count(1)
    box = page.get_by_label("Select the message to menu@menu.example")
    await box.check()
    bar = page.get_by_role("toolbar", name="For the selected messages")
    await bar.locator("summary", has_text="Postpone").focus()
    await page.keyboard.press("Enter")
    await expect(bar.get_by_role("button", name="For a week")).to_be_visible()
    assert await barriers(page) == []
    await page.keyboard.press("Escape")
    await expect(bar.get_by_role("button", name="For a week")).to_be_hidden()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".toast")).to_contain_text("1 message postponed.")
    await box.check()
    await bar.locator("summary", has_text="Encryption").click()
    await bar.get_by_role("button", name="Also without verified encryption…").click()
    question = page.get_by_role("dialog", name="Send 1 message without verified encryption?")
    await question.get_by_role("button", name="Allow it").click()
    await expect(page.locator(".toast").last).to_contain_text("1 message follows the other rule.")
    await page.get_by_role("link", name="menu@menu.example").click()
    await expect(page.locator(".drawer")).to_contain_text("Encryption, by hand: Also without")


async def test_pausing_and_going_on(visitor: Visitor) -> None:
    page = await visitor.open("/queue")
    await page.get_by_role("button", name="Pause sending").click()
    banner = page.locator(".banner", has_text="Sending is paused.")
    await expect(banner).to_contain_text("will leave when you go on")
    assert await barriers(page) == []
    await banner.get_by_role("button", name="Resume sending").click()
    await expect(page.get_by_role("button", name="Pause sending")).to_be_visible()
    await expect(banner).to_have_count(0)


async def test_what_was_dropped_stands_among_what_was_sent(visitor: Visitor) -> None:
    send_as(visitor.ready, [visitor.ready.account], ["past@past.example"])
    page = await visitor.open("/queue")
    await page.get_by_label("Search the queue").fill("past@")
    await page.get_by_label("Select the message to past@past.example").check()
    await page.get_by_role("button", name="Drop silently").click()
    note = page.locator(".toast", has_text="will be dropped")
    await note.get_by_role("button", name="Close").click()
    await page.get_by_role("link", name="Sent and failed").click()
    await page.get_by_label("Domain of the recipient").fill("past.example")
    await shown(page, "past@past.example")
    await page.get_by_role("link", name="past@past.example").click()
    drawer = page.get_by_role("complementary", name="Details of the message")
    await expect(drawer).to_contain_text("Dropped by ")
    assert await barriers(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Delivered").click()
    await expect(page.locator(".empty")).to_contain_text("No message matches.")
    await page.get_by_role("button", name="Clear the filter").click()
    await shown(page, "past@past.example")


async def test_a_hold_rule_is_added_shows_what_it_holds_and_is_removed(visitor: Visitor) -> None:
    page = await visitor.open("/queue/holds/new")
    dialog = page.get_by_role("dialog", name="Add a hold rule")
    await expect(dialog.get_by_label("Name")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("Give the rule a name")
    await page.keyboard.type("to-held")
    await page.keyboard.press("Enter")
    domains = page.get_by_label("Add a domain").last
    await domains.fill("held.example")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("row", name="to-held")).to_contain_text("in use")
    send_as(visitor.ready, [visitor.ready.account], ["kept@held.example"])
    await page.get_by_role("link", name="Show", exact=True).click()
    await shown(page, "kept@held.example")
    await expect(page.locator("tbody .pill")).to_contain_text("on hold: rule to-held")
    await page.go_back()
    await page.get_by_role("button", name="Remove and release").click()
    question = page.get_by_role(
        "dialog", name="Remove the hold rule to-held, and send what it holds?"
    )
    await question.get_by_role("button", name="Remove and release").click()
    await expect(page.locator(".empty")).to_contain_text("No hold rule")


async def test_an_address_is_suppressed_and_its_removal_undone(visitor: Visitor) -> None:
    page = await visitor.open("/suppressions", width=PHONE)
    await expect(page.locator(".empty")).to_contain_text("Nothing is suppressed")
    await visitor.go(page, "/suppressions/new")
    await page.get_by_role("dialog").get_by_label("Address").fill("left@left.example")
    await page.keyboard.press("Enter")
    await page.get_by_label("Reason").fill("she asked")
    await page.get_by_role("button", name="Save").click()
    entry = page.get_by_role("row").filter(has_text="left@left.example")
    await expect(entry).to_contain_text("she asked")
    assert await overflow(page) <= 0
    await entry.get_by_role("button", name="Send to it again").click()
    await expect(entry).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(entry).to_contain_text("she asked")

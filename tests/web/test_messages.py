"""Mail as one watches it: the message to oneself, the queue, the log."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.support.browser import Visitor
from tests.support.trial_mail import send_as, send_from_outside

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_message_to_oneself_is_seen_until_it_is_delivered(visitor: Visitor) -> None:
    page = await visitor.open("/accounts/me")
    await page.evaluate("window.sameDocument = true")
    await page.get_by_role("button", name="Send yourself a message").click()
    await expect(page.locator(".timeline li[data-kind=delivered]")).to_be_visible()
    await expect(page.locator(".banner.ok")).to_contain_text("It was delivered to me's INBOX")
    assert await page.evaluate("window.sameDocument")


async def test_a_message_that_comes_is_in_the_list_without_asking(visitor: Visitor) -> None:
    page = await visitor.open("/activity")
    await expect(page.locator(".rows, .empty").first).to_be_visible()
    send_from_outside(visitor.ready, "live@example.net", [visitor.ready.account])
    await expect(page.locator(".rows li", has_text="live@example.net")).to_contain_text("delivered")


async def test_activity_is_searched_and_the_search_is_cleared(visitor: Visitor) -> None:
    send_from_outside(visitor.ready, "needle@example.net", [visitor.ready.account])
    page = await visitor.open("/activity")
    search = page.get_by_label("Search messages")
    await search.fill("needle@example.net")
    await expect(page.locator(".rows li")).to_have_count(1)
    await search.fill("nothing-like-this")
    await expect(page.locator(".empty")).to_contain_text("No message matches")
    await page.get_by_role("button", name="Clear the filter").click()
    await expect(page.locator(".rows li").nth(1)).to_be_visible()


def row(page: Page, recipient: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=recipient, exact=True))


async def wait_for_mail(visitor: Visitor, page: Page, *recipients: str) -> None:
    send_as(visitor.ready, [visitor.ready.account], recipients)
    for recipient in recipients:
        await expect(row(page, recipient)).to_be_visible()


async def test_mail_is_held_and_the_undo_lets_it_go(visitor: Visitor) -> None:
    page = await visitor.open("/queue")
    await wait_for_mail(visitor, page, "hold@example.com")
    await page.get_by_label("Select the message to hold@example.com").check()
    bar = page.get_by_role("toolbar", name="For the selected messages")
    await expect(bar).to_contain_text("1 message selected")
    await bar.get_by_role("button", name="Hold").click()
    await expect(row(page, "hold@example.com")).to_contain_text("on hold")
    await page.get_by_role("button", name="Undo").click()
    await expect(row(page, "hold@example.com")).to_contain_text("stays here")


async def test_dropped_mail_leaves_at_once_and_comes_back_by_undo(visitor: Visitor) -> None:
    page = await visitor.open("/queue")
    await wait_for_mail(visitor, page, "keep@example.com", "drop@example.com")
    await page.get_by_label("Select the message to keep@example.com").check()
    await page.get_by_role("button", name="Drop silently").click()
    await expect(row(page, "keep@example.com")).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(row(page, "keep@example.com")).to_contain_text("stays here")

    # Closing the note is as good as waiting: now it is really gone.
    await page.get_by_label("Select the message to drop@example.com").check()
    await page.get_by_role("button", name="Drop silently").click()
    note = page.locator(".toast", has_text="will be dropped")
    await note.get_by_role("button", name="Close").click()
    await expect(row(page, "drop@example.com")).to_have_count(0)
    await page.reload()
    await expect(row(page, "keep@example.com")).to_be_visible()
    await expect(row(page, "drop@example.com")).to_have_count(0)


async def test_leaving_the_page_completes_what_was_begun(visitor: Visitor) -> None:
    page = await visitor.open("/queue")
    await wait_for_mail(visitor, page, "leave@example.com")
    await page.get_by_label("Select the message to leave@example.com").check()
    await page.get_by_role("button", name="Drop silently").click()
    await expect(page.locator(".toast", has_text="will be dropped")).to_be_visible()
    await page.close()
    other = await visitor.open("/queue")
    await expect(row(other, "leave@example.com")).to_have_count(0)


async def test_giving_up_asks_and_tells_the_sender(visitor: Visitor) -> None:
    page = await visitor.open("/queue")
    await wait_for_mail(visitor, page, "fail@example.com")
    await page.get_by_label("Select the message to fail@example.com").check()
    await page.get_by_role("button", name="Fail with notice…").click()
    question = page.get_by_role("dialog", name="Give up on 1 message?")
    await question.get_by_role("button", name="Keep trying").click()
    await expect(row(page, "fail@example.com")).to_be_visible()
    await page.get_by_role("button", name="Fail with notice…").click()
    await question.get_by_role("button", name="Fail with notice").click()
    await expect(row(page, "fail@example.com")).to_have_count(0)


async def test_the_filter_and_the_details_of_a_waiting_message(visitor: Visitor) -> None:
    page = await visitor.open("/queue")
    await wait_for_mail(visitor, page, "look@example.com", "other@example.com")
    await page.get_by_label("Search the queue").fill("look@example")
    await expect(row(page, "other@example.com")).to_have_count(0)
    await page.get_by_role("link", name="look@example.com").click()
    drawer = page.get_by_role("complementary", name="Details of the message")
    await expect(drawer).to_contain_text("Subject: To look@example.com")
    await expect(drawer).to_contain_text("practice mode")
    assert re.search(r"#/queue/\d+$", page.url)
    # The filter outlives the details.
    await expect(page.get_by_label("Search the queue")).to_have_value("look@example")
    await drawer.get_by_role("button", name="Hold").click()
    await expect(drawer).to_contain_text("On hold until you release it")
    await drawer.get_by_role("button", name="Release").click()
    await expect(drawer.get_by_role("button", name="Hold")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(drawer).to_have_count(0)
    await page.get_by_role("group", name="Show").get_by_role("button", name="Sending now").click()
    await expect(page.locator(".empty")).to_contain_text("No message matches.")
    await page.get_by_role("button", name="Clear the filter").click()
    await expect(row(page, "other@example.com")).to_be_visible()


async def test_a_long_queue_has_pages(visitor: Visitor) -> None:
    page = await visitor.open("/queue")
    send_as(visitor.ready, [visitor.ready.account], [f"many{i}@example.org" for i in range(120)])
    await expect(page.get_by_role("navigation", name="Pages of the queue")).to_be_visible()
    await page.get_by_role("button", name="Next").click()
    await expect(page.locator(".pager span").filter(has_text="101–")).to_be_visible()
    await page.get_by_label("Search the queue").fill("many1")
    await page.get_by_label("Select all on this page").check()
    await page.get_by_role("button", name="Retry now").click()
    await expect(page.locator(".toast")).to_contain_text("will be tried now")


async def test_the_log_runs_pauses_and_is_saved(visitor: Visitor) -> None:
    page = await visitor.open("/log")
    await expect(page.locator(".log .line").first).to_be_visible()
    words = page.get_by_label("Only lines with")
    await words.fill("/recipient refused/")
    lines = page.locator(".log .line")
    await expect(lines.filter(has_not_text="recipient refused")).to_have_count(0)
    earlier = await lines.count()
    send_from_outside(visitor.ready, "x@example.net", ["nobody.1@gatepost.test"], refused=True)
    await expect(lines).to_have_count(earlier + 1)
    before = await lines.count()
    await page.get_by_role("button", name="Pause").click()
    send_from_outside(visitor.ready, "x@example.net", ["nobody.2@gatepost.test"], refused=True)
    await expect(page.get_by_role("status").filter(has_text="paused")).to_be_visible()
    assert await lines.count() == before
    await page.get_by_role("button", name="Go on").click()
    await expect(lines).to_have_count(before + 1)
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name="Save…").click()
    saved = Path(await (await waiting.value).path()).read_text()
    assert saved.count("recipient refused") == before + 1
    await words.fill("/(/")
    await expect(page.get_by_text("This is no regular expression.")).to_be_visible()


async def test_a_sign_in_that_fails_is_seen_at_once(visitor: Visitor) -> None:
    visitor.expected.append("401")
    page = await visitor.open("/signins")
    await page.get_by_label("Result").select_option(label="refused")
    refused = page.get_by_role("row").filter(has_text="refused")
    await expect(page.locator(".empty, table")).to_be_visible()
    before = await refused.count()
    stranger = await visitor.arrive()
    await visitor.sign_in(stranger, "a guess of mine")
    await expect(refused).to_have_count(before + 1)
    # By the address it came from, and from there to all that came from it.
    await page.get_by_role("button", name="Refused, by address").click()
    await page.get_by_role("rowheader").get_by_role("link").first.click()
    await expect(page.get_by_text("Only sign-ins from 127.0.0.1")).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text="signed in").first).to_be_visible()


async def test_text_from_outside_stays_text(visitor: Visitor) -> None:
    page = await visitor.open("/queue")
    subject = "<img src=x onerror=alert(1)><b>bold</b>"
    send_as(visitor.ready, [visitor.ready.account], ['"<i>i</i>"@example.com'], subject=subject)
    await page.get_by_label("Search the queue").fill("<i>i</i>")
    await page.get_by_role("link", name="<i>i</i>").click()
    await expect(page.locator(".drawer pre")).to_contain_text("onerror=alert(1)")
    assert await page.locator(".page :is(img, i:not(.icon))").count() == 0

"""Without a mouse."""

import pytest
from playwright.async_api import expect

from tests.support.browser import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_ctrl_k_leads_to_a_page_and_the_next_key_to_its_wizard(visitor: Visitor) -> None:
    page = await visitor.open("/")
    await page.keyboard.press("Control+k")
    finder = page.get_by_role("combobox", name="Find")
    await expect(finder).to_be_focused()
    await page.keyboard.type("domains")
    await expect(page.get_by_role("option", selected=True)).to_contain_text("Domains")
    await page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="Domains", level=1)
    await expect(heading).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Add a domain")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".flow-main")).to_be_visible()


async def test_the_finder_is_walked_with_arrows_and_left_with_esc(visitor: Visitor) -> None:
    page = await visitor.open("/")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Find")).to_be_focused()
    options = page.get_by_role("option")
    await expect(options.nth(1)).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("ArrowUp")
    await expect(options.first).to_have_attribute("aria-selected", "true")
    await page.keyboard.type("xyz nothing")
    await expect(page.get_by_text("Nothing is called")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_finder_knows_things_to_do(visitor: Visitor) -> None:
    page = await visitor.open("/")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Find")).to_be_focused()
    await page.keyboard.type("thunderbird")
    await expect(page.get_by_role("option", selected=True)).to_contain_text("Connect a mail app")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Incoming mail (IMAP)").first).to_be_visible()


async def test_the_skip_link_leads_to_the_content_of_the_same_page(visitor: Visitor) -> None:
    page = await visitor.open("/queue")
    await page.locator(".skip").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#content")).to_be_focused()
    assert page.url.endswith("#/queue")


async def test_a_dialog_gives_the_focus_back(visitor: Visitor) -> None:
    page = await visitor.open("/accounts/me/addresses")
    button = page.get_by_role("button", name="Add address…")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(button).to_be_focused()


async def test_the_finder_knows_single_settings_by_other_words(visitor: Visitor) -> None:
    page = await visitor.open("/")
    await page.keyboard.press("Control+k")
    finder = page.get_by_role("combobox", name="Find")
    await expect(finder).to_be_focused()
    await finder.fill("quota")
    await expect(page.get_by_role("option", name="Space (Limits of the account)")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Accounts")

"""The settings as text, their changes, the way back; and the server that is started anew."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import Visitor, barriers

pytestmark = pytest.mark.asyncio(loop_scope="session")

REMEMBER_STRIPS = """
new MutationObserver(() => {
  const strip = document.querySelector('.strip.warn');
  if (strip) document.documentElement.dataset.strip = strip.innerText;
}).observe(document.body, { childList: true, subtree: true });
"""


async def text_of(page: Page) -> str:
    return await page.get_by_label("Text of domains.toml").input_value()


async def test_a_fault_is_shown_with_its_line_and_the_right_text_is_applied(
    visitor: Visitor,
) -> None:
    visitor.expected += ["400", "422"]
    page = await visitor.open("/settings")
    area = page.get_by_label("Text of domains.toml")
    before = await text_of(page)
    await area.fill(before + '\n[domains."typed.example"]\ndescriptoin = "typed"\n')
    faulty = len(before.splitlines()) + 3
    await page.get_by_role("button", name="Check", exact=True).click()
    fault = page.get_by_role("alert")
    await expect(fault).to_contain_text("descriptoin")
    await expect(page.locator(".numbers .faulty")).to_have_text(str(faulty))
    line = fault.get_by_role("button", name=f"domains.toml, line {faulty}")
    await line.click()
    chosen = await area.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)")
    assert chosen == 'descriptoin = "typed"'
    await page.get_by_role("button", name="Save…").click()
    await expect(fault).to_contain_text("descriptoin")
    assert await page.get_by_role("dialog").count() == 0

    # What was typed outlives a look at another page.
    await visitor.go(page, "/domains")
    await visitor.go(page, "/settings")
    assert "descriptoin" in await text_of(page)

    await area.fill((await text_of(page)).replace("descriptoin", "description"))
    await page.get_by_role("button", name="Check", exact=True).click()
    await expect(page.get_by_text("No fault found.")).to_be_visible()
    await expect(page.locator(".diff .added")).to_have_count(3)
    await page.get_by_role("button", name="Save…").click()
    question = page.get_by_role("dialog", name="Save these settings?")
    assert await barriers(page) == []
    await question.get_by_role("button", name="Save and apply").click()
    await expect(page.get_by_text("Saved, and in force.")).to_be_visible()

    # The change is in the list, says what it did, is taken back, and that is undone and done again.
    await visitor.go(page, "/settings/revisions")
    newest = page.locator(".changes li").first
    await expect(newest).to_contain_text("holds now")
    await expect(page.locator(".diff .added").nth(1)).to_contain_text('[domains."typed.example"]')
    await page.locator(".changes a").nth(1).click()
    await page.get_by_role("button", name="Go back to this…").click()
    question = page.get_by_role("dialog")
    await expect(question.locator(".diff .removed")).to_have_count(3)
    await question.get_by_role("button", name="Go back").click()
    await expect(page.get_by_text("The old settings hold again.")).to_be_visible()
    await page.get_by_role("button", name="Undo").last.click()
    await expect(page.get_by_text("The settings are as they were before.")).to_be_visible()
    await page.locator(".changes a").nth(3).click()
    await page.get_by_role("button", name="Go back to this…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Go back").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await visitor.go(page, "/settings")
    text = await text_of(page)
    assert "gatepost.test" in text
    assert "typed.example" not in text


async def test_a_change_made_elsewhere_is_said_and_nothing_typed_is_lost(visitor: Visitor) -> None:
    page = await visitor.open("/settings")
    area = page.get_by_label("Text of domains.toml")
    await area.fill("# mine\n")
    other = await visitor.open("/settings")
    theirs = await text_of(other) + '\n[domains."meanwhile.example"]\n'
    await other.get_by_label("Text of domains.toml").fill(theirs)
    await other.get_by_role("button", name="Save…").click()
    await other.get_by_role("button", name="Save and apply").click()
    await expect(page.get_by_text("The settings were changed elsewhere meanwhile")).to_be_visible()
    assert await text_of(page) == "# mine\n"
    await expect(page.get_by_role("button", name="Save…")).to_be_disabled()
    await page.get_by_role("button", name="Compare").click()
    await expect(page.locator(".diff")).to_contain_text("meanwhile.example")
    await expect(page.get_by_role("button", name="Save…")).to_be_enabled()
    await page.get_by_role("button", name="Discard").click()
    assert "meanwhile.example" in await text_of(page)


async def test_the_stored_mail_is_checked(visitor: Visitor) -> None:
    page = await visitor.open("/server")
    await page.get_by_role("button", name="Check the stored mail").click()
    await expect(page.locator(".banner.ok", has_text="All is well")).to_be_visible()


async def test_a_new_password_of_the_administrator_needs_the_old_one(visitor: Visitor) -> None:
    visitor.expected += ["400", "401", "403", "422"]
    page = await visitor.open("/server")
    await page.get_by_label("Password now").fill("not this one")
    await page.get_by_label("New password").fill("short")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_text("Use at least 12 characters.")).to_be_visible()
    await page.get_by_label("New password").fill("a longer one, chosen")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.locator("form .fault")).to_contain_text("not the administrator's password")
    assert await page.get_by_role("dialog").count() == 0


async def test_a_restart_shows_a_strip_that_clears_itself(visitor: Visitor) -> None:
    visitor.expected += ["ERR_CONNECTION", "ERR_INCOMPLETE_CHUNKED", "ERR_EMPTY_RESPONSE"]
    page = await visitor.open("/server")
    await page.evaluate(REMEMBER_STRIPS)
    await page.get_by_role("button", name="Restart…").click()
    question = page.get_by_role("dialog", name="Restart the server?")
    await question.get_by_role("button", name="Restart", exact=True).click()
    await expect(page.locator("html")).to_have_attribute("data-strip", re.compile("restarting"))
    await expect(page.locator(".strip.warn")).to_have_count(0)
    # The page is alive again, and nobody has to sign in.
    await visitor.go(page, "/domains")
    await expect(page.get_by_role("heading", name="Domains", level=1)).to_be_visible()
    assert await page.get_by_role("dialog").count() == 0

"""Signing in, and what happens when the session ends in the middle of something."""

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_wrong_password_is_said_and_the_right_one_opens(visitor: Visitor) -> None:
    visitor.expected.append("401")
    page = await visitor.arrive()
    await visitor.sign_in(page, "not the password")
    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("password")
    assert "–" in await page.title()
    await visitor.sign_in(page)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Practice mode")


async def test_the_door_itself_is_quiet(visitor: Visitor) -> None:
    page = await visitor.arrive()
    await expect(page.get_by_label("Administrator's password")).to_be_focused()
    assert visitor.faults == []


async def test_signing_out_leads_to_the_door(visitor: Visitor) -> None:
    page = await visitor.open("/domains", fresh=True)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Administrator's password")).to_be_visible()


async def test_a_session_that_ends_in_the_middle_of_a_form_keeps_the_form(visitor: Visitor) -> None:
    visitor.expected.append("401")
    page = await visitor.open("/accounts/me/addresses", fresh=True)
    await page.get_by_role("button", name="Add address…").click()
    form = page.get_by_role("dialog", name="Add an address")
    await form.get_by_label("Address").fill("kept@gatepost.test")
    await end_other_sessions(visitor)
    # Not by a click: the event stream may have noticed the end first, and then the sign-in lies above the form.
    await page.locator("dialog form").first.evaluate("form => form.requestSubmit()")
    again = page.get_by_role("dialog", name="Please sign in again")
    await again.get_by_label("Administrator's password").fill(visitor.password)
    # Esc does not lead past it.
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await again.get_by_role("button", name="Sign in").click()
    await expect(again).to_have_count(0)
    await expect(form.get_by_label("Address")).to_have_value("kept@gatepost.test")
    await form.get_by_role("button", name="Add address").click()
    await expect(page.locator(".rows li", has_text="kept@gatepost.test")).to_be_visible()


async def end_other_sessions(visitor: Visitor) -> None:
    """As somebody else who knows the password would do it, on the page of the server."""
    other = await visitor.open("/server", fresh=True)
    card = other.locator(
        ".card", has=other.get_by_role("heading", name="Signed in to the administration")
    )
    await expect(card.get_by_text("This browser")).to_be_visible()
    endings = card.get_by_role("button", name="Sign out")
    while await endings.count():
        before = await endings.count()
        await endings.first.click()
        await expect(endings).to_have_count(before - 1)
    await visitor.forget_sessions()
    await close(other)


async def close(page: Page) -> None:
    await page.context.close()

"""Domains and accounts from the browser, and whether they hold on the mail ports."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import Visitor, ask
from tests.support.trial_mail import signs_in

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def add_person(visitor: Visitor, address: str, **fields: str) -> tuple[Page, str]:
    """A page at her sign-in, and the password that the server made up."""
    page = await visitor.open("/")
    await ask(page, "POST", "/domains", {"name": address.partition("@")[2]})
    made = await ask(page, "POST", "/accounts", {"address": address, **fields})
    await visitor.go(page, "/accounts")
    await page.get_by_role("link", name=made["account"]["id"], exact=True).click()
    await page.get_by_role("link", name="Sign-in and devices").click()
    return page, made["password"] or ""


async def test_an_account_with_a_made_up_password_signs_in(visitor: Visitor) -> None:
    page, password = await add_person(visitor, "anna@people.example")
    assert await asyncio.to_thread(signs_in, visitor.ready, "anna@people.example", password)
    assert password not in await page.content()

    # A password of one's own replaces it.
    await page.get_by_role("button", name="Set a new password…").click()
    dialog = page.get_by_role("dialog", name="Set a new password")
    await dialog.get_by_label("New password").fill("short")
    await dialog.get_by_role("button", name="Set password").click()
    await expect(dialog.get_by_text("Use at least 12 characters")).to_be_visible()
    await dialog.get_by_label("New password").fill("a longer one, chosen")
    await dialog.get_by_role("button", name="Set password").click()
    await expect(page.get_by_text("The password was set.")).to_be_visible()
    assert not await asyncio.to_thread(signs_in, visitor.ready, "anna@people.example", password)
    assert await asyncio.to_thread(
        signs_in, visitor.ready, "anna@people.example", "a longer one, chosen"
    )


async def test_a_disabled_account_does_not_sign_in_until_it_is_undone(visitor: Visitor) -> None:
    page, _ = await add_person(visitor, "off@off.example", password="a longer one, chosen")
    credentials = (visitor.ready, "off@off.example", "a longer one, chosen")
    await page.get_by_role("button", name="Switch off: signing in to the account").click()
    await expect(page.locator("h1 .pill")).to_have_text("switched off")
    assert not await asyncio.to_thread(signs_in, *credentials)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("h1 .pill")).to_have_text("in use")
    assert await asyncio.to_thread(signs_in, *credentials)


async def test_an_address_is_added_refused_twice_and_comes_back_by_undo(visitor: Visitor) -> None:
    visitor.expected.append("409")
    page = await visitor.open("/accounts/me/addresses")
    row = page.locator(".rows li", has_text="shop@gatepost.test")
    add = page.get_by_role("button", name="Add address…")
    dialog = page.get_by_role("dialog", name="Add an address")
    field = dialog.get_by_label("Address")
    await add.click()
    await field.fill("shop@gatepost.test")
    await dialog.get_by_role("button", name="Add address").click()
    await expect(row).to_be_visible()
    await add.click()
    await field.fill("shop@gatepost.test")
    await dialog.get_by_role("button", name="Add address").click()
    await expect(dialog.locator(".fault, .banner.error")).to_be_visible()
    await expect(field).to_have_value("shop@gatepost.test")
    await dialog.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Choose the mailbox for shop@gatepost.test").click()
    await page.get_by_role("dialog").get_by_label("Mailbox").fill("Orders")
    await page.get_by_role("dialog").get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("into Orders")
    await page.get_by_role("button", name="Remove the address shop@gatepost.test").click()
    await expect(row).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(row).to_contain_text("into Orders")


async def test_limits_are_changed_and_a_word_is_no_number(visitor: Visitor) -> None:
    visitor.expected.append("422")
    page = await visitor.open("/accounts/me/limits")
    await expect(page.locator(".facts")).to_contain_text("of 1\u202f000 recipients")
    await page.get_by_label("Messages a day").fill("1500")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".facts")).to_contain_text("of 1\u202f500 recipients")


async def test_lists_are_searched_and_lead_to_wizards_and_pages(visitor: Visitor) -> None:
    page = await visitor.open("/")
    for number in range(3):
        person = {"address": f"listed{number}@gatepost.test", "full_name": f"Listed {number}"}
        await ask(page, "POST", "/accounts", person)
    await visitor.go(page, "/accounts")
    await page.get_by_label("Search Account").fill("Listed 1")
    await expect(page.get_by_role("rowheader")).to_have_text(["listed1"])
    await page.get_by_label("Search Account").fill("nobody of that name")
    await page.get_by_role("button", name="Clear the filter").click()
    row = page.get_by_role("row", name="listed2")
    await expect(row.get_by_role("link", name="Connect a mail app")).to_be_visible()
    await row.get_by_role("link", name="Remove…").click()
    assert page.url.endswith("#/accounts/listed2/remove")
    await visitor.go(page, "/domains")
    await page.get_by_role("link", name="Add a domain").click()
    await expect(page.locator(".flow-main")).to_be_visible()


async def test_keys_for_signatures_are_made_chosen_and_removed(visitor: Visitor) -> None:
    page = await visitor.open("/domains/gatepost.test/dkim")
    await page.get_by_role("button", name="Make a key…").click()
    dialog = page.get_by_role("dialog", name="Make a key")
    await dialog.get_by_label("Name").fill("autumn")
    await dialog.get_by_label("Algorithm").select_option("ed25519")
    await dialog.get_by_role("button", name="Make the key").click()
    signs = page.get_by_label("autumn signs")
    await signs.check()
    await expect(page.get_by_text("autumn signs from now on.")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(signs).not_to_be_checked()
    await page.get_by_role("button", name="Remove the key autumn").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove the key").click()
    await expect(signs).to_have_count(0)


async def test_the_tabs_of_a_thing_are_pages_with_paths(visitor: Visitor) -> None:
    page = await visitor.open("/domains/gatepost.test")
    tabs = page.get_by_role("navigation", name="Parts of the domain").get_by_role("link")
    await expect(tabs.first).to_have_attribute("aria-current", "page")
    await tabs.get_by_text("Settings").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Description")).to_be_visible()
    assert page.url.endswith("#/domains/gatepost.test/settings")
    await page.go_back()
    await expect(tabs.first).to_have_attribute("aria-current", "page")

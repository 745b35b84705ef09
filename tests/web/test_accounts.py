"""Domains and accounts from the browser, and whether they hold on the mail ports."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import Visitor
from tests.support.trial_mail import signs_in

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def add_domain(visitor: Visitor, name: str) -> Page:
    page = await visitor.open("/domains")
    await page.get_by_role("button", name="Add domain").click()
    dialog = page.get_by_role("dialog", name="Add a domain")
    await dialog.get_by_label("Domain").fill(name)
    await dialog.get_by_role("button", name="Add domain").click()
    await expect(page.get_by_role("rowheader", name=name)).to_be_visible()
    return page


async def add_account(page: Page, local: str, domain: str, **fields: str) -> str:
    """The password that was shown."""
    await page.get_by_role("button", name="Add account").click()
    dialog = page.get_by_role("dialog", name="Add an account")
    await dialog.get_by_label("Address").fill(local)
    await dialog.get_by_role("combobox", name="Domain").select_option(domain)
    for label, text in fields.items():
        await dialog.get_by_label(label).fill(text)
    await dialog.get_by_role("button", name="Add account").click()
    ready = page.get_by_role("dialog", name=f"{local}@{domain} is ready")
    await ready.wait_for()
    shown = ready.locator(".value", has=page.get_by_text("Password", exact=True)).locator("code")
    password = await shown.inner_text() if await shown.count() else ""
    await ready.get_by_role("button", name="Done").click()
    return password


async def test_an_account_with_a_made_up_password_signs_in(visitor: Visitor) -> None:
    page = await add_domain(visitor, "people.example")
    await visitor.go(page, "/accounts")
    password = await add_account(page, "anna", "people.example", Name="Anna Example")
    assert len(password) >= 12
    assert await asyncio.to_thread(signs_in, visitor.ready, "anna@people.example", password)
    await page.get_by_role("link", name="Anna Example").click()
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
    page = await add_domain(visitor, "off.example")
    await visitor.go(page, "/accounts")
    await add_account(page, "off", "off.example", Password="a longer one, chosen")
    await page.get_by_role("link", name="off", exact=True).click()
    credentials = (visitor.ready, "off@off.example", "a longer one, chosen")
    await page.get_by_role("button", name="Disable the account").click()
    await expect(page.locator("h1 .pill")).to_have_text("disabled")
    assert not await asyncio.to_thread(signs_in, *credentials)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("h1 .pill")).to_have_text("active")
    assert await asyncio.to_thread(signs_in, *credentials)


async def test_an_address_is_added_refused_twice_and_comes_back_by_undo(visitor: Visitor) -> None:
    visitor.expected.append("409")
    page = await visitor.open("/accounts/me")
    field = page.get_by_label("Another address")
    row = page.locator(".rows li", has_text="shop@gatepost.test")
    await field.fill("shop@gatepost.test")
    await page.get_by_role("button", name="Add address").click()
    await expect(row).to_be_visible()
    await field.fill("shop@gatepost.test")
    await page.get_by_role("button", name="Add address").click()
    await expect(page.locator(".fault, .banner.error")).to_be_visible()
    await expect(field).to_have_value("shop@gatepost.test")
    await page.get_by_role("button", name="Remove the address shop@gatepost.test").click()
    await expect(row).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(row).to_be_visible()


async def test_limits_are_changed_and_a_word_is_no_number(visitor: Visitor) -> None:
    page = await visitor.open("/accounts/me")
    await page.get_by_role("button", name="Change the account").click()
    dialog = page.get_by_role("dialog", name="Change the account")
    await dialog.get_by_label("Messages a day").fill("many")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text("Enter a whole number.")).to_be_visible()
    await dialog.get_by_label("Messages a day").fill("1500")
    await dialog.get_by_label("Room for mail, in MB").fill("2000")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.locator(".facts")).to_contain_text("1\u202f500")
    await expect(page.locator(".facts")).to_contain_text("of 2.0 GB")


async def test_a_domain_that_is_lived_in_stays_and_an_empty_one_goes(visitor: Visitor) -> None:
    page = await add_domain(visitor, "gone.example")
    await page.get_by_role("button", name="Remove gatepost.test").click()
    refusal = page.get_by_role("dialog", name="gatepost.test can't be removed yet")
    await refusal.get_by_role("button", name="Close").click()
    await page.get_by_role("button", name="Remove gone.example").click()
    question = page.get_by_role("dialog", name="Remove the domain gone.example?")
    await expect(question.get_by_role("button", name="Keep")).to_be_visible()
    await question.get_by_role("button", name="Remove domain").click()
    await expect(question.get_by_role("alert")).to_contain_text("Type “gone.example”")
    await question.get_by_label("Type gone.example to confirm").fill("gone.example")
    await question.get_by_role("button", name="Remove domain").click()
    await expect(page.get_by_role("rowheader", name="gone.example")).to_have_count(0)


async def test_a_faulty_domain_is_refused_at_its_field(visitor: Visitor) -> None:
    visitor.expected += ["400", "422", "409"]
    page = await visitor.open("/domains")
    await page.get_by_role("button", name="Add domain").click()
    dialog = page.get_by_role("dialog", name="Add a domain")
    for name in ("", "not a domain", "gatepost.test"):
        await dialog.get_by_label("Domain").fill(name)
        await dialog.get_by_role("button", name="Add domain").click()
        await expect(dialog.locator(".fault, .banner.error")).to_be_visible()
        await expect(dialog.get_by_label("Domain")).to_have_value(name)

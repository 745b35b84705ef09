"""Wizards in the browser: each to its end, back again, by keyboard alone, left and gone on with."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import DESKTOP, PHONE, Visitor, barriers, overflow

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def at(page: Page, title: str) -> None:
    await expect(page.locator(".flow-main > header h1")).to_have_text(title)
    await expect(page.locator(".flow-main > header h1")).to_be_focused()


async def keys(page: Page, *pressed: str) -> None:
    for each in pressed:
        if each.startswith("{"):
            await page.keyboard.press(each[1:-1])
        else:
            await page.keyboard.type(each)


async def to_button(page: Page, name: str) -> None:
    """Tab until the button has the focus, as somebody without a mouse does."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        focused = await page.evaluate("document.activeElement.textContent.trim()")
        if focused == name:
            return
    raise AssertionError(f"no way by keyboard to {name}")


async def to_field(page: Page, label: str) -> None:
    for _ in range(60):
        await page.keyboard.press("Tab")
        names = await page.evaluate(
            "[...(document.activeElement.labels ?? [])].map((each) => each.textContent.trim())"
            ".concat(document.activeElement.getAttribute('aria-label') ?? [])"
        )
        if any(label in name for name in names):
            return
    raise AssertionError(f"no way by keyboard to {label}")


async def test_a_domain_is_added_by_keyboard_alone(visitor: Visitor) -> None:
    page = await visitor.open("/domains/new")
    await at(page, "Which domain?")
    await to_field(page, "Domain")
    await keys(page, "not a domain", "{Enter}")
    await expect(page.locator(".fault")).to_be_visible()
    focused = await page.evaluate("document.activeElement.id")
    assert focused == "/name"
    await page.locator("[id='/name']").fill("")
    await keys(page, "wizard.example", "{Enter}")
    await at(page, "What the Internet knows of it")
    await to_button(page, "Next")
    await keys(page, "{Enter}")
    await at(page, "Who gets mail to the postmaster?")
    await to_button(page, "Back")
    await keys(page, "{Enter}")
    await at(page, "What the Internet knows of it")
    await to_button(page, "Next")
    await keys(page, "{Enter}")
    await at(page, "Who gets mail to the postmaster?")
    await to_button(page, "Next")
    await keys(page, "{Enter}")
    await at(page, "How shall its mail be treated?")
    await to_field(page, "Separator")
    await keys(page, "{Enter}")
    await at(page, "Add the domain")
    await expect(page.locator(".review")).to_contain_text("wizard.example")
    await to_button(page, "Add the domain")
    await keys(page, "{Enter}")
    await at(page, "DNS records")
    await to_button(page, "Next")
    await keys(page, "{Enter}")
    await at(page, "The domain is ready")


async def test_an_account_with_faults_at_their_fields_and_a_password_shown_once(
    visitor: Visitor,
) -> None:
    page = await visitor.open("/accounts/new")
    await page.get_by_label("Name").fill("Clara Example")
    await page.get_by_role("button", name="Next").click()
    await expect(page.locator("[id='/local_part']")).to_have_attribute("aria-invalid", "true")
    await page.locator("[id='/local_part']").fill("clara.wizard")
    await page.get_by_role("button", name="Next").click()
    await at(page, "More addresses?")
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Back").click()
    await page.get_by_role("button", name="Next").click()
    await at(page, "Which password?")
    await page.get_by_text("Enter one").click()
    await page.locator("[id='/password']").fill("x")
    await page.get_by_role("button", name="Back").click()
    await page.get_by_role("button", name="Next").click()
    assert await page.locator("[id='/password']").input_value() == ""  # never given back
    await page.get_by_text("Make a strong one").click()
    await page.get_by_role("button", name="Next").click()
    await at(page, "Add the account")
    await page.get_by_role("button", name="Change Name").click()
    await at(page, "Who is it?")
    await page.get_by_label("Name").fill("Clara Wizard")
    await page.get_by_role("button", name="Next").click()
    await at(page, "Add the account")
    await expect(page.locator(".review")).to_contain_text("Clara Wizard")
    await page.get_by_role("button", name="Add the account").click()
    await at(page, "The account is ready")
    password = await page.locator(".value code").inner_text()
    assert re.fullmatch(r"([a-z0-9]{5}-){3}[a-z0-9]{5}", password)
    await page.get_by_role("button", name="Finish").click()
    await page.wait_for_url(re.compile("connect$"))


async def test_a_transport_and_its_route_by_keyboard_alone(visitor: Visitor) -> None:
    page = await visitor.open("/transports/new")
    await at(page, "How shall mail leave?")
    await to_field(page, "Relay with sign-in")
    await keys(page, "{ArrowDown}", "{ArrowDown}", "{ArrowDown}", "{ArrowDown}", "{ArrowDown}")
    await keys(page, "{Enter}")
    await at(page, "Its settings")
    await to_field(page, "Name")
    await keys(page, "nowhere")
    await to_button(page, "Test it")
    await keys(page, "{Enter}")
    await expect(page.locator(".banner.ok")).to_contain_text("Mail is refused with")
    await to_field(page, "Name")
    await keys(page, "{Enter}")
    await at(page, "What is it used for?")
    await page.get_by_text("Mail to some domains").focus()
    await to_field(page, "All mail that leaves")
    await keys(page, "{ArrowDown}", "{ArrowDown}")
    await to_field(page, "Add a domain")
    await keys(page, "net.example", "{Enter}")
    await to_button(page, "Next")
    await keys(page, "{Enter}")
    await at(page, "Add the transport")
    await expect(page.locator(".effects")).to_contain_text("always nowhere")
    await to_button(page, "Add the transport")
    await keys(page, "{Enter}")
    await at(page, "The transport is ready")
    await visitor.go(page, "/routes/new")
    await at(page, "Whose mail?")
    await to_button(page, "Next")
    await keys(page, "{Enter}")
    await at(page, "Which of it?")
    await to_field(page, "Add a domain")
    await keys(page, "from.example", "{Enter}")
    await to_button(page, "Next")
    await keys(page, "{Enter}")
    await at(page, "Through which transport?")
    await to_button(page, "Next")
    await keys(page, "{Enter}")
    await at(page, "At which place?")
    await to_button(page, "Next")
    await keys(page, "{Enter}")
    await at(page, "Add the route")
    await expect(page.locator(".review")).to_contain_text("Mail from from.example")
    await to_button(page, "Add the route")
    await keys(page, "{Enter}")
    await at(page, "The route is ready")


async def test_a_wizard_is_left_and_gone_on_with(visitor: Visitor) -> None:
    page = await visitor.open("/domains/new")
    await page.get_by_label("Domain").fill("later.example")
    await page.get_by_role("button", name="Save and continue later").click()
    await page.get_by_role("link", name="Add a domain: later.example").click()
    await at(page, "Which domain?")
    assert await page.get_by_label("Domain").input_value() == "later.example"
    await page.reload()
    await at(page, "Which domain?")
    await page.get_by_role("button", name="Give up").click()
    await expect(page.locator("h1")).not_to_have_text("Which domain?")
    await expect(page.get_by_text("later.example")).to_have_count(0)


async def test_a_domain_goes_after_its_name_was_typed(visitor: Visitor) -> None:
    page = await visitor.open("/overview")
    await page.evaluate(
        """async () => { const { post } = await import("./lib/api.mjs");
        await post("/domains", { name: "gone.example", description: "" }); }"""
    )
    await visitor.go(page, "/domains/gone.example/remove")
    await at(page, "What depends on it")
    await expect(page.get_by_text("Nothing else depends on it.")).to_be_visible()
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Remove the domain").click()
    await expect(page.get_by_role("alert")).to_contain_text("Type the name")
    await page.get_by_label("Type gone.example to confirm").fill("gone.example")
    await page.get_by_role("button", name="Remove the domain").click()
    await at(page, "The domain is removed")


async def test_an_alias_and_an_account_that_goes(visitor: Visitor) -> None:
    page = await visitor.open("/accounts/new")
    await page.locator("[id='/local_part']").fill("dora.wizard")
    await page.get_by_role("button", name="Next").click()
    await at(page, "More addresses?")
    await page.get_by_role("button", name="Next").click()
    await at(page, "Which password?")
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Add the account").click()
    await at(page, "The account is ready")
    await visitor.go(page, "/aliases/new")
    await page.locator("[id='/local_part']").fill("crew")
    await page.get_by_role("button", name="Next").click()
    await page.get_by_label("Members").fill("nobody@gatepost.test\ndora.wizard@gatepost.test")
    await page.get_by_role("button", name="Next").click()
    await expect(page.locator(".fault")).to_contain_text("Nobody here has this address")
    await page.get_by_label("Members").fill("Dora <dora.wizard@gatepost.test>")
    await page.get_by_role("button", name="Next").click()
    await at(page, "Who may do what?")
    await page.get_by_role("button", name="Back").click()
    await at(page, "Who gets the mail?")
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Add the alias").click()
    await at(page, "The alias is ready")
    await visitor.go(page, "/accounts/dora.wizard/remove")
    await expect(page.get_by_text("It can't be removed yet.")).to_be_visible()
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_role("alert")).to_contain_text("no members left")
    await page.evaluate(
        """async () => { const { remove } = await import("./lib/api.mjs");
        await remove("/aliases/crew@gatepost.test"); }"""
    )
    await page.get_by_role("button", name="Check again").click()
    await expect(page.get_by_text("It is in none.")).to_be_visible()
    await page.get_by_role("button", name="Next").click()
    await at(page, "Remove the account")
    await page.get_by_label("Type dora.wizard to confirm").fill("dora.wizard")
    await page.keyboard.press("Enter")
    await at(page, "The account is removed")


async def test_keys_are_changed_step_by_step(visitor: Visitor) -> None:
    page = await visitor.open("/domains/gatepost.test/dkim/rotate")
    await at(page, "Change the signature keys")
    await page.get_by_role("button", name="Make the new keys").click()
    await at(page, "Publish the new keys")
    await expect(page.locator(".checks code")).to_contain_text("v=DKIM1")
    await page.get_by_role("button", name="Go on", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("can't be seen yet")
    await page.evaluate(
        """async () => { const { post } = await import("./lib/api.mjs");
        await post("/domains/gatepost.test/dkim/rotate", { skip_waiting: true }); }"""
    )
    await page.get_by_role("button", name="Go on", exact=True).click()
    await expect(page.locator(".flow-main > header h1")).not_to_have_text("Publish the new keys")
    await page.get_by_role("button", name="Close the wizard").click()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
async def test_wizards_fit_the_screen_and_can_be_read_by_all(
    visitor: Visitor, width: int, theme: str
) -> None:
    for path in ("/domains/new", "/transports/new", "/routes/new", "/accounts/new"):
        page = await visitor.open(path, width=width, theme=theme)
        await page.locator(".flow h1").wait_for()
        assert await overflow(page) <= 0
        assert not await barriers(page)
        await page.close()

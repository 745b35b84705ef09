"""Every page opens without a fault, fits the screen and has no barriers: light and dark, desk and phone."""

from pathlib import Path

import pytest

from tests.support.browser import DESKTOP, PHONE, Visitor, barriers, overflow

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("mail_in_it")]

# path → what it shows once everything is read
PAGES = {
    "/": ".stats",
    "/domains": "table",
    "/domains/new": ".flow",
    "/domains/gatepost.test/dns": ".verdict",
    "/accounts": "table",
    "/accounts/new": ".flow",
    "/accounts/me": ".facts",
    "/accounts/me/addresses": ".rows li",
    "/accounts/me/limits": ".facts",
    "/accounts/me/sign-in": ".card",
    "/accounts/me/connect": ".values",
    "/accounts/me/routes": ".otherwise",
    "/accounts/me/settings": "form.spec",
    "/aliases": ".empty",
    "/domains/gatepost.test": ".facts",
    "/domains/gatepost.test/addresses": "table",
    "/domains/gatepost.test/aliases": ".empty",
    "/domains/gatepost.test/dkim": ".key",
    "/domains/gatepost.test/policies": "form.spec",
    "/domains/gatepost.test/routes": ".otherwise",
    "/domains/gatepost.test/settings": "form.spec",
    "/queue": "table",
    "/queue/1": ".drawer pre",
    "/queue/history": ".empty, table",
    "/queue/holds": ".empty",
    "/queue/holds/new": "dialog",
    "/queue/holds/a-rule": "form",
    "/suppressions": ".empty, table",
    "/suppressions/bo@example.net": "form",
    "/transports": ".empty, table",
    "/transports/new": ".flow",
    "/routes": ".otherwise",
    "/activity": ".rows li",
    "/log": ".log .line",
    "/signins": "table",
    "/health": ".checkrow",
    "/settings": ".editor",
    "/settings/revisions": ".diff",
    "/server": ".facts",
    "/nowhere": ".empty",
}


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_page_opens_and_has_no_barriers(
    visitor: Visitor, theme: str, width: int
) -> None:
    page = await visitor.open("/", theme=theme, width=width)
    found: list[str] = []
    for path, shown in PAGES.items():
        await visitor.go(page, path)
        await page.locator(shown).first.wait_for()
        found += [f"{path}: {barrier}" for barrier in await barriers(page)]
        if (over := await overflow(page)) > 0:
            found.append(f"{path} is {over} pixels too wide")
        assert await page.title() != "Gatepost"
    assert not found, "\n".join(found)


async def test_a_message_page_has_no_barriers(visitor: Visitor) -> None:
    for theme in ("light", "dark"):
        page = await visitor.open("/activity", theme=theme, width=PHONE)
        await page.locator(".rows a").first.click()
        await page.locator(".timeline li").first.wait_for()
        assert await barriers(page) == []
        assert await overflow(page) <= 0


async def test_the_sign_in_page_has_no_barriers(visitor: Visitor) -> None:
    for theme in ("light", "dark"):
        page = await visitor.arrive(theme=theme, width=PHONE)
        await page.get_by_label("Administrator's password").wait_for()
        assert await barriers(page) == []


async def test_the_practice_strip_says_that_nothing_leaves(visitor: Visitor) -> None:
    page = await visitor.open("/")
    strip = page.locator(".strip.practice")
    await strip.wait_for()
    assert await strip.inner_text() == "Practice mode – nothing leaves this computer."


async def test_on_a_phone_every_page_is_reached_from_the_bar(visitor: Visitor) -> None:
    page = await visitor.open("/", width=PHONE)
    bar = page.get_by_role("navigation", name="Pages")
    await bar.get_by_role("link", name="Queue").click()
    await page.get_by_role("heading", name="Queue", level=1).wait_for()
    await bar.get_by_role("button", name="More").click()
    assert await barriers(page) == []
    await page.get_by_role("dialog").get_by_role("link", name="Sign-ins").click()
    await page.get_by_role("heading", name="Sign-ins", level=1).wait_for()
    assert await page.get_by_role("dialog").count() == 0


async def test_dark_and_light_can_be_chosen_and_are_kept(visitor: Visitor) -> None:
    page = await visitor.open("/server")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = await page.evaluate(background)
    await page.get_by_role("group", name="Appearance").get_by_role("button", name="Dark").click()
    assert await page.evaluate(background) != light
    await page.reload()
    await page.locator(".page h1").wait_for()
    assert await page.evaluate(background) != light
    await page.get_by_role("group", name="Appearance").get_by_role("button", name="System").click()
    assert await page.evaluate(background) == light


async def test_the_certificate_can_be_downloaded(visitor: Visitor) -> None:
    page = await visitor.open("/accounts/me/connect")
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Download the certificate").click()
    download = await waiting.value
    assert download.suggested_filename == "gatepost-ca.pem"
    saved = Path(await download.path()).read_text()
    assert saved == Path(visitor.ready.ca_file).read_text()

"""DNS records and checks of the server in the browser: a real admin API, with a real DNS server whose zone changes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from backend.core.events import ConfigApplied
from tests.support import dns_zone
from tests.support.admin_server import AdminRig, admin_server
from tests.support.browser import DESKTOP, PHONE, Visitor, barriers, overflow
from tests.support.dns_server import DnsServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

DNS = "/domains/example.org/dns"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def zone() -> AsyncIterator[DnsServer]:
    async with DnsServer(dns_zone.GOOD, authority=True) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rig(zone: DnsServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AdminRig]:
    folder = tmp_path_factory.mktemp("checks")
    async with admin_server(folder / "data", **dns_zone.settings_for(zone)) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def guest(chromium: Browser, rig: AdminRig) -> AsyncIterator[Visitor]:
    admin = {"url": f"{rig.url}/admin/", "password": rig.password}
    visitor = Visitor(chromium, SimpleNamespace(values={"admin": admin}))  # type: ignore[arg-type]
    yield visitor
    await visitor.leave()
    assert not visitor.faults, "\n".join(visitor.faults)


def publish(zone: DnsServer, records: dns_zone.Records) -> None:
    zone.silent.clear()
    zone.records.clear()
    for name, kinds in records.items():
        zone.add(name, kinds)


def row(page: Page, title: str) -> Locator:
    return page.locator(".checkrow").filter(has=page.get_by_text(title, exact=True))


async def checked(page: Page) -> None:
    """After a check that is made now."""
    async with page.expect_response(lambda reply: reply.url.endswith("/check")):
        await page.get_by_role("button", name="Check again").click()
    await page.get_by_role("button", name="Check again").wait_for()


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_open_rows_fit_and_have_no_barriers(
    guest: Visitor, zone: DnsServer, theme: str, width: int
) -> None:
    publish(zone, dns_zone.MIXED)
    page = await guest.open(DNS, theme=theme, width=width)
    await checked(page)
    for title in ("Who may send for you", "Signature key 2026a"):
        await row(page, title).locator("summary").first.click()
        await row(page, title).locator(".entriesbox").wait_for()
    assert await barriers(page) == []
    assert await overflow(page) <= 0
    await guest.go(page, "/health")
    await checked(page)
    await row(page, "Data folder").locator("summary").click()
    assert await barriers(page) == []
    assert await overflow(page) <= 0


async def test_the_difference_and_the_providers_fields(guest: Visitor, zone: DnsServer) -> None:
    publish(zone, dns_zone.MIXED)
    page = await guest.open(DNS)
    await checked(page)
    await expect(page.locator(".verdict")).to_contain_text("DNS at Cloudflare")
    await expect(page.locator(".verdict")).to_contain_text("by asking your DNS servers directly")
    await row(page, "Who may send for you").locator("summary").first.click()
    side = row(page, "Who may send for you").locator(".side").nth(1)
    await expect(side.locator("ins")).to_have_text("mx ")
    await expect(side.locator(".diffline > span")).to_have_text("+")
    await row(page, "Where mail for you goes").locator("summary").first.click()
    fields = row(page, "Where mail for you goes").locator(".entriesbox .label")
    assert await fields.all_inner_texts() == ["Name", "Priority", "Mail server"]
    mending = row(page, "Who may send for you").get_by_text("How to do that at Cloudflare")
    await mending.click()
    await expect(page.get_by_text("dash.cloudflare.com").first).to_be_visible()


async def test_a_change_is_told_in_a_bar_and_rows_stay_open(
    guest: Visitor, zone: DnsServer
) -> None:
    publish(zone, dns_zone.MIXED)
    page = await guest.open(DNS)
    await checked(page)
    await row(page, "Who may send for you").locator("summary").first.click()
    zone.add("example.org", {"TXT": ['"v=spf1 mx ~all"']})
    await checked(page)
    news = page.locator(".news")
    await expect(news).to_contain_text("“Who may send for you” now matches. 2 to go.")
    await expect(row(page, "Who may send for you").locator(".side").first).to_be_visible()
    await news.get_by_role("button", name="Close").click()
    await expect(news).to_have_count(0)


async def test_while_somebody_looks_it_is_checked_again_ever_more_seldom(
    guest: Visitor, zone: DnsServer, rig: AdminRig
) -> None:
    publish(zone, dns_zone.GOOD)
    page = await guest.open("/server")
    await page.clock.install()
    async with page.expect_response(lambda reply: reply.url.endswith("/dns")):
        await page.evaluate(f"location.hash = '{DNS}'")
    await checked(page)
    for seconds in (30, 120, 600):
        before = len(zone.queries)
        await page.clock.fast_forward((seconds - 2) * 1000)
        assert len(zone.queries) == before
        async with page.expect_response(lambda reply: reply.url.endswith("/check")):
            await page.clock.fast_forward(4_000)
        await page.get_by_role("button", name="Check again").wait_for()
    before = len(zone.queries)
    rig.record(ConfigApplied(revision=7, author="somebody"))
    async with page.expect_response(lambda reply: reply.url.endswith("/check")):
        pass
    assert len(zone.queries) > before


async def test_a_row_is_hidden_with_a_note_by_keys_alone_and_shown_again(
    guest: Visitor, zone: DnsServer
) -> None:
    publish(zone, dns_zone.MIXED)
    page = await guest.open(DNS)
    await checked(page)
    line = row(page, "What others do with forgeries")
    await line.locator("summary").focus()
    await page.keyboard.press("Enter")
    await line.get_by_role("button", name="Hide until it changes").focus()
    await page.keyboard.press("Enter")
    await line.get_by_label("Note").focus()
    await page.keyboard.type("comes next week")
    await page.keyboard.press("Enter")
    await expect(line).to_have_count(0)
    await page.get_by_role("button", name="1 hidden").click()
    if not await line.locator(".inside").is_visible():
        await line.locator("summary").click()
    await expect(line).to_contain_text("comes next week")
    await line.get_by_role("button", name="Show again").click()
    await expect(page.get_by_role("button", name="1 hidden")).to_have_count(0)
    await expect(line).to_be_visible()


async def test_all_right_nothing_there_and_not_to_be_told(guest: Visitor, zone: DnsServer) -> None:
    publish(zone, dns_zone.GOOD)
    page = await guest.open(DNS)
    await checked(page)
    verdict = page.locator(".verdict")
    await expect(verdict).to_contain_text("all records that matter are right")
    publish(zone, dns_zone.BARE)
    await checked(page)
    await expect(verdict).to_contain_text("Mail can't be received yet")
    publish(zone, dns_zone.GOOD)
    zone.silent |= {"example.org", "mail.example.org"}
    await checked(page)
    await expect(row(page, "Where mail for you goes")).to_contain_text("could not tell")


async def test_the_zone_file_is_downloaded(guest: Visitor, zone: DnsServer) -> None:
    publish(zone, dns_zone.GOOD)
    page = await guest.open(DNS)
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name="Download zone file").click()
    download = await waiting.value
    assert download.suggested_filename == "example.org.zone"
    saved = Path(await download.path())
    text = await asyncio.to_thread(saved.read_text)
    assert "example.org. 3600 IN MX 10 mail.example.org." in text


async def test_one_check_of_the_server_runs_alone(
    guest: Visitor, rig: AdminRig, zone: DnsServer
) -> None:
    publish(zone, dns_zone.GOOD)
    page = await guest.open("/health")
    await checked(page)
    line = row(page, "Data folder")
    await expect(line.locator("summary")).to_contain_text("ok")
    await line.locator("summary").click()
    rig.folder.secrets.chmod(0o755)
    await line.get_by_role("button", name="Check this again").click()
    await expect(line.locator("summary")).to_contain_text("look at it")
    rig.folder.secrets.chmod(0o700)
    await line.get_by_role("button", name="Check this again").click()
    await expect(line.locator("summary")).to_contain_text("ok")

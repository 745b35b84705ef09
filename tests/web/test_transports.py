"""A transport from its name to its removal, in the browser, with the keyboard where it is quick."""

import pytest
from playwright.async_api import expect

from backend.api.client import Client
from backend.api.delivery import AddTransport, TransportSettings
from tests.support.browser import DESKTOP, PHONE, Visitor, barriers, overflow
from tests.support.server_process import Trial

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_transport_is_made_told_about_and_removed(
    visitor: Visitor, web_server: Trial
) -> None:
    visitor.expected += ["422"]
    page = await visitor.open("/transports")
    await page.get_by_role("link", name="Add a transport").first.click()
    await expect(page.get_by_role("heading", name="How shall mail leave?")).to_be_visible()
    async with Client.of_folder(web_server.folder) as client:
        plain = TransportSettings(kind="submissions", host="smtp.x.test")
        await client.add_transport(AddTransport(name="my-relay", settings=plain))
    await visitor.go(page, "/transports/my-relay")
    await expect(page.get_by_role("heading", name="my-relay", level=1)).to_be_visible()
    await page.get_by_label("Server", exact=True).fill("smtp.relay.example")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("not used yet")).to_be_visible()
    await expect(page.get_by_text("Ask whoever runs this server")).to_be_visible()
    await expect(page.get_by_text("no route, so no mail takes it")).to_be_visible()
    await page.get_by_role("button", name="Test").click()
    await expect(page.get_by_text("In practice mode nothing leaves")).to_be_visible()
    for theme, width in (("light", DESKTOP), ("dark", PHONE)):
        other = await visitor.open("/transports/my-relay", theme=theme, width=width)
        await other.locator(".facts").wait_for()
        await other.get_by_label("Server", exact=True).wait_for()
        assert await barriers(other) == []
        assert await overflow(other) <= 0
    await page.get_by_role("button", name="Remove").click()
    await page.get_by_role("button", name="Remove the transport").click()
    await expect(page.get_by_role("heading", name="Transports", level=1)).to_be_visible()
    await expect(page.get_by_role("rowheader", name="my-relay")).to_have_count(0)

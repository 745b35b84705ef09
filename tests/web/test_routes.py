"""Routes and their tester in the browser: without a mouse, by dragging, with somebody else at the same list, with many routes."""

from collections.abc import Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from backend.api.client import Client
from backend.api.delivery import (
    AddTransport,
    RouteList,
    RouteSettings,
    SetRouteLists,
    TransportSettings,
)
from tests.support.browser import DESKTOP, PHONE, WAIT_MS, Visitor, barriers, overflow
from tests.support.server_process import Trial
from tests.support.trial_mail import send_as

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="module")
def web_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A server of its own: what other files leave in theirs changes what the keys lead to."""
    with Trial(tmp_path_factory.mktemp("routes") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def mail_in_it(web_server: Trial) -> None:
    """Something waits in its queue."""
    ready = web_server.ready
    send_as(ready, [ready.account], ["bernd@example.com"])


@pytest_asyncio.fixture(loop_scope="session")
async def client(web_server: Trial):
    """The same server over its socket, with one transport and no route; nothing is left behind."""
    async with Client.of_folder(web_server.folder) as client:
        await client.add_transport(
            AddTransport(name="relay", settings=TransportSettings(kind="fail"))
        )
        yield client
        await set_routes(client)
        await client.remove_transport("relay")


async def set_routes(client: Client, *routes: RouteSettings) -> None:
    revision = (await client.mail_routes()).revision
    lists = SetRouteLists(lists=[RouteList(routes=list(routes))])
    await client.set_route_lists(lists, revision=revision)


def to(*domains: str, **values) -> RouteSettings:
    return RouteSettings(to_domain=list(domains), transport="relay", **values)


async def saved(client: Client) -> list[tuple[list[str], bool]]:
    items = (await client.mail_routes()).items
    return [(each.settings.to_domain, each.settings.disabled) for each in items]


def cards(page: Page):
    return page.locator("li.route")


async def type_into(page: Page, label: str, text: str) -> None:
    """Goes there with Tab."""
    wanted = page.get_by_label(label, exact=True).last
    for _ in range(60):
        if await wanted.evaluate("e => e === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.type(text)


async def test_routes_are_run_from_the_keyboard_alone(visitor: Visitor, client: Client) -> None:
    page = await visitor.open("/routes")
    await expect(page.get_by_role("heading", name="Routes", level=1)).to_be_focused()
    for domain in ("one.test", "two.test"):
        await page.get_by_role("button", name="Add a route", exact=True).focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Whose mail")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.type(domain)
        await page.keyboard.press("Enter")
        await type_into(page, "Transport", "relay")
        await page.keyboard.press("Enter")
        button = page.get_by_role("button", name="Add to the draft")
        await button.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(cards(page).nth(1)).to_contain_text("goes to two.test, send it through relay.")
    await expect(cards(page).nth(1)).to_be_focused()
    await page.keyboard.press("Alt+ArrowUp")
    await expect(cards(page).nth(0)).to_contain_text("two.test")
    await expect(cards(page).nth(0)).to_be_focused()
    await page.keyboard.press("Space")
    await expect(cards(page).nth(0)).to_contain_text("Switched off.")
    await expect(page.get_by_text("2 changes not saved yet")).to_be_visible()

    await type_into(page, "To", "bo@one.test")
    await expect(page.get_by_text("Goes through relay because of server rule 2.")).to_be_visible()
    await expect(page.get_by_text("With your changes, which are not saved yet.")).to_be_visible()
    await expect(page.locator(".path .miss")).to_contain_text("it is switched off")
    await expect(page.locator(".path .hit")).to_contain_text("Server rule 2 → relay")
    assert await saved(client) == []
    await page.get_by_role("button", name="Save order and rules").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Saved.")).to_be_visible()
    assert await saved(client) == [(["two.test"], True), (["one.test"], False)]
    await page.get_by_role("button", name="Undo").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Taken back.")).to_be_visible()
    await expect(cards(page)).to_have_count(0)
    assert await saved(client) == []


async def test_a_route_is_dragged_to_its_place(visitor: Visitor, client: Client) -> None:
    await set_routes(client, to("a.test"), to("b.test"), to("c.test"))
    page = await visitor.open("/routes")
    await expect(cards(page)).to_have_count(3)
    routes, tester = page.locator(".routes"), page.locator(".with-tester > aside")
    left, right = await routes.bounding_box(), await tester.bounding_box()
    assert left is not None
    assert right is not None
    assert right["x"] >= left["x"] + left["width"]  # beside them, not below
    await cards(page).nth(2).locator(".grip").drag_to(cards(page).nth(0))
    await expect(cards(page).nth(0)).to_contain_text("c.test")
    await expect(page.get_by_text("1 change not saved yet")).to_be_visible()
    await page.get_by_role("button", name="Discard").click()
    await expect(cards(page).nth(0)).to_contain_text("a.test")


async def test_a_rule_that_can_never_match_says_so_before_it_is_saved(
    visitor: Visitor, client: Client
) -> None:
    visitor.expected += ["422"]
    await set_routes(client, to("a.test", comment="while port 25 is closed"), to())
    page = await visitor.open("/routes")
    await page.get_by_role("button", name="Move route 2 up").click()
    await expect(cards(page).nth(1)).to_contain_text("Never matches: route 1 before it")
    await page.get_by_role("button", name="Change route 2").click()
    await page.get_by_label("Add a domain").nth(1).fill("no domain!")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Change the draft").click()
    await expect(page.get_by_role("dialog").locator(".fault").first).to_be_visible()
    await page.keyboard.press("Escape")
    for theme, width in (("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)):
        other = await visitor.open("/routes", theme=theme, width=width)
        await other.get_by_label("To", exact=True).fill("x@a.test")
        await other.locator(".path .hit").wait_for()
        await other.get_by_role("switch").first.click()
        await other.locator(".save-bar").wait_for()
        await other.get_by_text("Goes through relay because of server rule 2").wait_for()
        assert await barriers(other) == []
        assert await overflow(other) <= 0


async def test_two_people_change_routes(visitor: Visitor, client: Client) -> None:
    visitor.expected += ["409"]
    await set_routes(client, to("a.test"), to("b.test"))
    page = await visitor.open("/routes")
    await page.get_by_role("switch").first.click()
    await set_routes(client, to("c.test"))
    save = page.get_by_role("button", name="Save order and rules")
    await save.click()
    await page.get_by_role("button", name="Back to the draft").click()
    await expect(cards(page)).to_have_count(2)
    await save.click()
    await page.get_by_role("button", name="Save mine").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    assert await saved(client) == [(["a.test"], True), (["b.test"], False)]
    # What another list is changed to does not disturb.
    await page.get_by_role("switch").nth(1).click()
    here = (await client.domains())[0].name
    lists = [RouteList(level="domain", owner=here, routes=[to("d.test")])]
    revision = (await client.mail_routes()).revision
    await client.set_route_lists(SetRouteLists(lists=lists), revision=revision)
    await save.click()
    await expect(page.get_by_text(f"Domain routes · {here}")).to_be_visible()
    assert (await saved(client))[1:] == [(["a.test"], True), (["b.test"], True)]
    await page.goto(f"{visitor.url}#/routes/domain/{here}")
    await expect(page.get_by_label("Show")).to_have_value(f"domain/{here}")
    revision = (await client.mail_routes()).revision
    none = SetRouteLists(lists=[RouteList(level="domain", owner=here, routes=[])])
    await client.set_route_lists(none, revision=revision)


async def test_with_five_hundred_routes_only_what_changes_is_drawn_again(
    visitor: Visitor, client: Client
) -> None:
    await set_routes(client, *(to(f"d{number}.test") for number in range(500)))
    page = await visitor.open("/routes")
    await expect(cards(page)).to_have_count(500)
    await page.evaluate(
        """() => {
            window.touched = new Set();
            new MutationObserver((all) => {
                for (const one of all) {
                    const card = (one.target.closest ? one.target : one.target.parentElement)?.closest("li.route");
                    if (card) window.touched.add(card.id);
                }
            }).observe(document.querySelector(".routes"), { subtree: true, childList: true, attributes: true, characterData: true });
        }"""
    )
    await page.get_by_role("button", name="Move route 250 up", exact=True).click()
    await expect(cards(page).nth(248)).to_contain_text("d249.test")
    await page.get_by_label("To", exact=True).fill("x@d400.test")
    await expect(page.get_by_text("because of server rule 401.")).to_be_visible(timeout=WAIT_MS)
    assert len(await page.evaluate("[...window.touched]")) <= 4
    await expect(page.locator(".path li")).to_have_count(401)


async def test_a_message_with_a_transport_of_its_own_is_told_about(
    visitor: Visitor, client: Client, mail_in_it: None
) -> None:
    (item, *_) = (await client.queue()).items
    await set_routes(client, to(minimum_attempts=2))
    page = await visitor.open("/routes")
    await page.get_by_label("Or a message in the queue").select_option(str(item.id))
    await expect(page.get_by_text("Goes out directly: no route matches.")).to_be_visible()
    await expect(page.get_by_text("All attempts: 1–2 direct, from 3 relay.")).to_be_visible()
    await page.get_by_label("Attempt 1").press("End")
    await expect(page.get_by_text("Goes through relay because of server rule 1.")).to_be_visible()
    await client.choose_transport([item.id], "relay")
    await page.get_by_label("Attempt").press("Home")
    await expect(page.get_by_text("Routes are ignored.")).to_be_visible()
    await expect(page.get_by_text("because somebody chose that")).to_be_visible()
    await client.choose_transport([item.id], None)

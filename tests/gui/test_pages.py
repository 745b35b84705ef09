"""Every page in its four states: loading, empty, error, full."""

import asyncio

import pytest

from backend.api import aliases as a
from backend.api import types as t
from tests.support.fake_admin import (
    FakeAdmin,
    a_log_line,
    a_queue_item,
    a_step,
    a_summary,
    an_account,
)
from tests.support.window import Rig, press
from ui.control import LocalServer
from ui.pages.attention import AttentionCard
from ui.pages.registry import by_id
from ui.presenters.link import LinkState

# Those of which the fake server knows something; every page opens on the real one in test_every_page.py.
PATHS = [
    "/",
    "/domains",
    "/domains/example.org/dns",
    "/accounts",
    "/accounts/anna",
    "/queue",
    "/activity",
    "/log",
    "/health",
    "/server",
]
EMPTY = {
    "/domains": "No domain yet",
    "/accounts": "No account yet",
    "/aliases": "No alias yet",
    "/queue": "Nothing is waiting.",
    "/activity": "No message yet.",
}
ASKS = [path for path in PATHS if path != "/server"]


def fill(admin: FakeAdmin) -> None:
    admin.domains["example.org"] = t.Domain(name="example.org", unicode="example.org", accounts=1)
    admin.aliases["family@example.org"] = a.Alias(
        address="family@example.org",
        localpart="family",
        domain="example.org",
        description="",
        members=[a.AliasMember(address="anna@example.org", account="anna")],
        post_public=True,
        list_members=True,
        send_as=False,
    )
    admin.accounts["anna"] = an_account("anna", "Anna", "anna@example.org", "@example.org")
    for number in range(1, 31):
        admin.queue[number] = a_queue_item(number)
    summary = a_summary("x1", "in", "mum@example.net", "anna@example.org", "delivered", "Delivered")
    admin.traces["x1"] = t.Trace(summary=summary, steps=[a_step("delivered", "Delivered")])
    admin.lines = [a_log_line(number) for number in range(1, 200)]
    admin.counters = t.Counters(received=3, queue_waiting=30)


@pytest.mark.parametrize("path", PATHS)
def test_full(rig: Rig, path: str) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show(path)
        assert page.state == "full"
        assert page.heading.text()

    rig.run(scenario())


@pytest.mark.parametrize("path", list(EMPTY))
def test_empty(rig: Rig, path: str) -> None:
    async def scenario() -> None:
        page = await rig.show(path)
        assert page.state == "empty"
        assert page.empty.title() == EMPTY[path]

    rig.run(scenario())


@pytest.mark.parametrize("path", ASKS)
def test_error_says_why_and_tries_again(rig: Rig, path: str) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        await rig.show("/server")
        rig.admin.broken = True
        page = await rig.visit(path)
        page.mark_stale()
        await rig.until(lambda: page.state == "error")
        assert page.error.body() == "Something went wrong inside the server."
        rig.admin.broken = False
        press(page, "Try again")
        await rig.until(lambda: page.state == "full")

    rig.run(scenario())


@pytest.mark.parametrize("path", ASKS)
def test_loading_shows_bars_and_no_old_content(rig: Rig, path: str) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        rig.admin.gate = asyncio.Event()
        await rig.admin.start()
        rig.start_link()
        rig.window.show()
        rig.window.open_target(LocalServer(rig.admin.folder))
        await rig.until(lambda: rig.session.is_connected)
        rig.window.go(path)
        page = rig.window.current
        await rig.until(lambda: page.state == "loading")
        rig.admin.gate.set()
        await rig.until(lambda: page.state == "full")

    rig.run(scenario())


def test_without_a_connection_pages_stay_readable_but_nothing_can_be_changed(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/accounts")
        await rig.admin.stop()
        await rig.until(lambda: rig.session.state is LinkState.DIED)
        assert page.state == "full"
        assert not page.content.isEnabled()
        assert rig.window._page(by_id("server")).content.isEnabled()
        await rig.admin.start()
        await rig.until(lambda: rig.session.is_connected)
        assert page.content.isEnabled()

    rig.run(scenario())


def test_pages_that_were_never_read_say_that_there_is_no_connection(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/server", running=False)
        rig.window.go("/queue")
        page = rig.window.current
        await rig.until(lambda: page.state == "error")
        assert "no connection" in page.error.body()

    rig.run(scenario())


def test_events_redraw_what_is_shown(rig: Rig) -> None:
    async def scenario() -> None:
        page = await rig.show("/accounts")
        rig.admin.accounts["kim"] = an_account("kim")
        rig.admin.push(t.ConfigEvent(revision=2, author="test"))
        await rig.until(lambda: page.state == "full")

    rig.run(scenario())


def test_counters_move_without_a_reload(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/")
        overview = rig.window.pages["overview"]
        rig.admin.counters = t.Counters(received=41, queue_waiting=5)
        rig.admin.push(t.StatusEvent(counters=rig.admin.counters))
        await rig.until(lambda: "41" in overview.stat_cards[0].accessibleName())  # type: ignore[attr-defined]
        assert "5" in rig.window.rail.buttons["queue"].text()

    rig.run(scenario())


def test_problems_are_listed_with_their_fix(rig: Rig) -> None:
    async def scenario() -> None:
        problem = t.Problem(code="port", message="Port 25 is used by nginx.", fix="Stop it.")
        rig.admin.problems = [problem]
        rig.admin.verdict = "problem"
        page = await rig.show("/")
        shown = [b for b in page.findChildren(AttentionCard) if b.isVisible()]
        assert [(b.title(), b.body()) for b in shown] == [("Port 25 is used by nginx.", "Stop it.")]

    rig.run(scenario())

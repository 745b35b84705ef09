"""Every page of the registry opens in the window on a real server, has names for people who listen, and looks the same twice."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow, QWidget

from backend.api import pages as registry
from backend.api.aliases import AddAlias
from backend.api.delivery import AddMailRoute, AddTransport, RouteSettings, TransportSettings
from backend.api.queue import AddSuppression, HoldRuleSettings
from backend.api.types import AddAccount
from backend.core.events import TimelineEntry
from backend.core.ids import TraceId
from tests.gui.test_every_control import nameless
from tests.support.office import office
from tests.support.queued import enqueue, put_off
from ui import palette
from ui.pages.registry import PAGES, VIEWS

NAMES = {
    "domain": "example.org",
    "account": "anna",
    "alias": "family@example.org",
    "transport": "relay",
    "trace": "t1",
    "rule": "their-move",
    "address": "left@example.net",
}
SHOTS = os.environ.get("GATEPOST_SCREENSHOTS", "")
"""A folder that gets a picture of each page, to be looked at."""


class Flashes(QObject):
    """Whatever shows itself as a window of its own and is none: a widget that was shown before it had a parent."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.Show
            and isinstance(watched, QWidget)
            and watched.isWindow()
            and not isinstance(watched, QMainWindow | QDialog)
            and watched.windowType() == Qt.WindowType.Window
        ):
            self.found.append(f"{type(watched).__name__} {watched.accessibleName()}")
        return False


async def furnish(client) -> None:
    """One of everything."""
    await client.add_account(AddAccount(address="anna@example.org", full_name="Anna Meier"))
    await client.add_account(AddAccount(address="ben@example.org", full_name="Ben Meier"))
    await client.add_alias(
        AddAlias(address="family@example.org", members=["anna@example.org", "ben@example.org"])
    )
    relay = TransportSettings(kind="submissions", host="smtp.relay.example", username="me")
    await client.add_transport(AddTransport(name="relay", settings=relay, password="secret"))
    route = RouteSettings(to_domain=[".example.net"], transport="relay")
    await client.add_mail_route(AddMailRoute(level="server", owner="", position=0, route=route))
    late = RouteSettings(minimum_attempts=3, transport="relay", comment="while port 25 is closed")
    await client.add_mail_route(AddMailRoute(route=late))
    await client.add_mail_route(AddMailRoute(level="account", owner="anna", route=route))


async def fill_queue(server, client) -> None:
    """Mail that waits, that is held, that was put off and that has left."""
    burst = await enqueue(server, *(f"person{n}@gmail.test" for n in range(5)))
    await put_off(server, burst)
    gone = await enqueue(server, "gone@example.net")
    await client.drop(gone)
    await enqueue(server, "lena@example.org", "a-rather-long-name.with-parts@customers.example.com")
    rule = HoldRuleSettings(to_domain=["example.org"], comment="they move")
    await client.add_hold_rule("their-move", rule)
    await client.add_suppression(AddSuppression(address="left@example.net", reason="she asked"))


def path_of(page: registry.Page) -> str:
    path = page.path
    for name, value in NAMES.items():
        path = path.replace("{" + name + "}", value)
    return path


def test_both_faces_have_every_page_or_a_reason() -> None:
    for page in registry.PAGES:
        assert page.id in VIEWS or page.without_qt, page.id


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_opens(run_async, qtbot, tmp_path: Path, theme: str) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as place:
            palette.theme().choose(theme)
            await furnish(place.client)
            for kind, text in (
                ("received", "Mail came"),
                ("delivered", "It lies in INBOX of anna"),
            ):
                details = {"sender": "ben@example.org", "recipient": "anna@example.org"}
                if kind == "delivered":
                    details |= {"account": "anna", "mailbox": "INBOX"}
                place.server.record(TimelineEntry(TraceId("t1"), time.time(), kind, text, details))
            await place.client.verify()
            await fill_queue(place.server, place.client)
            place.window.resize(1366, 768)
            flashes = Flashes()
            QApplication.instance().installEventFilter(flashes)
            for info in PAGES:
                path = path_of(info.entry)
                if "{" in path:
                    continue
                page = await place.visit(path)
                # A wizard goes on at a path of its own as soon as the server has begun it.
                assert place.window.info.id in {info.id, "flow"}, path
                assert page.state in {"full", "empty"}, f"{path}: {page.error.body()}"
                assert page.heading.text(), path
                assert not place.window.error_banner.isVisible(), path
                assert nameless(page) == [], path
                assert flashes.found == [], path
                if SHOTS:
                    await asyncio.sleep(0.4)
                    name = f"window-{info.id}-{theme}.png"
                    assert place.window.grab().save(str(Path(SHOTS) / name))
            QApplication.instance().removeEventFilter(flashes)
            palette.theme().choose("system")

    run_async(scenario())

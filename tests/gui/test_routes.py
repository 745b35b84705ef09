"""Routes and their tester in the window: without a mouse, by dragging, with somebody else at the same list, with many routes."""

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLineEdit

from backend.api.delivery import (
    AddTransport,
    RouteList,
    RouteSettings,
    SetRouteLists,
    TransportSettings,
)
from backend.api.types import AddAccount
from tests.support.office import fill, office
from tests.support.window import press
from ui.pages.route_sheet import RouteSheet
from ui.widgets.dialogs import Sheet
from ui.widgets.route_list import MIME

KEY = Qt.Key


@pytest.fixture
def at_routes(run_async, qtbot, tmp_path):
    """`at_routes(scenario, *routes)`: the page is open, the server has those routes."""

    def run(scenario, *routes):
        async def whole():
            async with office(tmp_path) as place:
                relay = TransportSettings(kind="fail")
                await place.client.add_transport(AddTransport(name="relay", settings=relay))
                await set_routes(place, *routes)
                page = await place.visit("/routes")
                place.window.resize(1366, 768)
                await place.turn()
                await scenario(place, page.editor)

        run_async(whole())

    return run


async def set_routes(place, *routes, level="server", owner=""):
    revision = (await place.client.mail_routes()).revision
    lists = SetRouteLists(lists=[RouteList(level=level, owner=owner, routes=list(routes))])
    await place.client.set_route_lists(lists, revision=revision)


def to(*domains, **values):
    return RouteSettings(to_domain=list(domains), transport="relay", **values)


async def saved(place):
    items = (await place.client.mail_routes()).items
    return [(each.settings.to_domain, each.settings.disabled) for each in items]


def shown(page):
    """First domains in the order of the page, and the other lines by their kind."""
    entries = [page.model.entry(row) for row in range(page.model.rowCount())]
    return [e.rule.settings.to_domain[0] if e.rule is not None else e.kind for e in entries]


def key(widget, which, modifiers=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(widget, which, modifiers)


async def add_by_keys(place, page, domain):
    page.add.setFocus()
    key(page.add, KEY.Key_Space)
    sheet = await place.dialog(RouteSheet)
    line = next(w for w in sheet.findChildren(QLineEdit) if w.accessibleName() == "To domains")
    line.setFocus()
    QTest.keyClicks(line, domain)
    key(line, KEY.Key_Return)
    box = next(w for w in sheet.findChildren(QComboBox) if w.accessibleName() == "Transport")
    await place.until(lambda: box.findText("relay") >= 0)
    box.setFocus()
    QTest.keyClicks(box, "relay")
    key(sheet.action_button, KEY.Key_Return)
    await place.until(lambda: domain in shown(page))
    await place.turn()


def test_routes_are_run_from_the_keyboard_alone(at_routes):
    async def scenario(place, page):
        assert shown(page) == ["header", "otherwise"]
        await add_by_keys(place, page, "one.test")
        await add_by_keys(place, page, "two.test")
        assert shown(page) == ["header", "one.test", "two.test", "otherwise"]
        assert page.view.hasFocus() or place.window.focusWidget() is page.view
        key(page.view, KEY.Key_Up, Qt.KeyboardModifier.AltModifier)
        assert shown(page) == ["header", "two.test", "one.test", "otherwise"]
        key(page.view, KEY.Key_Space)
        assert page._count.text() == "2 changes not saved yet"
        fill(page, "To", "bo@one.test")
        await place.until(
            lambda: page.tester.result.title() == "Goes through relay because of server rule 2."
        )
        assert page.tester.draft_note.isVisible()
        first, second = page.tester.model.steps
        assert (first.matched, first.reason) == (False, "it is switched off")
        assert second.matched
        assert await saved(place) == []
        page.save_button.setFocus()
        key(page.save_button, KEY.Key_Space)
        await place.until(lambda: not page.footer.isVisible())
        assert await saved(place) == [(["two.test"], True), (["one.test"], False)]
        press(place.window, "Undo")
        await place.until(lambda: shown(page) == ["header", "otherwise"])
        assert await saved(place) == []

    at_routes(scenario)


def test_a_route_is_dropped_in_its_list_only(at_routes):
    async def scenario(place, page):
        here = (await place.client.domains())[0].name
        await set_routes(place, to("d.test"), level="domain", owner=here)
        page.reload()
        await place.until(lambda: "d.test" in shown(page))
        order = ["header", "d.test", "header", "a.test", "b.test", "c.test", "otherwise"]
        assert shown(page) == order
        data = QMimeData()
        data.setData(MIME, str(page.model.entry(5).rule.key).encode())
        move, root = Qt.DropAction.MoveAction, page.view.rootIndex()
        page.model.dropMimeData(data, move, 3, 0, root)
        assert shown(page)[3:6] == ["c.test", "a.test", "b.test"]
        data.setData(MIME, str(page.model.entry(5).rule.key).encode())
        page.model.dropMimeData(data, move, 0, 0, root)
        assert shown(page)[3:6] == ["b.test", "c.test", "a.test"]
        assert page._count.text() == "1 change not saved yet"
        press(page, "Discard")
        assert shown(page) == order

    at_routes(scenario, to("a.test"), to("b.test"), to("c.test"))


def test_a_rule_that_can_never_match_says_so_before_it_is_saved(at_routes):
    async def scenario(place, page):
        page.view.choose(page.model.entry(2).rule.key)
        press(page, "Move up")
        await place.until(lambda: "Never matches: route 1 before it" in page.model.index(2).data())
        key(page.view, KEY.Key_Return)
        sheet = await place.dialog(RouteSheet)
        domains = next(
            w for w in sheet.findChildren(QLineEdit) if w.accessibleName() == "To domains"
        )
        QTest.keyClicks(domains, "no domain!")
        key(domains, KEY.Key_Return)
        sheet.submit()
        await place.until(sheet.problem.isVisible)
        sheet.reject()

    at_routes(scenario, to("a.test"), to())


def test_two_people_change_routes(at_routes):
    async def scenario(place, page):
        page._switch(page.model.entry(1).rule.key)
        await set_routes(place, to("c.test"))
        press(page, "Save order and rules")
        press(await place.dialog(Sheet), "Back to the draft")
        await place.until(page.save_button.isEnabled)
        assert shown(page) == ["header", "a.test", "b.test", "otherwise"]
        press(page, "Save order and rules")
        press(await place.dialog(Sheet), "Save mine")
        await place.until(lambda: not page.footer.isVisible())
        assert await saved(place) == [(["a.test"], True), (["b.test"], False)]
        # What another list is changed to does not disturb.
        page._switch(page.model.entry(2).rule.key)
        here = (await place.client.domains())[0].name
        await set_routes(place, to("d.test"), level="domain", owner=here)
        press(page, "Save order and rules")
        await place.until(lambda: not page.footer.isVisible())
        assert shown(page)[:2] == ["header", "d.test"]
        assert (await saved(place))[1:] == [(["a.test"], True), (["b.test"], True)]
        page._switch(page.model.entry(1).rule.key)
        await set_routes(place, level="domain", owner=here)
        press(page, "Save order and rules")
        press(await place.dialog(Sheet), "Take theirs")
        await place.until(lambda: not page.footer.isVisible())
        assert shown(page) == ["header", "a.test", "b.test", "otherwise"]

    at_routes(scenario, to("a.test"), to("b.test"))


def test_the_routes_of_one_account_alone(at_routes):
    async def scenario(place, page):
        await place.client.add_account(AddAccount(address="anna@example.org"))
        await set_routes(place, to("mine.test"), level="account", owner="anna")
        page = (await place.visit("/routes/account/anna")).editor
        await place.until(lambda: page.shown.value() == "account/anna")
        assert shown(page) == ["header", "mine.test", "header", "a.test", "otherwise"]
        assert page.tester.account.value() == "anna"
        fill(page, "To", "x@mine.test")
        await place.until(
            lambda: page.tester.result.title() == "Goes through relay because of account rule 1."
        )
        page = (await place.visit("/routes/domain/example.org")).editor
        assert shown(page) == ["header", "header", "a.test", "otherwise"]
        tab = await place.visit("/accounts/anna/routes")
        assert place.window.path == "/accounts/anna/routes"
        own = tab.panel.editor
        assert shown(own) == ["header", "mine.test", "header", "a.test", "otherwise"]
        tab = await place.visit("/domains/example.org/routes")
        assert shown(tab.panel.editor) == ["header", "header", "a.test", "otherwise"]

    at_routes(scenario, to("a.test"))


def test_with_five_hundred_routes_only_what_is_in_view_is_painted(at_routes):
    async def scenario(place, page):
        painted = []
        delegate = page.view.itemDelegate()
        paint = delegate.paint
        delegate.paint = lambda painter, option, index: (
            painted.append(index.row()),
            paint(painter, option, index),
        )
        page.view.choose(page.model.entry(250).rule.key)
        for _ in range(3):
            key(page.view, KEY.Key_Down, Qt.KeyboardModifier.AltModifier)
        await place.until(lambda: painted)
        await place.turn()
        assert shown(page)[253] == "d249.test"
        assert len(set(painted)) < 60
        fill(page, "To", "x@d400.test")
        await place.until(lambda: "because of server rule 401." in page.tester.result.title())
        assert page.tester.model.rowCount() == 401

    at_routes(scenario, *(to(f"d{number}.test") for number in range(500)))

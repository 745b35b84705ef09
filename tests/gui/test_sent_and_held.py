"""What has left the queue, hold rules and the suppression list in the window, on a real server."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from backend.api import queue as q
from backend.api.types import AddAccount, QueueEvent
from tests.support.office import fill, office
from tests.support.queued import enqueue, put_off
from tests.support.window import press
from ui.pages import history as history_page
from ui.pages.history import HistoryPage
from ui.pages.holds import HoldRulePage, HoldRulesPage
from ui.pages.keyed_form import KeySheet
from ui.pages.queue import QueuePage
from ui.pages.suppressions import SuppressionPage, SuppressionsPage


@pytest.fixture
def in_office(run_async, qtbot, tmp_path):
    def run(scenario):
        async def whole():
            async with office(tmp_path) as place:
                place.window.resize(1366, 768)
                await scenario(place)

        run_async(whole())

    return run


def column(page, title):
    model = getattr(page, "list", page).model
    at = next(i for i, each in enumerate(model.columns) if each.title == title)
    return [model.index(i, at).data() for i in range(model.rowCount())]


async def opened(place, path, kind):
    page = await place.visit(path)
    assert isinstance(page, kind)
    return page


def test_nothing_sent_yet_is_said_in_words(in_office):
    async def scenario(place):
        page = await opened(place, "/queue/history", HistoryPage)
        assert (page.state, page.empty.title()) == ("empty", "Nothing has been sent yet.")

    in_office(scenario)


def test_what_left_is_filtered_and_told_in_a_drawer(in_office, monkeypatch):
    monkeypatch.setattr(history_page, "PAGE_ROWS", 5)

    async def scenario(place):
        await place.client.add_account(AddAccount(address="me@example.org"))
        many = await enqueue(place.server, *(f"u{n}@b.test" for n in range(12)))
        (other,) = await enqueue(place.server, "x@c.test")
        await put_off(place.server, [other])
        await place.client.drop(many)
        await place.client.fail([other])
        page = await opened(place, "/queue/history", HistoryPage)
        while page.model.rowCount() < 12:
            known = page.model.rowCount()
            page.model.fetchMore(page.table.rootIndex())
            await place.until(lambda known=known: page.model.rowCount() > known)
        assert len(set(column(page, "To"))) == page.model.rowCount()
        press(page, "Show: Delivered")
        await place.until(page.none_match.isVisible)
        press(page, "Clear the filter")
        await place.until(lambda: page.model.rowCount() > 0)
        fill(page, "Domain of the recipient", "b.test")
        await place.until(lambda: page.model.total == 12)
        page.span.setCurrentIndex(1)
        page.account.setCurrentIndex(page.account.findData("me"))
        await place.until(lambda: page.model.total == 12)
        page.open(str(many[0]))
        await place.until(page.drawer.isVisible)
        assert page.drawer._result.text().startswith("Dropped by ")
        assert page.drawer.subject.toolTip() in {"", "Lunch"}
        QTest.keyClick(place.window, Qt.Key.Key_Escape)
        await place.until(page.drawer.isHidden)

    in_office(scenario)


def test_a_hold_rule_is_added_holds_what_waits_and_goes_with_what_it_holds(in_office):
    async def scenario(place):
        (number,) = await enqueue(place.server, "a@b.test")
        page = await opened(place, "/queue/holds", HoldRulesPage)
        assert page.state == "empty"
        place.window.go("/queue/holds/new")
        sheet = await place.dialog(KeySheet)
        press(sheet, "Go on")
        assert sheet.key.fault() == "Give the rule a name"
        fill(sheet, "Name", "to-b")
        press(sheet, "Go on")
        form = await place.until(
            lambda: place.window.current if isinstance(place.window.current, HoldRulePage) else None
        )
        await place.until(lambda: form.state == "full" and form.editor.state is not None)
        form.editor.state.set(("to_domain",), ["b.test"])
        form.editor.save()
        await place.until(lambda: isinstance(place.window.current, HoldRulesPage))
        page.mark_stale()
        await place.until(lambda: column(page, "Rule") == ["to-b"])
        page.list.table.select(0)
        await place.turn()
        press(page, "Hold what waits already to-b")
        await place.until(lambda: column(page, "Holds") == ["1"])
        page.list.table.select(0)
        page.list._draw_actions()
        await place.turn()
        press(page, "Show to-b")
        queue = await place.until(
            lambda: place.window.current if isinstance(place.window.current, QueuePage) else None
        )
        await place.until(lambda: [i.id for i in queue.model.rows()] == [number])
        place.window.go("/queue/holds")
        await place.turn()
        page.list.table.select(0)
        page.list._draw_actions()
        await place.turn()
        press(page, "Remove and release to-b")
        dialog = await place.dialog()
        assert dialog.windowTitle() == "Remove the hold rule to-b, and send what it holds?"
        press(dialog, "Remove and release")
        await place.until(lambda: page.list.total == 0)
        assert (await place.client.queue_item(number)).item.state == "waiting"

    in_office(scenario)


def test_a_suppressed_address_is_added_removed_and_comes_back_as_it_was(in_office):
    async def scenario(place):
        bounced = q.AddSuppression(address="bo@b.test", reason="550 gone", days=9, automatic=True)
        await place.client.add_suppression(bounced)
        page = await opened(place, "/suppressions", SuppressionsPage)
        assert column(page, "Entered") == ["by the server"]
        (before,) = (await place.client.suppressions()).items
        page.list.table.select(0)
        await place.turn()
        press(page, "Send to it again bo@b.test")
        await place.until(lambda: page.list.total == 0)
        place.window.toast.take_back()
        await place.until(lambda: page.list.total == 1)
        (after,) = (await place.client.suppressions()).items
        assert (after.until, after.automatic, after.reason) == (
            before.until,
            before.automatic,
            before.reason,
        )
        place.window.go("/suppressions/new")
        sheet = await place.dialog(KeySheet)
        fill(sheet, "Address", "left@c.test")
        press(sheet, "Go on")
        form = await place.until(
            lambda: (
                place.window.current if isinstance(place.window.current, SuppressionPage) else None
            )
        )
        await place.until(lambda: form.state == "full" and form.editor.state is not None)
        press(form, "Save")
        await place.until(lambda: place.window.current is page)
        page.list.take(QueueEvent(id=0, state=""))
        await place.until(lambda: column(page, "Address") == ["left@c.test", "bo@b.test"])

    in_office(scenario)

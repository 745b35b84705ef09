"""The window draws lists that the server describes: pages, search, sorting, what can be done with a row."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from backend.api import aliases as a
from backend.api.types import AddAccount
from tests.support.office import fill, office
from tests.support.window import press
from ui.pages import spec_list
from ui.pages.spec_list import SpecListView


@pytest.fixture
def in_office(run_async, qtbot, tmp_path):
    """`in_office(scenario, spec)`: the scenario gets the office and a view of that list, not loaded yet."""

    def run(scenario, spec, **options):
        async def whole():
            async with office(tmp_path, **options) as place:
                view = SpecListView(place.window.desk, spec)
                qtbot.addWidget(view)
                view.resize(900, 600)
                view.show()
                await scenario(place, view)

        run_async(whole())

    return run


def column(view, place=0):
    return [view.model.index(i, place).data() for i in range(view.model.rowCount())]


async def add_people(place, count):
    for number in range(count):
        await place.client.add_account(AddAccount(address=f"person{number:02}@example.org"))


def test_an_empty_list_says_what_to_do(in_office):
    async def scenario(_place, view):
        await view.load()
        assert view.total == 0
        assert not view.table.isVisible()
        assert view.empty_state().title() == "No alias yet"

    in_office(scenario, "alias")


def test_a_list_comes_page_by_page_and_is_searched_on_the_server(in_office, monkeypatch):
    monkeypatch.setattr(spec_list, "PAGE_ROWS", 5)

    async def scenario(place, view):
        await add_people(place, 12)
        await view.load()
        assert (view.model.rowCount(), view.total) == (5, 12)
        view.model.fetchMore(view.table.rootIndex())
        await place.until(lambda: view.model.rowCount() >= 10)
        fill(view, "Search Account", "person1")
        await place.until(lambda: view.total == 2)
        assert column(view) == ["person10", "person11"]
        fill(view, "Search Account", "nobody")
        await place.until(view.nothing.isVisible)
        press(view, "Clear the filter")
        await place.until(lambda: view.total == 12)

    in_office(scenario, "account")


def test_a_click_on_the_title_of_a_column_sorts_by_it(in_office, monkeypatch):
    monkeypatch.setattr(spec_list, "PAGE_ROWS", 3)

    async def scenario(place, view):
        await add_people(place, 4)
        await view.load()
        assert column(view)[0] == "person00"
        view.table.horizontalHeader().sectionClicked.emit(0)
        await place.until(lambda: column(view)[0] == "person03")

    in_office(scenario, "account")


def test_a_row_is_opened_and_removed_from_the_keyboard(in_office):
    async def scenario(place, view):
        await add_people(place, 2)
        for name in ("family", "work"):
            member = a.AddAlias(address=f"{name}@example.org", members=["person00@example.org"])
            await place.client.add_alias(member)
        await view.load()
        assert column(view) == ["family@example.org", "work@example.org"]
        view.table.select(1)
        view.table.setFocus()
        QTest.keyClick(view.table, Qt.Key.Key_Return)
        assert place.window.path == "/aliases/work@example.org"
        QTest.keyClick(view.table, Qt.Key.Key_Delete)
        dialog = await place.dialog(QDialog)
        press(dialog, "Remove the alias")
        await place.until(lambda: column(view) == ["family@example.org"])

    in_office(scenario, "alias")

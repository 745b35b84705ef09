"""The window as a whole: start page, keys, search, what it remembers, how it ends."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.gui.test_pages import fill
from tests.support.window import Rig, press
from ui import palette
from ui.pages.registry import PAGES
from ui.presenters.link import LinkState


def keys(
    rig: Rig, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    QTest.keyClick(rig.window, key, modifier)


CONTROL = Qt.KeyboardModifier.ControlModifier


# ---- the start page


def test_the_start_page_offers_four_ways_and_says_why_one_is_closed(rig: Rig) -> None:
    rig.window.go("/start")
    buttons = rig.window.start_page.buttons
    assert [button.isEnabled() for button in buttons] == [True, True, True, False]
    assert "later version" in buttons[3].accessibleDescription()


def test_try_it_goes_through_its_steps_to_the_overview(rig: Rig) -> None:
    async def scenario() -> None:
        rig.start_link()
        rig.window.show()
        rig.window.go("/start")
        press(rig.window, "Try it on this computer first")
        flow = rig.window.start_page.try_page.flow
        await rig.until(lambda: flow.is_done)
        await rig.until(lambda: rig.window.body.currentWidget() is rig.window.shell)
        assert rig.control.starts == [True]
        await rig.until(rig.window.practice_banner.isVisible)
        assert rig.window.practice_banner.title() == "Practice mode – nothing leaves this computer"
        assert "send_test_message" in rig.admin.calls

    rig.run(scenario())


def test_try_it_that_fails_says_why_and_tries_again(rig: Rig) -> None:
    async def scenario() -> None:
        rig.control.fault = "Port 2525 is used by nginx."
        rig.start_link()
        rig.window.show()
        rig.window.go("/start/try")
        page = rig.window.start_page.try_page
        await rig.until(lambda: page.flow.fault)
        await rig.until(page.again.isVisible)
        assert page.problem.title() == "Port 2525 is used by nginx."
        rig.control.fault = ""
        press(page, "Try again")
        await rig.until(lambda: page.flow.is_done)

    rig.run(scenario())


def test_back_and_forth_between_the_choices(rig: Rig) -> None:
    start = rig.window.start_page
    rig.window.show()
    for name, choice in (("domain", 0), ("connect", 2)):
        rig.window.go("/start")
        start.buttons[choice].click()
        assert start.shown() == name
        page = start.domain_page if name == "domain" else start.connect_page
        press(page, "Back")
        assert start.shown() == ""


def test_a_data_folder_is_opened_and_a_wrong_one_refused(rig: Rig, tmp_path: Path) -> None:
    async def scenario() -> None:
        await rig.admin.start()
        rig.start_link()
        rig.window.show()
        rig.window.go("/start/connect")
        page = rig.window.start_page.connect_page
        page.folder.line.setText(str(tmp_path / "nothing"))
        press(page, "Open this data folder")
        assert "no Gatepost server" in page.folder.fault()
        page.folder.line.setText(str(rig.admin.folder))
        press(page, "Open this data folder")
        await rig.until(lambda: rig.session.is_connected)

    rig.run(scenario())


def test_an_address_needs_encryption_and_a_password(rig: Rig) -> None:
    rig.window.show()
    rig.window.go("/start/connect")
    page = rig.window.start_page.connect_page
    page.address.line.setText("http://mail.example.org")
    press(page, "Sign in")
    assert "https://" in page.address.fault()
    assert page.password.fault()


def test_a_domain_and_an_account_are_set_up_on_the_running_server(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/")
        rig.window.go("/start/domain")
        page = rig.window.start_page.domain_page
        page.address.line.setText("anna")
        press(page, "Add domain and account")
        await rig.until(page.address.fault)
        page.address.line.setText("anna@example.org")
        press(page, "Add domain and account")
        await rig.until(lambda: "anna" in rig.admin.accounts)
        assert "example.org" in rig.admin.domains
        press(await rig.dialog(), "Done")
        await rig.until(lambda: rig.window.path == "/accounts/anna/connect")

    rig.run(scenario())


# ---- keys and search


def test_control_and_a_number_open_the_sections(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/")
        sections = [info.path for info in PAGES if not info.parent]
        for number, path in enumerate(sections[:9]):
            keys(rig, Qt.Key(Qt.Key.Key_1 + number), CONTROL)
            assert rig.window.path == path

    rig.run(scenario())


def test_f5_reads_again_and_esc_closes_the_drawer(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/queue/1")
        await rig.until(lambda: not page.drawer.isHidden())  # type: ignore[attr-defined]
        before = rig.admin.calls.count("queue")
        keys(rig, Qt.Key.Key_F5)
        await rig.until(lambda: rig.admin.calls.count("queue") > before)
        keys(rig, Qt.Key.Key_Escape)
        assert page.drawer.isHidden()  # type: ignore[attr-defined]

    rig.run(scenario())


def test_search_finds_a_person_and_goes_there(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        await rig.show("/")
        keys(rig, Qt.Key.Key_K, CONTROL)
        finder = await rig.dialog()
        await rig.until(lambda: "accounts" in rig.admin.calls)
        QTest.keyClicks(finder.line, "anna")
        await rig.until(lambda: finder.list.count() > 0)
        QTest.keyClick(finder.line, Qt.Key.Key_Down)
        QTest.keyClick(finder.line, Qt.Key.Key_Up)
        QTest.keyClick(finder.line, Qt.Key.Key_Return)
        await rig.until(lambda: rig.window.path == "/accounts/anna")

    rig.run(scenario())


def test_search_finds_by_synonym_and_says_when_there_is_nothing(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/")
        rig.window.open_search()
        finder = await rig.dialog()
        finder.line.setText("dark")
        assert finder.list.item(0).text() == "Server"
        finder.line.setText("quota")
        await rig.until(lambda: finder.list.count() > 0)
        assert finder.list.item(0).text() == "Space (Account)"
        finder.line.setText("zzz")
        assert finder._none.isVisible()

    rig.run(scenario())


# ---- light, dark, memory, end


def test_light_and_dark_change_while_it_runs(rig: Rig) -> None:
    async def scenario() -> None:
        page = await rig.show("/server")
        page.appearance.select("dark")  # type: ignore[attr-defined]
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        assert app.palette().window().color() == palette.Colors("dark")["window"]
        page.appearance.select("light")  # type: ignore[attr-defined]
        assert app.palette().window().color() == palette.Colors("light")["window"]

    rig.run(scenario())


def test_place_and_page_are_remembered(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/queue")
        rig.window.resize(1111, 777)
        rig.window.close()
        settings = QSettings(rig.window.settings.fileName(), QSettings.Format.IniFormat)
        assert settings.value("window/path") == "/queue"
        assert any(key.startswith("window/geometry ") for key in settings.allKeys())
        assert settings.value("server/folder") == str(rig.admin.folder)

    rig.run(scenario())


def test_the_first_close_says_that_mail_keeps_running(rig: Rig) -> None:
    async def scenario() -> None:
        rig.window.settings.setValue("window/told", False)
        await rig.show("/")
        rig.window.close()
        assert rig.window.isVisible()
        dialog = await rig.dialog()
        assert dialog.windowTitle() == "Mail keeps running in the background"
        press(dialog, "Close the window")
        await rig.until(lambda: not rig.window.isVisible())
        assert rig.admin.is_running
        assert rig.window.settings.value("window/told", type=bool)

    rig.run(scenario())


def test_the_first_close_leads_to_stopping_if_that_was_meant(rig: Rig) -> None:
    async def scenario() -> None:
        rig.window.settings.setValue("window/told", False)
        await rig.show("/")
        rig.window.close()
        press(await rig.dialog(), "Stop the server")
        await rig.until(lambda: rig.window.path == "/server")
        assert rig.window.isVisible()

    rig.run(scenario())


def test_closing_the_window_ends_its_tasks(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/log")
        rig.admin.gate = asyncio.Event()
        rig.window.current.mark_stale()
        rig.window.close()
        await rig.window.scope.drain()
        assert not rig.window.scope._tasks
        rig.admin.gate.set()

    rig.run(scenario())


def test_a_deliberate_stop_is_remembered(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/server")
        await rig.session.stop_server()
        await rig.until(lambda: rig.session.state is LinkState.STOPPED)
        assert rig.window.settings.value("server/stopped_on_purpose", type=bool)
        await rig.session.start_server()
        await rig.until(lambda: rig.session.is_connected)
        assert not rig.window.settings.value("server/stopped_on_purpose", type=bool)

    rig.run(scenario())


@pytest.mark.parametrize("width", [900, 1366])
def test_it_fits_small_screens(rig: Rig, width: int) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        await rig.show("/")
        rig.window.resize(width, 640)
        for path in ("/", "/domains", "/accounts", "/accounts/anna", "/queue", "/log", "/server"):
            await rig.visit(path)
            await asyncio.sleep(0)
            assert rig.window.width() == width, path

    rig.run(scenario())

"""The link between window and server in each of its states, and its way back."""

import asyncio

import pytest

from backend.api import types as t
from backend.api.client import ApiError
from tests.support.window import Rig, press
from ui.control import LocalServer, StartError
from ui.presenters.link import LinkState
from ui.session import NotConnectedError


def test_a_server_that_never_ran_is_stopped_and_can_be_started(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/server", running=False)
        await rig.until(lambda: rig.session.state is LinkState.STOPPED)
        assert "stopped" in rig.window.link_banner.title()
        press(rig.window.link_banner, "Start the server")
        await rig.until(lambda: rig.session.is_connected)
        await rig.until(rig.window.link_banner.isHidden)
        assert rig.control.starts == [False]

    rig.run(scenario())


def test_an_unexpected_end_shows_the_last_lines(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/server")
        page = rig.window.current
        await rig.admin.stop()
        await rig.until(lambda: rig.session.state is LinkState.DIED)
        assert "port 2525 is in use" in page.tail.toPlainText()  # type: ignore[attr-defined]
        assert rig.window.rail.pill.tone() == "error"

    rig.run(scenario())


def test_three_unexpected_ends_lead_to_the_recovery_page(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/")
        for _ in range(3):
            await rig.until(lambda: rig.session.is_connected)
            await rig.admin.stop()
            await rig.until(lambda: rig.session.state is LinkState.DIED)
            await rig.admin.start()
            rig.session.retry_now()
        await rig.until(lambda: rig.window.body.currentWidget() is rig.window.recovery_page)

    rig.run(scenario())


def test_a_server_that_runs_but_does_not_answer_is_not_called_stopped(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/")
        rig.control.pretend_alive = True
        await rig.admin.stop()
        await rig.until(lambda: rig.session.state is LinkState.NOT_RESPONDING)
        await rig.until(lambda: "Trying again in" in rig.window.link_banner.body())
        await rig.admin.start()
        press(rig.window.link_banner, "Try again now")
        await rig.until(lambda: rig.session.is_connected)
        await rig.until(rig.window.link_banner.isHidden)

    rig.run(scenario())


def test_an_announced_restart_is_no_fault(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/")
        await rig.until(lambda: rig.admin.listeners)
        rig.admin.push(t.ServerEvent(state="restarting"))
        await asyncio.sleep(0.05)
        await rig.admin.stop()
        await rig.until(lambda: rig.session.state is LinkState.RESTARTING)
        await rig.admin.start()
        await rig.until(lambda: rig.session.is_connected)

    rig.run(scenario())


def test_an_announced_end_is_no_crash(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/")
        await rig.until(lambda: rig.admin.listeners)
        rig.admin.push(t.ServerEvent(state="stopping"))
        await asyncio.sleep(0.05)
        await rig.admin.stop()
        await rig.until(lambda: rig.session.state is LinkState.STOPPED)

    rig.run(scenario())


def test_stop_asks_first_and_then_does_it(rig: Rig) -> None:
    async def scenario() -> None:
        page = await rig.show("/server")
        press(page, "Stop the server")
        dialog = await rig.dialog()
        press(dialog, "Keep it running")
        await asyncio.sleep(0.05)
        assert rig.session.is_connected
        press(page, "Stop the server")
        press(await rig.dialog(), "Stop the server")
        await rig.until(lambda: rig.session.state is LinkState.STOPPED)

    rig.run(scenario())


def test_restart_comes_back_by_itself(rig: Rig) -> None:
    async def scenario() -> None:
        page = await rig.show("/server")
        press(page, "Restart the server")
        press(await rig.dialog(), "Restart")
        await rig.until(lambda: rig.control.starts)
        await rig.until(lambda: rig.session.is_connected)

    rig.run(scenario())


def test_a_start_that_fails_says_why(rig: Rig) -> None:
    async def scenario() -> None:
        rig.control.fault = "Port 25 is used by nginx."
        await rig.show("/server", running=False)
        await rig.until(lambda: rig.session.state is LinkState.STOPPED)
        with pytest.raises(StartError):
            await rig.session.start_server()
        assert rig.session.state is LinkState.DIED
        assert rig.window.link_banner.body() == "Port 25 is used by nginx."

    rig.run(scenario())


def test_another_version_is_told_and_nothing_is_asked_of_it(rig: Rig) -> None:
    async def scenario() -> None:
        rig.admin.api_version = t.API_VERSION + 2
        await rig.admin.start()
        rig.start_link()
        rig.window.show()
        rig.window.open_target(LocalServer(rig.admin.folder))
        await rig.until(lambda: rig.session.state is LinkState.VERSION_DIFFERS)
        assert "another version" in rig.window.link_banner.title()
        with pytest.raises(NotConnectedError):
            await rig.session.call(lambda client: client.status())

    rig.run(scenario())


def test_a_password_is_asked_for_and_a_wrong_one_told(rig: Rig) -> None:
    async def scenario() -> None:
        rig.admin.password = "right-and-long-enough"
        await rig.admin.start()
        rig.start_link()
        rig.window.show()
        rig.session.open(LocalServer(rig.admin.folder), password="wrong")
        await rig.until(lambda: rig.session.state is LinkState.SIGN_IN)
        assert "wrong" in rig.window.link_banner.body()
        rig.window.go("/")
        press(rig.window.link_banner, "Sign in")
        dialog = await rig.dialog()
        dialog.password.line.setText("right-and-long-enough")
        press(dialog, "Sign in")
        await rig.until(lambda: rig.session.is_connected)

    rig.run(scenario())


def test_a_refusal_of_the_server_reaches_the_caller(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/")
        with pytest.raises(ApiError):
            await rig.session.call(lambda client: client.account("nobody"))

    rig.run(scenario())


def test_lost_events_mean_reading_everything_again(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/domains")
        await rig.until(lambda: rig.admin.listeners)
        before = rig.admin.calls.count("domains")
        rig.admin.push(t.ResyncEvent())
        await rig.until(lambda: rig.admin.calls.count("domains") > before)

    rig.run(scenario())


def test_another_server_is_followed_at_once(rig: Rig) -> None:
    async def scenario() -> None:
        await rig.show("/")
        rig.session.open(LocalServer(rig.admin.folder / "elsewhere"))
        await rig.until(lambda: rig.session.state is LinkState.STOPPED)
        rig.session.open(LocalServer(rig.admin.folder))
        await rig.until(lambda: rig.session.is_connected)
        rig.session.forget()
        await rig.until(lambda: rig.window.body.currentWidget() is rig.window.start_page)

    rig.run(scenario())

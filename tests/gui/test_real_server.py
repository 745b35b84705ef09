"""The window with a real server process: from the start page to a delivered message, stop and start, a crash."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings

from app.supervise import Supervisor
from backend.api.endpoint import load_note
from tests.gui.conftest import Run
from tests.support.fake_admin import FakeAdmin, FakeControl
from tests.support.window import Rig, press
from ui.control import LocalServer
from ui.pages.activity import ActivityPage
from ui.pages.message import MessagePage
from ui.presenters.link import LinkState
from ui.session import Session
from ui.window import MainWindow

pytestmark = pytest.mark.e2e


@pytest.fixture
def real(run_async: Run, qtbot: Any, tmp_path: Path) -> Iterator[Rig]:
    folder = tmp_path / "practice"
    supervisor = Supervisor()
    session = Session(supervisor)
    settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    settings.setValue("window/told", True)
    window = MainWindow(session, settings, default_folder=folder, closed=lambda: None)
    admin = FakeAdmin(folder)  # never started: only its folder is used
    rig = Rig(admin, FakeControl(admin), session, window, run_async)
    yield rig
    run_async(rig.end())
    run_async(supervisor.stop(folder))


async def try_it(rig: Rig) -> None:
    rig.start_link()
    rig.window.show()
    rig.window.go("/start/try")
    flow = rig.window.start_page.try_page.flow
    await rig.until(lambda: flow.is_done or flow.fault)
    assert not flow.fault, flow.fault
    await rig.until(lambda: rig.window.body.currentWidget() is rig.window.shell)


def test_from_nothing_to_the_first_message_in_the_mailbox(real: Rig) -> None:
    async def scenario() -> None:
        await try_it(real)
        page = real.window.current
        await real.settled(page)
        assert page.state == "full"
        assert real.window.practice_banner.isVisible()
        assert real.session.control.practice_accounts(real.admin.folder)
        for path in ("/domains", "/accounts", "/queue", "/activity", "/log", "/server"):
            assert (await real.visit(path)).state in {"full", "empty"}, path

    real.run(scenario())


def test_a_message_to_oneself_arrives_step_by_step(real: Rig) -> None:
    async def scenario() -> None:
        await try_it(real)
        page = await real.visit("/activity")
        assert isinstance(page, ActivityPage)
        press(page, "Send yourself a message")
        await real.until(lambda: isinstance(real.window.current, MessagePage))
        shown = real.window.current
        await real.until(lambda: shown.verdict.title().startswith("It was delivered to me"))
        assert [s for s in shown.timeline.steps() if s.icon == "inbox"]

    real.run(scenario())


def test_stop_and_start_by_the_window(real: Rig) -> None:
    async def scenario() -> None:
        await try_it(real)
        await real.session.stop_server()
        await real.until(lambda: real.session.state is LinkState.STOPPED)
        await real.session.start_server()
        await real.until(lambda: real.session.is_connected)
        assert real.session.control.practice_accounts(real.admin.folder)

    real.run(scenario())


def test_a_killed_server_is_noticed_and_started_again(real: Rig) -> None:
    async def scenario() -> None:
        await try_it(real)
        note = load_note(real.admin.folder)
        assert note is not None
        os.kill(note.pid, signal.SIGKILL)
        await real.until(lambda: real.session.state is LinkState.DIED)
        assert "unexpectedly" in real.window.link_banner.title()
        await real.session.start_server()
        await real.until(lambda: real.session.is_connected)

    real.run(scenario())


def test_the_server_outlives_the_window(real: Rig) -> None:
    async def scenario() -> None:
        await try_it(real)
        real.window.leave()
        real.window.close()
        await asyncio.sleep(0)
        assert Supervisor().is_alive(real.admin.folder)

    real.run(scenario())


def test_a_server_that_can_not_start_says_why(real: Rig) -> None:
    async def scenario() -> None:
        config = real.admin.folder / "config"
        config.mkdir(parents=True)
        (config / "domains.toml").touch()
        (config / "server.toml").write_text("this is = no [toml\n")
        real.start_link()
        real.session.open(LocalServer(real.admin.folder))
        with pytest.raises(Exception, match=r"server\.toml"):
            await real.session.start_server()
        assert real.session.state is LinkState.DIED

    real.run(scenario())

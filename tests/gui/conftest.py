"""How window tests run: one qasync loop over pytest-qt's application, and a window on a fake server.

A test is a plain function that gives its scenario, a coroutine, to `run_async`: the Qt and the asyncio side turn
together, as in `app.gui`.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from tests.support.fake_admin import FakeAdmin, FakeControl
from tests.support.window import Rig
from ui import palette
from ui.session import Session
from ui.window import MainWindow

LONGEST_SCENARIO_S = 30

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def run_async(qapp: QApplication) -> Iterator[Run]:
    loop = QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    qapp.setQuitOnLastWindowClosed(False)
    palette.install(qapp, "light")

    def run(scenario: Coroutine[Any, Any, Any]) -> Any:
        async def limited() -> Any:
            async with asyncio.timeout(LONGEST_SCENARIO_S):
                return await scenario

        return loop.run_until_complete(limited())

    yield run
    loop.close()
    # Its timers run on; collected on another thread, the object would be gone without Qt knowing, and the process with it.
    loop._timer.deleteLater()
    asyncio.set_event_loop(None)


@pytest.fixture
def rig(run_async: Run, qtbot: Any, tmp_path: Path) -> Iterator[Rig]:
    """A window on a fake server of its own; nothing runs until the scenario starts it."""
    admin = FakeAdmin(tmp_path / "data")
    control = FakeControl(admin)
    session = Session(control)
    settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    settings.setValue("window/told", True)
    window = MainWindow(session, settings, default_folder=admin.folder, closed=lambda: None)
    made = Rig(admin, control, session, window, run_async)
    yield made
    run_async(made.end())

"""Entry of the window's process, in stages; the only module that knows qasync.

1. The application object and its name. 2. One window for each user and folder: a second start ends here. 3. The crash
reporter. 4. Session, window, the loop that turns Qt and asyncio together. 5. After the loop: everything is put back.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import platformdirs
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from app.crash import CrashReporter
from app.instance import Instance, name_of
from app.supervise import Supervisor
from backend.api.endpoint import default_folder
from ui import palette
from ui.control import LocalServer, RemoteServer, Target
from ui.session import Session
from ui.widgets.dialogs import show_report
from ui.window import MainWindow

EXIT_OK = 0
_log = logging.getLogger("gatepost.app.gui")


def run(folder: Path | None = None, *, open_path: str = "", practice: bool = False) -> int:
    """Shows the window until it is closed.

    `folder`: the data folder to look after; `open_path`: a page such as `/queue`; `practice`: without asking, start a
    practice server where there is no server yet.
    """
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(
        Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    )
    app = _application()
    chosen = (folder or default_folder()).expanduser().absolute()
    instance = Instance(name_of(chosen))
    if not instance.claim(open_path):
        return EXIT_OK
    state = Path(platformdirs.user_state_dir("gatepost", appauthor=False))
    crashes = CrashReporter(state / "window", _version())
    crashes.install()
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    crashes.install_in_loop(loop)
    try:
        with loop:
            loop.run_until_complete(
                _live(
                    app,
                    chosen,
                    instance,
                    crashes,
                    named=folder is not None,
                    open_path=open_path,
                    practise=practice,
                )
            )
    finally:
        instance.release()
        crashes.uninstall()
        asyncio.set_event_loop(None)
    return EXIT_OK


def _application() -> QApplication:
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("Gatepost")
    app.setDesktopFileName("gatepost")
    app.setQuitOnLastWindowClosed(False)
    return app


def _settings() -> QSettings:
    folder = Path(platformdirs.user_config_dir("gatepost", appauthor=False))
    return QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)


def _version() -> str:
    try:
        return version("gatepost")
    except PackageNotFoundError:
        return "unknown"


async def _live(
    app: QApplication,
    folder: Path,
    instance: Instance,
    crashes: CrashReporter,
    *,
    named: bool,
    open_path: str,
    practise: bool,
) -> None:
    ended = asyncio.Event()
    settings = _settings()
    theme = palette.install(app, str(settings.value("window/theme") or "system"))
    theme.changed.connect(lambda: settings.setValue("window/theme", theme.choice))
    supervisor = Supervisor()
    session = Session(supervisor)
    practice = folder if named else practice_folder(folder)
    window = MainWindow(session, settings, default_folder=practice, closed=ended.set)
    crashes.show = lambda report: _show_crash(window, report)
    instance.asked.connect(window.present)
    with contextlib.suppress(NotImplementedError, AttributeError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, window.leave)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, window.leave)
    link = asyncio.get_running_loop().create_task(session.run(), name="link")
    target = _first_target(settings, supervisor, [folder, practice], named=named)
    if target is None and practise:
        window.open_target(LocalServer(practice))
        window.scope.start(session.start_server(practice=True), "start practice server")
    elif target is None:
        window.go("/start")
    else:
        window.open_target(target)
        if open_path:
            window.go(open_path)
        _start_if_wanted(window, settings, target)
    window.show()
    try:
        await ended.wait()
    finally:
        await window.scope.drain()
        link.cancel()
        await asyncio.wait({link})
        window.close()
        window.deleteLater()


def practice_folder(folder: Path) -> Path:
    """Where a practice server lives unless a folder is named: beside the real one, never in it."""
    return folder.with_name(f"{folder.name}-practice")


def _first_target(
    settings: QSettings, supervisor: Supervisor, folders: list[Path], *, named: bool
) -> Target | None:
    """The folder that was named; else the server of the last time; else the first folder that holds one."""
    if not named:
        if url := str(settings.value("server/url") or ""):
            ca = str(settings.value("server/ca_file") or "")
            return RemoteServer(url, Path(ca) if ca else None)
        if last := str(settings.value("server/folder") or ""):
            folders = [Path(last), *folders]
    return next((LocalServer(folder) for folder in folders if supervisor.exists(folder)), None)


def _start_if_wanted(window: MainWindow, settings: QSettings, target: Target) -> None:
    """After a restart of the computer nobody should have to remember to start the mail; who stopped it meant it."""
    if not isinstance(target, LocalServer) or window.session.control.is_alive(target.folder):
        return
    if not settings.value("server/stopped_on_purpose", False, type=bool):
        window.scope.start(window.session.start_server(), "start server")


def _show_crash(window: MainWindow, report: str) -> None:
    if window.isVisible():
        window.scope.start(
            show_report(
                window,
                "Something in the window went wrong",
                "Mail is not affected: the server runs on its own. The report holds no addresses and no mail.",
                report,
            ),
            "crash report",
        )


if __name__ == "__main__":
    named = os.environ.get("GATEPOST_DIR")
    sys.exit(run(Path(named) if named else None))

"""A window on a real admin API with real services behind it, in one process: for tests of pages and wizards."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QWidget

from backend.api.client import Client
from tests.support.admin_server import AdminRig, admin_server
from ui.control import LocalServer
from ui.pages.page import Page
from ui.session import Session
from ui.window import MainWindow

POLL_S = 0.01


class QuietControl:
    """The server is there already, and nobody starts or stops it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def is_alive(self, folder: Path) -> bool:
        return folder == self._folder

    def exists(self, folder: Path) -> bool:
        return folder == self._folder

    async def start(self, _folder: Path, *, practice: bool = False) -> None:
        raise AssertionError("the server runs")

    async def stop(self, _folder: Path) -> None:
        raise AssertionError("the server stays")

    def practice_accounts(self, _folder: Path) -> list[tuple[str, str]]:
        return []

    def note_practice_password(self, _folder: Path, address: str, password: str) -> None:
        pass

    def tail(self, _folder: Path, _lines: int) -> list[str]:
        return []


class Office:
    """`server`: the services behind the API. `client`: a second face, such as another administrator's."""

    def __init__(self, server: AdminRig, window: MainWindow, session: Session, client: Client):
        self.server, self.window, self.session, self.client = server, window, session, client

    async def until(self, condition: Any) -> Any:
        """Waits until it is true; the scenario's time limit ends a wait that never is."""
        while not (value := condition()):
            await asyncio.sleep(POLL_S)
        return value

    async def visit(self, path: str) -> Page:
        self.window.go(path)
        page = self.window.current
        await self.until(lambda: page.state in {"full", "empty", "error"} and not page._loading)
        await self.turn()
        return page

    async def turn(self) -> None:
        """What was just built shows itself in the next turn of the loop.

        Never by `processEvents`: inside a coroutine that enters other tasks (qasync#59).
        """
        await asyncio.sleep(2 * POLL_S)

    async def dialog(self, kind: type[QDialog] = QDialog) -> Any:
        """The dialog that is open, once it is."""

        def find() -> QDialog | None:
            shown = [
                w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()
            ]
            return shown[-1] if shown else None

        return await self.until(find)


@contextlib.asynccontextmanager
async def office(folder: Path, **options: Any) -> AsyncIterator[Office]:
    """`options` as of `admin_server`. The window is shown and connected."""
    async with admin_server(folder / "data", **options) as server, server.local() as client:
        session = Session(QuietControl(server.folder.root))
        settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        settings.setValue("window/told", True)
        window = MainWindow(
            session, settings, default_folder=server.folder.root, closed=lambda: None
        )
        link = asyncio.get_running_loop().create_task(session.run())
        made = Office(server, window, session, client)
        try:
            window.show()
            window.open_target(LocalServer(server.folder.root))
            await made.until(lambda: session.is_connected)
            yield made
        finally:
            for widget in QApplication.topLevelWidgets():
                if isinstance(widget, QDialog):
                    widget.reject()
            window.leave()
            await window.scope.drain()
            window.close()
            window.deleteLater()
            link.cancel()
            await asyncio.wait({link})


def fill(parent: QWidget, name: str, text: str) -> None:
    """Types into the visible field with this accessible name, as a user does."""
    found = [
        one
        for one in parent.findChildren(QLineEdit)
        if one.accessibleName() == name and one.isVisible()
    ]
    assert found, f"no visible field {name!r}"
    found[0].setText(text)
    found[0].textEdited.emit(text)

"""A window, its session and its fake server, and the few waits that scenarios need."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtWidgets import QApplication, QDialog, QWidget

from tests.support.fake_admin import FakeAdmin, FakeControl
from ui.control import LocalServer
from ui.pages.page import Page
from ui.session import Session
from ui.window import MainWindow

POLL_S = 0.01


@dataclass
class Rig:
    admin: FakeAdmin
    control: FakeControl
    session: Session
    window: MainWindow
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    _link: asyncio.Task[None] | None = field(default=None)

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Waits until it is true; the scenario's time limit ends a wait that never is."""
        while not (value := condition()):
            await asyncio.sleep(POLL_S)
        return value

    def start_link(self) -> None:
        if self._link is None:
            self._link = asyncio.get_running_loop().create_task(self.session.run())

    async def show(self, path: str = "/", *, running: bool = True) -> Page:
        """Starts the fake server, connects, opens a page and waits until it has read itself."""
        if running:
            await self.admin.start()
        self.start_link()
        self.window.show()
        self.window.open_target(LocalServer(self.admin.folder))
        if running:
            await self.until(lambda: self.session.is_connected)
        return await self.visit(path)

    async def visit(self, path: str) -> Page:
        self.window.go(path)
        page = self.window.current
        await self.settled(page)
        return page

    async def settled(self, page: Page) -> None:
        await self.until(lambda: page.state in {"full", "empty", "error"} and not page._loading)

    async def dialog(self, kind: type[QDialog] = QDialog) -> Any:
        """The dialog that is open, once it is."""

        def find() -> QDialog | None:
            shown = [
                w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()
            ]
            return shown[-1] if shown else None

        return await self.until(find)

    async def end(self) -> None:
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog):
                widget.reject()
        self.window.leave()
        await self.window.scope.drain()
        self.window.close()
        self.window.deleteLater()
        if self._link is not None:
            self._link.cancel()
            await asyncio.wait({self._link})
        if self.admin.is_running:
            await self.admin.stop()


def press(parent: QWidget, name: str) -> None:
    """Clicks the visible button with this accessible name."""
    from PySide6.QtWidgets import QAbstractButton

    found = [
        one
        for one in parent.findChildren(QAbstractButton)
        if one.accessibleName() == name and one.isVisible()
    ]
    assert found, f"no visible button {name!r}"
    assert found[0].isEnabled(), f"the button {name!r} is disabled"
    found[0].click()

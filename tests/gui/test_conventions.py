"""What is the same all over the window: remembered sign-ins, arrangements that stay, toasts that can be pressed, help."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import keyring.backend
import keyring.backends.fail
import keyring.backends.null
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QSplitter, QWidget

from tests.support.admin_server import AdminRig, admin_server
from tests.support.office import office
from tests.support.window import press
from ui.control import RemoteServer
from ui.keys import Keys, KeyState
from ui.pages.signing_in import SignInSheet
from ui.presenters.link import LinkState
from ui.remembered import REMEMBERED, Remembered
from ui.session import Session
from ui.widgets.dialogs import Sheet
from ui.widgets.tables import Column, RowsModel, Table


class InMemory(keyring.backend.KeyringBackend):
    """A keyring as good as any, of this process."""

    priority = 1  # type: ignore[assignment]  # a class property in the library, a number by its documentation

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Forgetful(InMemory):
    def set_password(self, service: str, username: str, password: str) -> None:
        pass


@asynccontextmanager
async def connecting(keys: Keys) -> AsyncIterator[Session]:
    session = Session(control=None, keys=keys)  # type: ignore[arg-type]  # no server on this computer
    link = asyncio.get_running_loop().create_task(session.run())
    try:
        yield session
    finally:
        link.cancel()
        await asyncio.wait({link})


async def until(session: Session, state: LinkState) -> None:
    while session.state is not state:
        await asyncio.sleep(0.01)


async def sign_in_once(server: AdminRig, keys: Keys, password: str, **wish: bool) -> None:
    async with connecting(keys) as session:
        session.open(RemoteServer(server.url), password=password, **wish)
        await until(session, LinkState.CONNECTED)


def test_a_sign_in_is_remembered_in_the_keyring_and_forgotten_when_it_is_wrong(
    run_async, qtbot, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with admin_server(tmp_path) as server:
            ring = InMemory()
            keys = Keys(lambda: ring)
            await sign_in_once(server, keys, server.password)
            assert ring.kept == {}  # nobody asked for it
            await sign_in_once(server, keys, server.password, remember=True)
            assert list(ring.kept.values()) == [server.password]
            await sign_in_once(server, Keys(lambda: ring), "")
            async with server.local() as client:
                changed = await client.change_admin_password()
            async with connecting(Keys(lambda: ring)) as session:
                session.open(RemoteServer(server.url))
                await until(session, LinkState.SIGN_IN)
                assert "not the administrator" in session.detail
                assert ring.kept == {}
                session.sign_in(changed.password or "")
                await until(session, LinkState.CONNECTED)

    run_async(scenario())


def test_keyrings_that_are_not_safe_or_not_there_are_said_and_not_used(run_async) -> None:
    async def scenario() -> None:
        plain = type("PlaintextKeyring", (InMemory,), {"__module__": "keyrings.alt.file"})()
        for backend, state in (
            (keyring.backends.fail.Keyring(), KeyState.MISSING),
            (keyring.backends.null.Keyring(), KeyState.UNSAFE),
            (plain, KeyState.UNSAFE),
            (InMemory(), KeyState.READY),
        ):
            keys = Keys(lambda backend=backend: backend)
            assert await keys.look() is state
            kept = await keys.keep("https://mail.example.org", "secret")
            assert kept is (state is KeyState.READY)
            assert await keys.get("https://mail.example.org") == ("secret" if kept else "")
        assert plain.kept == {}
        assert not await Keys(Forgetful).keep("https://mail.example.org", "secret")

    run_async(scenario())


def test_of_several_keyrings_the_first_safe_one_is_used(run_async) -> None:
    async def scenario() -> None:
        good = InMemory()
        chain = type("Chain", (), {"backends": [keyring.backends.null.Keyring(), good]})()
        assert await Keys(lambda: chain).keep("u", "secret")
        assert list(good.kept.values()) == ["secret"]

    run_async(scenario())


def test_the_sign_in_says_why_a_password_is_not_remembered(run_async, qtbot) -> None:
    sheet = SignInSheet(None, "mail.example.org", "", KeyState.MISSING)
    qtbot.addWidget(sheet)
    assert not sheet.remember.is_wanted()
    assert not sheet.remember.box.isEnabled()
    assert "asked for each time" in sheet.remember.why.text()
    other = SignInSheet(None, "mail.example.org", "", KeyState.READY)
    qtbot.addWidget(other)
    assert other.remember.is_wanted()


def test_a_toast_can_be_pressed_while_a_dialog_is_open(run_async, qtbot, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as place:
            toast, undone = place.window.toast, []
            sheet = Sheet(place.window, "A question")
            sheet.open()
            await place.until(sheet.isVisible)
            place.window.say("It was removed.", undo=lambda: undone.append(1))
            assert toast.parentWidget() is sheet
            assert toast.isVisible()
            press(toast, "Undo")
            assert undone == [1]
            place.window.say("Again.", undo=lambda: undone.append(2))
            sheet.reject()
            await place.until(lambda: toast.parentWidget() is place.window)
            assert toast.isVisible()
            sheet.deleteLater()
            await place.turn()
            press(toast, "Undo")
            assert undone == [1, 2]

    run_async(scenario())


def test_columns_and_splitters_stay_as_they_were_arranged(run_async, qtbot, tmp_path: Path) -> None:
    REMEMBERED.attach(QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))

    room = QWidget()  # owns whatever is made, until the test is over
    qtbot.addWidget(room)
    models: list[RowsModel[str]] = []

    def made(parent: QWidget) -> Table:
        columns: list[Column[str]] = [
            Column(title="Name", text=str),
            Column(title="When", text=str, width=10),
        ]
        models.append(RowsModel(columns, key=lambda row: row))
        table = Table(models[-1], "Things")
        table.setParent(parent)
        table.resize(700, 300)
        return table

    made(room).horizontalHeader().resizeSection(1, 210)
    assert made(room).columnWidth(1) == 210

    def split() -> QSplitter:
        splitter = QSplitter(Qt.Orientation.Horizontal, room)
        splitter.setObjectName("halves")
        splitter.addWidget(made(splitter))
        splitter.addWidget(made(splitter))
        splitter.resize(800, 300)
        REMEMBERED.follow(splitter)
        return splitter

    room.show()
    first = split()
    first.show()
    first.moveSplitter(300, 1)
    second = split()
    second.show()
    assert second.sizes() == first.sizes()
    REMEMBERED.attach(None)


def test_the_place_of_the_window_is_kept_for_each_arrangement_of_screens(
    run_async, qtbot, tmp_path: Path, monkeypatch
) -> None:
    async def scenario() -> None:
        kept = Remembered()
        kept.attach(QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))
        async with office(tmp_path) as place:
            place.window.resize(1000, 640)
            kept.save_place(place.window)
            place.window.resize(1600, 900)
            assert kept.restore_place(place.window)
            assert place.window.width() <= 1000
            monkeypatch.setattr("ui.remembered.screens", lambda: "two others")
            assert not kept.restore_place(place.window)

    run_async(scenario())


def test_f1_says_what_the_page_is_for(run_async, qtbot, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as place:
            page = await place.visit("/log")
            QTest.keyClick(place.window, Qt.Key.Key_F1)
            dialog = await place.dialog(Sheet)
            assert dialog.windowTitle() == page.heading.text()
            press(dialog, "Close")

    run_async(scenario())

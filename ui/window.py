"""The main window: rail, banners, pages, search, and how it ends without stopping mail."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from backend.api import types as t
from ui import icons, palette
from ui.control import LocalServer, RemoteServer, Target
from ui.pages.help import show_help
from ui.pages.page import Desk, Page
from ui.pages.recovery import RecoveryPage
from ui.pages.registry import PAGES, PageInfo, area_title, resolve, search_entries
from ui.pages.signing_in import SignInSheet
from ui.pages.start import StartPage
from ui.presenters import search as search_words
from ui.presenters.faults import describe_error
from ui.presenters.link import LinkAction, LinkState, describe_link
from ui.remembered import REMEMBERED
from ui.scope import Scope
from ui.session import NotConnectedError, Session
from ui.widgets.dialogs import tell, wait_for
from ui.widgets.finder import Finder
from ui.widgets.job_tray import JobTray
from ui.widgets.rail import Place, Rail
from ui.widgets.surface import Banner
from ui.widgets.text import row
from ui.widgets.toast import Toast

MAX_FOUND = 2000  # settings that the search knows
FOUND_ACCOUNTS = 12  # as many as the search shows
BANNER_DELAY_MS = 600  # a short break is not worth a flash


class MainWindow(QMainWindow):
    """Owns the pages and the tasks of the window. `closed` is called when it is gone."""

    def __init__(
        self,
        session: Session,
        settings: QSettings,
        *,
        default_folder: Path,
        closed: Callable[[], None],
    ) -> None:
        super().__init__()
        self.session, self.settings = session, settings
        REMEMBERED.attach(settings)
        self._default_folder = default_folder
        self._closed = closed
        self._leaving = False
        self._practice = False
        self._path = "/"
        self.scope = Scope(self.show_error)
        self.desk = Desk(
            session=session,
            scope=self.scope,
            go=self.go,
            toast=self.say,
            fail=self.show_error,
            window=self,
        )
        self.setWindowTitle("Gatepost")
        self.setWindowIcon(icons.product_mark())
        self.setMinimumSize(palette.size("window_min_width"), palette.size("window_min_height"))
        self._build()
        self._connect_keys()
        self._restore_geometry()
        session.state_changed.connect(self._show_link)
        session.happened.connect(self._take)
        session.refresh.connect(self._refresh)
        session.crash_loop.connect(self._show_recovery)
        session.not_kept.connect(self._say_not_kept)
        self._show_link()

    # ---- building

    def _build(self) -> None:
        places = [
            Place(p.id, p.title, p.path, p.icon, area_title(p.entry.area))
            for p in PAGES
            if not p.parent
        ]
        self.rail = Rail(places, self.go, self.open_search)
        self.link_banner = Banner(strip=True)
        self.practice_banner = Banner(strip=True)
        self.error_banner = Banner(strip=True, dismissible=True)
        self._link_delay = QTimer(self)
        self._link_delay.setSingleShot(True)
        self._link_delay.setInterval(BANNER_DELAY_MS)
        self._link_delay.timeout.connect(self._show_link_banner)
        self.pages: dict[str, Page] = {}
        self.stack = QStackedWidget()
        self._info = PAGES[0]
        self._page(self._info)
        main = QVBoxLayout()
        main.setContentsMargins(0, 0, 0, 0)
        main.setSpacing(0)
        for banner in (self.link_banner, self.practice_banner, self.error_banner):
            main.addWidget(banner)
        self._tray_row = row(None)
        self._tray_row.setContentsMargins(0, 0, palette.space("xl"), 0)
        main.addLayout(self._tray_row)
        main.addWidget(self.stack, 1)
        self.shell = QWidget()
        across = QHBoxLayout(self.shell)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        across.addWidget(self.rail)
        across.addLayout(main, 1)
        self.start_page = StartPage(self.desk, lambda: self._default_folder)
        self.recovery_page = RecoveryPage(self.desk)
        self.body = QStackedWidget()
        for widget in (self.start_page, self.shell, self.recovery_page):
            self.body.addWidget(widget)
        self.setCentralWidget(self.body)
        self.toast = Toast(self)
        self.tray = JobTray(self.session, self.scope, self.go, self.shell)
        self._tray_row.addWidget(self.tray.button)

    def _connect_keys(self) -> None:
        def key(keys: str, then: Callable[[], object]) -> None:
            QShortcut(QKeySequence(keys), self).activated.connect(then)

        key("Ctrl+K", self.open_search)
        key("F5", self._reload)
        key("Ctrl+Q", self.close)
        key("Escape", self._leave_detail)
        key("F1", self._help)
        for number, info in enumerate([p for p in PAGES if not p.parent][:9], start=1):
            key(f"Ctrl+{number}", partial(self.go, info.path))

    # ---- going places

    @property
    def path(self) -> str:
        return self._path

    @property
    def current(self) -> Page:
        return self.pages[self._info.id]

    @property
    def info(self) -> PageInfo:
        return self._info

    def _page(self, info: PageInfo) -> Page:
        """Made when it is opened for the first time: most are not looked at in a sitting."""
        page = self.pages.get(info.id)
        if page is None:
            same = (
                other.id for other in PAGES if other.make is info.make and other.id in self.pages
            )
            if (made := next(same, None)) is not None:
                page = self.pages[made]  # another tab of the same thing
            else:
                page = info.make(self.desk)
                self.stack.addWidget(page)
            self.pages[info.id] = page
        return page

    def go(self, path: str) -> None:
        """Opens a page by its path; `/start` and what is below it is the start page."""
        if path == "/start" or path.startswith("/start/"):
            self.start_page.show_page(path.removeprefix("/start").strip("/"))
            self.body.setCurrentWidget(self.start_page)
            return
        info, rest = resolve(path)
        self._path = path
        self.error_banner.hide()
        self.body.setCurrentWidget(self.shell)
        page = self._page(info)
        self._info = info
        self.stack.setCurrentWidget(page)
        self.rail.mark(info.parent or info.id)
        self._title(info)
        self._allow_input()
        page.page_id = info.id
        page.open(rest)

    def _title(self, info: PageInfo) -> None:
        where = self._server_name()
        self.setWindowTitle(
            f"{info.title} – {where} – Gatepost" if where else f"{info.title} – Gatepost"
        )

    def open_search(self) -> None:
        finder = Finder(self, [*search_entries(), *search_words.ACTIONS], self.go)
        self.scope.start(self._search(finder), "search")

    async def _search(self, finder: Finder) -> None:
        if self.session.is_connected:
            self.scope.start(self._fill_search(finder), "search entries")
            finder.settled.connect(lambda: self.scope.start(self._find_accounts(finder), "search"))
            self.scope.start(self._find_accounts(finder), "search accounts")
        await wait_for(finder)

    async def _find_accounts(self, finder: Finder) -> None:
        """The server looks through them: there may be thousands."""
        query = t.AccountsQuery(search=finder.line.text().strip(), limit=FOUND_ACCOUNTS)
        page = await self.session.call(lambda client: client.accounts_page(query))
        if finder.isVisible():
            finder.add_found(search_words.of_accounts(page.items))

    async def _fill_search(self, finder: Finder) -> None:
        domains = await self.session.call(lambda client: client.domains())
        settings = await self.session.call(lambda client: client.search_forms("", limit=MAX_FOUND))
        entries = [
            *search_words.of_domains(domains),
            *search_words.of_settings(settings),
        ]
        if finder.isVisible():
            finder.add_entries(entries)

    def _reload(self) -> None:
        self.session.retry_now()
        self.current.mark_stale()

    def _help(self) -> None:
        self.scope.start(show_help(self, self.current), "help")

    def _leave_detail(self) -> None:
        if not self.current.leave_detail() and self.error_banner.isVisible():
            self.error_banner.hide()

    # ---- the link

    def open_target(self, target: Target) -> None:
        self.session.open(target)
        self.go(self._path)

    def _server_name(self) -> str:
        target = self.session.target
        if isinstance(target, RemoteServer):
            return target.url.partition("://")[2]
        if isinstance(target, LocalServer):
            return "this computer"
        return ""

    def _show_link(self) -> None:
        session = self.session
        words = describe_link(session.state, local=session.is_local, detail=session.detail)
        name = self._server_name()
        self.rail.set_server(name[:1].upper() + name[1:], words.pill, words.tone)
        if session.state in {LinkState.CONNECTED, LinkState.NO_SERVER}:
            self._link_delay.stop()
            self.link_banner.hide()
        elif session.state in {LinkState.CONNECTING, LinkState.RESTARTING, LinkState.STARTING}:
            if self.link_banner.isHidden():
                self._link_delay.start()
            else:
                self._show_link_banner()
        else:
            self._show_link_banner()
        if (
            session.state is LinkState.NO_SERVER
            and self.body.currentWidget() is not self.start_page
        ):
            self.go("/start")
        self._allow_input()
        if not session.is_connected and not session.is_coming and self.current.state == "loading":
            self.current.mark_stale()  # what it waits for does not come: it says so
        self._remember_target()

    def _show_link_banner(self) -> None:
        session = self.session
        if session.state in {LinkState.CONNECTED, LinkState.NO_SERVER}:
            return
        words = describe_link(
            session.state,
            local=session.is_local,
            detail=session.detail,
            waiting_s=session.waiting_s,
        )
        actions = [(action.value, partial(self._act_on_link, action)) for action in words.actions]
        self.link_banner.show_message(words.tone, words.title, words.body, list(actions))
        self.practice_banner.setVisible(self._practice and session.is_connected)

    def _act_on_link(self, action: LinkAction) -> None:
        match action:
            case LinkAction.START:
                self.scope.start(self.session.start_server(), "start server")
            case LinkAction.STOP:
                self.scope.start(self.session.stop_server(), "stop server")
            case LinkAction.RESTART:
                self.scope.start(self.session.restart_server(), "restart server")
            case LinkAction.RETRY:
                self.session.retry_now()
            case LinkAction.SHOW_LOG:
                self.go("/server")
            case LinkAction.CHOOSE:
                self.go("/start/connect")
            case LinkAction.SIGN_IN:
                self.scope.start(self._sign_in(), "sign in")

    async def _sign_in(self) -> None:
        state = await self.session.keys.look()
        sheet = SignInSheet(self, self._server_name(), self.session.detail, state)
        if await wait_for(sheet):
            wanted = sheet.remember.is_wanted()
            self.session.sign_in(sheet.password.line.text(), remember=wanted)

    def _allow_input(self) -> None:
        """Without a connection pages stay readable, but nothing can be changed in them."""
        connected = self.session.is_connected
        for info in PAGES:
            page = self.pages.get(info.id)
            if page is not None and not info.offline:
                page.content.setEnabled(connected)
                for i in range(page.toolbar.count()):
                    item = page.toolbar.itemAt(i)
                    if item is not None and (widget := item.widget()) is not None:
                        widget.setEnabled(connected)

    def _refresh(self) -> None:
        self.error_banner.hide()
        for page in set(self.pages.values()):
            page.mark_stale()
        self.scope.start(self._read_mode(), "practice mode")
        self.scope.start(self.tray.read(), "long work")

    async def _read_mode(self) -> None:
        status = await self.session.call(lambda client: client.status())
        self._practice = status.practice_mode
        if status.practice_mode:
            self.practice_banner.show_message(
                "info",
                "Practice mode – nothing leaves this computer",
                "",
                [("Set up a domain…", partial(self.go, "/start/domain"))],
            )
        else:
            self.practice_banner.hide()
        counters = status.counters
        self.rail.set_count("queue", "Queue", counters.queue_waiting + counters.queue_held)

    def _take(self, event: t.EventData) -> None:
        if isinstance(event, t.JobEvent):
            self.tray.take(event.job)
        if isinstance(event, t.StatusEvent):
            waiting = event.counters.queue_waiting + event.counters.queue_held
            self.rail.set_count("queue", "Queue", waiting)
        for page in set(self.pages.values()):
            page.take(event)

    def _show_recovery(self) -> None:
        self.recovery_page.prepare()
        self.body.setCurrentWidget(self.recovery_page)

    def _say_not_kept(self, reason: str) -> None:
        self.say(reason or "The keyring did not take the password; it is asked for next time.")

    # ---- saying things

    def say(
        self,
        text: str,
        undo: Callable[[], object] | None = None,
        done: Callable[[], object] | None = None,
    ) -> None:
        self.toast.say(text, undo, done)

    def show_error(self, error: Exception) -> None:
        title = "That did not work."
        if isinstance(error, NotConnectedError):
            title = "There is no connection to the server."
        self.error_banner.show_message("error", title, describe_error(error))

    # ---- settings and the end

    def _remember_target(self) -> None:
        target = self.session.target
        if self.session.is_connected and target is not None:
            if isinstance(target, LocalServer):
                self.settings.setValue("server/folder", str(target.folder))
                self.settings.remove("server/url")
            else:
                self.settings.setValue("server/url", target.url)
                self.settings.setValue("server/ca_file", str(target.ca_file or ""))
        stopped = self.session.state is LinkState.STOPPING
        if stopped or self.session.is_connected:
            self.settings.setValue("server/stopped_on_purpose", stopped)

    def _restore_geometry(self) -> None:
        if not REMEMBERED.restore_place(self):
            screen = self.screen().availableGeometry()
            self.resize(min(1240, screen.width()), min(820, screen.height()))
        self._path = str(self.settings.value("window/path") or "/")

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing never stops mail; the first time this is said."""
        if self._leaving:
            event.accept()
            return
        told = self.settings.value("window/told", False, type=bool)
        if self.session.is_connected and self.session.is_local and not told:
            event.ignore()
            self.scope.start(self._tell_and_leave(), "first close")
            return
        self.leave()
        event.accept()

    async def _tell_and_leave(self) -> None:
        self.settings.setValue("window/told", True)
        keeps = await tell(
            self,
            "Mail keeps running in the background",
            "Closing this window does not stop the server. Open Gatepost again whenever you want to look after it. "
            "To stop the server, use the page Server.",
            ok="Close the window",
            other="Stop the server…",
        )
        if keeps:
            self.leave()
            self.close()
        else:
            self.go("/server")

    def leave(self) -> None:
        """Saves what is kept and ends the window's tasks."""
        if self._leaving:
            return
        self._leaving = True
        REMEMBERED.save_place(self)
        self.settings.setValue("window/path", self._path)
        self.settings.sync()
        self.toast.abandon()
        self.scope.close()
        self._closed()

    def present(self, path: str = "") -> None:
        """Shows the window again, on request of the user (a second start)."""
        if path:
            self.go(path)
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        handle = self.windowHandle()
        if handle is not None:
            handle.requestActivate()


async def drain(window: MainWindow) -> None:
    """Waits until the window's tasks have ended."""
    await window.scope.drain()
    await asyncio.sleep(0)

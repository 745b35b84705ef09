"""The server itself: is it running, start and stop it, its doors, its folder, the browser's sign-in; and this window."""

from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QGridLayout, QPlainTextEdit, QVBoxLayout

from backend.api import pages as registry
from backend.api import sessions as ss
from backend.api import types as t
from ui import palette
from ui.control import LocalServer
from ui.pages.page import Desk, Page
from ui.presenters import overview, wording
from ui.presenters.link import LinkState, describe_link
from ui.session import NotConnectedError
from ui.widgets.charts import StateDisc
from ui.widgets.copyfield import CopyField
from ui.widgets.dialogs import Sheet, ask, wait_for
from ui.widgets.forms import Choice
from ui.widgets.surface import Banner, Card, StatusPill
from ui.widgets.text import Label, button, clear, column, row

TAIL_LINES = 30
SHOWN_SESSIONS = 8
BUSY = {LinkState.STARTING, LinkState.RESTARTING, LinkState.STOPPING, LinkState.CONNECTING}


class ServerPage(Page):
    TITLE = "Server"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._status: t.Status | None = None
        state = Card()
        self._disc = StateDisc("neutral", 52)
        self._title = Label("", "title")
        self._text = Label("", tone="muted", selectable=True)
        self.start = button(
            "Start", self._start, kind="primary", icon="player-play", name="Start the server"
        )
        self.restart = button("Restart", self._restart, icon="refresh", name="Restart the server")
        self.stop = button("Stop…", self._stop, icon="player-stop", name="Stop the server")
        state.body.addLayout(
            row(
                self._disc,
                column(self._title, self._text, gap="xs"),
                self.start,
                self.restart,
                self.stop,
                gap="m",
                grow=1,
            )
        )
        self.body.addWidget(state)

        self._tail_card = Card(
            "Its last lines", button("Show the whole log", lambda: desk.go("/log"), kind="link")
        )
        self.tail = QPlainTextEdit()
        self.tail.setReadOnly(True)
        self.tail.setAccessibleName("Last lines of the log")
        self.tail.setProperty("kind", "field")
        self.tail.setFont(palette.mono_font(0.9))
        self.tail.setMinimumHeight(220)
        self._tail_card.body.addWidget(self.tail)
        self._tail_card.hide()
        self.body.addWidget(self._tail_card)

        self._problems = Card("Needs attention")
        self._problems.hide()
        self.body.addWidget(self._problems)

        self._ports = QGridLayout()
        self._ports.setHorizontalSpacing(palette.space("xl"))
        self._ports.setVerticalSpacing(palette.space("s"))
        self._ports.setColumnStretch(1, 1)
        ports = Card("Ports")
        ports.body.addLayout(self._ports)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(palette.space("xl"))
        self._facts.setVerticalSpacing(palette.space("s"))
        self._facts.setColumnStretch(1, 1)
        self._open_folder = button("Open the data folder", self._show_folder, icon="folder")
        facts = Card("This server", self._open_folder)
        facts.body.addLayout(self._facts)
        settings = Card("Settings of the server")
        for entry in registry.PAGES:
            if entry.parent == "server" and entry.form:
                settings.body.addLayout(
                    row(
                        button(
                            entry.title, partial(desk.go, entry.path), kind="link", icon=entry.icon
                        ),
                        None,
                    )
                )
        self.body.addWidget(settings)
        self.body.addWidget(ports)
        self.body.addWidget(facts)

        web = Card("Administration in a browser")
        self._web_url = CopyField("Address", "")
        self._web_note = Label("", tone="muted")
        self._web_password = button("Set a new password for it…", self._new_password, icon="key")
        self._web_open = button("Open in the browser", self._open_web, icon="external-link")
        web.body.addWidget(self._web_note)
        web.body.addWidget(self._web_url)
        web.body.addLayout(row(self._web_open, self._web_password, None))
        self.body.addWidget(web)

        self._sessions = QVBoxLayout()
        sessions = Card("Signed in to the administration")
        sessions.body.addWidget(
            Label(
                "From other computers it can be reached only where a listener offers it to them, which none does at first. "
                "After wrong passwords an address waits longer and longer; nobody is locked out for good.",
                tone="muted",
            )
        )
        sessions.body.addLayout(self._sessions)
        sessions.body.addLayout(
            row(
                button("Refused sign-ins", lambda: desk.go("/signins"), kind="link", icon="key"),
                None,
            )
        )
        self.body.addWidget(sessions)

        window = Card("This window")
        self.appearance = Choice(
            "Appearance", "System follows light and dark as your desktop does."
        )
        self.appearance.set_entries([("system", "System"), ("light", "Light"), ("dark", "Dark")])
        self.appearance.select(palette.theme().choice)
        self.appearance.chosen.connect(self._choose_theme)
        window.body.addWidget(self.appearance)
        window.body.addLayout(
            row(button("Connect to another server…", lambda: desk.go("/start"), icon="plug"), None)
        )
        self.body.addWidget(window)
        self.body.addStretch(1)
        self._connected_cards = (ports, facts, web, settings, sessions)
        desk.session.state_changed.connect(self.draw_state)
        self.draw_state()

    # ---- reading

    async def fetch(self) -> bool:
        try:
            self._status = await self.desk.session.call(lambda client: client.status())
        except NotConnectedError:
            self._status = None
        for card in self._connected_cards:
            card.setVisible(self._status is not None)
        if self._status is not None:
            self._draw(self._status)
            self._draw_sessions(await self.desk.session.call(lambda client: client.sessions()))
        else:
            self._problems.hide()
        self.draw_state()
        return True

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.ConfigEvent | t.ProblemEvent | t.SignInEvent):
            self.mark_stale()

    def draw_state(self) -> None:
        session = self.desk.session
        words = describe_link(session.state, local=session.is_local, detail=session.detail)
        self._disc.set_tone("neutral" if words.tone == "info" else words.tone)
        connected = session.is_connected
        self._title.setText("The server is running." if connected else words.title)
        since = ""
        if self._status is not None and connected:
            up = (datetime.now(UTC) - self._status.started_at).total_seconds()
            since = f"For {wording.duration(up)}. Closing this window does not stop it."
        self._text.setText(since or words.body)
        busy = session.state in BUSY
        down = session.state in {LinkState.STOPPED, LinkState.DIED, LinkState.NO_SERVER}
        self.start.setVisible(session.is_local and down)
        self.stop.setVisible(not down)
        self.restart.setVisible(not down)
        self.stop.setEnabled(not busy)
        self.restart.setEnabled(not busy)
        died = session.state is LinkState.DIED and isinstance(session.target, LocalServer)
        if died and isinstance(session.target, LocalServer):
            self.tail.setPlainText(
                "\n".join(session.control.tail(session.target.folder, TAIL_LINES))
            )
            bar = self.tail.verticalScrollBar()
            bar.setValue(bar.maximum())
        self._tail_card.setVisible(died)
        if not connected:
            for card in self._connected_cards:
                card.setVisible(self._status is not None and not down)

    def _draw(self, status: t.Status) -> None:
        while self._problems.body.count() > 1:
            item = self._problems.body.takeAt(1)
            if item is not None and (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._problems.setVisible(bool(status.problems))
        for entry in overview.attention(status.problems)[0]:
            banner = Banner()
            banner.show_message(entry.tone, entry.title, entry.body)
            self._problems.body.addWidget(banner)
        _empty_grid(self._ports)
        for i, (port, purpose, security) in enumerate(overview.port_rows(status.ports)):
            number = Label(port, wrap=False, selectable=True)
            number.setFont(palette.mono_font())
            self._ports.addWidget(number, i, 0)
            self._ports.addWidget(Label(purpose), i, 1)
            tone = "neutral" if security == "not encrypted" else "ok"
            self._ports.addWidget(StatusPill(security, tone), i, 2)
        if not status.ports:
            self._ports.addWidget(Label("No port is open.", tone="muted"), 0, 0)
        _empty_grid(self._facts)
        rows = [(fact.label, fact.value) for fact in overview.facts(status)]
        rows += [
            ("Process", str(status.pid)),
            ("Settings", f"revision {status.config_revision}"),
        ]
        for i, (label, value) in enumerate(rows):
            self._facts.addWidget(Label(label, tone="muted", wrap=False), i, 0)
            self._facts.addWidget(Label(value, selectable=True), i, 1)
        self._open_folder.setVisible(self.desk.session.is_local)
        self._web_url.set_value(status.web_url)
        offered = bool(status.web_url)
        self._web_url.setVisible(offered)
        self._web_open.setVisible(offered)
        self._web_note.setText(
            "The same pages, signed in, in any browser."
            if offered
            else "It is switched off. Set an http_port or https_port and admin = true for a listener in server.toml."
        )

    # ---- doing

    def _start(self) -> None:
        self.do(self.desk.session.start_server(), "start server")

    def _draw_sessions(self, sessions: list[ss.AdminSession]) -> None:
        clear(self._sessions)
        now = datetime.now(UTC)
        order = sorted(sessions, key=lambda one: (one.current, one.used_at), reverse=True)
        for one in order[:SHOWN_SESSIONS]:
            program = one.program or "A program"
            used = wording.moment_ago(one.used_at, now)
            where = f"{one.peer or 'this computer'}, used {used}"
            name = "This window" if one.current else program
            line = row(Label(name, wrap=False), Label(where, tone="muted", wrap=False), None)
            if not one.current:
                line.addWidget(
                    button(
                        "Sign out",
                        partial(self._end_session, one.id),
                        kind="link",
                        name=f"Sign out {program} of {one.peer}",
                    )
                )
            self._sessions.addLayout(line)
        if (more := len(order) - SHOWN_SESSIONS) > 0:
            self._sessions.addWidget(Label(f"and {more} more", tone="muted"))
        if not order:
            self._sessions.addWidget(Label("Nobody but this computer's owner.", tone="muted"))

    def _end_session(self, session: str) -> None:
        self.do(self._ending_session(session), "end session")

    async def _ending_session(self, session: str) -> None:
        await self.desk.session.call(lambda client: client.revoke_session(session))
        self.desk.toast("That session has ended.")
        self.mark_stale()

    def _restart(self) -> None:
        self.do(self._restarting(), "restart server")

    async def _restarting(self) -> None:
        if await ask(
            self.desk.window,
            "Restart the server?",
            "Mail apps lose their connection for a moment and come back by themselves. No mail is lost.",
            yes="Restart",
            no="Keep running",
        ):
            await self.desk.session.restart_server()

    def _stop(self) -> None:
        self.do(self._stopping(), "stop server")

    async def _stopping(self) -> None:
        if await ask(
            self.desk.window,
            "Stop the server?",
            "No mail is received or sent until it is started again. Other servers keep trying for days, "
            "so nothing is lost if it is not for long. Mail programs will say that they are offline.",
            yes="Stop the server",
            no="Keep it running",
            danger=True,
        ):
            await self.desk.session.stop_server()

    def _show_folder(self) -> None:
        target = self.desk.session.target
        if isinstance(target, LocalServer):
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(target.folder)))

    def _open_web(self) -> None:
        QDesktopServices.openUrl(QUrl(self._web_url.value()))

    def _new_password(self) -> None:
        self.do(self._setting_password(), "administrator's password")

    async def _setting_password(self) -> None:
        if not await ask(
            self.desk.window,
            "Set a new administrator password?",
            "A strong one is made up and shown once. Browsers that are signed in have to sign in again.",
            yes="Set a new password",
        ):
            return
        reply = await self.desk.session.call(lambda client: client.change_admin_password())
        if reply.password:
            sheet = Sheet(self.desk.window, "The new administrator password")
            sheet.add(
                CopyField("Password", reply.password, sensitive=True),
                Label("It is shown only now. Keep it in a password safe.", tone="muted"),
            )
            sheet.add_button("Done", sheet.accept, kind="primary", default=True)
            await wait_for(sheet)

    def _choose_theme(self) -> None:
        palette.theme().choose(self.appearance.value())


def _empty_grid(grid: QGridLayout) -> None:
    while (item := grid.takeAt(0)) is not None:
        if (old := item.widget()) is not None:
            old.hide()
            old.deleteLater()

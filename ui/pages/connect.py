"""Connect a mail app: the settings to copy, steps for the program at hand, a code to take them along."""

from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import QByteArray, QRectF, QSize, QTimer
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from backend.api import connect as c
from ui import palette
from ui.pages.page import Desk
from ui.pages.tabbed import Panel
from ui.presenters import connect, wording
from ui.widgets.copyfield import CopyField, copy_text
from ui.widgets.dialogs import choose_save_file
from ui.widgets.surface import Banner, Card, StatusPill
from ui.widgets.text import Label, button, clear, column, row, set_button_text

QR_SIDE = 200
LOOK_MS = 5000
JUST_NOW_S = 120
CODE_NOTE = "It leads to the settings, without the password. It works once, for 15 minutes."


class QrCode(QWidget):
    """A code on white, so that cameras read it in the dark scheme too."""

    def __init__(self) -> None:
        super().__init__()
        self._renderer = QSvgRenderer()
        self.setFixedSize(QR_SIDE, QR_SIDE)

    def set_svg(self, svg: str) -> None:
        self._renderer.load(QByteArray(svg.encode()))
        self.setAccessibleName("Code with a link to the settings, without the password")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(QR_SIDE, QR_SIDE)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("white"))
        if self._renderer.isValid():
            self._renderer.render(painter, QRectF(self.rect()))


class ConnectPanel(Panel):
    """Shows `ClientSettings`."""

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self._desk = desk
        self._settings: c.ClientSettings | None = None
        self._device = "apple"
        self._link = ""
        outer = QVBoxLayout()
        outer.setSpacing(palette.space("l"))
        self.body.insertLayout(0, outer)

        self._chips = QHBoxLayout()
        self._chips.setSpacing(palette.space("s"))
        self._group = QButtonGroup(self)
        self._steps = QVBoxLayout()
        self._steps.setSpacing(palette.space("s"))
        self.qr = QrCode()
        self.qr.hide()
        self._make = button("Make a code", self._make_code, kind="primary", icon="device-mobile")
        self._copy_link = button("Copy the link", self._copy_the_link, icon="copy")
        self._copy_link.hide()
        self._code_note = Label(CODE_NOTE, "small", tone="muted")
        self._code = QWidget()
        self._code.setFixedWidth(QR_SIDE + 60)
        self._code.setLayout(
            column(self.qr, self._code_note, self._make, self._copy_link, None, gap="s")
        )
        how = Card("How to")
        inner = QHBoxLayout()
        inner.setSpacing(palette.space("xl"))
        inner.addLayout(self._steps, 1)
        inner.addWidget(self._code)
        self._asked = Label("", tone="muted")
        self._check = button("Do mail apps find the settings?", self._check_setup, icon="search")
        self.found = Banner()
        how.body.addLayout(self._chips)
        how.body.addSpacing(palette.space("s"))
        how.body.addLayout(inner)
        how.body.addWidget(self._asked)
        how.body.addLayout(row(self._check, None))
        how.body.addWidget(self.found)
        outer.addWidget(how)

        self._servers = QGridLayout()
        self._servers.setSpacing(palette.space("m"))
        self._servers.setColumnStretch(0, 1)
        self._servers.setColumnStretch(1, 1)
        outer.addLayout(self._servers)
        # Who asks the server for settings is no event: the page looks from time to time.
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self._look_again)

        self._save_ca = button("Save the certificate…", self._save_certificate, icon="shield-check")
        copy_all = button("Copy all settings", self._copy_all, icon="copy")
        outer.addLayout(row(copy_all, self._save_ca, None))

    async def load(self) -> None:
        settings = await self._desk.session.call(lambda client: client.client_settings(self.thing))
        self.show_settings(settings)

    def settings(self) -> c.ClientSettings | None:
        return self._settings

    def show_settings(self, settings: c.ClientSettings) -> None:
        self._show_asked(settings)
        if settings == self._settings:
            return
        old, self._settings = self._settings, settings
        if old is None or old.model_copy(update={"asked_at": settings.asked_at}) != settings:
            self._draw(settings)

    def _show_asked(self, settings: c.ClientSettings) -> None:
        now, at = datetime.now(UTC), settings.asked_at
        if at is not None and (now - at).total_seconds() < JUST_NOW_S:
            said = f"A mail app has asked this server for its settings {wording.ago(at, now)}."
            self._asked.setText(f"✓ {said}")
            self._asked.set_tone("ok")
        else:
            self._asked.setText(
                "As soon as a mail app asks this server for its settings, it shows here."
            )
            self._asked.set_tone("muted")

    def _draw(self, settings: c.ClientSettings) -> None:
        self._save_ca.setVisible(bool(settings.ca_path))
        clear(self._chips)
        for device in settings.devices:
            chip = button(
                device.title,
                partial(self.choose_device, device.id),
                kind="chip",
                name=f"Steps for: {device.title}",
            )
            chip.setCheckable(True)
            chip.setChecked(device.id == self._device)
            self._group.addButton(chip)
            self._chips.addWidget(chip)
        self._chips.addStretch(1)
        while (item := self._servers.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for place, servers in enumerate((settings.incoming, settings.outgoing)):
            best, others = connect.preferred(servers)
            for level, server in enumerate([best, *others] if best is not None else []):
                self._servers.addWidget(_server_card(server), level, place)
        self.choose_device(self._device)

    def choose_device(self, device: str) -> None:
        self._device = device
        clear(self._steps)
        if self._settings is None:
            return
        chosen = next((each for each in self._settings.devices if each.id == device), None)
        if chosen is None:
            return
        for number, text in enumerate(chosen.steps, start=1):
            line = QWidget()
            mark = Label(f"{number}.", bold=True, wrap=False)
            mark.setFixedWidth(22)
            inner = row(mark, Label(text, selectable=True), gap="xs", grow=1)
            line.setLayout(inner)
            self._steps.addWidget(line)
        self._steps.addStretch(1)
        self._code.setVisible(chosen.profile)

    # ---- a code for phones

    def _make_code(self) -> None:
        self._desk.scope.start(self._making_code(), "make code")

    async def _making_code(self) -> None:
        link = await self._desk.session.call(lambda client: client.offer_profile(self.thing))
        self._link = link.url
        self.qr.set_svg(link.qr_svg)
        self.qr.show()
        until = wording.clock(link.expires_at, seconds=False)
        self._code_note.setText(f"It works once, until {until}. {link.note}")
        set_button_text(self._make, "Make a new one")
        self._make.setAccessibleName("Make a new code")
        self._copy_link.show()

    def _copy_the_link(self) -> None:
        copy_text(self._link)
        self._desk.toast("The link was copied. It works once.")

    # ---- who asks

    def _look_again(self) -> None:
        if self._desk.session.is_connected:
            self._desk.scope.start(self.load(), "who asks for settings")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._look.stop()

    def _check_setup(self) -> None:
        self._desk.scope.start(self._checking(), "check setup")

    async def _checking(self) -> None:
        self._check.setEnabled(False)
        try:
            found = await self._desk.session.call(lambda client: client.check_setup(self.thing))
        finally:
            self._check.setEnabled(True)
        marks = {True: "✓", False: "✕", None: "–"}
        lines = [f"{marks[step.ok]} {step.name}: {step.text}" for step in found.steps]
        body = "\n".join([*([found.fix] if found.fix else []), *lines])
        self.found.show_message("ok" if found.ok else "warn", found.message, body)

    def _copy_all(self) -> None:
        if self._settings is not None:
            copy_text(connect.as_text(self._settings))
            self._desk.toast("All settings were copied, without the password.")

    def _save_certificate(self) -> None:
        self._desk.scope.start(self._saving(), "save certificate")

    async def _saving(self) -> None:
        pem = await self._desk.session.call(lambda client: client.ca_certificate())
        path = await choose_save_file(self._desk.window, "Save the certificate", "gatepost-ca.pem")
        if path:
            with open(path, "w", encoding="ascii") as file:  # noqa: ASYNC230  # two kilobytes, once
                file.write(pem)
            self._desk.toast("The certificate was saved.")


def _server_card(server: c.MailServer) -> Card:
    shown = connect.server_rows(server)
    marks = [StatusPill("recommended", "ok")] if shown.recommended else []
    card = Card(shown.title, *marks)
    fields = [CopyField(label, value) for label, value in shown.rows]
    host, port, security, user, authentication = fields
    for wide, narrow in ((host, port), (user, security)):
        line = row(wide, narrow, gap="m")
        line.setStretch(0, 3)
        line.setStretch(1, 2)
        card.body.addLayout(line)
    card.body.addWidget(authentication)
    if shown.note:
        card.body.addWidget(Label(shown.note, "small", tone="muted"))
    card.body.addStretch(1)
    return card

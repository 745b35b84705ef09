"""Connect a mail app: the settings to copy, steps for the program at hand, a code to take them along."""

import io
from functools import partial

import segno
from PySide6.QtCore import QByteArray, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from backend.api import connect as c
from ui import palette
from ui.pages.page import Desk
from ui.pages.tabbed import Panel
from ui.presenters import connect
from ui.widgets.copyfield import CopyField, copy_text
from ui.widgets.dialogs import choose_save_file
from ui.widgets.surface import Card, StatusPill
from ui.widgets.text import Label, button, clear, column, row

QR_SIDE = 168


class QrCode(QWidget):
    """A code on white, so that cameras read it in the dark scheme too."""

    def __init__(self) -> None:
        super().__init__()
        self._renderer = QSvgRenderer()
        self.setFixedSize(QR_SIDE, QR_SIDE)

    def set_text(self, text: str) -> None:
        out = io.BytesIO()
        segno.make(text, error="m").save(out, kind="svg", border=2, dark="#000", light="#fff")
        self._renderer.load(QByteArray(out.getvalue()))
        self.setAccessibleName("Code with the settings, without the password")
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
        self._device = "any"
        outer = QVBoxLayout()
        outer.setSpacing(palette.space("l"))
        self.body.insertLayout(0, outer)

        chips = QHBoxLayout()
        chips.setSpacing(palette.space("s"))
        self._group = QButtonGroup(self)
        for key, title in connect.DEVICES:
            chip = button(
                title,
                partial(self.choose_device, key),
                kind="chip",
                name=f"Steps for: {title}",
            )
            chip.setCheckable(True)
            chip.setChecked(key == self._device)
            self._group.addButton(chip)
            chips.addWidget(chip)
        chips.addStretch(1)

        self._steps = QVBoxLayout()
        self._steps.setSpacing(palette.space("s"))
        self.qr = QrCode()
        code = column(self.qr, Label("The settings, without the password", "small", tone="muted"))
        how = Card("How to")
        inner = QHBoxLayout()
        inner.setSpacing(palette.space("xl"))
        inner.addLayout(self._steps, 1)
        inner.addLayout(code)
        how.body.addLayout(chips)
        how.body.addSpacing(palette.space("s"))
        how.body.addLayout(inner)
        outer.addWidget(how)

        self._servers = QGridLayout()
        self._servers.setSpacing(palette.space("m"))
        self._servers.setColumnStretch(0, 1)
        self._servers.setColumnStretch(1, 1)
        outer.addLayout(self._servers)

        self._save_ca = button("Save the certificate…", self._save_certificate, icon="shield-check")
        copy_all = button("Copy all settings", self._copy_all, icon="copy")
        outer.addLayout(row(copy_all, self._save_ca, None))

    async def load(self) -> None:
        settings = await self._desk.session.call(lambda client: client.client_settings(self.thing))
        self.show_settings(settings)

    def settings(self) -> c.ClientSettings | None:
        return self._settings

    def show_settings(self, settings: c.ClientSettings) -> None:
        if settings == self._settings:
            return
        self._settings = settings
        self.qr.set_text(connect.qr_text(settings))
        self._save_ca.setVisible(bool(settings.ca_path))
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
        for number, text in enumerate(connect.steps(self._settings, device), start=1):
            line = QWidget()
            mark = Label(f"{number}.", bold=True, wrap=False)
            mark.setFixedWidth(22)
            inner = row(mark, Label(text, selectable=True), gap="xs", grow=1)
            line.setLayout(inner)
            self._steps.addWidget(line)
        self._steps.addStretch(1)

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

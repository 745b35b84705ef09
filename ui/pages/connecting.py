"""Opening a server that runs already: by its data folder on this computer, or by its address."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt

from ui.control import LocalServer, RemoteServer
from ui.pages.page import Desk
from ui.pages.short import ShortPage
from ui.pages.signing_in import RememberBox
from ui.presenters.addresses import check_server_address, complete_server_address
from ui.widgets.dialogs import choose_folder
from ui.widgets.forms import Field, show_faults
from ui.widgets.surface import Card
from ui.widgets.text import button, row


class ConnectPage(ShortPage):
    """Opens a server that runs already: by its data folder, or by its address."""

    def __init__(self, desk: Desk, back: Callable[[], None], folder: Callable[[], Path]) -> None:
        super().__init__(
            "Connect to a server that is already running",
            "On this computer by its data folder, elsewhere by its address.",
            back,
        )
        self._desk, self._default = desk, folder
        local = Card("On this computer", padding="xl")
        self.folder = Field(
            "Data folder",
            value="",
            help="The folder that holds its mail and settings. You need no password for your own.",
        )
        choose = button("Choose…", self._choose, icon="folder", name="Choose the data folder")
        self.open_local = button(
            "Open", self._open_folder, kind="primary", name="Open this data folder"
        )
        self.folder.submitted.connect(self._open_folder)
        local.body.addWidget(self.folder)
        local.body.addLayout(row(self.open_local, choose, None))
        remote = Card("On another computer", padding="xl")
        self.address = Field(
            "Address",
            placeholder="https://mail.example.org:8443",
            help="As you would enter it in a browser.",
        )
        self.password = Field("Administrator password", secret=True)
        self.remember = RememberBox()
        self.ca = Field(
            "Certificate file",
            optional=True,
            help="Only when the server made its own: the file “gatepost-ca.pem”, saved from it.",
        )
        self.open_remote = button("Sign in", self._open_address, kind="primary", icon="login")
        for field in (self.address, self.password, self.ca):
            field.submitted.connect(self._open_address)
            remote.body.addWidget(field)
            if field is self.password:
                remote.body.addWidget(self.remember)
        remote.body.addLayout(row(self.open_remote, None))
        both = row(local, remote, gap="l")
        both.setStretch(0, 1)
        both.setStretch(1, 1)
        both.setAlignment(local, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(both)

    def prepare(self) -> None:
        if not self.folder.text():
            self.folder.line.setText(str(self._default()))
        self.folder.line.setFocus()
        self._desk.scope.start(self._look_for_keyring(), "keyring")

    async def _look_for_keyring(self) -> None:
        self.remember.show_state(await self._desk.session.keys.look())

    def _choose(self) -> None:
        self._desk.scope.start(self._choosing(), "choose folder")

    async def _choosing(self) -> None:
        if path := await choose_folder(
            self._desk.window, "Choose the data folder", self.folder.text()
        ):
            self.folder.line.setText(path)

    def _open_folder(self) -> None:
        folder = Path(self.folder.text()).expanduser()
        if not self._desk.session.control.exists(folder):
            fault = "There is no Gatepost server in this folder. Choose the folder that holds “config” and “accounts”."
            show_faults({"folder": self.folder}, {"folder": fault})
            return
        self._desk.session.open(LocalServer(folder))
        self._desk.go("/")

    def _open_address(self) -> None:
        url = complete_server_address(self.address.text())
        faults = {}
        ca = Path(self.ca.text()).expanduser() if self.ca.text() else None
        if fault := check_server_address(url):
            faults["address"] = fault
        if not self.password.line.text():
            reminder = "Enter the administrator password. It was shown when the server was set up."
            faults["password"] = reminder
        if ca is not None and not ca.is_file():
            faults["ca"] = "There is no such file."
        show_faults({"address": self.address, "password": self.password, "ca": self.ca}, faults)
        if faults:
            return
        self._desk.session.open(
            RemoteServer(url, ca),
            password=self.password.line.text(),
            remember=self.remember.is_wanted(),
        )
        self.password.line.clear()
        self._desk.go("/")

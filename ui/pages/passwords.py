"""Dialogs about an account's password: setting one, and showing one the only time it can be shown."""

from PySide6.QtWidgets import QWidget

from backend.api.client import ApiError
from ui.pages.page import Desk
from ui.presenters import accounts as words
from ui.presenters.faults import describe_error, faults_by_field
from ui.widgets.copyfield import CopyField
from ui.widgets.dialogs import Sheet, TaskSheet
from ui.widgets.forms import Field, show_faults
from ui.widgets.surface import Banner
from ui.widgets.text import Label


def password_sheet(parent: QWidget | None, title: str, address: str, password: str) -> Sheet:
    """Shows a password the only time it can be shown."""
    sheet = Sheet(parent, title)
    note = Banner()
    note.show_message(
        "warn",
        "This is the only time the password is shown.",
        "Copy it into the mail program or a password safe now. If it is lost, set a new one.",
    )
    sheet.add(
        CopyField("User name", address), CopyField("Password", password, sensitive=True), note
    )
    sheet.add_button("Done", sheet.accept, kind="primary", default=True)
    return sheet


class SetPasswordSheet(TaskSheet):
    """Sets an account's password, or has the server make one up."""

    def __init__(self, parent: QWidget | None, desk: Desk, account: str) -> None:
        super().__init__(
            parent, "Set a new password", "Set password", self._set, describe=describe_error
        )
        self._desk = desk
        self._account = account
        self.made: str | None = None
        self.password = Field(
            "New password",
            optional=True,
            secret=True,
            help="Leave it empty to get a strong one, which is shown once.",
        )
        self.password.submitted.connect(self.submit)
        self.add(
            Label("Mail programs that use the old password must be told the new one."),
            self.password,
        )
        self.password.line.setFocus()

    async def _set(self) -> bool:
        password = self.password.line.text()
        fields = {"password": self.password}
        if fault := words.check_password(password):
            show_faults(fields, {"password": fault})
            return False
        try:
            self.made = await self._desk.session.call(
                lambda client: client.set_password(self._account, password or None)
            )
        except ApiError as error:
            if rest := show_faults(fields, faults_by_field(error)):
                self.problem.show_message("error", rest)
            return False
        return True

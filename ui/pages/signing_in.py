"""The dialog that asks for the administrator's password."""

from PySide6.QtWidgets import QWidget

from ui.widgets.dialogs import Sheet
from ui.widgets.forms import Field
from ui.widgets.text import Label


class SignInSheet(Sheet):
    def __init__(self, parent: QWidget | None, server: str, fault: str) -> None:
        super().__init__(parent, f"Sign in to {server}")
        self.password = Field("Administrator password", secret=True)
        self.password.set_fault(fault)
        self.password.submitted.connect(self.accept)
        self.add(
            Label(
                "It was shown when the server was set up, and can be set anew at that computer.",
                tone="muted",
            ),
            self.password,
        )
        self.add_button("Cancel", self.reject)
        self.add_button("Sign in", self.accept, kind="primary", default=True)
        self.password.line.setFocus()

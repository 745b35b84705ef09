"""The dialog that asks for the administrator's password."""

from PySide6.QtWidgets import QCheckBox, QWidget

from ui.keys import KeyState
from ui.widgets.dialogs import Sheet
from ui.widgets.forms import Field
from ui.widgets.text import Label, column


class RememberBox(QWidget):
    """Whether the password goes into the keyring; where there is none, why it does not."""

    def __init__(self) -> None:
        super().__init__()
        self.box = QCheckBox("Remember it in the keyring of this computer")
        self.box.setAccessibleName(self.box.text())
        self.why = Label("", "small", tone="muted")
        self.setLayout(column(self.box, self.why, gap="xs"))
        self.show_state(KeyState.READY)

    def show_state(self, state: KeyState) -> None:
        usable = state in {KeyState.READY, KeyState.FAILED}
        self.box.setEnabled(usable)
        self.box.setChecked(state is KeyState.READY)
        self.why.setText(state.value)
        self.why.setVisible(bool(state.value))

    def is_wanted(self) -> bool:
        return self.box.isEnabled() and self.box.isChecked()


class SignInSheet(Sheet):
    def __init__(self, parent: QWidget | None, server: str, fault: str, state: KeyState) -> None:
        super().__init__(parent, f"Sign in to {server}")
        self.password = Field("Administrator password", secret=True)
        self.password.set_fault(fault)
        self.password.submitted.connect(self.accept)
        self.remember = RememberBox()
        self.remember.show_state(state)
        self.add(
            Label(
                "It was shown when the server was set up, and can be set anew at that computer.",
                tone="muted",
            ),
            self.password,
            self.remember,
        )
        self.add_button("Cancel", self.reject)
        self.add_button("Sign in", self.accept, kind="primary", default=True)
        self.password.line.setFocus()

"""Form fields: label above, help and fault below, and a form that shows the faults the server found where they belong."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from ui import icons, palette
from ui.widgets.text import Label, button, row


class Field(QWidget):
    """One line of input with its label, its help and its fault.

    Signals:
        edited: the text changed.
        submitted: Enter was pressed.
    """

    edited = Signal()
    submitted = Signal()

    def __init__(
        self,
        label: str,
        *,
        help: str = "",  # noqa: A002  # it is the field's help
        placeholder: str = "",
        value: str = "",
        secret: bool = False,
        optional: bool = False,
    ) -> None:
        super().__init__()
        self.line = QLineEdit(value)
        self.line.setPlaceholderText(placeholder)
        self.line.setAccessibleName(label)
        self.line.setAccessibleDescription(help)
        self.line.textChanged.connect(self._changed)
        self.line.returnPressed.connect(self.submitted)
        caption = Label(f"{label} (optional)" if optional else label, bold=not optional, wrap=False)
        caption.setBuddy(self.line)
        self._help = Label(help, "small", tone="muted")
        if not help:
            self._help.hide()
        self._fault = Label("", "small", tone="error", selectable=True)
        self._fault.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("xs"))
        outer.addWidget(caption)
        if secret:
            self.line.setEchoMode(QLineEdit.EchoMode.Password)
            self._eye = button(
                "", self._toggle, kind="quiet", icon="eye", name=f"Show {label.lower()}"
            )
            outer.addLayout(row(self.line, self._eye, gap="xs"))
        else:
            outer.addWidget(self.line)
        outer.addWidget(self._help)
        outer.addWidget(self._fault)
        self.setMaximumWidth(palette.size("form_max"))

    def text(self) -> str:
        return self.line.text().strip()

    def set_fault(self, fault: str) -> None:
        self._fault.setText(fault)
        self._fault.setVisible(bool(fault))
        self.line.setProperty("invalid", "true" if fault else "false")
        self.line.style().unpolish(self.line)
        self.line.style().polish(self.line)
        if fault:
            self.line.setAccessibleDescription(fault)

    def fault(self) -> str:
        return self._fault.text()

    def _changed(self) -> None:
        if self._fault.text():
            self.set_fault("")
        self.edited.emit()

    def _toggle(self) -> None:
        hidden = self.line.echoMode() == QLineEdit.EchoMode.Password
        mode = QLineEdit.EchoMode.Normal if hidden else QLineEdit.EchoMode.Password
        self.line.setEchoMode(mode)


class Combo(QComboBox):
    """A drop-down list whose arrow is drawn from the shared icons: the style sheet takes Fusion's away."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        side = 16.0
        box = QRectF(self.width() - side - 8, (self.height() - side) / 2, side, side)
        icons.paint("chevron-down", painter, box, palette.theme().colors.hex("muted"))


class Choice(QWidget):
    """A drop-down list with its label above.

    Signals:
        chosen: another entry was picked.
    """

    chosen = Signal()

    def __init__(self, label: str, help: str = "") -> None:  # noqa: A002  # it is the field's help
        super().__init__()
        self.box = Combo()
        self.box.setAccessibleName(label)
        self.box.setAccessibleDescription(help)
        self.box.currentIndexChanged.connect(lambda _index: self.chosen.emit())
        caption = Label(label, bold=True, wrap=False)
        caption.setBuddy(self.box)
        words = Label(help, "small", tone="muted")
        if not help:
            words.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("xs"))
        for widget in (caption, self.box, words):
            outer.addWidget(widget)
        outer.addStretch(1)
        self.setMaximumWidth(palette.size("form_max"))

    def set_entries(self, entries: list[tuple[str, str]]) -> None:
        """(value, label); the chosen value stays if it is still there."""
        kept = self.value()
        self.box.blockSignals(True)
        self.box.clear()
        for value, label in entries:
            self.box.addItem(label, value)
        self.box.setCurrentIndex(max(0, self.box.findData(kept)))
        self.box.blockSignals(False)

    def value(self) -> str:
        return str(self.box.currentData() or "")

    def select(self, value: str) -> None:
        if (index := self.box.findData(value)) >= 0:
            self.box.setCurrentIndex(index)


def show_faults(fields: dict[str, Field], faults: dict[str, str]) -> str:
    """Puts each fault (by the name of its field) under its field and returns the text of those that have none."""
    rest = []
    first: Field | None = None
    for field in fields.values():
        field.set_fault("")
    for name, message in faults.items():
        if (place := fields.get(name)) is not None:
            place.set_fault(message)
            first = first or place
        else:
            rest.append(message)
    if first is not None:
        first.line.setFocus(Qt.FocusReason.OtherFocusReason)
    return "\n".join(rest)

"""The frame of the short pages behind the start page's choices."""

from collections.abc import Callable

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui import palette
from ui.widgets.text import Label, button, row


class ShortPage(QWidget):
    """A page behind a choice: heading, content, a way back."""

    def __init__(self, title: str, text: str, back: Callable[[], None]) -> None:
        super().__init__()
        self.body = QVBoxLayout()
        self.body.setSpacing(palette.space("l"))
        self.back = button("Back", back, icon="arrow-left")
        self.footer = row(self.back, None)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("m"))
        self.heading = Label(title, "display")
        self.text = Label(text, "lead", tone="muted")
        outer.addWidget(self.heading)
        outer.addWidget(self.text)
        outer.addSpacing(palette.space("s"))
        outer.addLayout(self.body)
        outer.addSpacing(palette.space("m"))
        outer.addLayout(self.footer)
        outer.addStretch(1)

"""The start page: four ways to begin, and the short pages behind them."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from ui import icons, palette
from ui.pages.connecting import ConnectPage
from ui.pages.domain_setup import DomainSetupPage
from ui.pages.page import Desk
from ui.pages.trying import TryPage
from ui.widgets.dialogs import scrolling
from ui.widgets.text import IconLabel, Label, LayoutButton, button, column, row


class ChoiceButton(LayoutButton):
    """A large button: icon, what it is, what happens. `off` says why it can't be used."""

    def __init__(
        self, icon: str, title: str, text: str, on_click: Callable[[], None], *, off: str = ""
    ) -> None:
        super().__init__("choice")
        self.setAccessibleName(title)
        self.setAccessibleDescription(off or text)
        self.setEnabled(not off)
        self.setToolTip(off)
        picture = IconLabel(icon, "muted" if off else "accent", 28)
        heading = Label(title, "lead", bold=True)
        words = Label(f"{text}\n{off}" if off else text, tone="muted")
        arrow = IconLabel("ban" if off else "chevron-right", "muted", 18)
        inner = QHBoxLayout()
        inner.setContentsMargins(20, 18, 16, 18)
        inner.setSpacing(palette.space("l"))
        inner.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        inner.addLayout(column(heading, words, gap="xs"), 1)
        inner.addWidget(arrow, 0, Qt.AlignmentFlag.AlignVCenter)
        self.hold(inner, picture, heading, words, arrow)
        self.clicked.connect(lambda _checked: on_click())


class StartPage(QWidget):
    """Shown when no server was chosen yet, and on request."""

    def __init__(self, desk: Desk, folder: Callable[[], Path]) -> None:
        super().__init__()
        self._desk = desk
        self.choices = QWidget()
        self.try_page = TryPage(desk, self.show_choices, folder)
        self.connect_page = ConnectPage(desk, self.show_choices, folder)
        self.domain_page = DomainSetupPage(desk, self.show_choices)
        self._build_choices()
        self._stack = QStackedWidget()
        for page in (self.choices, self.try_page, self.connect_page, self.domain_page):
            self._stack.addWidget(page)
        self._close = button("Back to the server", lambda: desk.go("/"), kind="quiet", icon="x")
        mark = QLabel()
        mark.setPixmap(icons.product_mark().pixmap(40, 40))
        mark.setAccessibleName("Gatepost")
        top = row(mark, Label("Gatepost", "title", wrap=False), None, self._close, gap="m")
        inner = QWidget()
        inner.setProperty("kind", "content")
        inner.setMaximumWidth(900)
        box = QVBoxLayout(inner)
        box.setContentsMargins(32, 28, 32, 28)
        box.setSpacing(palette.space("xl"))
        box.addLayout(top)
        box.addWidget(self._stack, 1)
        centred = QWidget()
        centred.setProperty("kind", "content")
        across = QHBoxLayout(centred)
        across.setContentsMargins(0, 0, 0, 0)
        across.addStretch(1)
        across.addWidget(inner, 1000)
        across.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(centred, name="Start"))

    def _build_choices(self) -> None:
        outer = QVBoxLayout(self.choices)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("m"))
        outer.addWidget(Label("Your mail, on your own computer", "display"))
        outer.addWidget(
            Label("How do you want to begin? Nothing here is final.", "lead", tone="muted")
        )
        outer.addSpacing(palette.space("m"))
        self.buttons = [
            ChoiceButton(
                "world",
                "Set up mail for my domain",
                "You have a domain such as example.org and want its mail here.",
                lambda: self.show_page("domain"),
            ),
            ChoiceButton(
                "rocket",
                "Try it on this computer first",
                "Without a domain. A practice server starts, sends itself a message, and nothing leaves this computer.",
                lambda: self.show_page("try"),
            ),
            ChoiceButton(
                "plug",
                "Connect to a server that is already running",
                "On this computer or on another one.",
                lambda: self.show_page("connect"),
            ),
            ChoiceButton(
                "restore",
                "Restore from a backup",
                "Bring a server back with its mail and settings.",
                lambda: None,
                off="Not available yet: backups come with a later version.",
            ),
        ]
        for one in self.buttons:
            outer.addWidget(one)
        outer.addStretch(1)

    def show_choices(self) -> None:
        self.show_page("")

    def show_page(self, name: str) -> None:
        """`try`, `connect`, `domain`, or nothing for the four choices."""
        self._close.setVisible(self._desk.session.target is not None)
        match name:
            case "try":
                self._stack.setCurrentWidget(self.try_page)
                self.try_page.begin()
            case "connect":
                self._stack.setCurrentWidget(self.connect_page)
                self.connect_page.prepare()
            case "domain":
                self._stack.setCurrentWidget(self.domain_page)
                self.domain_page.prepare()
            case _:
                self._stack.setCurrentWidget(self.choices)
                self.buttons[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def shown(self) -> str:
        names: dict[QWidget | None, str] = {
            self.choices: "",
            self.try_page: "try",
            self.connect_page: "connect",
            self.domain_page: "domain",
        }
        return names[self._stack.currentWidget()]

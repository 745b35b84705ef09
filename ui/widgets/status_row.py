"""One check as a row: closed its state and name, open everything about it. For the DNS and for the server's health alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLayout, QLineEdit, QVBoxLayout, QWidget

from backend.api import dns as d
from ui import palette
from ui.presenters import checks
from ui.widgets.copyfield import CopyField
from ui.widgets.diff_text import DiffText
from ui.widgets.surface import StatusPill, frame, rule
from ui.widgets.text import ElidedLabel, IconLabel, Label, LayoutButton, button, clear, column, row

PILL_WIDTH = 118
NOTE_WIDTH = 300
MAX_NOTE = 500


@dataclass(frozen=True, slots=True)
class RowActions:
    """`check_one` None: the checks of this page run together only."""

    go: Callable[[str], None]
    hide: Callable[[d.Check, str], None]
    show_again: Callable[[d.Check], None]
    check_one: Callable[[d.Check], None] | None = None


class StatusRow(QFrame):
    """Keeps open or closed when it is given a newer finding."""

    def __init__(self, actions: RowActions) -> None:
        super().__init__()
        self._actions = actions
        self._shown: tuple[d.Check, d.Provider | None] | None = None
        self.head = LayoutButton("quiet")
        self._pill = StatusPill()
        pill = QWidget()
        pill.setFixedWidth(PILL_WIDTH)
        pill.setLayout(row(self._pill, None))
        self._title = Label("", bold=True)
        self._name = ElidedLabel("", "small", tone="muted")
        self._type = Label("", "small", tone="muted", bold=True, wrap=False)
        self._arrow = IconLabel("chevron-right", "muted")
        words = column(self._title, self._name, gap="xs")
        line = row(pill, words, self._type, self._arrow, gap="m", grow=1)
        line.setContentsMargins(4, 8, 4, 8)
        self.head.hold(line, pill, self._pill, self._title, self._name, self._type, self._arrow)
        self.head.clicked.connect(lambda _checked: self.toggle())
        self._body = QWidget()
        self._inside = QVBoxLayout(self._body)
        self._inside.setContentsMargins(4, 4, 4, 16)
        self._inside.setSpacing(palette.space("m"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(rule())
        outer.addWidget(self.head)
        outer.addWidget(self._body)
        self._body.hide()

    @property
    def check(self) -> d.Check | None:
        return self._shown[0] if self._shown else None

    @property
    def is_open(self) -> bool:
        return not self._body.isHidden()

    def toggle(self) -> None:
        is_open = not self.is_open
        if is_open:
            self._fill()
        self._body.setVisible(is_open)
        self._arrow.set_icon("chevron-down" if is_open else "chevron-right", "muted")
        self._announce()

    def show_check(self, check: d.Check, provider: d.Provider | None = None) -> None:
        if self._shown == (check, provider):
            return
        self._shown = check, provider
        self._pill.set_state(check.word, checks.TONES[check.state])
        self._title.setText(check.title)
        self._name.set_full_text(check.name if check.type else check.summary)
        self._type.setText(check.type)
        self._announce()
        if self.is_open and not self._is_typing():
            self._fill()

    def _announce(self) -> None:
        if (check := self.check) is not None:
            kind = f", {check.type} {check.name}" if check.type else ""
            self.head.setAccessibleName(f"{check.title}: {check.word}{kind}")
            self.head.setAccessibleDescription("open" if self.is_open else "closed")

    def _is_typing(self) -> bool:
        """What somebody writes is not taken away by a newer finding."""
        return any(
            line.hasFocus() and not line.isReadOnly() for line in self._body.findChildren(QLineEdit)
        )

    # ---- inside

    def _fill(self) -> None:
        if self._shown is None:
            return
        check, provider = self._shown
        clear(self._inside)
        now = datetime.now(UTC)
        self._add(Label(check.summary, selectable=True))
        if check.purpose:
            self._add(Label(check.purpose, tone="muted"))
        if check.type:
            sides = QGridLayout()
            sides.setSpacing(palette.space("m"))
            sides.addWidget(_side("Is now", check.now, "gone", "Nothing is there."), 0, 0)
            sides.addWidget(_side("Should be", check.should, "new", "Only you know it."), 0, 1)
            sides.setColumnStretch(0, 1)
            sides.setColumnStretch(1, 1)
            self._add_layout(sides)
        if check.fix is not None:
            words = Label(check.fix.text, selectable=True)
            self._add_layout(column(_caption("What to do"), words, gap="xs"))
            if path := check.fix.path:
                self._add_layout(row(button("Open the page", lambda: self._actions.go(path)), None))
        if check.entries:
            self._add_entries(check, provider)
        self._add(Label(checks.how(check, now), "small", tone="muted"))
        self._add_actions(check, now)

    def _add(self, widget: QWidget) -> None:
        self._inside.addWidget(widget)

    def _add_layout(self, layout: QLayout) -> None:
        holder = QWidget()
        layout.setContentsMargins(0, 0, 0, 0)
        holder.setLayout(layout)
        self._inside.addWidget(holder)

    def _add_entries(self, check: d.Check, provider: d.Provider | None) -> None:
        self._add(_caption(check.where))
        for entry in check.entries:
            *short, last = [
                CopyField(each.label, each.value, empty="leave it empty") for each in entry.fields
            ]
            if short:
                self._add_layout(row(*short, gap="m"))
            self._add(last)
            if entry.note:
                self._add(Label(entry.note, "small", tone="muted"))
        if check.state != "ok" and check.in_zone and provider is not None:
            steps = column(gap="xs")
            for number, text in enumerate(provider.steps, start=1):
                mark = Label(f"{number}.", bold=True, wrap=False)
                mark.setFixedWidth(22)
                steps.addLayout(row(mark, Label(text, selectable=True), gap="xs", grow=1))
            self._add_layout(steps)

    def _add_actions(self, check: d.Check, now: datetime) -> None:
        found: list[QWidget] = []
        if (one := self._actions.check_one) is not None:
            again = button(
                "Check this again",
                lambda: one(check),
                kind="link",
                icon="refresh",
                name=f"Check this again: {check.title}",
            )
            found.append(again)
        if check.acknowledged is not None:
            self._add(Label(checks.hidden_words(check, now), tone="muted"))
            show = button(
                "Show again",
                lambda: self._actions.show_again(check),
                icon="eye",
                name=f"Show again: {check.title}",
            )
            found.append(show)
        elif check.state != "ok":
            note = QLineEdit()
            note.setMaxLength(MAX_NOTE)
            note.setPlaceholderText("Why that is fine (optional)")
            note.setAccessibleName(f"Note: why “{check.title}” is fine")
            hide = button(
                "Hide until it changes",
                lambda: self._actions.hide(check, note.text().strip()),
                icon="eye-off",
                name=f"Hide until it changes: {check.title}",
            )
            note.returnPressed.connect(hide.click)
            note.setFixedWidth(NOTE_WIDTH)
            found += [note, hide]
        if found:
            self._add_layout(row(*found, None, gap="m"))


def _caption(text: str) -> Label:
    return Label(text, "small", tone="muted", bold=True, wrap=False)


def _side(title: str, lines: Sequence[Sequence[d.Span]], mark: str, empty: str) -> QFrame:
    well = frame("well")
    inside = QVBoxLayout(well)
    inside.setContentsMargins(12, 8, 12, 8)
    inside.setSpacing(palette.space("xs"))
    inside.addWidget(_caption(title))
    inside.addWidget(DiffText(lines, mark) if lines else Label(empty, tone="muted"))
    inside.addStretch(1)
    inside.setAlignment(Qt.AlignmentFlag.AlignTop)
    return well

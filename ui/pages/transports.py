"""Ways out for mail: the list of transports, and one with its form, its test, its use and what it asks of the DNS."""

from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLayout, QWidget

from backend.api import delivery as w
from backend.api.types import ConfigEvent, EventData, QueueEvent
from ui import palette
from ui.pages.form_editor import FormEditor, action_button
from ui.pages.page import Desk, Page
from ui.pages.spec_list import SpecListPage
from ui.presenters import transports as words
from ui.widgets.surface import Banner, Card
from ui.widgets.text import Label, button, clear, column, row

REMOVE = "remove"


class TransportsPage(SpecListPage):
    TITLE = "Transports"
    LIST = "transport"
    WIZARDS = ("transport", "route")


class TransportPage(Page):
    TITLE = "Transport"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.name = ""
        self.editor: FormEditor | None = None
        back = button(
            "Transports",
            lambda: desk.go("/transports"),
            kind="link",
            icon="arrow-left",
            name="Back to Transports",
        )
        self._actions = row()
        self.toolbar.addLayout(self._actions)
        self.toolbar.addWidget(back)
        self.note = Banner()
        self.state_card = Card("How it stands")
        self._facts = column()
        self.state_card.body.addLayout(self._facts)
        self.spf_card = Card("SPF records")
        self._spf = column()
        self.spf_card.body.addLayout(self._spf)
        self._place = column()
        for widget in (self.note, self.state_card, self.spf_card):
            self.body.addWidget(widget)
        self.body.addLayout(self._place)
        self.body.addStretch(1)

    def open(self, rest: str) -> None:
        if rest != self.name:
            self.name = rest
            self.heading.setText(rest)
            clear(self._place)
            self.editor = FormEditor(self.desk, "transport", rest, actions=False)
            self.editor.saved.connect(lambda _saved: self.mark_stale())
            self._place.addWidget(self.editor)
        self.mark_stale()

    async def fetch(self) -> bool:
        name, editor = self.name, self.editor
        assert editor is not None
        found = await self.desk.session.call(lambda client: client.transport(name))
        await editor.load()
        if name != self.name:
            return True  # somebody has gone on meanwhile
        self._draw(found)
        return True

    def take(self, event: EventData) -> None:
        if self.name and isinstance(event, ConfigEvent | QueueEvent):
            self.mark_stale()

    def _draw(self, found: w.Transport) -> None:
        self.subtitle.setText(f"{found.summary[:1].upper()}{found.summary[1:]}.")
        self.subtitle.show()
        self.spf_card.setVisible(bool(found.spf or found.spf_hint))
        clear(self._actions)
        self._draw_actions(found)
        self._draw_state(found)
        self._draw_spf(found)

    def _draw_actions(self, found: w.Transport) -> None:
        assert self.editor is not None
        assert self.editor.spec is not None
        for action in self.editor.spec.actions:
            gone = partial(self.desk.go, "/transports")
            done = gone if action.id == REMOVE else self.mark_stale
            made = action_button(self.desk, self, action, found.name, dict, done)
            if action.id == REMOVE and found.places:
                made.setEnabled(False)
                made.setToolTip(words.IN_USE)
                made.setAccessibleDescription(words.IN_USE)
            self._actions.addWidget(made)

    def _draw_state(self, found: w.Transport) -> None:
        clear(self._facts)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(palette.space("l"))
        grid.setColumnStretch(1, 1)
        now = datetime.now(UTC)
        self.note.hide()
        if found.needs_password and not found.has_password:
            self.note.show_message("warn", words.PASSWORD_MISSING, words.PASSWORD_FIX)
        _fact(grid, 0, "Password", Label(words.password(found), selectable=True))
        _fact(grid, 1, "Last result", Label(words.last_result(found, now), selectable=True))
        links = [
            button(place.text, partial(self.desk.go, words.routes_page(place)), kind="link")
            for place in found.places[: words.MOST_PLACES]
        ]
        more = len(found.places) - words.MOST_PLACES
        if links:
            after = [Label(f"and {more} more", tone="muted", wrap=False)] if more > 0 else []
            _fact(grid, 2, "Used by", column(*links, *after, gap="xs"))
            _fact(grid, 3, "", Label(words.IN_USE, "small", tone="muted"))
        else:
            add = button("Open the routes", partial(self.desk.go, "/routes"), kind="link")
            _fact(grid, 2, "Used by", row(Label(words.UNUSED, wrap=False), add, None))
        holder = QWidget(self.state_card)
        holder.setLayout(grid)
        self._facts.addWidget(holder)

    def _draw_spf(self, found: w.Transport) -> None:
        clear(self._spf)
        if found.spf_hint:
            self._spf.addWidget(Label(found.spf_hint))
        for note in found.spf:
            line = row(Label(note.text, selectable=True))
            if note.page:
                line.addWidget(
                    button(
                        "DNS records",
                        partial(self.desk.go, note.page),
                        kind="link",
                        name=f"DNS records of {note.domain}",
                    )
                )
            line.addStretch(1)
            self._spf.addLayout(line)


def _fact(grid: QGridLayout, line: int, label: str, value: QWidget | QLayout) -> None:
    grid.addWidget(Label(label, tone="muted", wrap=False), line, 0, Qt.AlignmentFlag.AlignTop)
    if isinstance(value, QWidget):
        grid.addWidget(value, line, 1)
    else:
        grid.addLayout(value, line, 1)

"""Lists of things that people name, and the form of one: what it is called is asked first, then its form opens.

A page of either kind is three lines, as of `SpecListPage`.
"""

import re
from typing import ClassVar
from urllib.parse import quote

from PySide6.QtWidgets import QWidget

from backend.api import forms as f
from backend.api import types as t
from backend.api.pages import NEW
from ui.pages.form_editor import FormEditor
from ui.pages.page import Desk, Page
from ui.pages.spec_list import SpecListPage
from ui.widgets.dialogs import Sheet, wait_for
from ui.widgets.forms import Field
from ui.widgets.text import button, clear, column


class KeySheet(Sheet):
    """What a new one is called."""

    def __init__(self, parent: QWidget | None, title: str, field: f.Field) -> None:
        super().__init__(parent, title)
        self._field = field
        self.key = Field(field.label, placeholder=field.placeholder, help=field.help)
        self.key.submitted.connect(self._go_on)
        self.add(self.key)
        self.add_button("Cancel", self.reject)
        self.add_button("Go on", self._go_on, kind="primary", default=True)
        self.key.line.setFocus()

    def _go_on(self) -> None:
        if fault := key_fault(self._field, self.key.text()):
            self.key.set_fault(fault)
        else:
            self.accept()


def key_fault(field: f.Field, key: str) -> str:
    """What is wrong with it, as far as a face can tell."""
    key = key.strip()
    if not key:
        return field.ask or f"{field.label} is missing."
    if key == NEW:
        return "“new” has a meaning of its own here. Choose another one."
    if field.pattern is not None and not re.fullmatch(field.pattern.regex, key):
        return field.pattern.message
    return ""


class KeyedListPage(SpecListPage):
    """`PATH` is its own; `/new` behind it asks for a key."""

    PATH: ClassVar[str] = ""

    def open(self, rest: str) -> None:
        if rest == NEW:
            self.do(self._begin(), f"new {self.LIST}")

    async def _begin(self) -> None:
        spec = await self.desk.session.call(lambda client: client.form_spec(self.LIST))
        assert spec.key_field is not None
        assert spec.listing is not None
        sheet = KeySheet(self, spec.listing.actions[0].title, spec.key_field)
        if await wait_for(sheet):
            self.desk.go(f"{self.PATH}/{quote(sheet.key.text().strip(), safe='@')}")
        else:
            self.desk.go(self.PATH)


class KeyedFormPage(Page):
    """The form of the thing that the path names. `BACK` is the path of the list, `LIST_TITLE` its name."""

    FORM: ClassVar[str] = ""
    BACK: ClassVar[str] = ""
    LIST_TITLE: ClassVar[str] = ""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.key = ""
        self.editor: FormEditor | None = None
        back = button(
            self.LIST_TITLE,
            lambda: desk.go(self.BACK),
            kind="link",
            icon="arrow-left",
            name=f"Back to {self.LIST_TITLE}",
        )
        self.toolbar.addWidget(back)
        self._place = column()
        self.body.addLayout(self._place)
        self.body.addStretch(1)

    def open(self, rest: str) -> None:
        if rest != self.key:
            self.key = rest
            self.heading.setText(rest)
            clear(self._place)
            self.editor = FormEditor(self.desk, self.FORM, rest)
            self.editor.saved.connect(lambda _saved: self.desk.go(self.BACK))
            self._place.addWidget(self.editor)
        self.mark_stale()

    async def fetch(self) -> bool:
        editor = self.editor
        assert editor is not None
        await editor.load()
        if editor.spec is not None:
            self.subtitle.setText(editor.spec.help)
            self.subtitle.setVisible(bool(editor.spec.help))
        return True

    def take(self, event: t.EventData) -> None:
        if self.key and isinstance(event, t.ConfigEvent):
            self.mark_stale()

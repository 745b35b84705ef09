"""Aliases: one address whose mail goes to several people here. All of them, and one."""

from ui.pages.form_editor import FormEditor
from ui.pages.page import Desk, Page
from ui.pages.spec_list import SpecListPage
from ui.widgets.text import button


class AliasesPage(SpecListPage):
    TITLE = "Aliases"
    LIST = "alias"
    WIZARDS = ("alias",)


class AliasPage(Page):
    TITLE = "Alias"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._address = ""
        self.editor: FormEditor | None = None
        self.toolbar.addWidget(
            button(
                "Aliases",
                lambda: desk.go("/aliases"),
                kind="link",
                icon="arrow-left",
                name="Back: Aliases",
            )
        )
        self.body.addStretch(1)

    def open(self, rest: str) -> None:
        if rest != self._address:
            self._address = rest
            if self.editor is not None:
                self.editor.hide()
                self.editor.deleteLater()
            self.editor = FormEditor(self.desk, "alias", rest)
            self.body.insertWidget(0, self.editor)
            self.heading.setText(rest)
        self.mark_stale()

    async def fetch(self) -> bool:
        if self.editor is not None:
            await self.editor.load()
        return True

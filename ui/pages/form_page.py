"""A page that is one form of the settings: what the registry names, drawn from the server's specification."""

from backend.api import pages as registry
from backend.api import types as t
from ui.pages.form_editor import FormEditor
from ui.pages.page import Desk, Page
from ui.widgets.text import button


def is_single_form(page: registry.Page) -> bool:
    """Whether the page is nothing but a form that there is once."""
    return bool(page.form) and "{" not in page.path and page.parent in {"server", "settings"}


class FormPage(Page):
    def __init__(self, entry: registry.Page, desk: Desk) -> None:
        self._entry = entry
        super().__init__(desk)
        self.heading.setText(entry.title)
        if entry.parent:
            parent = registry.by_id(entry.parent)
            back = button(
                parent.title,
                lambda: desk.go(parent.path),
                kind="link",
                icon="arrow-left",
                name=f"Back to {parent.title}",
            )
            self.toolbar.addWidget(back)
        self.editor = FormEditor(desk, entry.form)
        self.body.addWidget(self.editor)
        self.body.addStretch(1)

    async def fetch(self) -> bool:
        await self.editor.load()
        assert self.editor.spec is not None
        self.subtitle.setText(self.editor.spec.help)
        self.subtitle.setVisible(bool(self.editor.spec.help))
        return True

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.ConfigEvent):
            self.mark_stale()

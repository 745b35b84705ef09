"""The settings as text: both files, checked before they hold, with what would change, line by line."""

from collections.abc import Awaitable, Callable
from functools import partial

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout

from backend.api import settings as st
from backend.api import types as t
from backend.api.client import ApiError
from ui import palette
from ui.pages.page import Desk, Page
from ui.presenters.drafts import Drafts
from ui.widgets.code_edit import CodeEdit
from ui.widgets.dialogs import Sheet, wait_for
from ui.widgets.diff import DiffView
from ui.widgets.surface import Banner, Card
from ui.widgets.text import Label, button, clear, row
from ui.widgets.views import ViewSwitch

FILES = {"domains.toml": "domains.toml", "server.toml": "server.toml"}
EDITOR_HEIGHT = 380
SHOWN_EFFECTS = 12
SEVERITIES = {"error": "", "warning": "Warning: ", "info": "Note: "}


class SettingsPage(Page):
    TITLE = "Settings"
    SUBTITLE = "Everything as text, checked before it holds. Passwords are kept elsewhere and are not in it."

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.drafts = Drafts()
        self._config: t.Configuration | None = None
        self._busy = False
        for title, path, icon in (
            ("Changes of the settings", "/settings/revisions", "history"),
            ("Postmaster", "/settings/postmaster", "user"),
        ):
            self.toolbar.addWidget(button(title, partial(desk.go, path), icon=icon))
        self.switch = ViewSwitch("File", FILES)
        self.switch.chosen.connect(self._show_file)
        self.conflict = Banner()
        self._stack_of_files = QStackedWidget()
        self.editors = {name: CodeEdit(f"Text of {name}") for name in FILES}
        for name, editor in self.editors.items():
            self._stack_of_files.addWidget(editor)
            editor.setMinimumHeight(EDITOR_HEIGHT)
            editor.textChanged.connect(partial(self._edited, name))
        self.faults = Card("Faults")
        self._fault_lines = QVBoxLayout()
        self.faults.body.addLayout(self._fault_lines)
        self.faults.hide()
        self.verdict = Banner()
        self.diff = DiffView()
        self.diff.hide()
        self.save_button = button("Save…", self.save, kind="primary", icon="device-floppy")
        self.check_button = button("Check", self.check, icon="check")
        self.discard_button = button("Discard", self.discard)
        self.body.addWidget(self.switch)
        self.body.addWidget(self.conflict)
        self.body.addWidget(self._stack_of_files, 1)
        self.body.addWidget(self.faults)
        self.body.addWidget(self.verdict)
        self.body.addLayout(row(self.save_button, self.check_button, self.discard_button, None))
        self.body.addWidget(self.diff)
        self.body.setSpacing(palette.space("m"))
        self._draw_state()

    # ---- reading

    async def fetch(self) -> bool:
        self._config = await self.desk.session.call(lambda client: client.config())
        self.drafts.meet(self._config)
        for name, text in self._config.files.items():
            editor = self.editors.get(name)
            if editor is not None and name not in self.drafts.texts:
                _set_text(editor, text)
        self._draw_state()
        return True

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.ConfigEvent):
            self.mark_stale()

    # ---- editing

    @property
    def file(self) -> str:
        return self.switch.value()

    def _show_file(self) -> None:
        self._stack_of_files.setCurrentWidget(self.editors[self.file])

    def _edited(self, name: str) -> None:
        if self._config is None:
            return
        self.drafts.put(name, self.editors[name].toPlainText(), self._config)
        self._forget_findings()
        self._draw_state()

    def discard(self) -> None:
        self.drafts.clear()
        if self._config is not None:
            for name, text in self._config.files.items():
                if (editor := self.editors.get(name)) is not None:
                    _set_text(editor, text)
        self._forget_findings()
        self._draw_state()

    def _keep_mine(self) -> None:
        """What somebody else changed goes, as the comparison shows."""
        if self._config is not None:
            self.drafts.begin_from(self._config)
            self._draw_state()
            self.check()

    def _forget_findings(self) -> None:
        self.faults.hide()
        self.verdict.hide()
        self.diff.hide()
        for editor in self.editors.values():
            editor.mark_lines(())

    def _draw_state(self) -> None:
        for name in FILES:
            self.switch.set_words(name, f"{name} (changed)" if name in self.drafts.texts else name)
        dirty, behind = bool(self.drafts.texts), self.drafts.is_behind
        self.save_button.setEnabled(dirty and not behind and not self._busy)
        self.check_button.setEnabled(dirty and not behind and not self._busy)
        self.discard_button.setEnabled(dirty and not self._busy)
        if behind and self._config is not None:
            self.conflict.show_message(
                "warn",
                f"The settings were changed elsewhere meanwhile (change {self._config.revision}).",
                "Saving your text would undo that. Compare shows what yours would change in the new one.",
                [("Compare", self._keep_mine), ("Take the new text", self.discard)],
            )
        else:
            self.conflict.hide()

    # ---- checking and saving

    def check(self) -> None:
        self._start(self._checking)

    def save(self) -> None:
        self._start(self._saving)

    def _start(self, work: Callable[[], Awaitable[None]]) -> None:
        if not self._busy:
            self.do(self._run(work), "settings as text")

    async def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        self._busy = True
        self._draw_state()
        try:
            await work()
        finally:
            self._busy = False
            self._draw_state()

    async def _find(self) -> st.ConfigCheck:
        request = self.drafts.request()
        found = await self.desk.session.call(lambda client: client.check_config(request))
        self._draw_faults(found.problems)
        return found

    async def _checking(self) -> None:
        found = await self._find()
        self.diff.show_files(found.files)
        self.diff.fit()
        self.diff.show()
        if not any(problem.severity == "error" for problem in found.problems):
            self.verdict.show_message("ok", "No fault found.", effects_text(found))

    async def _saving(self) -> None:
        found = await self._find()
        if any(problem.severity == "error" for problem in found.problems):
            self.verdict.hide()
            return
        if not await ask_about(self.desk, "Save these settings?", found, yes="Save and apply"):
            return
        request, base = self.drafts.request(), self.drafts.base
        try:
            applied = await self.desk.session.call(
                lambda client: client.apply_config(request, revision=base)
            )
        except ApiError as error:
            if error.status == 409:
                self.mark_stale()  # the page says what to do
                return
            if error.status != 422:
                raise
            self._draw_faults(error.issues)
            return
        self.drafts.clear()
        self._forget_findings()
        text = "Saved, and in force."
        if applied.needs_restart:
            text = "Saved. A part of it holds after a restart of the server."
        self.desk.toast(text, undo=partial(undo_change, self.desk, base, applied.revision))
        self.mark_stale()

    def _draw_faults(self, problems: list[t.Problem]) -> None:
        clear(self._fault_lines)
        for problem in problems:
            line = row(gap="m")
            if problem.file in self.editors and problem.line:
                line.addWidget(
                    button(
                        f"{problem.file}, line {problem.line}",
                        partial(self._go_to, problem.file, problem.line),
                        kind="link",
                    )
                )
            words = f"{SEVERITIES[problem.severity]}{problem.message} {problem.fix}".strip()
            line.addWidget(Label(words, selectable=True), 1)
            self._fault_lines.addLayout(line)
        for name, editor in self.editors.items():
            editor.mark_lines(problem.line for problem in problems if problem.file == name)
        self.faults.setVisible(bool(problems))

    def _go_to(self, file: str, line: int) -> None:
        self.switch.choose(file)
        self._show_file()
        self.editors[file].go_to(line)


def _set_text(editor: CodeEdit, text: str) -> None:
    if editor.toPlainText() == text:
        return
    bar = editor.verticalScrollBar()
    place = bar.value()
    editor.blockSignals(True)
    editor.setPlainText(text)
    editor.blockSignals(False)
    bar.setValue(place)


def effects_text(found: st.ConfigCheck) -> str:
    sentences = found.effects[:SHOWN_EFFECTS] or ["Nothing changes but the text itself."]
    if (more := len(found.effects) - SHOWN_EFFECTS) > 0:
        sentences.append(f"And {more} more.")
    if found.needs_restart:
        sentences.append("A part of it holds after a restart of the server.")
    return "\n".join(sentences)


async def ask_about(
    desk: Desk, title: str, found: st.ConfigCheck, *, yes: str, note: str = ""
) -> bool:
    """Shows what a change of the settings would do, in words and in lines, before it is made."""
    sheet = Sheet(desk.window, title, width=760)
    diff = DiffView()
    diff.show_files(found.files)
    diff.fit(most=16)
    sheet.add(Label(effects_text(found), selectable=True), diff)
    if note:
        sheet.add(Label(note, tone="muted"))
    sheet.add_button("Cancel", sheet.reject)
    go = sheet.add_button(yes, sheet.accept, kind="primary", default=True)
    go.setFocus()
    return await wait_for(sheet)


def undo_change(desk: Desk, before: int, made: int) -> None:
    """Goes back to revision `before` as long as `made` is the newest."""

    async def go_back() -> None:
        await desk.session.call(lambda client: client.revert(before, revision=made))
        desk.toast("The settings are as they were before.")

    desk.scope.start(go_back(), "undo settings")

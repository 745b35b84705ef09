"""Cards of what needs somebody: the first thing to do, why, and leaving it as it is."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from backend.api import overview as o
from ui import palette
from ui.pages.page import Desk
from ui.presenters import wording
from ui.widgets.dialogs import TaskSheet, wait_for
from ui.widgets.surface import TONE_ICONS
from ui.widgets.text import IconLabel, Label, button, clear, column, row

SHOWN = 3  # at once
MAX_NOTE = 500

Do = Callable[[Coroutine[Any, Any, None], str], None]


class AttentionCard(QFrame):
    """One thing that needs somebody."""

    def __init__(
        self,
        item: o.Attention,
        *,
        act: Callable[[o.AttentionAction], None],
        leave: Callable[[o.Attention], None],
    ) -> None:
        super().__init__()
        self.item = item
        self.setProperty("kind", "banner")
        self.setProperty("tone", item.tone)
        self.setAccessibleName(item.title)
        self.setAccessibleDescription(item.body)
        self._why = Label(item.why, tone="muted", selectable=True)
        words = column(Label(item.title, bold=True, selectable=True), gap="xs")
        if item.body:
            words.addWidget(Label(item.body, selectable=True))
        words.addWidget(self._why)
        self._why.hide()
        actions: list[QWidget | None] = []
        if (action := item.action) is not None:
            actions.append(button(action.title, partial(act, action), kind="primary"))
        if item.why:
            self.more = button("Why?", self._toggle, name=f"Why? {item.title}")
            self.more.setCheckable(True)
            actions.append(self.more)
        if item.may_acknowledge:
            name = f"Acknowledge: {item.title}"
            actions.append(button("Acknowledge…", partial(leave, item), name=name))
        if actions:
            words.addSpacing(palette.space("s"))
            words.addLayout(row(*actions, None))
        line = row(gap="m")
        line.setContentsMargins(14, 11, 14, 11)
        line.addWidget(
            IconLabel(TONE_ICONS[item.tone], item.tone, 20), 0, Qt.AlignmentFlag.AlignTop
        )
        line.addLayout(words, 1)
        self.setLayout(line)

    def title(self) -> str:
        return self.item.title

    def body(self) -> str:
        return self.item.body

    def _toggle(self) -> None:
        self._why.setVisible(self._why.isHidden())
        self.more.setChecked(not self._why.isHidden())


class AcknowledgeSheet(TaskSheet):
    """Leaving a problem as it is, and why."""

    def __init__(self, desk: Desk, item: o.Attention) -> None:
        super().__init__(desk.window, "Leave it as it is?", "Acknowledge", self._keep)
        self._desk, self._item = desk, item
        self.note = QLineEdit()
        self.note.setAccessibleName("Why it can stay (optional)")
        self.note.setPlaceholderText("Why it can stay (optional)")
        self.note.setMaxLength(MAX_NOTE)
        about = "It is shown again when it gets worse or says something else."
        self.add(Label(item.title), Label(about, tone="muted"), self.note)

    async def _keep(self) -> bool:
        item, note = self._item, self.note.text().strip()
        await self._desk.session.call(
            lambda client: client.acknowledge_problem(item.code, item.subject, note)
        )
        return True


class AttentionList(QWidget):
    """Three cards, and how many more there are."""

    def __init__(self, desk: Desk, do: Do, changed: Callable[[], None]) -> None:
        super().__init__()
        self._desk, self._do, self._changed = desk, do, changed
        self._items: Sequence[o.Attention] = ()
        self._all = False
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(palette.space("s"))
        self.hide()

    def fill(self, items: Sequence[o.Attention]) -> None:
        if items == self._items:
            return  # what is unfolded stays so
        self._items = items
        self._draw()

    def _draw(self) -> None:
        clear(self._box)
        shown = self._items if self._all else self._items[:SHOWN]
        for item in shown:
            self._box.addWidget(AttentionCard(item, act=self._act, leave=self._leave))
        if more := len(self._items) - len(shown):
            text = f"{wording.count(more, 'more thing')} to look at"
            link = button(text, self._show_all, kind="link")
            self._box.addWidget(link, 0, Qt.AlignmentFlag.AlignLeft)
        self.setVisible(bool(self._items))

    def _show_all(self) -> None:
        self._all = True
        self._draw()

    def _act(self, action: o.AttentionAction) -> None:
        if action.call == "resume":
            self._do(self._resume(), "resume sending")
        elif action.call == "restart":
            self._do(self._desk.session.restart_server(), "restart server")
        else:
            self._desk.go(action.path)

    async def _resume(self) -> None:
        await self._desk.session.call(lambda client: client.resume_sending())
        self._changed()

    def _leave(self, item: o.Attention) -> None:
        self._do(self._leaving(item), "acknowledge")

    async def _leaving(self, item: o.Attention) -> None:
        if not await wait_for(AcknowledgeSheet(self._desk, item)):
            return
        self._changed()
        self._desk.toast(
            "It does not call for attention any more, until it says something else.",
            lambda: self._do(self._take_back(item), "take back"),
        )

    async def _take_back(self, item: o.Attention) -> None:
        await self._desk.session.call(
            lambda client: client.unacknowledge_problem(item.code, item.subject)
        )
        self._changed()

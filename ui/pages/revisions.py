"""Every change of the settings: who, when, what, line by line; and the way back."""

from datetime import UTC, datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from backend.api import settings as st
from backend.api import types as t
from ui import palette
from ui.pages.page import Desk, Page
from ui.pages.settings import ask_about, undo_change
from ui.presenters import wording
from ui.remembered import REMEMBERED
from ui.widgets.diff import DiffView
from ui.widgets.surface import EmptyState
from ui.widgets.tables import Column, RowsModel, Table
from ui.widgets.text import Label, button, row

PAGE_ROWS = 50


class RevisionsPage(Page):
    TITLE = "Changes of the settings"
    SUBTITLE = "Each can be looked at and gone back to. Going back is a change of its own; mail is not touched."
    SCROLLS = False

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._current = 0
        self._wanted = 0
        self.toolbar.addWidget(
            button(
                "Settings",
                lambda: desk.go("/settings"),
                kind="link",
                icon="arrow-left",
                name="Back to Settings",
            )
        )
        columns: list[Column[st.Revision]] = [
            Column(title="No.", text=lambda i: str(i.number), right=True, width=6),
            Column(title="Change", text=lambda i: i.summary or "Change"),
            Column(title="By", spare=True, text=lambda i: i.author, muted=True, width=12),
            Column(
                title="When",
                text=lambda i: wording.moment_ago(i.at, datetime.now(UTC)),
                muted=True,
                width=14,
            ),
        ]
        self.model: RowsModel[st.Revision] = RowsModel(columns, key=lambda item: item.number)
        self.model.more = self._more
        self.table = Table(self.model, "Changes of the settings")
        self.table.picked.connect(self._picked)
        self.title = Label("", "lead", bold=True)
        self.about = Label("", tone="muted", selectable=True)
        self.diff = DiffView("What the change did")
        self.back_button = button("Go back to this…", self.go_back, icon="restore")
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(palette.space("m"), 0, 0, 0)
        column.setSpacing(palette.space("s"))
        column.addWidget(self.title)
        column.addWidget(self.about)
        column.addWidget(self.diff, 1)
        column.addLayout(row(self.back_button, None))
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("revisions")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.table)
        self.splitter.addWidget(side)
        self.splitter.setStretchFactor(0, 2)
        self.splitter.setStretchFactor(1, 3)
        REMEMBERED.follow(self.splitter)
        self.body.addWidget(self.splitter, 1)

    def build_empty(self) -> EmptyState:
        return EmptyState("history", "No change yet.", "Every change of the settings is kept here.")

    def open(self, rest: str) -> None:
        self._wanted = int(rest) if rest.isdecimal() and len(rest) < 12 else 0
        self._select()

    # ---- reading

    async def fetch(self) -> bool:
        have = max(PAGE_ROWS, min(self.model.rowCount(), t.MAX_PAGE))
        found = await self.desk.session.call(lambda client: client.revisions(limit=have))
        self._current = found.current
        self.model.replace(found.items, found.total)
        self._select()
        return bool(found.items)

    def _more(self, offset: int) -> None:
        self.do(self._fetch_more(offset), "more revisions")

    async def _fetch_more(self, offset: int) -> None:
        found = await self.desk.session.call(
            lambda client: client.revisions(limit=PAGE_ROWS, offset=offset)
        )
        self.model.append(found.items, found.total)

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.ConfigEvent):
            self.mark_stale()

    # ---- one of them

    def _select(self) -> None:
        if not self.model.rowCount():
            return
        place = self.model.find(self._wanted) if self._wanted else -1
        if place >= 0:
            self._wanted = 0
            self.table.select(place)
        elif not self.table.chosen():
            self.table.select(0)
        else:
            self._picked()

    @property
    def chosen(self) -> st.Revision | None:
        rows = self.table.chosen()
        return rows[0] if rows else None

    def _picked(self) -> None:
        if (revision := self.chosen) is not None:
            self.do(self._show(revision), "revision")

    async def _show(self, revision: st.Revision) -> None:
        found = await self.desk.session.call(lambda client: client.revision_diff(revision.number))
        if self.chosen is None or self.chosen.number != revision.number:
            return  # somebody looks at another one by now
        self.title.setText(f"{revision.number}. {revision.summary or 'Change'}")
        holds = " It holds now." if revision.number == self._current else ""
        when = wording.moment_ago(revision.at, datetime.now(UTC))
        self.about.setText(f"By {revision.author}, {when}.{holds}")
        self.back_button.setEnabled(revision.number != self._current)
        self.diff.show_files(found.files)

    # ---- going back

    def go_back(self) -> None:
        if (revision := self.chosen) is not None:
            self.do(self._going_back(revision), "go back to settings")

    async def _going_back(self, revision: st.Revision) -> None:
        call, number, current = self.desk.session.call, revision.number, self._current
        found = await call(lambda client: client.check_revert(number))
        if not await ask_about(
            self.desk,
            f"Go back to the settings of change {number}?",
            found,
            yes="Go back",
            note="That is a change of its own: you can come back from it too. Mail is not touched.",
        ):
            return
        applied = await call(lambda client: client.revert(number, revision=current))
        if applied.revision == current:
            self.desk.toast("The settings were like that already.")
            return
        text = "The old settings hold again."
        if applied.needs_restart:
            text += " A part of them after a restart of the server."
        self._wanted = applied.revision
        self.desk.toast(text, undo=lambda: undo_change(self.desk, current, applied.revision))
        self.mark_stale()

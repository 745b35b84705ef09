"""A list that the server describes: columns, search, filters, sorting, pages, what can be done with a row or with many.

A page that is nothing else is three lines:

    class SuppressionsPage(SpecListPage):
        TITLE = "Suppression list"
        LIST = "suppression"
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar
from urllib.parse import quote

from pydantic import JsonValue
from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from backend.api import forms as f
from backend.api.conditions import holds
from backend.api.types import MAX_PAGE, EventData, FlowEvent
from ui import palette
from ui.pages.flow_steps import LeftFlows
from ui.pages.form_editor import action_button
from ui.pages.page import Desk, Page
from ui.presenters import listing as words
from ui.presenters.listing import Row
from ui.presenters.wording import number
from ui.widgets.dialogs import ask
from ui.widgets.forms import Combo
from ui.widgets.surface import EmptyState
from ui.widgets.tables import Column, RowsModel, Table
from ui.widgets.text import Label, button, clear, row

PAGE_ROWS = 100
SEARCH_MS = 300
WIDTHS: Mapping[str, int] = {"xs": 7, "s": 11, "m": 18, "l": 32, "full": 0}
PART_WIDTH = 18  # “1.2 GB of 5.0 GB”
KIND_WIDTHS: Mapping[str, int] = {
    "number": 10,
    "count": 10,
    "size": 11,
    "bool": 12,
    "time": 15,
    "state": 18,
}


class SpecListView(QWidget):
    """`load()` reads specification and rows. `fixed` goes into each query; `most` rows are in view at once (0: what fits).

    `on_open` is called with a row that was opened; without it its page is opened, if the list has one.

    Signals:
        loaded: rows have come.
    """

    loaded = Signal()

    def __init__(
        self,
        desk: Desk,
        spec_id: str,
        *,
        fixed: Mapping[str, str] | None = None,
        most: int = 0,
        on_open: Callable[[Row], None] | None = None,
    ) -> None:
        super().__init__()
        self.desk, self.spec_id = desk, spec_id
        self.spec: f.Spec | None = None
        self.total = 0
        self._fixed = dict(fixed or {})
        self._most, self.on_open = most, on_open
        self._sort = ""
        self._cursor = ""
        self._turn = 0
        self._rows: list[Row] = []
        self._filters: dict[str, Combo] = {}
        self._asking = QTimer(self)
        self._asking.setSingleShot(True)
        self._asking.setInterval(SEARCH_MS)
        self._asking.timeout.connect(self._ask_again)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search")
        self.search.setAccessibleName("Search")
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(280)
        self.search.textChanged.connect(self._asking.start)
        self._count = Label("", "small", tone="muted", wrap=False)
        self._tools = row(self.search)
        self._acts = row()
        self._place = QVBoxLayout()
        self.model: RowsModel[Row] = RowsModel([], key=id)
        self.table: Table | None = None
        self.nothing = EmptyState(
            "filter",
            "Nothing matches.",
            "",
            button("Clear the filter", self.clear_filter, icon="x"),
        )
        self._outer = QVBoxLayout(self)
        self._outer.setContentsMargins(0, 0, 0, 0)
        self._outer.setSpacing(palette.space("m"))
        self._outer.addLayout(self._tools)
        self._outer.addLayout(self._place, 1000)
        self._outer.addWidget(self.nothing)
        self._outer.addLayout(self._acts)
        self._outer.addStretch(1)
        self.nothing.hide()

    # ---- building, once the specification is there

    @property
    def listing(self) -> f.ListSpec:
        assert self.spec is not None
        assert self.spec.listing is not None
        return self.spec.listing

    def _build(self, spec: f.Spec) -> None:
        self.spec = spec
        listing = self.listing
        self._sort = listing.sort
        self.search.setAccessibleName(f"Search {spec.title}")
        self.search.setVisible(listing.searchable)
        for field in listing.filters:
            box = Combo()
            box.setAccessibleName(field.label)
            box.addItem(f"{field.label}: all", "")
            for choice in field.choices:
                box.addItem(choice.label, words.as_query(choice.value))
            box.currentIndexChanged.connect(lambda _index: self._ask_again())
            self._filters[field.key] = box
            self._tools.addWidget(box)
        self._tools.addStretch(1)
        self._tools.addWidget(self._count)
        columns = [_column(each) for each in listing.columns]
        self.model = RowsModel(columns, key=lambda r: r.get(listing.key))
        self.model.more = self._more
        self.table = Table(self.model, spec.title, multiple=bool(listing.mass_actions))
        self.table.opened.connect(lambda place: self._open(self.model.row(place)))
        self.table.picked.connect(self._draw_actions)
        self.table.delete_pressed.connect(self._delete)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._show_menu)
        header = self.table.horizontalHeader()
        header.setSectionsClickable(not listing.cursor)
        header.setSortIndicatorShown(not listing.cursor)
        header.sectionClicked.connect(self._sort_by)
        self._mark_sorted()
        self._place.addWidget(self.table)

    def empty_state(self) -> EmptyState:
        """What the list says that has no row at all."""
        said = self.listing.empty
        actions = [self.button_for(said.action)] if said.action is not None else []
        return EmptyState(said.icon or "circle-dashed", said.title, said.text, *actions)

    def button_for(self, action: f.Action) -> QPushButton:
        """An action of the whole list."""
        return action_button(self.desk, self, action, "", dict, self.reload)

    # ---- reading

    @property
    def is_filtered(self) -> bool:
        return bool(self.search.text().strip()) or any(
            box.currentData() for box in self._filters.values()
        )

    def clear_filter(self) -> None:
        self.search.clear()
        for box in self._filters.values():
            box.setCurrentIndex(0)
        self._ask_again()

    def fix(self, fixed: Mapping[str, str]) -> None:
        """What goes into each query from now on."""
        if dict(fixed) != self._fixed:
            self._fixed = dict(fixed)
            self.model.reset([])
            self._ask_again()

    async def load(self) -> None:
        """Reads as many rows as are shown already, at least a page."""
        if self.spec is None:
            spec = await self.desk.session.call(lambda client: client.form_spec(self.spec_id))
            if self.spec is None:  # loads may overlap
                self._build(spec)
        self._turn += 1
        turn = self._turn
        have = max(PAGE_ROWS, min(self.model.rowCount(), MAX_PAGE))
        rows, total = await self._ask(0, have)
        if turn != self._turn:
            return  # somebody asks for something else already
        self._rows = rows
        self._show(rows, total)

    def reload(self) -> None:
        self.desk.scope.start(self.load(), f"list {self.spec_id}")

    def take(self, event: EventData) -> None:
        """An event of the server after which the list may be another."""
        if self.spec is not None and event.topic in {*(self.listing.events or ["config"])}:
            self._asking.start()

    def _ask_again(self) -> None:
        self._asking.stop()
        if self.spec is not None:
            self.reload()

    def _query(self, offset: int, limit: int) -> dict[str, str]:
        listing, text = self.listing, self.search.text().strip()
        asked = dict(self._fixed)
        if listing.cursor:
            asked |= {"limit": str(limit), "text": text, "cursor": self._cursor if offset else ""}
        elif listing.paged:
            asked |= {"limit": str(limit), "offset": str(offset or ""), "search": text}
            asked["sort"] = self._sort
        if listing.cursor or listing.paged:
            asked |= {key: str(box.currentData()) for key, box in self._filters.items()}
        return {key: value for key, value in asked.items() if value}

    async def _ask(self, offset: int, limit: int) -> tuple[list[Row], int]:
        listing, query = self.listing, self._query(offset, limit)
        reply = await self.desk.session.call(
            lambda client: client.ask("GET", listing.path, query=query)
        )
        table = reply if isinstance(reply, dict) else {}
        found = table.get(listing.items)
        rows: list[Row] = (
            [r for r in found if isinstance(r, dict)] if isinstance(found, list) else []
        )
        if not (listing.paged or listing.cursor):
            filters = {key: str(box.currentData()) for key, box in self._filters.items()}
            rows = words.shown_rows(
                rows, listing, search=self.search.text(), filters=filters, sort=self._sort
            )
            return rows, len(rows)
        self._cursor = str(table.get("next") or "")
        total = table.get("total")
        return rows, total if isinstance(total, int) else len(rows)

    def _more(self, offset: int) -> None:
        self.desk.scope.start(self._fetch_more(offset), f"more of {self.spec_id}")

    async def _fetch_more(self, offset: int) -> None:
        turn = self._turn
        rows, total = await self._ask(offset, PAGE_ROWS)
        if turn == self._turn:
            self._rows = [*self._rows, *rows]
            self.model.append(rows, total)
            self._fit()

    def _show(self, rows: list[Row], total: int) -> None:
        assert self.table is not None
        self.total = total
        self.model.replace(rows, total)
        self._count.setText(f"{number(total)} in all" if total > len(rows) else "")
        self.table.setVisible(bool(rows))
        self.nothing.setVisible(not rows and self.is_filtered)
        self._fit()
        self._draw_actions()
        self.loaded.emit()

    def _fit(self) -> None:
        assert self.table is not None
        if self._most:
            self.table.fit_height(self._most)
            return
        lines = self.model.rowCount() * self.table.verticalHeader().defaultSectionSize()
        head = self.table.horizontalHeader().sizeHint().height() + 6
        self.table.setMaximumHeight(head + lines)

    # ---- order

    def _sort_by(self, section: int) -> None:
        column = self.listing.columns[section]
        if column.sortable:
            self._sort = f"-{column.key}" if self._sort == column.key else column.key
            self._ask_again()
        self._mark_sorted()

    def _mark_sorted(self) -> None:
        assert self.table is not None
        keys = [column.key for column in self.listing.columns]
        key, down = self._sort.removeprefix("-"), self._sort.startswith("-")
        order = Qt.SortOrder.DescendingOrder if down else Qt.SortOrder.AscendingOrder
        place = keys.index(key) if key in keys else -1
        self.table.horizontalHeader().setSortIndicator(place, order)

    # ---- doing

    def chosen(self) -> list[Row]:
        return list(self.table.chosen()) if self.table is not None else []

    def _key(self, chosen: Row) -> str:
        return str(chosen.get(self.listing.key))

    @property
    def _opens(self) -> bool:
        return bool(self.listing.page) or self.on_open is not None

    def _open(self, chosen: Row) -> None:
        if self.on_open is not None:
            self.on_open(chosen)
        elif self.listing.page:
            self.desk.go(self.listing.page.replace("{key}", quote(self._key(chosen), safe="@")))

    def _buttons(self) -> list[QPushButton]:
        """What can be done with what is chosen."""
        chosen, made = self.chosen(), []
        if len(chosen) == 1:
            values = dict(chosen[0])
            key = self._key(chosen[0])
            if self._opens:
                made.append(
                    button(
                        "Open",
                        partial(self._open, values),
                        icon="chevron-right",
                        name=f"Open {key}",
                    )
                )
            for action in self.listing.row_actions:
                if holds(action.show_if, values):
                    one = action_button(
                        self.desk, self, action, key, lambda: values, self._ask_again
                    )
                    one.setAccessibleName(f"{action.title.rstrip('…')} {key}")
                    made.append(one)
        if chosen:
            for action in self.listing.mass_actions:
                kind = "" if action.kind == "plain" else action.kind
                title = f"{action.title} ({len(chosen)})" if len(chosen) > 1 else action.title
                act = partial(self._start_mass, action)
                made.append(button(title, act, kind=kind, icon=action.icon, name=action.title))
        return made

    def _draw_actions(self) -> None:
        clear(self._acts)
        for one in self._buttons():
            self._acts.addWidget(one)
        self._acts.addStretch(1)

    def _show_menu(self, at: QPoint) -> None:
        assert self.table is not None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for one in self._buttons():
            menu.addAction(one.text().strip()).triggered.connect(one.click)
            one.setParent(menu)
            one.hide()
        if not menu.isEmpty():
            menu.popup(self.table.viewport().mapToGlobal(at))

    def _delete(self) -> None:
        """Del does what removes."""
        for i in range(self._acts.count()):
            item = self._acts.itemAt(i)
            widget = item.widget() if item is not None else None
            if isinstance(widget, QPushButton) and widget.property("kind") == "danger":
                widget.click()
                return

    def _start_mass(self, action: f.Action) -> None:
        self.desk.scope.start(self._run_mass(action, self.chosen()), action.title)

    async def _run_mass(self, action: f.Action, chosen: list[Row]) -> None:
        many = number(len(chosen))
        if (confirm := action.confirm) is not None and not await ask(
            self,
            confirm.title,
            confirm.text,
            yes=confirm.verb,
            no="Keep" if action.kind == "danger" else "Cancel",
            danger=action.kind == "danger",
        ):
            return
        ids: list[JsonValue] = [each.get(self.listing.key) for each in chosen]
        body: dict[str, JsonValue] = {**action.body, "ids": ids}
        await self.desk.session.call(lambda client: client.ask(action.method, action.path, body))
        self.desk.toast(action.done or f"{action.title}: {many}.")
        self._ask_again()


def _column(spec: f.Column) -> Column[Row]:
    width = 0 if spec.main else KIND_WIDTHS.get(spec.kind) or WIDTHS[spec.width]
    if spec.of:
        width = PART_WIDTH
    return Column(
        title=spec.title,
        text=lambda row: words.cell_text(spec, row, datetime.now(UTC)),
        tone=(lambda row: words.cell_tone(spec, row)) if spec.kind == "state" else None,
        mono=spec.kind == "code",
        muted=spec.kind in {"time", "size"},
        right=spec.kind in words.RIGHT,
        spare=spec.priority > 1,
        width=max(width, len(spec.title) + 3, len(spec.empty) + 3) if width else 0,
        share=(lambda row: words.share(spec, row)) if spec.of else None,
    )


class SpecListPage(Page):
    """A page that is one list. The words, the actions and the empty state are the specification's."""

    LIST: ClassVar[str] = ""
    WIZARDS: ClassVar[tuple[str, ...]] = ()
    """Kinds of wizards that begin here; those that were left are shown above the list."""
    SCROLLS = False

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.list = SpecListView(desk, self.LIST)
        self.list.loaded.connect(self._rows_came)
        self.left = LeftFlows(desk.go)
        self.body.addWidget(self.left)
        self.body.addWidget(self.list)

    async def fetch(self) -> bool:
        first = self.list.spec is None
        await self.list.load()
        if self.WIZARDS:
            flows = await self.desk.session.call(lambda client: client.flows())
            self.left.fill([each for each in flows if each.type in self.WIZARDS])
        if first:
            self._dress()
        return self._is_full

    def _dress(self) -> None:
        assert self.list.spec is not None
        for action in self.list.listing.actions:
            self.toolbar.addWidget(self.list.button_for(action))
        if self.list.spec.help and not self.SUBTITLE:
            self.subtitle.setText(self.list.spec.help)
            self.subtitle.show()
        self.replace_empty(self.list.empty_state())

    @property
    def _is_full(self) -> bool:
        return self.list.total > 0 or self.list.is_filtered

    def _rows_came(self) -> None:
        if self.state in {"full", "empty"}:
            self._stack.setCurrentWidget(self.content if self._is_full else self.empty)

    def take(self, event: EventData) -> None:
        if self.WIZARDS and isinstance(event, FlowEvent):
            self.mark_stale()
        self.list.take(event)

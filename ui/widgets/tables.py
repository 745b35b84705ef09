"""Tables of plain row objects: columns are data, states are pills, rows keep their selection when they are read again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QBrush,
    QFont,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from ui import palette
from ui.remembered import REMEMBERED
from ui.widgets.surface import paint_pill, paint_share

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex
TONE_ROLE = Qt.ItemDataRole.UserRole + 1
SHARE_ROLE = Qt.ItemDataRole.UserRole + 2
NO_INDEX = QModelIndex()
LEAST_STRETCH = 18  # characters that a column without a width needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[R]):
    """`tone` makes it a pill (a token's name) unless `plain`, then it is the colour of the text. `width` in characters."""

    title: str
    text: Callable[[R], str]
    tone: Callable[[R], str] | None = None
    plain: bool = False
    mono: bool = False
    muted: bool = False
    right: bool = False
    spare: bool = False
    """Left out while a drawer stands beside the table, or when there is no room."""
    width: int = 0
    """0: takes what is left."""
    share: Callable[[R], float | None] | None = None
    """How much of a whole it is: drawn as a bar below the text."""
    tip: Callable[[R], str] | None = None
    """What is said about the cell when the mouse rests on it; else its text."""


class RowsModel(QAbstractTableModel, Generic[R]):
    """Row objects that are known by a key. `more` is called with the number of rows so far when the view wants others."""

    def __init__(self, columns: Sequence[Column[R]], key: Callable[[R], object]) -> None:
        super().__init__()
        self.columns = list(columns)
        self._key = key
        self._rows: list[R] = []
        self.total = 0
        self.more: Callable[[int], None] | None = None
        self._asked = -1

    # ---- rows

    def rows(self) -> list[R]:
        return list(self._rows)

    def row(self, number: int) -> R:
        return self._rows[number]

    def find(self, key: object) -> int:
        return next((i for i, row in enumerate(self._rows) if self._key(row) == key), -1)

    def replace(self, rows: Sequence[R], total: int | None = None) -> None:
        """New content: rows with the same key keep selection and place."""
        fresh = list(rows)
        self.total = len(fresh) if total is None else total
        self._asked = -1
        if [self._key(r) for r in fresh] == [self._key(r) for r in self._rows]:
            self._rows = fresh
            if fresh:
                last = self.index(len(fresh) - 1, len(self.columns) - 1)
                self.dataChanged.emit(self.index(0, 0), last)
            return
        self.layoutAboutToBeChanged.emit()
        places = {self._key(row): i for i, row in enumerate(fresh)}
        old = self.persistentIndexList()
        keys = [self._key(self._rows[index.row()]) for index in old]
        self._rows = fresh
        for index, key in zip(old, keys, strict=True):
            place = places.get(key)
            moved = self.index(place, index.column()) if place is not None else QModelIndex()
            self.changePersistentIndex(index, moved)
        self.layoutChanged.emit()

    def append(self, rows: Sequence[R], total: int) -> None:
        known = {self._key(row) for row in self._rows}
        fresh = [row for row in rows if self._key(row) not in known]
        self.total = total if rows else len(self._rows)
        self._asked = -1
        if fresh:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
            self._rows.extend(fresh)
            self.endInsertRows()

    def extend(self, rows: Sequence[R], keep: int) -> None:
        """Rows that are known to be new, at the end; the oldest above `keep` go away (a log)."""
        rows = rows[-keep:]
        if not rows:
            return
        if (surplus := len(self._rows) + len(rows) - keep) > 0:
            self.beginRemoveRows(QModelIndex(), 0, surplus - 1)
            del self._rows[:surplus]
            self.endRemoveRows()
        first = len(self._rows)
        self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
        self._rows.extend(rows)
        self.total = len(self._rows)
        self.endInsertRows()

    def reset(self, rows: Sequence[R]) -> None:
        """Other rows altogether: the selection is gone."""
        self.beginResetModel()
        self._rows = list(rows)
        self.total = len(self._rows)
        self.endResetModel()

    def remove(self, keys: set[object]) -> None:
        for i in range(len(self._rows) - 1, -1, -1):
            if self._key(self._rows[i]) in keys:
                self.beginRemoveRows(QModelIndex(), i, i)
                del self._rows[i]
                self.endRemoveRows()
                self.total = max(0, self.total - 1)

    # ---- Qt's questions

    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and self.more is not None and len(self._rows) < self.total

    def fetchMore(self, _parent: Index) -> None:
        if self.more is not None and self._asked != len(self._rows):
            self._asked = len(self._rows)
            self.more(self._asked)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = "AlignRight" if self.columns[section].right else "AlignLeft"
            return getattr(Qt.AlignmentFlag, side) | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self._rows[index.row()], self.columns[index.column()]
        match role:
            case Qt.ItemDataRole.ToolTipRole if column.tip is not None:
                return column.tip(row) or column.text(row)
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                return column.text(row)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{column.title}: {column.text(row)}"
            case _ if role == TONE_ROLE:
                return column.tone(row) if column.tone is not None and not column.plain else None
            case _ if role == SHARE_ROLE:
                return column.share(row) if column.share is not None else None
            case Qt.ItemDataRole.ForegroundRole:
                if column.plain and column.tone is not None:
                    return QBrush(palette.color(column.tone(row)))
                return QBrush(palette.color("muted")) if column.muted else None
            case Qt.ItemDataRole.FontRole:
                return palette.mono_font(0.95) if column.mono else None
            case Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
        return None


class PillDelegate(QStyledItemDelegate):
    """Draws a cell as a pill where the model gives a tone, else as Qt does."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tone = index.data(TONE_ROLE)
        if tone is None:
            super().paint(painter, option, index)
            if (share := index.data(SHARE_ROLE)) is not None:
                box = cast(Any, option).rect.adjusted(8, 0, -8, -5)
                painter.save()
                bar = QRectF(box.x(), box.bottom() - 3, box.width(), 3)
                paint_share(painter, bar, float(share))
                painter.restore()
            return
        view = QStyleOptionViewItem(option)
        self.initStyleOption(view, index)
        cast(Any, view).text = ""  # the stubs leave the option's fields out
        widget = cast(Any, option).widget
        style = widget.style() if widget is not None else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, view, painter, widget)
        text = str(index.data())
        if not text:
            return
        rect = cast(Any, option).rect
        painter.save()
        font = QFont(cast(Any, option).font)
        font.setPointSizeF(font.pointSizeF() * 0.9)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        metrics = painter.fontMetrics()
        height = metrics.height() + 5
        width = min(metrics.horizontalAdvance(text) + 36, rect.width() - 10)
        top = rect.center().y() - height / 2 + 0.5
        paint_pill(painter, QRectF(rect.x() + 6, top, width, height), text, str(tone))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        hint = super().sizeHint(option, index)
        return QSize(hint.width() + (30 if index.data(TONE_ROLE) else 0), hint.height())


class Table(QTableView):
    """A list of rows: whole rows are selected, Enter opens, Ctrl+C copies as tab-separated text.

    Signals:
        opened: the row with this number was double-clicked or Enter was pressed on it.
        picked: the selection changed.
        delete_pressed: Del was pressed with a selection.
    """

    opened = Signal(int)
    picked = Signal()
    delete_pressed = Signal()

    def __init__(self, model: RowsModel[Any], name: str, *, multiple: bool = False) -> None:
        super().__init__()
        self._model = model
        self._compact = False
        self._fitting = False
        self._shown: list[int] = []
        self.setModel(model)
        self.setItemDelegate(PillDelegate(self))
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        mode = QAbstractItemView.SelectionMode
        self.setSelectionMode(mode.ExtendedSelection if multiple else mode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.verticalHeader().hide()
        row_height = max(palette.size("row"), self.fontMetrics().height() + 14)
        self.verticalHeader().setDefaultSectionSize(row_height)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(48)
        header.setStretchLastSection(False)
        self._fit()
        header.sectionResized.connect(self._resized)
        self.doubleClicked.connect(lambda index: self.opened.emit(index.row()))
        self.selectionModel().selectionChanged.connect(lambda _new, _old: self.picked.emit())
        palette.theme().changed.connect(self.viewport().update)

    def set_compact(self, compact: bool) -> None:
        """Leaves out all spare columns, to make room for a drawer."""
        self._compact = compact
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _needed(self, shown: list[int]) -> int:
        advance = self.fontMetrics().averageCharWidth()
        widths = (self._model.columns[i].width or LEAST_STRETCH for i in shown)
        return sum(width * advance + 24 for width in widths)

    def _fit(self) -> None:
        """Leaves out spare columns, the last one first, until the others fit; somebody fills what is left."""
        columns = self._model.columns
        shown = list(range(len(columns)))
        for i in reversed(range(len(columns))):
            crowded = self._compact or self._needed(shown) > self.viewport().width()
            if columns[i].spare and crowded:
                shown.remove(i)
        if shown == self._shown:
            return
        self._shown = shown
        header, advance = self.horizontalHeader(), self.fontMetrics().averageCharWidth()
        filler = max(shown, key=lambda i: columns[i].width)
        stretches = any(not columns[i].width for i in shown)
        self._fitting = True
        for i, column in enumerate(columns):
            self.setColumnHidden(i, i not in shown)
            fills = not column.width or (i == filler and not stretches)
            resize = QHeaderView.ResizeMode
            header.setSectionResizeMode(i, resize.Stretch if fills else resize.Interactive)
            if not fills:
                wished = REMEMBERED.width(self.accessibleName(), column.title)
                self.setColumnWidth(i, wished or column.width * advance + 24)
        self._fitting = False

    def _resized(self, section: int, _old: int, width: int) -> None:
        """By hand: what fills the rest changes by itself."""
        fixed = self.horizontalHeader().sectionResizeMode(section)
        if fixed is QHeaderView.ResizeMode.Interactive and not self._fitting and width:
            REMEMBERED.set_width(self.accessibleName(), self._model.columns[section].title, width)

    def chosen(self) -> list[Any]:
        """The selected rows, from top to bottom."""
        numbers = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self._model.row(number) for number in numbers]

    def select(self, number: int) -> None:
        flags = (
            QItemSelectionModel.SelectionFlag.ClearAndSelect
            | QItemSelectionModel.SelectionFlag.Rows
        )
        self.selectionModel().select(self._model.index(number, 0), flags)
        self.selectionModel().setCurrentIndex(
            self._model.index(number, 0), QItemSelectionModel.SelectionFlag.NoUpdate
        )
        self.scrollTo(self._model.index(number, 0))

    def fit_height(self, most: int = 12) -> None:
        """As high as its rows, up to `most` of them: for tables inside a page that scrolls."""
        rows = min(max(self._model.rowCount(), 1), most)
        height = self.horizontalHeader().sizeHint().height() + 6
        self.setFixedHeight(height + rows * self.verticalHeader().defaultSectionSize())

    def as_tsv(self) -> str:
        lines = ["\t".join(column.title for column in self._model.columns)]
        for row in self.chosen():
            cells = (column.text(row).replace("\t", " ") for column in self._model.columns)
            lines.append("\t".join(cells))
        return "\n".join(lines)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.as_tsv())
            return
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex().row())
            return
        if event.key() == Qt.Key.Key_Delete and self.chosen():
            self.delete_pressed.emit()
            return
        super().keyPressEvent(event)

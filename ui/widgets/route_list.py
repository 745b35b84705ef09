"""Routes as cards in the order in which they are looked at: dragged, moved with Alt and the arrows, switched with a click."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QEvent,
    QItemSelectionModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from ui import icons, palette
from ui.presenters import routes as words
from ui.presenters.routes import Entry

Index = QModelIndex | QPersistentModelIndex
ENTRY = Qt.ItemDataRole.UserRole + 1
MIME = "application/x-gatepost-route"
NO_INDEX = QModelIndex()
GRIP, NUMBER, SWITCH, PAD = 22, 30, 40, 12


class RouteModel(QAbstractListModel):
    """Lines as `ui.presenters.routes.entries` makes them.

    Signals:
        switched: key; its switch was clicked.
        dropped: key, and the index in its list to which it was dragged.
    """

    switched = Signal(int)
    dropped = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Entry] = []

    def entry(self, row: int) -> Entry:
        return self._entries[row]

    def row_of(self, key: int) -> int:
        return next(
            (i for i, e in enumerate(self._entries) if e.rule is not None and e.rule.key == key), -1
        )

    def show(self, entries: Sequence[Entry]) -> None:
        """Other lines; what was chosen stays chosen."""
        old = self.persistentIndexList()
        keys = [_identity(self._entries[index.row()]) for index in old]
        self.layoutAboutToBeChanged.emit()
        self._entries = list(entries)
        rows = {_identity(entry): row for row, entry in enumerate(self._entries)}
        for index, key in zip(old, keys, strict=True):
            row = rows.get(key)
            self.changePersistentIndex(index, NO_INDEX if row is None else self.index(row))
        self.layoutChanged.emit()

    # ---- Qt's questions

    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self._entries[index.row()]
        if role == ENTRY:
            return entry
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return words.spoken(entry)
        if role == Qt.ItemDataRole.CheckStateRole and entry.rule is not None:
            off = entry.rule.settings.disabled
            return Qt.CheckState.Unchecked if off else Qt.CheckState.Checked
        return None

    def setData(self, index: Index, _value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        entry = self._entries[index.row()]
        if role != Qt.ItemDataRole.CheckStateRole or entry.rule is None:
            return False
        self.switched.emit(entry.rule.key)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.ItemIsDropEnabled
        if self._entries[index.row()].rule is None:
            return flag.ItemIsEnabled
        return (
            flag.ItemIsEnabled
            | flag.ItemIsSelectable
            | flag.ItemIsDragEnabled
            | flag.ItemIsUserCheckable
        )

    # ---- dragging

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        rule = self._entries[indexes[0].row()].rule
        data.setData(MIME, str(rule.key if rule is not None else 0).encode())
        return data

    def canDropMimeData(
        self, data: QMimeData, _action: Qt.DropAction, row: int, _column: int, parent: Index
    ) -> bool:
        return data.hasFormat(MIME) and not parent.isValid() and row >= 0

    def dropMimeData(
        self, data: QMimeData, _action: Qt.DropAction, row: int, _column: int, parent: Index
    ) -> bool:
        if not self.canDropMimeData(data, _action, row, _column, parent):
            return False
        key = int(bytes(data.data(MIME).data()))
        now = self.row_of(key)
        if now < 0:
            return False
        place = self._entries[now].place
        header = next(
            i for i, e in enumerate(self._entries) if e.kind == "header" and e.place == place
        )
        # A route stays in its list: above it is the first place, below it the last one.
        index = row - header - 1 - (1 if row > now else 0)
        self.dropped.emit(key, max(0, index))
        return False  # the lines come anew; the view has nothing to take away


def _identity(entry: Entry) -> object:
    return entry.rule.key if entry.rule is not None else (entry.kind, entry.place)


class RouteDelegate(QStyledItemDelegate):
    """Paints the lines."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        entry = index.data(ENTRY)
        width = option.rect.width() if option.rect.width() > 0 else 600
        view = option.widget
        if isinstance(view, QListView):
            width = view.viewport().width()
        if entry.rule is None:
            return QSize(width, _line(option) * 2 + (8 if entry.kind == "header" else 24))
        height = _text_height(
            entry.rule.sentence or "…", _text_width(width), QApplication.font().toString()
        )
        if words.notes(entry.rule):
            height += len(words.notes(entry.rule)) * _line(option)
        return QSize(width, int(height) + 2 * PAD + 6)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry = index.data(ENTRY)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if entry.kind == "header":
            self._paint_header(painter, option, entry)
        elif entry.rule is None:
            self._paint_otherwise(painter, option, entry)
        else:
            self._paint_rule(painter, option, entry)
        painter.restore()

    def _paint_header(self, painter: QPainter, option: QStyleOptionViewItem, entry: Entry) -> None:
        rect = option.rect.adjusted(2, 6, -2, 0)
        painter.setFont(_font(bold=True))
        painter.setPen(palette.color("text"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignTop, entry.title)
        painter.setFont(_font(0.9))
        painter.setPen(palette.color("muted"))
        painter.drawText(
            rect.adjusted(0, _line(option) + 1, 0, 0), Qt.AlignmentFlag.AlignTop, entry.note
        )

    def _paint_otherwise(
        self, painter: QPainter, option: QStyleOptionViewItem, entry: Entry
    ) -> None:
        rect = QRectF(option.rect).adjusted(1.5, 10.5, -1.5, -2.5)
        pen = QPen(palette.color("field_border"))
        pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect, 8, 8)
        icons.paint(
            "send",
            painter,
            QRectF(rect.x() + PAD, rect.center().y() - 9, 18, 18),
            palette.theme().colors.hex("muted"),
        )
        inner = rect.adjusted(PAD + 30, 0, -PAD, 0)
        middle = inner.center().y()
        painter.setFont(_font(bold=True))
        painter.setPen(palette.color("text"))
        line = _line(option)
        painter.drawText(QPointF(inner.x(), middle - 3), entry.title)
        painter.setFont(_font(0.9))
        painter.setPen(palette.color("muted"))
        painter.drawText(QPointF(inner.x(), middle + line - 5), entry.note)

    def _paint_rule(self, painter: QPainter, option: QStyleOptionViewItem, entry: Entry) -> None:
        assert entry.rule is not None
        rule, card = entry.rule, QRectF(option.rect).adjusted(1.5, 2.5, -1.5, -2.5)
        state = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        off = rule.settings.disabled
        painter.setBrush(palette.color("accent_soft" if chosen else "base"))
        painter.setPen(
            QPen(palette.color("accent" if chosen or focused else "line"), 2 if focused else 1)
        )
        painter.drawRoundedRect(card, 8, 8)
        _paint_grip(painter, QPointF(card.x() + 13, card.center().y()))
        painter.setFont(_font(bold=True))
        painter.setPen(palette.color("muted"))
        number = QRectF(card.x() + GRIP, card.y() + PAD, NUMBER - 8, _line(option) + 2)
        painter.drawText(number, Qt.AlignmentFlag.AlignRight, str(entry.position))
        layout = _laid_out(
            rule.sentence or "…",
            _text_width(option.rect.width()),
            palette.color("muted" if off else "text"),
        )
        left = card.x() + GRIP + NUMBER
        layout.draw(painter, QPointF(left, card.y() + PAD))
        y = card.y() + PAD + layout.boundingRect().height()
        painter.setFont(_font(0.9))
        for note in words.notes(rule):
            warns = note.startswith("Never matches")
            painter.setPen(palette.color("warn" if warns else "muted"))
            place = QRectF(left, y, card.right() - left - SWITCH - 2 * PAD, _line(option))
            if warns:
                side = QRectF(place.x(), place.y() + 1, 15, 15)
                icons.paint("alert-triangle", painter, side, palette.theme().colors.hex("warn"))
                place.adjust(20, 0, 0, 0)
            shown = painter.fontMetrics().elidedText(
                note, Qt.TextElideMode.ElideRight, int(place.width())
            )
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
            y += _line(option)
        _paint_switch(painter, switch_rect(option.rect), on=not off)
        painter.setPen(palette.color("muted"))
        below = QRectF(card.right() - 130 - PAD, card.y() + PAD + 24, 130, _line(option))
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, words.hits(rule))

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease:
            hit = switch_rect(option.rect).adjusted(-6, -6, 6, 6)
            if hit.contains(event.position()) and index.data(ENTRY).rule is not None:
                return model.setData(index, None, Qt.ItemDataRole.CheckStateRole)
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space:
            return model.setData(index, None, Qt.ItemDataRole.CheckStateRole)
        return False


def switch_rect(rect: QRect) -> QRectF:
    return QRectF(rect.right() - SWITCH - PAD, rect.y() + PAD + 2, SWITCH - 4, 18)


def _font(factor: float = 1.0, *, bold: bool = False) -> QFont:
    font = QFont(QApplication.font())
    font.setPointSizeF(font.pointSizeF() * factor)
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    return font


def _line(option: QStyleOptionViewItem) -> int:
    return option.fontMetrics.height() + 3


def _text_width(width: int) -> int:
    return max(120, width - GRIP - NUMBER - 130 - 3 * PAD)


def _laid_out(sentence: str, width: int, color: QColor) -> QTextLayout:
    parts = words.pieces(sentence)
    layout = QTextLayout("".join(text for text, _ in parts), _font())
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    at, formats = 0, []
    for text, strong in parts:
        look = QTextLayout.FormatRange()
        style = QTextCharFormat()
        style.setForeground(color)
        if strong:
            style.setFontWeight(QFont.Weight.Bold)
        look.start, look.length, look.format = at, len(text), style
        formats.append(look)
        at += len(text)
    layout.setFormats(formats)
    layout.beginLayout()
    y = 0.0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        line.setPosition(QPointF(0, y))
        y += line.height()
    layout.endLayout()
    return layout


@lru_cache(maxsize=4096)
def _text_height(sentence: str, width: int, _font_name: str) -> float:
    return _laid_out(sentence, width, QColor()).boundingRect().height()


def _paint_grip(painter: QPainter, middle: QPointF) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.color("field_border"))
    for x in (-3, 3):
        for y in (-6, 0, 6):
            painter.drawEllipse(middle + QPointF(x, y), 1.6, 1.6)


def _paint_switch(painter: QPainter, rect: QRectF, *, on: bool) -> None:
    painter.setPen(QPen(palette.color("accent" if on else "field_border"), 1))
    painter.setBrush(palette.color("accent" if on else "neutral_bg"))
    painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.color("on_accent" if on else "field_border"))
    x = rect.right() - 9 if on else rect.x() + 9
    painter.drawEllipse(QPointF(x, rect.center().y()), 6, 6)


class RouteView(QListView):
    """`act` is called with what a key or the mouse asks for: edit, remove, add, up, down."""

    def __init__(self, model: RouteModel, act: Callable[[str], None]) -> None:
        super().__init__()
        self._act = act
        self._model = model
        self.setModel(model)
        self.setItemDelegate(RouteDelegate(self))
        self.setAccessibleName("Routes in the order in which they are looked at")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDragDropOverwriteMode(False)
        self.setDropIndicatorShown(True)
        self.setProperty("kind", "routes")
        self.doubleClicked.connect(lambda _index: act("edit"))
        palette.theme().changed.connect(self.viewport().update)

    def chosen(self) -> int:
        """The key of the route that is chosen; 0 for none."""
        index = self.currentIndex()
        if not index.isValid():
            return 0
        rule = self._model.entry(index.row()).rule
        return rule.key if rule is not None else 0

    def choose(self, key: int) -> None:
        row = self._model.row_of(key)
        if row >= 0:
            index = self._model.index(row)
            self.selectionModel().setCurrentIndex(
                index, QItemSelectionModel.SelectionFlag.ClearAndSelect
            )
            self.scrollTo(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, alt = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        asked = {
            (Qt.Key.Key_Up, True): "up",
            (Qt.Key.Key_Down, True): "down",
            (Qt.Key.Key_Return, False): "edit",
            (Qt.Key.Key_Enter, False): "edit",
            (Qt.Key.Key_Delete, False): "remove",
            (Qt.Key.Key_Insert, False): "add",
        }.get((Qt.Key(key), alt))
        if asked is not None:
            self._act(asked)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

"""Controls for values that hold others: objects, variants, lists and tables of them."""

import re
from functools import partial
from typing import ClassVar

from pydantic import JsonValue
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFrame,
    QGridLayout,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from backend.api.conditions import Path
from backend.api.forms import Field, Variant
from ui import palette
from ui.presenters.form_values import begin, begin_all, begin_variant, fill
from ui.widgets.spec_control import Control, FormState
from ui.widgets.surface import frame
from ui.widgets.text import IconLabel, Label, button, column, row

_SEPARATORS = re.compile(r"[\s,;]+")


def _well() -> tuple[QFrame, QVBoxLayout]:
    surface = frame("well")
    inner = QVBoxLayout(surface)
    margin = palette.space("m")
    inner.setContentsMargins(margin, margin, margin, margin)
    inner.setSpacing(palette.space("m"))
    return surface, inner


class GroupControl(Control):
    """Rebuilds what it holds when the shape of the value changes."""

    IS_GROUP = True
    PLACE: ClassVar[int] = -1
    """Of what is held, in the layout."""

    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self._held: QWidget | None = None

    def hold(self, widget: QWidget | None) -> None:
        """Takes the place of what was held."""
        if (old := self._held) is not None:
            for control in old.findChildren(Control):
                control.is_gone = True
            if isinstance(old, Control):
                old.is_gone = True
            old.hide()
            old.setParent(None)
            old.deleteLater()
        self._held = widget
        if widget is not None:
            self.body.insertWidget(self.PLACE, widget)

    def build(self, fields: list[Field], path: Path) -> QWidget:
        assert self.state.build is not None
        return self.state.build(fields, path)


class ObjectControl(GroupControl):
    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self._before: JsonValue = None
        self.switch = QCheckBox("Switched on")
        if not field.nullable:
            self.switch.hide()
        self.switch.clicked.connect(self._flip)
        self.body.addWidget(self.switch)
        self.start()

    def entry(self) -> QWidget | None:
        return self.switch if self.field.nullable else None

    def show_value(self, value: JsonValue) -> None:
        self.switch.setChecked(value is not None)
        if value is None and self.field.nullable:
            self.hold(None)
            return
        surface, inner = _well()
        inner.addWidget(self.build(self.field.fields, self.path))
        self.hold(surface)

    def _flip(self, on: bool) -> None:
        if on:
            value = self._before if self._before is not None else begin_all(self.field.fields)
        else:
            self._before, value = self.state.get(self.path), None
        self.take(value)
        self.show_value(value)


class _Card(QFrame):
    """A radio button with its title, its use, and a frame that is part of it."""

    def __init__(self, variant: Variant, choose: "VariantControl") -> None:
        super().__init__()
        self.setProperty("kind", "option")
        self.radio = QRadioButton(variant.title)
        self.radio.setAccessibleName(variant.title)
        self.radio.setAccessibleDescription(variant.help)
        palette.scaled_font(self.radio, "body", bold=True)
        self.radio.clicked.connect(lambda: choose.choose(variant.value))
        words = Label(variant.help, "small", tone="muted")
        words.setContentsMargins(24, 0, 0, 0)
        head = row(self.radio, None)
        if variant.icon:
            head.addWidget(IconLabel(variant.icon, "accent", 20))
        inner = QVBoxLayout(self)
        inner.setContentsMargins(12, 10, 12, 10)
        inner.setSpacing(2)
        inner.addLayout(head)
        inner.addWidget(words)

    def mousePressEvent(self, _event: object) -> None:
        self.radio.setFocus()
        self.radio.click()

    def set_chosen(self, chosen: bool) -> None:
        self.radio.setChecked(chosen)
        self.setProperty("chosen", "true" if chosen else "false")
        self.style().unpolish(self)
        self.style().polish(self)


class VariantControl(GroupControl):
    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self._left: dict[str, JsonValue] = {}  # what was typed for the others comes back with them
        self._group = QButtonGroup(self)
        self.cards: dict[str, _Card] = {}
        grid = QGridLayout()
        grid.setSpacing(palette.space("s"))
        for index, variant in enumerate(field.variants):
            card = _Card(variant, self)
            self._group.addButton(card.radio, index)
            self.cards[variant.value] = card
            grid.addWidget(card, index // 2, index % 2)
        self.body.addLayout(grid)
        self.start()

    def show_value(self, value: JsonValue) -> None:
        tag = value.get(self.field.tag) if isinstance(value, dict) else None
        for name, card in self.cards.items():
            card.set_chosen(name == tag)
        chosen = next((each for each in self.field.variants if each.value == tag), None)
        if chosen is None or not chosen.fields:
            self.hold(None)
            return
        inside = QWidget()
        inner = QVBoxLayout(inside)
        inner.setContentsMargins(0, palette.space("s"), 0, 0)
        inner.addWidget(self.build(chosen.fields, self.path))
        self.hold(inside)

    def choose(self, tag: str) -> None:
        value = self.state.get(self.path)
        if isinstance(value, dict):
            if value.get(self.field.tag) == tag:
                return
            self._left[str(value.get(self.field.tag))] = value
        variant = next(each for each in self.field.variants if each.value == tag)
        fresh = self._left.get(tag, begin_variant(self.field, variant))
        self.take(fresh)
        self.show_value(fresh)

    def reveal(self) -> None:
        super().reveal()
        if self.cards:
            next(iter(self.cards.values())).radio.setFocus()


class ListControl(GroupControl):
    """Entries one below the other, each with its buttons."""

    PLACE = 0

    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        item = field.item
        assert item is not None
        self._item = item
        text = field.add_label or f"Add {item.label.lower()}"
        self.adder = button(text, self._add, icon="plus", name=text)
        self._below = row(self.adder, None)
        self.body.addLayout(self._below)
        self.start()

    def entry(self) -> QWidget | None:
        return None

    def entries(self) -> list[JsonValue]:
        value = self.state.get(self.path)
        return list(value) if isinstance(value, list) else []

    def show_value(self, value: JsonValue) -> None:
        entries = list(value) if isinstance(value, list) else []
        limit = self.field.max_items
        self.adder.setVisible(limit is None or len(entries) < limit)
        if not entries:
            self.hold(None)
            return
        holder = QWidget()
        outer = QVBoxLayout(holder)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("s"))
        for place, entry in enumerate(entries):
            outer.addWidget(self._entry(place, entry, len(entries)))
        self.hold(holder)

    def _entry(self, place: int, entry: JsonValue, total: int) -> QWidget:
        field = self.field
        title = (
            fill(field.item_title, entry, place)
            if field.item_title
            else f"{self._item.label} {place + 1}"
        )
        buttons: list[QWidget] = []
        if field.ordered:
            up = button(
                "",
                lambda: self._move(place, -1),
                kind="quiet",
                icon="arrow-up",
                name=f"Move {title} up",
            )
            down = button(
                "",
                lambda: self._move(place, 1),
                kind="quiet",
                icon="arrow-down",
                name=f"Move {title} down",
            )
            up.setEnabled(place > 0)
            down.setEnabled(place < total - 1)
            buttons += [up, down]
        buttons.append(
            button(
                "", lambda: self._remove(place), kind="quiet", icon="trash", name=f"Remove {title}"
            )
        )
        path = (*self.path, place)
        if self._item.kind == "object" and not self._item.nullable:
            surface, inner = _well()
            inner.addLayout(row(Label(title, bold=True), None, *buttons, gap="xs"))
            inner.addWidget(self.build(self._item.fields, path))
            return surface
        inner_field = self._item.model_copy(update={"key": ""})
        inside = QWidget()
        line = row(self.build([inner_field], path), *buttons, gap="xs", grow=0)
        inside.setLayout(line)
        return inside

    def _add(self) -> None:
        self._put([*self.entries(), begin(self._item)])
        last = self.state.controls()[-1:] and [
            c for c in self.state.controls() if c.path[: len(self.path)] == self.path
        ]
        place = len(self.entries()) - 1
        for control in last or []:
            if len(control.path) > len(self.path) and control.path[len(self.path)] == place:
                if (entry := control.entry()) is not None:
                    entry.setFocus(Qt.FocusReason.OtherFocusReason)
                    break

    def _remove(self, place: int) -> None:
        entries = self.entries()
        del entries[place]
        self._put(entries)
        self.adder.setFocus()

    def _move(self, place: int, by: int) -> None:
        entries = self.entries()
        entries.insert(place + by, entries.pop(place))
        self._put(entries)

    def _put(self, entries: list[JsonValue]) -> None:
        # Faults speak of places that are now others'.
        for path in [each for each in self.state.faults if each.startswith(f"{self.pointer}/")]:
            del self.state.faults[path]
        self.take(entries)
        self.show_value(entries)


class ChipsControl(GroupControl):
    """Short texts in rows; Enter, a comma or pasting many adds them."""

    IS_GROUP = False
    PLACE = 0

    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self.line = QLineEdit()
        if field.item is not None:
            self.line.setPlaceholderText(field.item.placeholder)
        self.line.returnPressed.connect(self._add)
        self.line.editingFinished.connect(self._add)
        self.line.textEdited.connect(self._typed)
        self.line.installEventFilter(self)
        self.start()
        self.body.addWidget(self.line)

    def entry(self) -> QWidget:
        return self.line

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            watched is self.line
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
        ):
            if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self.line.text().strip():
                self._add()
                return True  # Enter adds; it does not save the form
            if event.key() == Qt.Key.Key_Backspace and not self.line.text():
                entries = self._entries()
                if entries:
                    self._put(entries[:-1])
                    return True
        return super().eventFilter(watched, event)

    def _typed(self, text: str) -> None:
        if "," in text:
            self._add()

    def _entries(self) -> list[JsonValue]:
        value = self.state.get(self.path)
        return list(value) if isinstance(value, list) else []

    def show_value(self, value: JsonValue) -> None:
        entries = list(value) if isinstance(value, list) else []
        if not entries:
            self.hold(None)
            return
        holder = QWidget()
        outer = QVBoxLayout(holder)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("xs"))
        line, width = row(gap="xs"), 0
        for place, entry in enumerate(entries):
            text = str(entry)
            chip = button(
                text,
                partial(self._remove, place),
                kind="chip",
                icon="x",
                name=f"Remove {text}",
            )
            width += chip.sizeHint().width() + palette.space("xs")
            if width > palette.size("form_max") - 40 and line.count():
                line.addStretch(1)
                outer.addLayout(line)
                line, width = row(gap="xs"), chip.sizeHint().width()
            line.addWidget(chip)
        line.addStretch(1)
        outer.addLayout(line)
        self.hold(holder)

    def _add(self) -> None:
        entries = self._entries()
        fresh = [each for each in _SEPARATORS.split(self.line.text()) if each]
        fresh = [each for each in dict.fromkeys(fresh) if each not in entries]
        self.line.clear()
        if fresh:
            self._put([*entries, *fresh][: self.field.max_items])

    def _remove(self, place: int) -> None:
        entries = self._entries()
        del entries[place]
        self._put(entries)
        self.line.setFocus()

    def _put(self, entries: list[JsonValue]) -> None:
        for path in [each for each in self.state.faults if each.startswith(f"{self.pointer}/")]:
            del self.state.faults[path]
        self.take(entries)
        self.show_value(entries)

    def refresh(self) -> None:
        super().refresh()
        inside = [
            text for path, text in self.state.faults.items() if path.startswith(f"{self.pointer}/")
        ]
        if inside:
            self._fault.setText("\n".join(inside))
            self._fault.show()


class MapControl(GroupControl):
    """Entries, each under a name of its own."""

    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        item = field.item
        assert item is not None
        self._item = item
        self.name = QLineEdit()
        label = field.key_field.label if field.key_field else "Name"
        self.name.setAccessibleName(f"{label} of a new entry of {field.label}")
        hint = (field.key_field.placeholder if field.key_field else "") or label
        self.name.setPlaceholderText(hint)
        text = field.add_label or "Add"
        self.adder = button(text, self._add, icon="plus", name=text)
        self.name.returnPressed.connect(self._add)
        self.start()
        self.body.addLayout(row(self.name, self.adder, None))

    def _table(self) -> dict[str, JsonValue]:
        value = self.state.get(self.path)
        return dict(value) if isinstance(value, dict) else {}

    def show_value(self, value: JsonValue) -> None:
        table = dict(value) if isinstance(value, dict) else {}
        if not table:
            self.hold(None)
            return
        holder = QWidget()
        outer = column(gap="s")
        for place, (key, entry) in enumerate(table.items()):
            title = fill(self.field.item_title, entry, place, key) if self.field.item_title else key
            surface, inner = _well()
            remove = button(
                "",
                partial(self._remove, key),
                kind="quiet",
                icon="trash",
                name=f"Remove {title}",
            )
            inner.addLayout(row(Label(title, bold=True), None, remove, gap="xs"))
            fault = self.state.faults.get(f"{self.pointer}/{key}", "")
            if fault:
                inner.addWidget(Label(fault, "small", tone="error"))
            path = (*self.path, key)
            if self._item.kind == "object":
                inner.addWidget(self.build(self._item.fields, path))
            else:
                inner.addWidget(self.build([self._item.model_copy(update={"key": ""})], path))
            outer.addWidget(surface)
        holder.setLayout(outer)
        self.hold(holder)

    def _add(self) -> None:
        name, table = self.name.text().strip(), self._table()
        self.name.clear()
        if name and name not in table:
            self._put({**table, name: begin(self._item)})

    def _remove(self, name: str) -> None:
        self._put({key: value for key, value in self._table().items() if key != name})

    def _put(self, table: dict[str, JsonValue]) -> None:
        self.take(table)
        self.show_value(table)

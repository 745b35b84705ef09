"""Controls for single values: text, secrets, numbers, sizes, times, switches and choices."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import JsonValue
from PySide6.QtCore import QDateTime, Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QCompleter,
    QDateTimeEdit,
    QLineEdit,
    QPlainTextEdit,
    QRadioButton,
    QWidget,
)

from backend.api.conditions import Path, is_empty
from backend.api.forms import Choice, Field
from ui import palette
from ui.presenters.form_values import DURATION_UNITS, SIZE_UNITS, brief, parse_number
from ui.widgets.forms import Combo
from ui.widgets.spec_control import Control, FormState
from ui.widgets.text import Label, button, column, row

FEW = 3  # so many choices are shown at once
_WIDTHS = {"xs": 120, "s": 200, "m": 320}
_CODE_LINES = 14


class TextControl(Control):
    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self.line = QLineEdit()
        self.line.setPlaceholderText(field.placeholder)
        if field.max_length:
            self.line.setMaxLength(field.max_length)
        if field.width in _WIDTHS:
            self.line.setMaximumWidth(_WIDTHS[field.width])
        if field.suggestions:
            self.line.setCompleter(QCompleter(field.suggestions))
        self.line.textEdited.connect(self.take)
        self.body.addWidget(self.line)
        self.start()

    def entry(self) -> QWidget:
        return self.line

    def show_value(self, value: JsonValue) -> None:
        self.line.setText("" if value is None else str(value))


class LongTextControl(Control):
    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self.area = QPlainTextEdit()
        self.area.setProperty("kind", "field")
        self.area.setTabChangesFocus(field.kind != "code")
        lines = _CODE_LINES if field.kind == "code" else 3
        if field.kind == "code":
            self.area.setFont(palette.mono_font(0.95))
        self.area.setFixedHeight(self.area.fontMetrics().lineSpacing() * lines + 18)
        self.area.textChanged.connect(self._changed)
        self.body.addWidget(self.area)
        self.start()

    def entry(self) -> QWidget:
        return self.area

    def show_value(self, value: JsonValue) -> None:
        text = "" if value is None else str(value)
        if self.area.toPlainText() != text:
            self.area.blockSignals(True)
            self.area.setPlainText(text)
            self.area.blockSignals(False)

    def _changed(self) -> None:
        self.take(self.area.toPlainText())


class SecretControl(Control):
    """A stored secret stays unless another one is typed, or it is forgotten."""

    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        value = state.get(path)
        self._stored = isinstance(value, dict) and value.get("set") is True
        self.line = QLineEdit()
        self.line.setEchoMode(QLineEdit.EchoMode.Password)
        if field.max_length:
            self.line.setMaxLength(field.max_length)
        self.line.textEdited.connect(self._typed)
        self._eye = button(
            "", self._flip, kind="quiet", icon="eye", name=f"Show {field.label.lower()}"
        )
        self._forget = button(
            "Forget it", self._drop, kind="link", name=f"Forget {field.label.lower()}"
        )
        if not self._stored or field.required:
            self._forget.hide()
        self.body.addLayout(row(self.line, self._eye, self._forget, gap="xs"))
        self.start()

    def entry(self) -> QWidget:
        return self.line

    def show_value(self, value: JsonValue) -> None:
        if isinstance(value, str):
            self.line.setText(value)
        gone = value is None and self._stored
        hint = (
            "It will be forgotten"
            if gone
            else "Stored – leave empty to keep it"
            if self._stored
            else self.field.placeholder
        )
        self.line.setPlaceholderText(hint)
        self._forget.setText("Keep it" if gone else "Forget it")

    def _typed(self, text: str) -> None:
        self.take(text or {"set": self._stored})

    def _drop(self) -> None:
        self.line.clear()
        keep = self.state.get(self.path) is None
        self.take({"set": True} if keep else None)
        self.show_value(self.state.get(self.path))

    def _flip(self) -> None:
        hidden = self.line.echoMode() == QLineEdit.EchoMode.Password
        mode = QLineEdit.EchoMode.Normal if hidden else QLineEdit.EchoMode.Password
        self.line.setEchoMode(mode)


class NumberControl(Control):
    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self.line = QLineEdit()
        self.line.setMaximumWidth(_WIDTHS.get(field.width, 200))
        self.line.textEdited.connect(lambda text: self.take(parse_number(text)))
        unit = DURATION_UNITS[field.duration_unit] if field.kind == "duration" else field.unit
        self.body.addLayout(row(self.line, Label(unit, tone="muted", wrap=False), None))
        self.start()

    def entry(self) -> QWidget:
        return self.line

    def show_value(self, value: JsonValue) -> None:
        self.line.setText("" if value is None else str(value))


class SizeControl(Control):
    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self.line = QLineEdit()
        self.line.setMaximumWidth(_WIDTHS["s"])
        self.unit = Combo()
        self.unit.setAccessibleName(f"Unit of {field.label}")
        for octets, name in SIZE_UNITS:
            self.unit.addItem(name, octets)
        value = state.get(path)
        fitting = [
            i
            for i, (octets, _) in enumerate(SIZE_UNITS)
            if isinstance(value, int) and value and value % octets == 0
        ]
        self.unit.setCurrentIndex(fitting[-1] if fitting else 2)
        self.line.textEdited.connect(self._typed)
        self.unit.currentIndexChanged.connect(
            lambda _index: self.show_value(self.state.get(self.path))
        )
        self.body.addLayout(row(self.line, self.unit, None))
        self.start()

    def entry(self) -> QWidget:
        return self.line

    def show_value(self, value: JsonValue) -> None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            share = value / int(self.unit.currentData())
            self.line.setText(f"{share:g}" if share != int(share) else str(int(share)))
        else:
            self.line.setText("" if value is None else str(value))

    def _typed(self, text: str) -> None:
        number = parse_number(text)
        if isinstance(number, int | float) and not isinstance(number, bool):
            number = round(number * int(self.unit.currentData()))
        self.take(number)


class BoolControl(Control):
    OWN_LABEL = True

    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self.box = QCheckBox(field.label)
        self.box.toggled.connect(self.take)
        self.body.addWidget(self.box)
        self.start()

    def entry(self) -> QWidget:
        return self.box

    def show_value(self, value: JsonValue) -> None:
        self.box.blockSignals(True)
        self.box.setChecked(value is True)
        self.box.blockSignals(False)


class SelectControl(Control):
    """One of several in a drop-down list, also of what the server lists."""

    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self.box = Combo()
        self.box.setMinimumWidth(200)
        self._choices: list[Choice] = []
        self._note = Label("", "small", tone="muted")
        self._note.hide()
        self.box.activated.connect(lambda index: self.take(self._choices[index].value))
        self.body.addLayout(row(self.box, None))
        self.body.addWidget(self._note)
        self._fill(field.choices)
        if (source := field.choices_from) is not None:
            self._fill([*source.first, *field.choices])
            if source.create and state.go is not None:
                go = state.go
                make = source.create_label or "Make a new one"
                link = button(make, lambda: go(source.create), kind="link", name=make)
                self.body.addLayout(row(link, None))
            if state.list_choices is not None:
                state.list_choices(source, self._arrived)
        self.start()

    def entry(self) -> QWidget:
        return self.box

    def _arrived(self, found: Sequence[Choice]) -> None:
        if self.is_gone:
            return
        source = self.field.choices_from
        assert source is not None
        self._note.setText(source.empty)
        self._note.setVisible(not found and bool(source.empty))
        self._fill([*source.first, *found])
        self.show_value(self.state.get(self.path))

    def _fill(self, choices: Sequence[Choice]) -> None:
        self._choices = list(choices)
        if self.field.nullable and all(choice.value is not None for choice in choices):
            self._choices.insert(0, Choice(value=None, label="–"))
        self.box.clear()
        for choice in self._choices:
            label = f"{choice.label} – {choice.disabled}" if choice.disabled else choice.label
            self.box.addItem(label)
            self.box.setItemData(self.box.count() - 1, choice.help, Qt.ItemDataRole.ToolTipRole)

    def show_value(self, value: JsonValue) -> None:
        at = next((i for i, c in enumerate(self._choices) if c.value == value), -1)
        if at < 0 and not is_empty(value):
            # What is no longer among the choices stays until another one is picked.
            self._choices.append(Choice(value=value, label=str(value)))
            self.box.addItem(str(value))
            at = len(self._choices) - 1
        self.box.setPlaceholderText("Choose …")
        self.box.setCurrentIndex(at)


class RadioControl(Control):
    IS_GROUP = True

    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self._group = QButtonGroup(self)
        self.buttons: list[QRadioButton] = []
        for index, choice in enumerate(field.choices):
            made = QRadioButton(choice.label)
            made.setAccessibleName(choice.label)
            made.setAccessibleDescription(choice.disabled or choice.help)
            made.setEnabled(not choice.disabled)
            self._group.addButton(made, index)
            self.buttons.append(made)
            words = Label(choice.disabled or choice.help, "small", tone="muted")
            words.setContentsMargins(24, 0, 0, 0)
            if not (choice.disabled or choice.help):
                words.hide()
            self.body.addLayout(column(made, words, gap="xs"))
        self._group.idClicked.connect(lambda index: self.take(self.field.choices[index].value))
        self.start()

    def entry(self) -> QWidget | None:
        return None

    def show_value(self, value: JsonValue) -> None:
        for choice, made in zip(self.field.choices, self.buttons, strict=True):
            if choice.value == value:
                made.setChecked(True)

    def reveal(self) -> None:
        super().reveal()
        if self.buttons:
            self.buttons[max(self._group.checkedId(), 0)].setFocus()


class MultiControl(Control):
    IS_GROUP = True

    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self.boxes: list[QCheckBox] = []
        for choice in field.choices:
            made = QCheckBox(choice.label)
            made.setAccessibleName(choice.label)
            made.setAccessibleDescription(choice.disabled or choice.help)
            made.setToolTip(choice.help)
            made.setEnabled(not choice.disabled)
            made.clicked.connect(lambda on, value=choice.value: self._flip(value, on))
            self.boxes.append(made)
            self.body.addWidget(made)
        self.start()

    def show_value(self, value: JsonValue) -> None:
        chosen = value if isinstance(value, list) else []
        for choice, box in zip(self.field.choices, self.boxes, strict=True):
            box.setChecked(choice.value in chosen)

    def _flip(self, choice: JsonValue, on: bool) -> None:
        value = self.state.get(self.path)
        rest = [each for each in value if each != choice] if isinstance(value, list) else []
        self.take([*rest, choice] if on else rest)


class MomentControl(Control):
    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self._on = QCheckBox("At a time")
        self._on.setAccessibleName(f"{field.label}: set")
        if not field.nullable:
            self._on.hide()
        self.edit = QDateTimeEdit()
        self.edit.setCalendarPopup(True)
        self.edit.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.edit.dateTimeChanged.connect(lambda _moment: self._typed())
        self._on.toggled.connect(lambda _on: self._typed())
        self.body.addLayout(row(self._on, self.edit, None))
        self.start()

    def entry(self) -> QWidget:
        return self.edit

    def show_value(self, value: JsonValue) -> None:
        for widget in (self._on, self.edit):
            widget.blockSignals(True)
        self._on.setChecked(value is not None)
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            self.edit.setDateTime(QDateTime.fromSecsSinceEpoch(int(moment.timestamp())))
        elif value is None:
            self.edit.setDateTime(QDateTime.currentDateTime())
        for widget in (self._on, self.edit):
            widget.blockSignals(False)

    def _typed(self) -> None:
        if self.field.nullable and not self._on.isChecked():
            self.take(None)
            return
        at = datetime.fromtimestamp(self.edit.dateTime().toSecsSinceEpoch(), UTC)
        self.take(at.strftime("%Y-%m-%dT%H:%M:%SZ"))


class ReadonlyControl(Control):
    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__(field, path, state)
        self.text = Label("", selectable=True)
        self.body.addWidget(self.text)
        self.start()

    def show_value(self, value: JsonValue) -> None:
        self.text.setText(brief(value))


def has_radios(field: Field) -> bool:
    return field.widget == "radio" or (
        0 < len(field.choices) <= FEW and any(choice.help for choice in field.choices)
    )

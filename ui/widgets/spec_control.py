"""What every field of a specified form shares: label above, help and fault below, its place in the values."""

import re
from collections.abc import Callable, Sequence

from pydantic import JsonValue
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from backend.api.conditions import Path, holds, value_at
from backend.api.forms import Choice, ChoicesFrom, Field
from ui import icons, palette
from ui.presenters.form_values import Values, brief, pointer, suggestion, with_value
from ui.widgets.text import Label, button, row

ListChoices = Callable[[ChoicesFrom, Callable[[Sequence[Choice]], None]], None]
"""Asks the server what there is to choose from; the answer comes later."""


class FormState(QObject):
    """The values of one form, its faults, and the controls that show them.

    Signals:
        edited: a value has changed.
    """

    edited = Signal()

    def __init__(
        self,
        values: Values,
        *,
        is_new: bool = False,
        list_choices: ListChoices | None = None,
        go: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self.values = values
        self.is_new = is_new
        self.faults: dict[str, str] = {}
        self.list_choices = list_choices
        self.go = go
        self.build: Callable[[Sequence[Field], Path], QWidget] | None = None
        self._controls: list[Control] = []

    def get(self, path: Path) -> JsonValue:
        return value_at(self.values, path)

    def set(self, path: Path, value: JsonValue) -> None:
        if self.get(path) == value and type(self.get(path)) is type(value):
            return
        changed = with_value(self.values, path, value)
        assert isinstance(changed, dict)
        self.values = changed
        self.faults.pop(pointer(path), None)
        self.refresh()
        self.edited.emit()

    def add(self, control: "Control") -> None:
        self._controls.append(control)
        control.destroyed.connect(lambda: self._forget(control))

    def _forget(self, control: "Control") -> None:
        if control in self._controls:
            self._controls.remove(control)

    def controls(self) -> list["Control"]:
        return [control for control in self._controls if not control.is_gone]

    def refresh(self) -> None:
        """Shows, hides and greys out; puts each fault at its field."""
        for control in self.controls():
            control.refresh()

    def show_faults(self, faults: dict[str, str]) -> str:
        """Faults by their pointers; the first that has a place gets the focus. Returns those that have none."""
        self.faults = dict(faults)
        self.refresh()
        places = {control.pointer: control for control in self.controls()}
        homeless, first = [], None
        for path, text in faults.items():
            place = path
            while place and place not in places:
                place = place.rpartition("/")[0]
            if not place:
                homeless.append(text)
                continue
            if place != path:
                self.faults[place] = f"{self.faults.get(place, '')}\n{text}".strip()
            first = first or places[place]
        self.refresh()
        if first is not None:
            first.reveal()
        return "\n".join(homeless)


class Control(QWidget):
    """One field at one place. Subclasses put their widgets into `body`, follow `show_value`, and call `take`."""

    IS_GROUP = False
    OWN_LABEL = False

    def __init__(self, field: Field, path: Path, state: FormState) -> None:
        super().__init__()
        self.field, self.path, self.state = field, tuple(path), state
        self.pointer = pointer(path)
        self.is_gone = False
        self._touched = False
        self.setObjectName(self.pointer)
        self.caption = Label(field.label, "body", bold=True, wrap=True)
        # Nothing is told to show itself before it has a parent: it would be a window of its own for a moment.
        self._shown = True
        if not field.key or self.OWN_LABEL:
            self.caption.hide()
        words = [field.help] if field.help else []
        if field.zero and not re.search(r"\b0\b", field.help):
            words.append(f"0 means {field.zero}.")
        if field.restart:
            words.append("Counts after a restart of the server.")
        self._help_text = " ".join(words)
        self._help = Label(self._help_text, "small", tone="muted")
        if not words:
            self._help.hide()
        self._fault = Label("", "small", tone="error", selectable=True)
        self._fault.hide()
        self._reset = button(
            f"Reset to {brief(field.default)}",
            self._go_back,
            kind="link",
            name=f"Reset {field.label} to {brief(field.default)}",
        )
        self._reset.hide()
        self.body = QVBoxLayout()
        self.body.setSpacing(palette.space("xs"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("xs"))
        below = (self._help, self._fault)
        if self.IS_GROUP:
            outer.addWidget(self.caption)
            for widget in below:
                outer.addWidget(widget)
            outer.addLayout(self.body)
        else:
            outer.addWidget(self.caption)
            outer.addLayout(self.body)
            for widget in below:
                outer.addWidget(widget)
        outer.addLayout(row(self._reset, None))
        if field.help_long:
            self.setToolTip(field.help_long)
        state.add(self)

    # ---- for subclasses

    def show_value(self, value: JsonValue) -> None:
        """Draws the value without telling anybody."""

    def entry(self) -> QWidget | None:
        """The widget that takes the focus and has the accessible name."""
        return None

    def take(self, value: JsonValue) -> None:
        """The user has entered it."""
        self._touched = True
        self.state.set(self.path, value)

    # ---- for the form

    def start(self) -> None:
        """After the subclass is built."""
        if (entry := self.entry()) is not None:
            entry.setAccessibleName(self.field.label)
            entry.setAccessibleDescription(self._help_text)
            self.caption.setBuddy(entry)
        self.show_value(self.state.get(self.path))
        self.refresh()

    def refresh(self) -> None:
        state, field, here = self.state, self.field, self.path[:-1]
        self._suggest()
        shown = holds(field.show_if, state.values, here)
        if shown != self._shown:
            self._shown = shown
            self.setVisible(shown)
        enabled = not field.readonly and holds(field.enable_if, state.values, here)
        if (entry := self.entry()) is not None and entry.isEnabled() != enabled:
            entry.setEnabled(enabled)
        fault = state.faults.get(self.pointer, "")
        self._fault.setText(fault)
        self._fault.setVisible(bool(fault))
        if entry is not None and str(entry.property("invalid") == "true") != str(bool(fault)):
            entry.setProperty("invalid", "true" if fault else "false")
            entry.setAccessibleDescription(fault or self._help_text)
            entry.style().unpolish(entry)
            entry.style().polish(entry)
        value = state.get(self.path)
        self._reset.setVisible(field.resettable and enabled and value != field.default)

    def reveal(self) -> None:
        """Unfolds what hides it, scrolls to it, takes the focus."""
        parent = self.parentWidget()
        while parent is not None:
            unfold = getattr(parent, "unfold", None)
            if unfold is not None:
                unfold()
            parent = parent.parentWidget()
        entry = self.entry()
        if entry is not None:
            entry.setFocus(Qt.FocusReason.OtherFocusReason)

    def _suggest(self) -> None:
        source = self.field.suggest_from
        if not source or not self.state.is_new or self._touched:
            return
        proposed = suggestion(self.state.get((*self.path[:-1], *source.split("/"))))
        if proposed and self.state.get(self.path) != proposed:
            changed = with_value(self.state.values, self.path, proposed)
            assert isinstance(changed, dict)
            self.state.values = changed
            self.show_value(proposed)

    def _go_back(self) -> None:
        self.state.set(self.path, self.field.default)
        self.show_value(self.field.default)


class Fold(QWidget):
    """What is seldom needed, behind a button that says so."""

    def __init__(self, title: str, inner: QWidget, *, is_open: bool = False) -> None:
        super().__init__()
        self._inner = inner
        self._button = button(title, self._flip, kind="link", icon="chevron-right", name=title)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("s"))
        outer.addLayout(row(self._button, None))
        outer.addWidget(inner)
        self._set(is_open)

    def unfold(self) -> None:
        self._set(True)

    def _flip(self) -> None:
        self._set(self._inner.isHidden())

    def _set(self, is_open: bool) -> None:
        self._inner.setVisible(is_open)
        self._button.setIcon(icons.icon("chevron-down" if is_open else "chevron-right", "accent"))
        self._button.setAccessibleDescription("Unfolded" if is_open else "Folded")

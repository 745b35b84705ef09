"""A form that the server describes, as a widget: the right control for each field, what is seldom needed folded away."""

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from backend.api.conditions import Path
from backend.api.forms import Field, Section, Spec
from ui import palette
from ui.widgets.spec_control import Control, Fold, FormState
from ui.widgets.spec_fields import (
    BoolControl,
    LongTextControl,
    MomentControl,
    MultiControl,
    NumberControl,
    RadioControl,
    ReadonlyControl,
    SecretControl,
    SelectControl,
    SizeControl,
    TextControl,
    has_radios,
)
from ui.widgets.spec_groups import (
    ChipsControl,
    ListControl,
    MapControl,
    ObjectControl,
    VariantControl,
)
from ui.widgets.surface import Card
from ui.widgets.text import Label, row

CONTROLS: dict[str, type[Control]] = {
    "text": TextControl,
    "code": LongTextControl,
    "file": TextControl,
    "secret": SecretControl,
    "int": NumberControl,
    "float": NumberControl,
    "duration": NumberControl,
    "size": SizeControl,
    "bool": BoolControl,
    "choice": SelectControl,
    "ref": SelectControl,
    "multi": MultiControl,
    "datetime": MomentControl,
    "readonly": ReadonlyControl,
    "object": ObjectControl,
    "variant": VariantControl,
    "list": ListControl,
    "map": MapControl,
}


def make_control(field: Field, path: Path, state: FormState) -> Control:
    """The control of a field at its place."""
    kind = CONTROLS[field.kind]
    if field.kind == "text" and field.multiline:
        kind = LongTextControl
    elif field.kind == "choice" and has_radios(field):
        kind = RadioControl
    elif field.kind == "list" and field.widget == "chips" and field.item is not None:
        kind = ChipsControl if field.item.kind == "text" else ListControl
    return kind(field, path, state)


class Fields(QWidget):
    """The fields of an object that stands at `at`."""

    def __init__(self, fields: Sequence[Field], state: FormState, at: Path = ()) -> None:
        super().__init__()
        outer = _column(self)
        basic = [field for field in fields if field.level == "basic"]
        more = [field for field in fields if field.level != "basic"]
        for field in basic:
            outer.addWidget(self._control(field, state, at))
        if more:
            inside = QWidget()
            inner = _column(inside)
            for field in more:
                inner.addWidget(self._control(field, state, at))
            outer.addWidget(Fold("More settings", inside))

    @staticmethod
    def _control(field: Field, state: FormState, at: Path) -> Control:
        path = (*at, field.key) if field.key else tuple(at)
        return make_control(field, path, state)


class SpecForm(QWidget):
    """All sections of a specification over one state of values."""

    def __init__(self, spec: Spec, state: FormState) -> None:
        super().__init__()
        self.spec, self.state = spec, state
        state.build = lambda fields, path: Fields(fields, state, path)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("l"))
        for section, fields in _sections(spec):
            outer.addWidget(self._section(section, fields))

    def _section(self, section: Section, fields: Sequence[Field]) -> QWidget:
        if section.collapsed:
            card = Card()
            inside = QWidget()
            inner = _column(inside)
            if section.help:
                inner.addWidget(Label(section.help, tone="muted"))
            inner.addLayout(_measured(Fields(fields, self.state), fields))
            card.body.addWidget(Fold(section.title, inside))
            return card
        card = Card(section.title)
        if section.help:
            card.body.addWidget(Label(section.help, tone="muted"))
        card.body.addLayout(_measured(Fields(fields, self.state), fields))
        return card

    def first_entry(self) -> QWidget | None:
        """What takes the focus when the form opens."""
        controls = self.state.controls()
        wanted = [c for c in controls if c.field.autofocus] or controls
        return next((entry for c in wanted if (entry := c.entry()) is not None), None)


def _measured(inside: QWidget, fields: Sequence[Field]) -> QHBoxLayout:
    """As wide as a form reads well; text of files has all the room.

    The bound stands in a row: a column asks wrapped text how high it is at the column's width, not at its own.
    """
    if all(field.kind != "code" for field in fields):
        inside.setMaximumWidth(palette.size("form_max"))
        return row(inside, None, grow=0)
    return row(inside)


def _sections(spec: Spec) -> list[tuple[Section, list[Field]]]:
    by_key = {field.key: field for field in spec.fields}
    layout = spec.layout or [Section(fields=list(by_key))]
    named = {key for section in layout for key in section.fields}
    sections = [
        (section, [by_key[key] for key in section.fields if key in by_key]) for section in layout
    ]
    # A field that no section names stands at the end.
    sections[-1][1].extend(field for field in spec.fields if field.key not in named)
    return sections


def _column(widget: QWidget) -> QVBoxLayout:
    made = QVBoxLayout(widget)
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(palette.space("l"))
    return made

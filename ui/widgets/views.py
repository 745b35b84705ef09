"""One of a few ways to look at the same thing: chips of which one is pressed."""

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QWidget

from ui.widgets.text import button, row


class ViewSwitch(QWidget):
    """`entries`: value → words.

    Signals:
        chosen: the user pressed another one.
    """

    chosen = Signal()

    def __init__(self, name: str, entries: Mapping[str, str]) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._value = next(iter(entries))
        self._chips = {}
        for value, words in entries.items():
            chip = button(words, partial(self._press, value), kind="chip")
            chip.setCheckable(True)
            chip.setChecked(value == self._value)
            self._group.addButton(chip)
            self._chips[value] = chip
        self.setLayout(row(*self._chips.values(), None))

    def value(self) -> str:
        return self._value

    def choose(self, value: str) -> None:
        """As if it had been pressed, without the signal."""
        self._value = value
        self._chips[value].setChecked(True)

    def set_words(self, value: str, words: str) -> None:
        self._chips[value].setText(words)
        self._chips[value].setAccessibleName(words)

    def _press(self, value: str) -> None:
        if value != self._value:
            self._value = value
            self.chosen.emit()

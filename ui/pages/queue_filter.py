"""What is shown of the queue: chips, a domain, an account, words that are searched for."""

from collections.abc import Callable, Iterable
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLineEdit, QWidget

from backend.api import queue as q
from backend.api import types as t
from ui.presenters import queue as words
from ui.widgets.forms import Combo
from ui.widgets.text import Label, button, row

SEARCH_MS = 300


class QueueFilterBar:
    """`chips` and `choices` are two rows for the page to place; `changed` is called when something else is asked for."""

    def __init__(self, owner: QWidget, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._chip = ""
        self._typing = QTimer(owner)
        self._typing.setSingleShot(True)
        self._typing.setInterval(SEARCH_MS)
        self._typing.timeout.connect(changed)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search sender, recipient, subject, answer")
        self.search.setAccessibleName("Search the queue")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(180)
        self.search.setMaximumWidth(340)
        self.search.textChanged.connect(lambda _text: self._typing.start())
        self._group = QButtonGroup(owner)
        chips: list[QWidget] = []
        for chip, title in words.FILTERS:
            made = button(title, partial(self.choose, chip), kind="chip", name=f"Show: {title}")
            made.setCheckable(True)
            made.setChecked(not chip)
            self._group.addButton(made)
            chips.append(made)
        self.rule = button(
            "", partial(self.choose, ""), kind="chip", icon="x", name="Show: held by a rule"
        )
        self.rule.setCheckable(True)
        self._group.addButton(self.rule)
        self.rule.hide()
        self.count = Label("", tone="muted", wrap=False)
        self.chips: QHBoxLayout = row(*chips, self.rule, None, self.search)
        self.chips.setStretch(self.chips.count() - 1, 3)
        self.domain, self.account = Combo(), Combo()
        for box, name in ((self.domain, "Domain"), (self.account, "Account")):
            box.setAccessibleName(name)
            box.setMinimumWidth(170)
            box.currentIndexChanged.connect(lambda _index: changed())
        self._fill(self.domain, "All domains", [])
        self._fill(self.account, "All accounts", [])
        self.choices: QHBoxLayout = row(self.domain, self.account, 8, self.count, None)

    @property
    def shown(self) -> t.QueueFilter:
        return words.filter_of(
            self._chip,
            text=self.search.text(),
            domain=str(self.domain.currentData() or ""),
            account=str(self.account.currentData() or ""),
        )

    @property
    def is_on(self) -> bool:
        return self.shown != t.QueueFilter()

    def choose(self, chip: str) -> None:
        """A chip of `words.FILTERS`, or `rule/NAME`."""
        self._chip = chip
        rule = chip.removeprefix("rule/") if chip.startswith("rule/") else ""
        self.rule.setVisible(bool(rule))
        if rule:
            self.rule.setText(f"\u2009Held by {rule}")
            self.rule.setAccessibleName(f"Show: held by the rule {rule}. Press to show all")
        keys = [key for key, _ in words.FILTERS]
        self._group.buttons()[keys.index(chip) if chip in keys else len(keys)].setChecked(True)
        self._changed()

    def clear(self) -> None:
        self.search.clear()
        self._typing.stop()
        for box in (self.domain, self.account):
            box.blockSignals(True)
            box.setCurrentIndex(0)
            box.blockSignals(False)
        self.choose("")

    def show_domain(self, domain: str) -> None:
        """Only what goes there and has a problem."""
        if self.domain.findData(domain) < 0:
            self.domain.addItem(domain, domain)
        self.domain.blockSignals(True)
        self.domain.setCurrentIndex(self.domain.findData(domain))
        self.domain.blockSignals(False)
        self.choose("problem")

    def offer(self, groups: Iterable[q.QueueGroup], accounts: Iterable[t.Account]) -> None:
        """The domains that mail waits for, and the accounts; what is chosen stays."""
        self._fill(
            self.domain, "All domains", [(f"{g.domain} ({g.count})", g.domain) for g in groups]
        )
        self._fill(self.account, "All accounts", [(a.full_name or a.id, a.id) for a in accounts])

    def _fill(self, box: Combo, first: str, entries: list[tuple[str, str]]) -> None:
        chosen = box.currentData()
        if chosen and all(data != chosen for _, data in entries):
            entries = [*entries, (str(chosen), str(chosen))]
        wanted = [(first, ""), *entries]
        if wanted == [(box.itemText(i), box.itemData(i)) for i in range(box.count())]:
            return
        box.blockSignals(True)
        box.clear()
        for title, data in wanted:
            box.addItem(title, data)
        box.setCurrentIndex(max(0, box.findData(chosen)))
        box.blockSignals(False)

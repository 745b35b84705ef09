"""A verdict over groups of checks, what has changed since, and checking again: by hand, and by itself while somebody looks."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from backend.api import dns as d
from ui import palette
from ui.pages.page import Desk
from ui.presenters import checks
from ui.session import NotConnectedError
from ui.widgets.charts import StateDisc
from ui.widgets.status_row import RowActions, StatusRow
from ui.widgets.surface import Banner, Card, StatusPill
from ui.widgets.text import Label, button, column, row, set_button_text

AGE_MS = 5_000


class ChecksPanel(QWidget):
    """Subclasses read and check; `show_checks` draws. `subject`: the domain, empty for the server."""

    def __init__(self, desk: Desk, *, one_by_one: bool) -> None:
        super().__init__()
        self.desk = desk
        self.subject = ""
        self.value: d.Checks | None = None
        self._step = 0
        self._busy = False
        self._groups: dict[str, GroupCard] = {}
        self._actions = RowActions(
            go=desk.go,
            hide=self._hide_row,
            show_again=self._show_row,
            check_one=(lambda check: self.check(check.id)) if one_by_one else None,
        )
        self._disc = StateDisc("neutral", 44)
        self.verdict = Label("", "lead", bold=True, selectable=True)
        self.age = Label("", tone="muted")
        self.chip = StatusPill("", "info")
        self.chip.hide()
        self.again_button = button(
            "Check again",
            self.check_now,
            kind="primary",
            icon="refresh",
            help="Asks once more, now",
        )
        self.more = QHBoxLayout()
        self.more.setSpacing(palette.space("s"))
        self.head = Card(padding="l")
        self.head.body.setSpacing(palette.space("m"))
        top = row(
            self._disc,
            column(None, self.verdict, self.age, None, gap="xs"),
            self.chip,
            gap="l",
            grow=1,
        )
        self.head.body.addLayout(top)
        self.buttons = QWidget()
        line = row(self.again_button, self.more, None)
        self.buttons.setLayout(line)
        self.head.body.addWidget(self.buttons)
        self.news = Banner(dismissible=True)
        self._list = QVBoxLayout()
        self._list.setSpacing(palette.space("l"))
        self._notes = QVBoxLayout()
        self._notes.setSpacing(palette.space("s"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("l"))
        for part in (self.head, self.news):
            outer.addWidget(part)
        self.foot = QVBoxLayout()
        outer.addLayout(self._list)
        outer.addLayout(self.foot)
        outer.addLayout(self._notes)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.check)
        self._age_timer = QTimer(self)
        self._age_timer.setInterval(AGE_MS)
        self._age_timer.timeout.connect(self._draw_age)

    # ---- for subclasses

    async def read(self) -> d.Checks:
        """What was found last."""
        raise AssertionError("each page reads its own")

    async def run_check(self, only: str) -> d.Checks:
        raise AssertionError(f"each page has its own check {only!r}")

    def drawn(self, value: d.Checks) -> None:
        """After the groups."""

    # ---- reading and checking

    async def fetch(self) -> None:
        """Draws what is known, and has it checked anew when that is old."""
        subject = self.subject
        value = await self.read()
        if not self._shows(subject):
            return
        self.show_checks(value)
        if value.practice_mode and self.subject:
            self._timer.stop()
        elif not checks.is_fresh(value, datetime.now(UTC)):
            self.check()
        elif not self._timer.isActive():
            self._later()

    def check_now(self) -> None:
        self._step = 0
        self.check()

    def changed(self) -> None:
        """What was found may no longer hold: looked at again if anybody sees it, else when somebody comes."""
        if self.value is None or (self.value.practice_mode and self.subject):
            return
        if self.isVisible():
            self.check_now()
        else:
            self.value = self.value.model_copy(update={"checked_at": None})

    def check(self, only: str = "") -> None:
        if self._busy:
            return
        self._busy = True
        self.again_button.setEnabled(False)
        set_button_text(self.again_button, "Checking …")
        self.desk.scope.start(self._checking(only), "check")

    async def _checking(self, only: str) -> None:
        subject = self.subject
        try:
            value = await self.run_check(only)
            if self._shows(subject):
                if value.news:
                    self._step = 0
                self.show_checks(value)
        except NotConnectedError:
            pass  # the banner of the window says so; the next round tries again
        finally:
            self._busy = False
            if isValid(self):
                self.again_button.setEnabled(True)
                set_button_text(self.again_button, "Check again")
                if self._shows(subject):
                    self._later()
                elif self.isVisible():
                    self.check()

    def _shows(self, subject: str) -> bool:
        """Whether an answer about it still matters: the page may be gone, or be about something else now."""
        return isValid(self) and subject == self.subject

    def _later(self) -> None:
        seconds = checks.AGAIN_S[min(self._step, len(checks.AGAIN_S) - 1)]
        self._step += 1
        if self.isVisible():
            self._timer.start(seconds * 1000)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._step = 0
        self._age_timer.start()
        if self.value is None or (self.value.practice_mode and self.subject):
            return
        if checks.is_fresh(self.value, datetime.now(UTC)):
            self._later()
        else:
            self.check()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
        self._age_timer.stop()

    # ---- drawing

    def clear_checks(self) -> None:
        """Another subject: nothing of the one before stays."""
        self.value = None
        self._timer.stop()
        self.news.hide()
        for card in self._groups.values():
            card.hide()
            card.deleteLater()
        self._groups.clear()

    def show_checks(self, value: d.Checks) -> None:
        before, self.value = self.value, value
        sign = "help-circle" if value.state == "unknown" else ""
        self._disc.set_tone(checks.TONES[value.state], sign)
        self.verdict.setText(value.headline)
        self._draw_age()
        self.buttons.setVisible(not (value.practice_mode and bool(self.subject)))
        if value.news and (before is None or before.checked_at != value.checked_at):
            self.news.show_message("ok", value.news)
        provider = value.provider if isinstance(value, d.DnsCheck) else None
        wanted = {group.area for group in value.groups}
        for area in [area for area in self._groups if area not in wanted]:
            card = self._groups.pop(area)
            card.hide()
            card.deleteLater()
        for place, group in enumerate(value.groups):
            known = self._groups.get(group.area)
            if known is None:
                known = self._groups[group.area] = GroupCard(self._actions)
                self._list.insertWidget(place, known)
            rows = [check for check in value.items if check.area == group.area]
            known.show_group(group, rows, provider)
        self.drawn(value)

    def _draw_age(self) -> None:
        if self.value is None:
            return
        quiet = self.value.practice_mode and bool(self.subject)
        source = self.value.source if isinstance(self.value, d.DnsCheck) else ""
        self.age.setVisible(not quiet)
        self.age.setText(checks.age(self.value, datetime.now(UTC), source=source))

    def rows(self) -> list[StatusRow]:
        return [row for card in self._groups.values() for row in card.rows()]

    def show_notes(self, notes: Sequence[str]) -> None:
        while (item := self._notes.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for text in notes:
            banner = Banner()
            self._notes.addWidget(banner)
            banner.show_message("info", text)

    # ---- acknowledging

    def _hide_row(self, check: d.Check, note: str) -> None:
        subject = self.subject

        async def hide() -> None:
            await self.desk.session.call(
                lambda client: client.acknowledge_check(subject, check.id, note)
            )
            self.desk.toast(
                f"“{check.title}” is hidden until it changes.", lambda: self._show_row(check)
            )

        self._then_read(hide)

    def _show_row(self, check: d.Check) -> None:
        subject = self.subject

        async def show() -> None:
            await self.desk.session.call(
                lambda client: client.unacknowledge_check(subject, check.id)
            )

        self._then_read(show)

    def _then_read(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def both() -> None:
            subject = self.subject
            await work()
            value = await self.read()
            if self._shows(subject):
                self.show_checks(value)

        self.desk.scope.start(both(), "acknowledge")


class GroupCard(Card):
    """One group: title, how far it has come, its rows, and those that are hidden behind a link."""

    def __init__(self, actions: RowActions) -> None:
        super().__init__(padding="l")
        self._actions = actions
        self._rows: dict[str, StatusRow] = {}
        self._shows_all = False
        self._group: d.CheckGroup | None = None
        self._title = Label("", "lead", bold=True, wrap=False)
        self._progress = StatusPill()
        self._purpose = Label("", tone="muted")
        self._lines = QVBoxLayout()
        self._lines.setSpacing(0)
        self._hidden = button("", self._toggle_hidden, kind="link")
        self.body.addLayout(row(self._title, None, self._progress))
        self.body.addWidget(self._purpose)
        self.body.addLayout(self._lines)
        self.body.addLayout(row(self._hidden, None))

    def rows(self) -> list[StatusRow]:
        return list(self._rows.values())

    def show_group(
        self, group: d.CheckGroup, found: Sequence[d.Check], provider: d.Provider | None
    ) -> None:
        self._group = group
        self._title.setText(group.title)
        self._purpose.setText(group.purpose)
        self._progress.setVisible(bool(group.total))
        self._progress.set_state(group.progress, checks.TONES[group.state])
        wanted = {check.id for check in found}
        for key in [key for key in self._rows if key not in wanted]:
            old = self._rows.pop(key)
            old.hide()
            old.deleteLater()
        for place, check in enumerate(found):
            line = self._rows.get(check.id)
            if line is None:
                line = self._rows[check.id] = StatusRow(self._actions)
                self._lines.insertWidget(place, line)
            line.show_check(check, provider)
        self._draw_hidden()

    def _toggle_hidden(self) -> None:
        self._shows_all = not self._shows_all
        self._draw_hidden()

    def _draw_hidden(self) -> None:
        for line in self._rows.values():
            check = line.check
            line.setVisible(self._shows_all or check is None or check.acknowledged is None)
        count = self._group.hidden if self._group is not None else 0
        self._hidden.setVisible(count > 0)
        text = f"Hide {count} again" if self._shows_all else f"{count} hidden"
        set_button_text(self._hidden, text)
        self._hidden.setAccessibleName(f"{text}: {self._title.text()}")

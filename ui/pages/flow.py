"""A wizard that the server leads through: the list of steps at the side, one question per screen, back at any time."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from pydantic import JsonValue
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from backend.api import flows as w
from backend.api import forms as f
from backend.api import types as t
from backend.api.client import ApiError
from ui import palette
from ui.pages.flow_steps import ChecksView, DoneView, MenuView, ReviewView, report_card
from ui.pages.page import Desk, Page
from ui.presenters.faults import describe_error
from ui.presenters.form_values import Values, begin_all
from ui.widgets.spec_control import FormState
from ui.widgets.spec_form import SpecForm
from ui.widgets.surface import Banner
from ui.widgets.text import IconLabel, Label, button, clear, column, row

RAIL_WIDTH = 220
STATES = {
    "done": ("check", "ok"),
    "current": ("chevron-right", "accent"),
    "ahead": ("circle-dashed", "muted"),
}


class FlowPage(Page):
    """`/flow/{id}`; with `TYPE` the page on which one begins, such as `/domains/new`."""

    TITLE = "Wizard"
    TYPE: ClassVar[str] = ""
    CONTEXT: ClassVar[str] = ""
    """What the name in the path is."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.step: w.FlowStep | None = None
        self._flow = ""
        self._name = ""
        self._wanted = False
        """One is to be begun."""
        self._state: FormState | None = None
        self._view: QWidget | None = None
        self._busy = False
        self._rail = QVBoxLayout()
        self._rail.setSpacing(palette.space("s"))
        side = QWidget()
        side.setFixedWidth(RAIL_WIDTH)
        rail = QVBoxLayout(side)
        rail.setContentsMargins(0, 0, 0, 0)
        rail.addLayout(self._rail)
        self._why = Label("", "small", tone="muted")
        rail.addSpacing(palette.space("m"))
        rail.addWidget(self._why)
        rail.addStretch(1)
        self.problem = Banner()
        self._place = QVBoxLayout()
        self._actions = QHBoxLayout()
        self._report = QVBoxLayout()
        self.typed = QLineEdit()
        self.typed.setAccessibleName("Name, to confirm")
        self.typed.setMaximumWidth(palette.size("form_max"))
        self._typed_label = Label("", bold=True)
        self._typed_label.setBuddy(self.typed)
        self._typed_box = QWidget()
        box = QVBoxLayout(self._typed_box)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._typed_label)
        box.addWidget(self.typed)
        self._footer = QHBoxLayout()
        self._footer.setSpacing(palette.space("s"))
        main = column(
            self.problem,
            self._place,
            self._actions,
            self._report,
            self._typed_box,
            self._footer,
            gap="l",
        )
        main.addStretch(1)
        both = QHBoxLayout()
        both.setSpacing(palette.space("xl"))
        both.addWidget(side)
        both.addLayout(main, 1)
        self.body.addLayout(both)

    # ---- where it stands

    def open(self, rest: str) -> None:
        if self.TYPE:
            self._name, self._wanted = rest, True
        elif rest != self._flow:
            self._flow, self.step = rest, None
        self.mark_stale()

    async def fetch(self) -> bool:
        session = self.desk.session
        if self.TYPE:
            if self._wanted:
                self._wanted = False
                await self._start()
            return True
        step = await session.call(lambda client: client.flow(self._flow))
        if self._busy:
            return True  # its reply shows more
        if self.step is not None and self.step.step == step.step:
            step = step.model_copy(update={"issues": self.step.issues})
        self._show(step)
        return True

    async def _start(self) -> None:
        """Begins one and goes there."""
        context = {self.CONTEXT: self._name} if self._name else {}
        try:
            step = await self.desk.session.call(
                lambda client: client.begin_flow(self.TYPE, context)
            )
        except ApiError as error:
            self._show_refusal(error)
            return
        self.desk.go(f"/flow/{step.id}")

    def _show_refusal(self, error: ApiError) -> None:
        wanted = [("Add a domain", lambda: self.desk.go("/domains/new"))]
        actions: list[tuple[str, Callable[[], object]]] = []
        if any(issue.code == "flow.no_domain" for issue in error.issues):
            actions = [*wanted]
        self._typed_box.hide()
        self.problem.show_message("warn", describe_error(error), "", actions)

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.FlowEvent) and event.id == self._flow:
            self.mark_stale()

    # ---- drawing

    def _show(self, step: w.FlowStep) -> None:
        before, focused = self.step, self.focusWidget()
        pressed = focused.text() if isinstance(focused, QPushButton) else ""
        self.step = step
        self.heading.setText(step.title)
        self.subtitle.setText(step.intro)
        self.subtitle.setVisible(bool(step.intro))
        self._why.setText(step.why)
        self._draw_rail(step)
        same = before is not None and (before.id, before.step) == (step.id, step.step)
        if not same:
            self.problem.hide()
            self.typed.clear()
        if not (same and step.kind in {"form", "menu", "page"}):
            self._draw_step(step)
        self._draw_report(step)
        self._typed_label.setText(f"Type {step.type_name} to confirm")
        self.typed.setAccessibleName(self._typed_label.text())
        self._typed_box.setVisible(bool(step.type_name))
        self._draw_footer(step)
        if not same or pressed:
            # What was just built can take the focus in the next turn only.
            QTimer.singleShot(0, self, partial(self._focus, pressed if same else ""))

    def _draw_rail(self, step: w.FlowStep) -> None:
        clear(self._rail)
        self._rail.addWidget(Label(step.name, "small", tone="muted"))
        for item in step.rail:
            icon, tone = STATES[item.state]
            mark = IconLabel(icon, tone, 16)
            if item.open:
                title: QWidget = button(
                    item.title, partial(self._send, "go", step=item.id), kind="link"
                )
            else:
                title = Label(item.title, bold=item.state == "current")
            self._rail.addLayout(row(mark, title, grow=1))

    def _draw_step(self, step: w.FlowStep) -> None:
        clear(self._place)
        self._state = None
        go: Callable[[str], None] = lambda wanted: self._send("go", step=wanted)  # noqa: E731  # it is passed on
        match step.kind:
            case "form":
                self._view = self._form(step)
            case "menu":
                self._view = MenuView(step)
            case "checks":
                self._view = ChecksView(step)
            case "review":
                self._view = ReviewView(step, go)
            case "done":
                self._view = DoneView(step, self.desk.go)
            case "page":
                self._view = self._inner(step.page)
        self._place.addWidget(self._view)

    def _form(self, step: w.FlowStep) -> QWidget:
        spec = f.Spec(id="", version="", title="", fields=step.fields, layout=step.layout)
        values: Values = {**begin_all(step.fields), **step.values}
        self._state = FormState(
            values, is_new=True, list_choices=self._list_choices, go=self._leave_for
        )
        return SpecForm(spec, self._state)

    def _inner(self, path: str) -> QWidget:
        """A page of its own inside the frame of the wizard."""
        from ui.pages.registry import resolve

        info, rest = resolve(path)
        if "/" in rest or not rest:
            return button("Open it", partial(self.desk.go, path), kind="link")
        page = info.make(self.desk)
        page.heading.hide()
        page.subtitle.hide()
        page.open(rest)
        page.setMinimumHeight(480)
        return page

    def _list_choices(
        self, source: f.ChoicesFrom, arrived: Callable[[Sequence[f.Choice]], None]
    ) -> None:
        async def fetch() -> None:
            arrived(await self.desk.session.call(lambda client: client.choices(source)))

        self.desk.scope.start(fetch(), "list choices")

    def _draw_report(self, step: w.FlowStep) -> None:
        clear(self._actions)
        clear(self._report)
        for action in step.actions:
            made = button(action.title, partial(self._send, "run", run=action.id), icon=action.icon)
            self._actions.addWidget(made)
        self._actions.addStretch(1)
        if step.report is not None:
            self._report.addWidget(report_card(step.report))

    def _draw_footer(self, step: w.FlowStep) -> None:
        clear(self._footer)
        if step.can_back:
            self._footer.addWidget(button("Back", partial(self._send, "back"), icon="chevron-left"))
        if step.primary:
            kind = "danger" if step.danger else "primary"
            self._footer.addWidget(button(step.primary, partial(self._send, "next"), kind=kind))
        if any(issue.code == "flow.untested" for issue in step.issues):
            anyway = partial(self._send, "next", anyway=True)
            self._footer.addWidget(button("Go on all the same", anyway))
        if step.skip:
            self._footer.addWidget(button(step.skip, partial(self._send, "skip")))
        self._footer.addStretch(1)
        if step.kind != "done":
            self._footer.addWidget(button("Save and continue later", self._later, kind="link"))
            end = "Close the wizard" if step.applied else "Give up"
            self._footer.addWidget(button(end, self._give_up, kind="link"))

    def _focus(self, pressed: str) -> None:
        """Into what the step begins with, or back to the button that was pressed."""
        entry: QWidget | None = self.button(pressed) if pressed else None
        if entry is not None:
            pass
        elif isinstance(self._view, SpecForm | MenuView):
            entry = self._view.first_entry()
        elif self.step is not None and self.step.type_name:
            entry = self.typed
        if entry is None and self.step is not None:
            entry = self.button(self.step.primary)
        if entry is not None:
            entry.setFocus(Qt.FocusReason.OtherFocusReason)

    def button(self, title: str) -> QPushButton | None:
        """Of those below the step."""
        below = [*_in(self._actions), *_in(self._footer)]
        found = [each for each in below if isinstance(each, QPushButton)]
        return next((each for each in found if each.text() == title), None)

    # ---- moving

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus, else the main one; where it has a meaning of its own it does not come here."""
        if event.key() not in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            super().keyPressEvent(event)
            return
        focused = self.focusWidget()
        if isinstance(focused, QPushButton):
            focused.click()
        elif self.step is not None and self.step.primary:
            self._send("next")

    def _values(self) -> dict[str, JsonValue]:
        if self._state is not None:
            return self._state.values
        if isinstance(self._view, MenuView):
            return {"choice": self._view.chosen()}
        return {}

    def _send(self, action: str, *, step: str = "", run: str = "", anyway: bool = False) -> None:
        if self._busy or self.step is None:
            return
        move = self._move(action, step=step, run=run, anyway=anyway)
        self.do(self._go(move), f"wizard {action}")

    def _move(self, action: str, **more: object) -> w.FlowMove:
        assert self.step is not None
        data = {
            "action": action,
            "at": self.step.step,
            "values": self._values(),
            "typed": self.typed.text(),
            **more,
        }
        return w.FlowMove.model_validate(data)

    async def _go(self, move: w.FlowMove) -> None:
        await self._make(move)

    async def _make(self, move: w.FlowMove) -> bool:
        assert self.step is not None
        links, flow = self.step.links, self.step.id
        self._busy = True
        self._enable(on=False)
        try:
            step = await self.desk.session.call(lambda client: client.move_flow(flow, move))
        except ApiError as error:
            self.problem.show_message("error", describe_error(error))
            return False
        finally:
            self._busy = False
            self._enable(on=True)
        if step.over:
            self.step = None
            self.desk.go(next((link.page for link in links if link.primary), "/"))
            return True
        self._show(step)
        self._show_faults(step)
        return True

    def _enable(self, *, on: bool) -> None:
        for box in (self._footer, self._actions):
            for widget in _in(box):
                widget.setEnabled(on)

    def _show_faults(self, step: w.FlowStep) -> None:
        if not step.issues:
            self.problem.hide()
            if self._state is not None:
                self._state.show_faults({})
            return
        faults: dict[str, str] = {}
        for issue in step.issues:
            text = f"{issue.message} {issue.fix}".strip()
            faults[issue.path] = f"{faults[issue.path]}\n{text}" if issue.path in faults else text
        rest = "\n".join(faults.values())
        if self._state is not None:
            rest = self._state.show_faults(faults)
        untested = any(issue.code == "flow.untested" for issue in step.issues)
        if untested:
            self.problem.show_message("warn", rest)
        elif rest or self._state is None:
            self.problem.show_message("error", "This needs another look.", rest)
        else:
            self.problem.hide()
        if step.issues[0].path == "/typed":
            self.typed.setFocus()

    # ---- leaving

    def _later(self) -> None:
        self.do(self._keep("/"), "keep wizard")

    def _leave_for(self, path: str) -> None:
        """To another page, such as one on which a transport is made; what was typed stays."""
        self.do(self._keep(path), "keep wizard")

    async def _keep(self, path: str) -> None:
        assert self.step is not None
        if await self._make(self._move("go", step=self.step.step)):
            if path == "/":
                self.desk.toast("It is kept. Go on with it from the overview.")
            self.desk.go(path)

    def _give_up(self) -> None:
        self.do(self._end(), "give up wizard")

    async def _end(self) -> None:
        assert self.step is not None
        flow = self.step.id
        await self.desk.session.call(lambda client: client.give_up_flow(flow))
        self.step = None
        self.desk.go("/")


def _in(box: QHBoxLayout) -> list[QWidget]:
    """The widgets of a layout."""
    items = [box.itemAt(index) for index in range(box.count())]
    return [widget for item in items if item is not None and (widget := item.widget()) is not None]


class NewDomain(FlowPage):
    TITLE, TYPE = "Add a domain", "domain"


class NewAccount(FlowPage):
    TITLE, TYPE = "Add an account", "account"


class NewAlias(FlowPage):
    TITLE, TYPE = "Add an alias", "alias"


class NewTransport(FlowPage):
    TITLE, TYPE = "Add a transport", "transport"


class NewRoute(FlowPage):
    TITLE, TYPE = "Add a route", "route"


class RotateKeys(FlowPage):
    TITLE, TYPE, CONTEXT = "Change the signature keys", "dkim", "domain"


class RemoveDomain(FlowPage):
    TITLE, TYPE, CONTEXT = "Remove a domain", "remove-domain", "domain"


class RemoveAccount(FlowPage):
    TITLE, TYPE, CONTEXT = "Remove an account", "remove-account", "account"

"""A form that the server describes: read, edited, tried, saved, merged when somebody else was quicker."""

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import ClassVar
from urllib.parse import quote

from pydantic import JsonValue
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QPushButton, QRadioButton, QVBoxLayout, QWidget

from backend.api import forms as f
from backend.api.client import ApiError
from backend.api.conditions import holds
from ui import palette
from ui.pages.page import Desk
from ui.presenters.faults import describe_error
from ui.presenters.form_values import Clash, Values, begin_all, brief, merge
from ui.widgets.dialogs import Sheet, ask, show_report, wait_for
from ui.widgets.spec_control import FormState
from ui.widgets.spec_form import SpecForm
from ui.widgets.surface import Banner, Card
from ui.widgets.text import Label, button, clear, row

TRY_MS = 700
_NAME = re.compile(r"\{(\w+)\}")
ONLY_ONE = "-"


@dataclass(slots=True)
class _Draft:
    base: f.FormValues
    values: Values


class FormEditor(QWidget):
    """`load()` reads the form; afterwards it saves itself.

    Signals:
        saved: `f.Saved`, after each save.
        changed: whether there is something to save.
    """

    saved = Signal(object)
    changed = Signal(bool)

    # What is typed outlives the page: by form and key.
    _drafts: ClassVar[dict[tuple[str, str], _Draft]] = {}

    def __init__(
        self,
        desk: Desk,
        form: str,
        key: str = ONLY_ONE,
        *,
        verb: str = "Save",
        start: Values | None = None,
        actions: bool = True,
    ) -> None:
        super().__init__()
        self.desk, self.form, self.key = desk, form, key
        self.spec: f.Spec | None = None
        self.state: FormState | None = None
        self.view: SpecForm | None = None
        self._base: f.FormValues | None = None
        self._start = start or {}
        self._with_actions = actions
        self._busy = False
        self.note = Banner()
        self.problem = Banner()
        self._place = QVBoxLayout()
        self._effects = Card("What saving does")
        self._effect_lines = QVBoxLayout()
        self._effects.body.addLayout(self._effect_lines)
        self.save_button = button(verb, self.save, kind="primary", icon="device-floppy")
        self.discard_button = button("Discard", self.discard)
        self._actions = row()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("l"))
        outer.addWidget(self.note)
        outer.addWidget(self.problem)
        outer.addLayout(self._place)
        outer.addWidget(self._effects)
        outer.addLayout(row(self.save_button, self.discard_button, self._actions, None))
        self._effects.hide()
        self.discard_button.hide()
        self._trial = QTimer(self)
        self._trial.setSingleShot(True)
        self._trial.setInterval(TRY_MS)
        self._trial.timeout.connect(self._try_it)

    # ---- reading

    async def load(self) -> None:
        """Reads specification and values. A draft that was left behind is there again."""
        session = self.desk.session
        if self.spec is None:
            self.spec = await session.call(lambda client: client.form_spec(self.form))
        found = await session.call(lambda client: client.form(self.form, self.key))
        draft = self._drafts.get(self._name)
        if draft is not None and self.state is not None:
            return  # what is being edited is not taken away
        if draft is not None:
            self._show(draft.base, draft.values)
            self.note.show_message("info", "What you typed before is still here, not saved yet.")
        else:
            self._show(found, self._fresh(found))

    def _fresh(self, found: f.FormValues) -> Values:
        assert self.spec is not None
        begun: Values = {**begin_all(self.spec.fields), **deepcopy(found.values)}
        return begun if found.exists else {**begun, **self._start}

    def _show(self, base: f.FormValues, values: Values) -> None:
        assert self.spec is not None
        if self.state is not None and self._base is not None and self.state.values == values:
            self._base = base
            self._redraw_buttons()
            return
        self._base = base
        clear(self._place)
        self.state = FormState(
            values, is_new=not base.exists, list_choices=self._list_choices, go=self.desk.go
        )
        self.state.edited.connect(self._edited)
        self.view = SpecForm(self.spec, self.state)
        self._place.addWidget(self.view)
        self._draw_actions()
        self._redraw_buttons()

    def _list_choices(
        self, source: f.ChoicesFrom, arrived: Callable[[Sequence[f.Choice]], None]
    ) -> None:
        async def fetch() -> None:
            arrived(await self.desk.session.call(lambda client: client.choices(source)))

        self.desk.scope.start(fetch(), "list choices")

    # ---- editing

    @property
    def _name(self) -> tuple[str, str]:
        return self.form, self.key

    @property
    def is_dirty(self) -> bool:
        if self.state is None or self._base is None:
            return False
        return self.state.values != self._fresh(self._base)

    def _edited(self) -> None:
        assert self.state is not None
        assert self._base is not None
        if self.is_dirty:
            self._drafts[self._name] = _Draft(self._base, self.state.values)
            self._trial.start()
        else:
            self._drafts.pop(self._name, None)
            self._trial.stop()
            self._effects.hide()
        self._redraw_buttons()

    def _redraw_buttons(self) -> None:
        self.discard_button.setVisible(self.is_dirty)
        self.changed.emit(self.is_dirty)

    def discard(self) -> None:
        """Back to what the server has."""
        assert self._base is not None
        self._forget()
        self._show(self._base, self._fresh(self._base))

    def _forget(self) -> None:
        self._drafts.pop(self._name, None)
        self._trial.stop()
        for widget in (self.note, self.problem, self._effects):
            widget.hide()

    # ---- saving

    def save(self) -> None:
        if not self._busy and self.state is not None:
            self.desk.scope.start(self._save(), f"save {self.form}")

    async def _save(self) -> None:
        self._busy = True
        self.save_button.setEnabled(False)
        self.problem.hide()
        try:
            done = await self._put_merged()
        finally:
            self._busy = False
            self.save_button.setEnabled(True)
        if done is None:
            return
        assert self._base is not None
        self._forget()
        self.desk.toast(
            "Saved. A part of it counts after a restart of the server."
            if done.needs_restart
            else "Saved."
        )
        base = self._base.model_copy(
            update={"values": done.values, "revision": done.revision, "exists": True}
        )
        self._show(base, self._fresh(base))
        self.saved.emit(done)

    async def _put_merged(self) -> f.Saved | None:
        """None: refused, and the reasons are shown."""
        while True:
            assert self.state is not None
            assert self._base is not None
            try:
                return await self._put(self.state.values, self._base.revision)
            except ApiError as error:
                if error.status != 409 or error.conflict is None:
                    self._show_faults(error)
                    return None
                if not await self._merge(error.conflict):
                    return None

    async def _put(self, values: Values, revision: int, *, dry_run: bool = False) -> f.Saved:
        return await self.desk.session.call(
            lambda client: client.save_form(
                self.form, self.key, values, revision=revision, dry_run=dry_run
            )
        )

    def _show_faults(self, error: ApiError) -> None:
        assert self.state is not None
        faults: dict[str, str] = {}
        for issue in error.issues:
            text = f"{issue.message} {issue.fix}".strip()
            faults[issue.path] = f"{faults[issue.path]}\n{text}" if issue.path in faults else text
        rest = self.state.show_faults(faults) if faults else describe_error(error)
        count = len(error.issues)
        title = f"{count} things need another look." if count > 1 else "This needs another look."
        self.problem.show_message("error", title, rest)

    async def _merge(self, conflict: f.Conflict) -> bool:
        """Somebody else has saved: both changes become one, and what clashes is asked. False: back to the form."""
        assert self.spec is not None
        assert self.state is not None
        assert self._base is not None
        base = (conflict.base or self._base).values
        values, clashes = merge(self.spec.fields, base, self.state.values, conflict.theirs.values)
        if clashes:
            chosen = await _ask_which(self, clashes)
            if chosen is None:
                return False
            values |= chosen
        self._drafts[self._name] = _Draft(conflict.theirs, values)
        self._show(conflict.theirs, values)
        return True

    # ---- what it would do

    def _try_it(self) -> None:
        self.desk.scope.start(self._tell_effects(), "try form")

    async def _tell_effects(self) -> None:
        assert self.state is not None
        assert self._base is not None
        try:
            told = await self._put(self.state.values, self._base.revision, dry_run=True)
        except ApiError:
            self._effects.hide()  # what is wrong is said when it is saved
            return
        clear(self._effect_lines)
        for effect in told.effects:
            words = Label(effect.text)
            show = button("Show", partial(self.desk.go, effect.page), kind="link")
            if not effect.page:
                show.hide()
            self._effect_lines.addLayout(row(words, show, None, grow=0))
        self._effects.setVisible(bool(told.effects) and self.is_dirty)

    # ---- actions

    def _draw_actions(self) -> None:
        assert self.spec is not None
        assert self.state is not None
        assert self._base is not None
        clear(self._actions)
        if not self._with_actions:
            return
        for action in self.spec.actions:
            offered = self._base.exists or action.unsaved
            if offered and holds(action.show_if, self.state.values):
                self._actions.addWidget(
                    action_button(self.desk, self, action, self.key, self._values)
                )

    def _values(self) -> Values:
        return self.state.values if self.state is not None else {}


def action_button(
    desk: Desk,
    parent: QWidget,
    action: f.Action,
    key: str,
    values: Callable[[], Values],
    done: Callable[[], None] = lambda: None,
) -> QPushButton:
    """Goes to a page, or asks and does."""

    def named(text: str, *, in_path: bool = False) -> str:
        shown = {
            name: str(value) for name, value in values().items() if isinstance(value, str | int)
        }
        for name, value in {**shown, "key": key}.items():
            text = text.replace("{" + name + "}", quote(value, safe="@") if in_path else value)
        return text

    async def run() -> None:
        if (confirm := action.confirm) is not None and not await ask(
            parent,
            named(confirm.title),
            named(confirm.text),
            yes=confirm.verb,
            no="Keep" if action.kind == "danger" else "Cancel",
            danger=action.kind == "danger",
            typed=key if confirm.type_name else "",
        ):
            return
        before = dict(values())
        body = _filled(action.body, before, key)
        if action.sends == "values":
            body["values"] = values()
        bare = action.method in {"GET", "DELETE"}
        path = named(action.path, in_path=True)
        reply = await desk.session.call(
            lambda client: client.ask(action.method, path, None if bare else body)
        )
        if action.result == "report" and isinstance(reply, dict):
            await show_report(parent, action.title, *_report(reply))
        elif action.undo is not None:
            taken_back = partial(take_back, action.undo, before)
            desk.toast(action.done or f"{action.title}: done.", taken_back)
        else:
            desk.toast(action.done or f"{action.title}: done.")
        done()

    def take_back(undo: f.Undo, before: Values) -> None:
        desk.scope.start(undoing(undo, before), f"undo {action.title}")

    async def undoing(undo: f.Undo, before: Values) -> None:
        path, body = named(undo.path, in_path=True), _filled(undo.body, before, key)
        await desk.session.call(
            lambda client: client.ask(undo.method, path, None if undo.method == "DELETE" else body)
        )
        done()

    def click() -> None:
        if action.page:
            desk.go(named(action.page, in_path=True))
        else:
            desk.scope.start(run(), action.title)

    kind = "" if action.kind == "plain" else action.kind
    return button(action.title, click, kind=kind, icon=action.icon, help=action.help)


def _filled(body: Mapping[str, JsonValue], values: Values, key: str) -> dict[str, JsonValue]:
    """The texts of an action's body; one that is nothing but `{name}` becomes the value itself."""
    known: dict[str, JsonValue] = {**values, "key": key}

    def fill(each: JsonValue) -> JsonValue:
        if isinstance(each, dict):
            return {name: fill(inner) for name, inner in each.items()}
        if isinstance(each, list):
            return [fill(inner) for inner in each]
        if not isinstance(each, str):
            return each
        if (whole := _NAME.fullmatch(each)) is not None and whole[1] in known:
            return known[whole[1]]
        return _NAME.sub(lambda found: str(known.get(found[1], found[0])), each)

    return {name: fill(each) for name, each in body.items()}


def _report(reply: dict[str, JsonValue]) -> tuple[str, str]:
    sentence = f"{reply.get('message', '')} {reply.get('fix', '')}".strip()
    lines = []
    steps = reply.get("steps")
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, dict):
            ok = step.get("ok")
            mark = "–" if ok is None else "✓" if ok else "✕"
            lines.append(f"{mark} {step.get('name')}: {step.get('text')}")
    return sentence, "\n".join([*lines, "", str(reply.get("excerpt") or "")]).strip()


async def _ask_which(parent: QWidget, clashes: Sequence[Clash]) -> Values | None:
    """For each clash one's own value or the other one; None: back to the form."""
    sheet = Sheet(parent, "Somebody else has changed this in the meantime", width=560)
    words = "this one" if len(clashes) == 1 else "these"
    sheet.add(Label(f"Everything else is merged. Choose what holds for {words}:"))
    theirs: dict[str, QRadioButton] = {}
    for clash in clashes:
        box = QWidget()
        inner = QVBoxLayout(box)
        inner.setContentsMargins(0, 0, 0, 0)
        own = QRadioButton(f"Yours: {brief(clash.mine)}")
        own.setChecked(True)
        other = QRadioButton(f"Theirs: {brief(clash.theirs)}")
        theirs[clash.key] = other
        for widget in (Label(clash.label, bold=True), own, other):
            inner.addWidget(widget)
        sheet.add(box)
    sheet.add_button("Back to the form", sheet.reject)
    sheet.add_button("Save this", sheet.accept, kind="primary", default=True)
    if not await wait_for(sheet):
        return None
    return {
        clash.key: clash.theirs if theirs[clash.key].isChecked() else clash.mine
        for clash in clashes
    }

"""One route as a form in a dialog: new or changed. The server looks at it before the dialog closes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from PySide6.QtWidgets import QWidget

from backend.api import delivery as w
from backend.api import forms as f
from backend.api.client import ApiError
from ui.pages.page import Desk
from ui.presenters import routes as words
from ui.presenters.faults import describe_error
from ui.presenters.form_values import Values, begin_all
from ui.widgets.dialogs import TaskSheet
from ui.widgets.forms import Choice
from ui.widgets.spec_control import FormState
from ui.widgets.spec_form import Fields

Try = Callable[[words.Place, w.RouteSettings], Awaitable[int]]
"""Tries the draft with the route; its index in the list. Raises ApiError for what is wrong with it."""


class RouteSheet(TaskSheet):
    """`places`: the lists that a new route can go to, with their names; empty for one that is there already."""

    def __init__(
        self,
        desk: Desk,
        parent: QWidget,
        fields: Sequence[f.Field],
        settings: w.RouteSettings | None,
        place: words.Place,
        places: Sequence[tuple[words.Place, str]],
        attempt: Callable[[words.Place, w.RouteSettings], Awaitable[None]],
        index: Callable[[words.Place], int],
    ) -> None:
        title = "Add a route" if settings is None else "Change the route"
        super().__init__(
            parent,
            title,
            "Add to the draft" if settings is None else "Change the draft",
            self._try,
            describe=describe_error,
            width=600,
        )
        self._place, self._attempt, self._index = place, attempt, index
        begun: Values = begin_all(fields)
        if settings is not None:
            begun = {**begun, **settings.model_dump(mode="json")}

        def list_choices(
            source: f.ChoicesFrom, arrived: Callable[[Sequence[f.Choice]], None]
        ) -> None:
            async def fetch() -> None:
                arrived(await desk.session.call(lambda client: client.choices(source)))

            desk.scope.start(fetch(), "list choices")

        def go(path: str) -> None:
            self.reject()
            desk.go(path)

        self.state = FormState(begun, is_new=settings is None, list_choices=list_choices, go=go)
        self.state.build = lambda inner, path: Fields(inner, self.state, path)
        self.whose = Choice(
            "Whose mail", "Routes of accounts are looked at first, those of the server last."
        )
        self.whose.set_entries([("/".join(each), name) for each, name in places])
        self.whose.select("/".join(place))
        self.form = Fields(fields, self.state)
        self.add(self.whose, self.form)
        first = next((c.entry() for c in self.state.controls() if c.entry() is not None), None)
        if places:
            self.whose.box.setFocus()
        else:
            self.whose.hide()
            if first is not None:
                first.setFocus()

    @property
    def place(self) -> words.Place:
        if not self.whose.value():
            return self._place
        level, _, owner = self.whose.value().partition("/")
        return cast(w.RouteLevel, level), owner

    async def _try(self) -> bool:
        settings, fault = settings_of(self.state.values)
        if settings is None:
            self.problem.show_message(
                "error", self.state.show_faults(fault) or "Look at the field that is marked."
            )
            return False
        try:
            await self._attempt(self.place, settings)
        except ApiError as error:
            faults: dict[str, str] = {}
            for issue in error.issues:
                path = words.faults_of(self.place, self._index(self.place), issue.path)
                if path is not None:
                    faults[path] = f"{issue.message} {issue.fix}".strip()
            rest = self.state.show_faults(faults) if faults else describe_error(error)
            self.problem.show_message("error", rest or "Look at the field that is marked.")
            return False
        return True

    @property
    def settings(self) -> w.RouteSettings:
        found, _ = settings_of(self.state.values)
        assert found is not None
        return found


def settings_of(values: Values) -> tuple[w.RouteSettings | None, dict[str, str]]:
    """The route that was entered, or what is wrong with it by pointers."""
    given = dict(values)
    attempts = given.get("minimum_attempts")
    if attempts is None:
        given["minimum_attempts"] = 0
    elif not isinstance(attempts, int) or not 0 <= attempts <= 100:
        return None, {"/minimum_attempts": "Enter a number from 0 to 100."}
    if not given.get("transport"):
        return None, {"/transport": "Choose a transport."}
    return w.RouteSettings.model_validate(given), {}

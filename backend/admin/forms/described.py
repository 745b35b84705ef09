"""The words around the fields of a form: title, help, sections, actions, list."""

from collections.abc import Sequence

from backend.api import forms as f

ROUTES_HELP = "The first route that matches is taken; where none does, the next list is looked at, and in the end mail goes out directly."


def described(
    title: str,
    help_: str,
    icon: str,
    page: str,
    *,
    layout: Sequence[f.Section] = (),
    actions: Sequence[f.Action] = (),
    listing: f.ListSpec | None = None,
) -> f.Spec:
    """Everything of a specification but its fields."""
    return f.Spec(
        id="",
        version="",
        title=title,
        help=help_,
        icon=icon,
        page=page,
        layout=list(layout),
        actions=list(actions),
        listing=listing,
    )

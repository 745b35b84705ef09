"""Hold rules: which mail is accepted but kept back, how much of it there is, and one rule with its form."""

from functools import partial

from ui.pages.keyed_form import KeyedFormPage, KeyedListPage
from ui.pages.page import Desk
from ui.widgets.text import button


class HoldRulesPage(KeyedListPage):
    TITLE = "Hold rules"
    LIST = "hold-rule"
    PATH = "/queue/holds"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        back = partial(desk.go, "/queue")
        self.toolbar.addWidget(
            button("Queue", back, kind="link", icon="arrow-left", name="Back to Queue")
        )


class HoldRulePage(KeyedFormPage):
    TITLE = "Hold rule"
    FORM = "hold-rule"
    BACK = "/queue/holds"
    LIST_TITLE = "Hold rules"

"""A domain's keys for signatures: which there are, which sign, making, choosing, changing and removing them."""

from datetime import UTC, datetime
from functools import partial

from PySide6.QtWidgets import QCheckBox, QWidget

from backend.api import dkim as d
from backend.api.client import ApiError
from ui.pages.page import Desk
from ui.pages.tabbed import ActionCard, Panel
from ui.presenters import wording
from ui.presenters.faults import describe_error, faults_by_field
from ui.widgets.copyfield import CopyField
from ui.widgets.dialogs import TaskSheet, ask, wait_for
from ui.widgets.forms import Choice, Field, show_faults
from ui.widgets.surface import Banner, Card, EmptyState, StatusPill
from ui.widgets.text import Label, button, clear, column, row

ALGORITHMS = {"rsa2048": "RSA, 2048 bits", "ed25519": "Ed25519"}


class AddKeySheet(TaskSheet):
    """Makes one more key."""

    def __init__(self, parent: QWidget | None, desk: Desk, domain: str) -> None:
        super().__init__(parent, "Make a key", "Make the key", self._make, describe=describe_error)
        self._desk, self._domain = desk, domain
        self.name = Field(
            "Name", optional=True, placeholder="2027a", help="Empty: the year and a letter."
        )
        self.algorithm = Choice(
            "Algorithm", "RSA is understood by everyone; Ed25519 is shorter, for use beside it."
        )
        self.algorithm.set_entries(list(ALGORITHMS.items()))
        self.name.submitted.connect(self.submit)
        self.add(
            self.name,
            self.algorithm,
            Label("It does not sign yet: publish its DNS record first.", tone="muted"),
        )
        self.name.line.setFocus()

    async def _make(self) -> bool:
        fields = {"name": self.name}
        algorithm: d.DkimAlgorithm = "ed25519" if self.algorithm.value() == "ed25519" else "rsa2048"
        try:
            await self._desk.session.call(
                lambda client: client.add_dkim_selector(
                    self._domain, selector=self.name.text(), algorithm=algorithm
                )
            )
        except ApiError as error:
            if rest := show_faults(fields, faults_by_field(error)):
                self.problem.show_message("error", rest)
            return False
        return True


class DkimPanel(Panel):
    """`check` also asks the DNS; that takes a moment, so it happens when it is asked for."""

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self._dkim: d.Dkim | None = None
        self._checked = False
        self.rotation = Banner()
        self._keys = column(gap="m")
        keys = Card(
            "Keys",
            button("Look in the DNS", self.check, icon="search"),
            button("Make a key…", self._add, icon="plus"),
        )
        keys.body.addWidget(
            Label(
                "Each message that leaves is signed with a key of the domain. Others look the public half up in the DNS, "
                "and so know that the message is really from here.",
                tone="muted",
            )
        )
        keys.body.addLayout(self._keys)
        self.change = ActionCard(
            desk,
            "Change the keys",
            "About once a year, or when somebody may have copied one: new keys are made and published first, then they sign, then the old ones go.",
            self._began,
        )
        self.add(self.rotation, keys, self.change)

    async def load(self) -> None:
        checked = self._checked
        self._dkim = await self.desk.session.call(
            lambda client: client.dkim(self.thing, check=checked)
        )
        self._draw(self._dkim)
        await self.change.load("dkim", "rotate", self.thing)

    def _began(self) -> None:
        self.changed()

    def check(self) -> None:
        self._checked = True
        self.changed()

    def _draw(self, dkim: d.Dkim) -> None:
        if (state := dkim.rotation) is not None:
            self.rotation.show_message("info", "The keys are being changed.", state.next)
        else:
            self.rotation.hide()
        clear(self._keys)
        if not dkim.selectors:
            self._keys.addWidget(
                EmptyState(
                    "key",
                    "No key yet",
                    "Without one, mail leaves without a signature, and many will treat it as junk.",
                )
            )
        for each in dkim.selectors:
            self._keys.addWidget(self._key_card(each))

    def _key_card(self, key: d.DkimSelector) -> Card:
        now = datetime.now(UTC)
        made = "" if key.made_at is None else f", made {wording.ago(key.made_at, now)}"
        signs = QCheckBox("Signs")
        signs.setAccessibleName(f"{key.name} signs")
        signs.setChecked(key.signs)
        signs.toggled.connect(partial(self._choose, key.name))
        remove = button(
            "Remove…",
            partial(self._remove, key),
            kind="danger",
            icon="trash",
            name=f"Remove the key {key.name}",
        )
        card = Card(padding="m")
        head = row(
            Label(key.name, bold=True, wrap=False),
            _dns_pill(key.in_dns),
            Label(f"{ALGORITHMS[key.algorithm]}{made}", tone="muted", wrap=False),
            None,
            signs,
            remove,
            gap="m",
        )
        card.body.addLayout(head)
        if key.record is not None:
            name = CopyField("DNS name (TXT)", key.record.name)
            value = CopyField("Value", key.record.value)
            line = row(name, value, gap="m")
            line.setStretch(0, 2)
            line.setStretch(1, 3)
            card.body.addLayout(line)
        else:
            card.body.addWidget(
                Label("The key can't be read. Make a new one, and remove this.", tone="error")
            )
        return card

    # ---- doing

    def _choose(self, name: str, signs: bool) -> None:
        self.desk.scope.start(self._choosing(name, signs), "choose keys")

    async def _choosing(self, name: str, signs: bool) -> None:
        assert self._dkim is not None
        before = list(self._dkim.sign)
        after = [*before, name] if signs else [each for each in before if each != name]
        await self._sign_with(after)
        said = "signs from now on" if signs else "does not sign any more"

        def undo() -> None:
            self.desk.scope.start(self._sign_with(before), "choose keys")

        self.desk.toast(f"{name} {said}.", undo)

    async def _sign_with(self, names: list[str]) -> None:
        try:
            await self.desk.session.call(
                lambda client: client.choose_dkim_selectors(self.thing, names)
            )
        finally:
            self.changed()

    def _add(self) -> None:
        self.desk.scope.start(self._adding(), "make key")

    async def _adding(self) -> None:
        if await wait_for(AddKeySheet(self.desk.window, self.desk, self.thing)):
            self.desk.toast("The key was made. Publish its DNS record before it signs.")
            self.changed()

    def _remove(self, key: d.DkimSelector) -> None:
        self.desk.scope.start(self._removing(key), "remove key")

    async def _removing(self, key: d.DkimSelector) -> None:
        text = "It can't be brought back. Remove its DNS record too, a week after it has signed for the last time."
        if key.signs:
            text = f"Mail is signed with it now, and would leave without this signature. {text}"
        if await ask(
            self.desk.window,
            f"Remove the key {key.name}?",
            text,
            yes="Remove the key",
            no="Keep",
            danger=True,
            typed=key.name if key.signs else "",
        ):
            await self.desk.session.call(
                lambda client: client.remove_dkim_selector(
                    self.thing, key.name, even_if_signing=key.signs
                )
            )
            self.desk.toast(f"The key {key.name} was removed.")
            self.changed()


def _dns_pill(in_dns: bool | None) -> StatusPill:
    if in_dns is None:
        return StatusPill("in the DNS? not looked up", "neutral")
    return StatusPill("in the DNS", "ok") if in_dns else StatusPill("not in the DNS", "error")

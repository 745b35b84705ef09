"""One account: its addresses, its password, its limits, and how a mail program reaches it."""

from datetime import UTC, datetime

from PySide6.QtWidgets import QGridLayout, QTabBar, QVBoxLayout, QWidget

from backend.api import types as t
from backend.api.client import ApiError
from ui import palette
from ui.control import LocalServer
from ui.pages.connect import ConnectPanel
from ui.pages.page import Desk, Page
from ui.pages.passwords import SetPasswordSheet, password_sheet
from ui.presenters import accounts as words
from ui.presenters.faults import describe_error, faults_by_field
from ui.widgets.dialogs import TaskSheet, ask, wait_for
from ui.widgets.forms import Choice, Field, show_faults
from ui.widgets.surface import Card, StatusPill, rule
from ui.widgets.text import Label, button, clear, row, set_button_text

TABS = ("summary", "connect")


class AddAddressSheet(TaskSheet):
    """One more address, or all addresses of a domain that nobody else has."""

    def __init__(
        self, parent: QWidget | None, desk: Desk, account: str, domains: list[t.Domain]
    ) -> None:
        super().__init__(
            parent, "Add an address", "Add address", self._add, describe=describe_error
        )
        self._desk, self._account = desk, account
        self.kind = Choice(
            "What to add", "A catch-all gets whatever is sent to addresses that do not exist."
        )
        self.kind.set_entries(
            [("one", "One more address"), ("all", "All other addresses of a domain (catch-all)")]
        )
        self.local_part = Field("Address", placeholder="shop", help="The part before the @.")
        self.domain = Choice("Domain")
        self.domain.set_entries([(d.name, f"@{d.unicode}") for d in domains])
        self.kind.chosen.connect(lambda: self.local_part.setEnabled(self.kind.value() == "one"))
        self.local_part.submitted.connect(self.submit)
        across = row(self.local_part, self.domain, gap="s", grow=0)
        self.add(self.kind)
        self.content.addLayout(across)

    async def _add(self) -> bool:
        fields = {"address": self.local_part}
        name = ""
        if self.kind.value() == "one":
            name = self.local_part.text()
            if fault := words.check_local_part(name):
                show_faults(fields, {"address": fault})
                return False
        address = f"{name}@{self.domain.value()}"
        try:
            await self._desk.session.call(lambda client: client.add_address(self._account, address))
        except ApiError as error:
            if rest := show_faults(fields, faults_by_field(error)):
                self.problem.show_message("error", rest)
            return False
        return True


class EditAccountSheet(TaskSheet):
    """Name and sending limits."""

    def __init__(self, parent: QWidget | None, desk: Desk, account: t.Account) -> None:
        super().__init__(parent, "Change the account", "Save", self._save, describe=describe_error)
        self._desk, self._account = desk, account
        self.full_name = Field("Name", optional=True, value=account.full_name)
        self.daily = Field(
            "Messages a day",
            value=str(account.max_outgoing_messages_per_day),
            help="Sending stops for the day above this number: it limits the harm of a stolen password.",
        )
        self.new_people = Field(
            "New recipients a day",
            value=str(account.max_first_time_recipients_per_day),
            help="People that this account never wrote to before.",
        )
        self.quota = Field(
            "Room for mail, in MB",
            value=str(account.quota_bytes // 1_000_000),
            help="0 means no limit.",
        )
        for field in (self.full_name, self.daily, self.new_people, self.quota):
            field.submitted.connect(self.submit)
        self.add(self.full_name, self.daily, self.new_people, self.quota)

    async def _save(self) -> bool:
        fields = {
            "full_name": self.full_name,
            "max_outgoing_messages_per_day": self.daily,
            "max_first_time_recipients_per_day": self.new_people,
            "quota_bytes": self.quota,
        }
        numbers = {name: field.text() for name, field in fields.items() if name != "full_name"}
        faults = {
            name: "Enter a whole number." for name, text in numbers.items() if not text.isdecimal()
        }
        if faults:
            show_faults(fields, faults)
            return False
        change = t.ChangeAccount(
            full_name=self.full_name.text(),
            max_outgoing_messages_per_day=int(self.daily.text()),
            max_first_time_recipients_per_day=int(self.new_people.text()),
            quota_bytes=int(self.quota.text()) * 1_000_000,
        )
        try:
            await self._desk.session.call(
                lambda client: client.change_account(self._account.id, change)
            )
        except ApiError as error:
            if rest := show_faults(fields, faults_by_field(error)):
                self.problem.show_message("error", rest)
            return False
        return True


class AccountPage(Page):
    TITLE = "Account"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._id = ""
        self._account: t.Account | None = None
        back = button(
            "Accounts",
            lambda: desk.go("/accounts"),
            kind="link",
            icon="arrow-left",
            name="Back to all accounts",
        )
        self._pill = StatusPill("active", "ok")
        self.toolbar.addWidget(self._pill)
        self.toolbar.addWidget(back)
        self.tabs = QTabBar()
        self.tabs.setAccessibleName("Parts of the account")
        self.tabs.setDrawBase(False)
        self.tabs.addTab("Summary")
        self.tabs.addTab("Connect a mail app")
        self.tabs.currentChanged.connect(self._tab_chosen)
        self.tabs.setExpanding(False)
        self.connect_panel = ConnectPanel(desk)
        self.connect_panel.hide()
        self._summary = self._build_summary()
        self.body.addWidget(self.tabs)
        self.body.addWidget(self._summary)
        self.body.addWidget(self.connect_panel)
        self.body.addStretch(1)

    def _build_summary(self) -> QWidget:
        part = QWidget()
        outer = QVBoxLayout(part)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(palette.space("l"))
        self._addresses = QVBoxLayout()
        self._addresses.setSpacing(0)
        add = button("Add address", self._add_address, icon="at")
        addresses = Card("Addresses", add)
        addresses.body.addLayout(self._addresses)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(palette.space("xl"))
        self._facts.setVerticalSpacing(palette.space("s"))
        self._facts.setColumnStretch(1, 1)
        details = Card(
            "Details", button("Change…", self._edit, icon="settings", name="Change the account")
        )
        details.body.addLayout(self._facts)
        secret = Card("Password")
        secret.body.addLayout(
            row(
                Label(
                    "It is stored so that nobody can read it, not even you. Set a new one when it is lost or known to others.",
                    tone="muted",
                ),
                button("Set a new password…", self._set_password, icon="key"),
                gap="l",
                grow=0,
            )
        )
        danger = Card("Remove or disable")
        self._disable = button("Disable", self._toggle, icon="ban")
        self._disable_text = Label("", tone="muted")
        danger.body.addLayout(row(self._disable_text, self._disable, gap="l", grow=0))
        danger.body.addWidget(rule())
        danger.body.addLayout(
            row(
                Label(
                    "Removing the account deletes all its mail from this computer.", tone="muted"
                ),
                button("Remove account…", self._remove, kind="danger", icon="trash"),
                gap="l",
                grow=0,
            )
        )
        for card in (addresses, details, secret, danger):
            outer.addWidget(card)
        return part

    # ---- reading

    def open(self, rest: str) -> None:
        account, _, tab = rest.partition("/")
        if account != self._id:
            self._id = account
            self.connect_panel.reset()
            self.stale = True
        self.tabs.setCurrentIndex(TABS.index(tab) if tab in TABS else 0)
        self.mark_stale()

    async def fetch(self) -> bool:
        account = await self.desk.session.call(lambda client: client.account(self._id))
        settings = await self.desk.session.call(lambda client: client.client_settings(self._id))
        self._account = account
        self._draw(account)
        self.connect_panel.show_settings(settings)
        return True

    def take(self, event: t.EventData) -> None:
        mine = (isinstance(event, t.MailEvent) and event.account == self._id) or (
            isinstance(event, t.SignInEvent) and event.entry.account == self._id
        )
        if mine or isinstance(event, t.ConfigEvent):
            self.mark_stale()

    def _draw(self, account: t.Account) -> None:
        now = datetime.now(UTC)
        shown = words.present_account(account, now)
        self.heading.setText(shown.name)
        self.subtitle.setText(shown.addresses)
        self.subtitle.show()
        self._pill.set_state(shown.state, shown.tone)
        clear(self._addresses)
        for i, address in enumerate(account.addresses):
            if i:
                self._addresses.addWidget(rule())
            self._addresses.addWidget(self._address_line(address))
        if not account.addresses:
            self._addresses.addWidget(
                Label("No address: nobody can write to this account.", tone="muted")
            )
        while (item := self._facts.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        facts = (
            ("Mail stored", shown.used),
            ("Last sign-in", shown.last_sign_in),
            ("Messages a day, at most", str(account.max_outgoing_messages_per_day)),
            ("New recipients a day, at most", str(account.max_first_time_recipients_per_day)),
            ("Account name", account.id),
        )
        for i, (label, value) in enumerate(facts):
            self._facts.addWidget(Label(label, tone="muted", wrap=False), i, 0)
            self._facts.addWidget(Label(value, selectable=True), i, 1)
        verb = "Enable" if account.disabled else "Disable"
        set_button_text(self._disable, verb)
        self._disable.setAccessibleName(f"{verb} the account")
        self._disable_text.setText(
            "It is disabled: nobody can sign in to it or send from it. Mail to it is still taken."
            if account.disabled
            else "A disabled account keeps its mail and still gets new mail, but nobody can sign in to it or send from it."
        )

    def _address_line(self, address: t.AccountAddress) -> QWidget:
        line = QWidget()
        note = (
            "all other addresses of the domain" if address.catch_all else f"into {address.mailbox}"
        )
        name = Label(address.address, selectable=True, wrap=False)
        remove = button(
            "",
            lambda: self._remove_address(address.address),
            kind="quiet",
            icon="trash",
            name=f"Remove the address {address.address}",
        )
        box = row(name, Label(note, tone="muted", wrap=False), None, remove, gap="m")
        box.setContentsMargins(0, 4, 0, 4)
        line.setLayout(box)
        return line

    def _tab_chosen(self, index: int) -> None:
        self._summary.setVisible(index == 0)
        self.connect_panel.setVisible(index == 1)

    # ---- doing

    def _add_address(self) -> None:
        self.do(self._adding(), "add address")

    async def _adding(self) -> None:
        domains = await self.desk.session.call(lambda client: client.domains())
        if await wait_for(AddAddressSheet(self.desk.window, self.desk, self._id, domains)):
            self.desk.toast("The address was added.")
            self.mark_stale()

    def _remove_address(self, address: str) -> None:
        self.do(self._removing_address(address), "remove address")

    async def _removing_address(self, address: str) -> None:
        account = self._id
        await self.desk.session.call(lambda client: client.remove_address(account, address))

        def undo() -> None:
            self.do(self._put_back(account, address), "put address back")

        self.desk.toast(f"{address} was removed. Mail to it is refused now.", undo)
        self.mark_stale()

    async def _put_back(self, account: str, address: str) -> None:
        await self.desk.session.call(lambda client: client.add_address(account, address))
        self.mark_stale()

    def _edit(self) -> None:
        if self._account is not None:
            self.do(self._editing(self._account), "change account")

    async def _editing(self, account: t.Account) -> None:
        if await wait_for(EditAccountSheet(self.desk.window, self.desk, account)):
            self.desk.toast("The account was changed.")
            self.mark_stale()

    def _set_password(self) -> None:
        if self._account is not None:
            self.do(self._setting_password(self._account), "set password")

    async def _setting_password(self, account: t.Account) -> None:
        sheet = SetPasswordSheet(self.desk.window, self.desk, account.id)
        if not await wait_for(sheet):
            return
        address = words.main_address(account)
        target = self.desk.session.target
        if isinstance(target, LocalServer):
            chosen = sheet.made or sheet.password.line.text()
            self.desk.session.control.note_practice_password(target.folder, address, chosen)
        if sheet.made:
            await wait_for(
                password_sheet(self.desk.window, "The new password", address, sheet.made)
            )
        else:
            self.desk.toast("The password was set.")

    def _toggle(self) -> None:
        if self._account is not None:
            self.do(self._toggling(self._account), "disable account")

    async def _toggling(self, account: t.Account) -> None:
        change = t.ChangeAccount(disabled=not account.disabled)
        await self.desk.session.call(lambda client: client.change_account(account.id, change))
        self.mark_stale()

    def _remove(self) -> None:
        if self._account is not None:
            self.do(self._removing(self._account), "remove account")

    async def _removing(self, account: t.Account) -> None:
        if await ask(
            self.desk.window,
            f"Remove the account {words.main_address(account)}?",
            words.removal_of_account(account),
            yes="Remove account",
            no="Keep",
            danger=True,
            typed=account.id,
        ):
            await self.desk.session.call(lambda client: client.remove_account(account.id))
            self.desk.toast(f"{account.full_name or account.id} was removed.")
            self._id = ""
            self.desk.go("/accounts")

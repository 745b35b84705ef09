"""Who has mail here: list of accounts, adding one, and the way to the page of each."""

from datetime import UTC, datetime

from PySide6.QtWidgets import QWidget

from backend.api import types as t
from backend.api.client import ApiError
from ui.pages.page import Desk, Page
from ui.pages.passwords import password_sheet
from ui.presenters import accounts as words
from ui.presenters.faults import describe_error, faults_by_field
from ui.widgets.dialogs import TaskSheet, tell, wait_for
from ui.widgets.forms import Choice, Field, show_faults
from ui.widgets.surface import EmptyState
from ui.widgets.tables import Column, RowsModel, Table
from ui.widgets.text import button, row


class AddAccountSheet(TaskSheet):
    """Asks for a person and an address, and adds the account."""

    def __init__(self, parent: QWidget | None, desk: Desk, domains: list[t.Domain]) -> None:
        super().__init__(
            parent, "Add an account", "Add account", self._add, describe=describe_error
        )
        self._desk = desk
        self.made: t.NewAccount | None = None
        self.full_name = Field(
            "Name",
            optional=True,
            placeholder="Anna Example",
            help="As it is shown to the people she writes to.",
        )
        self.local_part = Field("Address", placeholder="anna", help="The part before the @.")
        self.domain = Choice("Domain")
        self.domain.set_entries([(d.name, f"@{d.unicode}") for d in domains])
        self.password = Field(
            "Password",
            optional=True,
            secret=True,
            help="Leave it empty to get a strong one, which is shown once.",
        )
        across = row(self.local_part, self.domain, gap="s")
        across.setStretch(0, 3)
        across.setStretch(1, 2)
        self.add(self.full_name)
        self.content.addLayout(across)
        self.add(self.password)
        for field in (self.full_name, self.local_part, self.password):
            field.submitted.connect(self.submit)
        self.full_name.line.setFocus()

    async def _add(self) -> bool:
        fields = {
            "address": self.local_part,
            "full_name": self.full_name,
            "password": self.password,
        }
        found = {
            "address": words.check_local_part(self.local_part.text()),
            "password": words.check_password(self.password.line.text()),
        }
        if faults := {name: text for name, text in found.items() if text}:
            show_faults(fields, faults)
            return False
        request = t.AddAccount(
            address=f"{self.local_part.text()}@{self.domain.value()}",
            full_name=self.full_name.text(),
            password=self.password.line.text() or None,
        )
        try:
            self.made = await self._desk.session.call(lambda client: client.add_account(request))
        except ApiError as error:
            if rest := show_faults(fields, faults_by_field(error)):
                self.problem.show_message("error", rest)
            return False
        return True


class AccountsPage(Page):
    TITLE = "Accounts"
    SUBTITLE = (
        "The people who have mail here. Each has a mailbox, a password and one or more addresses."
    )

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.toolbar.addWidget(button("Add account", self.add, kind="primary", icon="user-plus"))
        columns: list[Column[words.AccountRow]] = [
            Column(title="Name", text=lambda r: r.name, width=24),
            Column(title="Addresses", text=lambda r: r.addresses),
            Column(title="State", text=lambda r: r.state, tone=lambda r: r.tone, width=12),
            Column(title="Mail stored", spare=True, text=lambda r: r.used, muted=True, width=24),
            Column(
                title="Last sign-in",
                spare=True,
                text=lambda r: r.last_sign_in,
                muted=True,
                width=16,
            ),
        ]
        self.model: RowsModel[words.AccountRow] = RowsModel(columns, key=lambda r: r.id)
        self.table = Table(self.model, "Accounts")
        self.table.opened.connect(lambda number: desk.go(f"/accounts/{self.model.row(number).id}"))
        self.table.picked.connect(self._picked)
        self._open = button(
            "Open", self._open_chosen, icon="chevron-right", name="Open the selected account"
        )
        self._connect = button("Connect a mail app", self._connect_chosen, icon="device-mobile")
        self.body.addWidget(self.table)
        self.body.addLayout(row(self._open, self._connect, None))
        self.body.addStretch(1)
        self._picked()

    def build_empty(self) -> EmptyState:
        return EmptyState(
            "users",
            "No account yet.",
            "An account is a person with an address, a password and a mailbox.",
            button("Add account", self.add, kind="primary", icon="user-plus"),
        )

    async def fetch(self) -> bool:
        accounts = await self.desk.session.call(lambda client: client.accounts())
        now = datetime.now(UTC)
        self.model.replace([words.present_account(account, now) for account in accounts])
        self.table.fit_height(16)
        if accounts and not self.table.chosen():
            self.table.select(0)
        self._picked()
        return bool(accounts)

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.ConfigEvent | t.SignInEvent | t.MailEvent):
            self.mark_stale()

    def open(self, rest: str) -> None:
        if rest == "new":
            self.add()

    def _picked(self) -> None:
        chosen = bool(self.table.chosen())
        self._open.setEnabled(chosen)
        self._connect.setEnabled(chosen)

    def _open_chosen(self) -> None:
        if rows := self.table.chosen():
            self.desk.go(f"/accounts/{rows[0].id}")

    def _connect_chosen(self) -> None:
        if rows := self.table.chosen():
            self.desk.go(f"/accounts/{rows[0].id}/connect")

    def add(self) -> None:
        self.do(self._add(), "add account")

    async def _add(self) -> None:
        domains = await self.desk.session.call(lambda client: client.domains())
        if not domains:
            if await tell(
                self.desk.window,
                "Add a domain first",
                "An address needs a domain, and there is none yet.",
                ok="Add domain",
                other="Cancel",
            ):
                self.desk.go("/domains/new")
            return
        sheet = AddAccountSheet(self.desk.window, self.desk, domains)
        if not await wait_for(sheet) or sheet.made is None:
            return
        account = sheet.made.account
        self.mark_stale()
        address = words.main_address(account)
        if sheet.made.password:
            await wait_for(
                password_sheet(
                    self.desk.window, f"{address} is ready", address, sheet.made.password
                )
            )
        else:
            self.desk.toast(f"{address} was added.")
        self.desk.go(f"/accounts/{account.id}/connect")

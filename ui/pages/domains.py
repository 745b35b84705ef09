"""Which domains this server answers for: list, add, remove."""

from PySide6.QtWidgets import QWidget

from backend.api import types as t
from backend.api.client import ApiError
from ui.pages.page import Desk, Page
from ui.presenters import accounts as words
from ui.presenters.faults import describe_error, faults_by_field
from ui.widgets.dialogs import TaskSheet, ask, tell, wait_for
from ui.widgets.forms import Field, show_faults
from ui.widgets.surface import EmptyState
from ui.widgets.tables import Column, RowsModel, Table
from ui.widgets.text import Label, button, row


class AddDomainSheet(TaskSheet):
    """Asks for a domain's name and adds it."""

    def __init__(self, parent: QWidget | None, desk: Desk) -> None:
        super().__init__(parent, "Add a domain", "Add domain", self._add, describe=describe_error)
        self._desk = desk
        self.added = ""
        self.name = Field(
            "Domain",
            placeholder="example.org",
            help="The part after the @ in the addresses. It should belong to you.",
        )
        self.note = Field("Description", optional=True, help="For yourself, such as “the family”.")
        self.name.submitted.connect(self.submit)
        self.note.submitted.connect(self.submit)
        self.add(
            self.name,
            self.note,
            Label(
                "Gatepost accepts mail for it at once. For mail from the internet to find the way here, "
                "the domain's DNS records must point here too; the page “DNS records” of the domain says which, and checks them.",
                "small",
                tone="muted",
            ),
        )
        self.name.line.setFocus()

    async def _add(self) -> bool:
        name = self.name.text()
        fields = {"name": self.name, "description": self.note}
        if fault := words.check_domain_name(name):
            show_faults(fields, {"name": fault})
            return False
        try:
            added = await self._desk.session.call(
                lambda client: client.add_domain(name, description=self.note.text())
            )
        except ApiError as error:
            if rest := show_faults(fields, faults_by_field(error)):
                self.problem.show_message("error", rest)
            return False
        self.added = added.name
        return True


class DomainsPage(Page):
    TITLE = "Domains"
    SUBTITLE = "The names after the @ for which this server takes mail."

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._domains: dict[str, t.Domain] = {}
        self.toolbar.addWidget(button("Add domain", self.add, kind="primary", icon="plus"))
        columns: list[Column[words.DomainRow]] = [
            Column(title="Domain", text=lambda r: r.shown),
            Column(title="State", text=lambda r: r.state, tone=lambda r: r.tone, width=12),
            Column(title="Accounts", text=lambda r: r.accounts, right=True, width=9),
            Column(title="Addresses", spare=True, text=lambda r: r.addresses, right=True, width=10),
            Column(
                title="Other addresses go to",
                spare=True,
                text=lambda r: r.catch_all,
                muted=True,
                width=22,
            ),
            Column(title="Description", spare=True, text=lambda r: r.description, muted=True),
        ]
        self.model: RowsModel[words.DomainRow] = RowsModel(columns, key=lambda r: r.name)
        self.table = Table(self.model, "Domains")
        self.table.picked.connect(self._picked)
        self.table.delete_pressed.connect(self.remove)
        self.table.opened.connect(lambda _row: desk.go("/accounts"))
        self._remove = button(
            "Remove…", self.remove, kind="danger", icon="trash", name="Remove the selected domain"
        )
        self._remove.setEnabled(False)
        self.body.addWidget(self.table)
        self.body.addLayout(row(self._remove, None))
        self.body.addStretch(1)

    def build_empty(self) -> EmptyState:
        return EmptyState(
            "world",
            "No domain yet.",
            "Add the domain that you want to receive mail for.",
            button("Add domain", self.add, kind="primary", icon="plus"),
        )

    async def fetch(self) -> bool:
        domains = await self.desk.session.call(lambda client: client.domains())
        self._domains = {domain.name: domain for domain in domains}
        self.model.replace([words.present_domain(domain) for domain in domains])
        self.table.fit_height(16)
        self._picked()
        return bool(domains)

    def take(self, event: t.EventData) -> None:
        if isinstance(event, t.ConfigEvent):
            self.mark_stale()

    def open(self, rest: str) -> None:
        if rest == "new":
            self.add()

    def _picked(self) -> None:
        self._remove.setEnabled(bool(self.table.chosen()))

    def add(self) -> None:
        self.do(self._add(), "add domain")

    async def _add(self) -> None:
        sheet = AddDomainSheet(self.desk.window, self.desk)
        if await wait_for(sheet):
            self.desk.toast(f"{sheet.added} was added.")
            self.mark_stale()

    def remove(self) -> None:
        if rows := self.table.chosen():
            self.do(self._remove_domain(self._domains[rows[0].name]), "remove domain")

    async def _remove_domain(self, domain: t.Domain) -> None:
        accounts = await self.desk.session.call(lambda client: client.accounts())
        allowed, meaning = words.removal_of_domain(domain, accounts)
        if not allowed:
            if not await tell(
                self.desk.window,
                f"{domain.unicode} can't be removed yet",
                meaning,
                ok="Show accounts",
                other="Close",
            ):
                return
            self.desk.go("/accounts")
            return
        if await ask(
            self.desk.window,
            f"Remove the domain {domain.unicode}?",
            meaning,
            yes="Remove domain",
            no="Keep",
            danger=True,
            typed=domain.name,
        ):
            await self.desk.session.call(lambda client: client.remove_domain(domain.name))
            self.desk.toast(f"{domain.unicode} was removed.")
            self.mark_stale()

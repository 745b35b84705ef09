"""One account: what there is to do, its addresses, limits, sign-ins, how a mail app reaches it, routes, settings."""

from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from PySide6.QtWidgets import QWidget

from backend.api import signins as si
from backend.api import types as t
from backend.api.client import ApiError
from ui.control import LocalServer
from ui.pages.connect import ConnectPanel
from ui.pages.page import Desk
from ui.pages.passwords import SetPasswordSheet, password_sheet
from ui.pages.routes import RoutesPanel
from ui.pages.tabbed import ActionCard, FormPanel, Panel, TabbedPage
from ui.presenters import accounts as words
from ui.presenters import wording
from ui.presenters.faults import describe_error, faults_by_field
from ui.widgets.dialogs import TaskSheet, wait_for
from ui.widgets.facts import Facts, ShareBar, StepsCard
from ui.widgets.forms import Choice, Field, show_faults
from ui.widgets.surface import Card, EmptyState, rule
from ui.widgets.tables import Column, RowsModel, Table
from ui.widgets.text import Label, button, clear, column, row, set_button_text

SIGN_INS = 50


class SummaryPanel(Panel):
    """Who that is, how much mail there is, what is missing."""

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self.steps = StepsCard(desk.go)
        self.facts = Facts()
        details = Card("Details")
        details.body.addWidget(self.facts)
        self.remove = ActionCard(
            desk,
            "Remove the account",
            "All mail of the account is deleted with it. What else that means is shown before anything happens.",
            lambda: desk.go("/accounts"),
        )
        self.add(self.steps, details, self.remove)

    async def load(self) -> None:
        session = self.desk.session
        account = await session.call(lambda client: client.account(self.thing))
        await self.remove.load("account", "remove", self.thing)
        self.steps.set_steps(await session.call(lambda client: client.account_steps(self.thing)))
        shown = words.present_account(account, datetime.now(UTC))
        bar = ShareBar("Room used")
        stored = QWidget()
        stored.setLayout(column(Label(shown.used, selectable=True), bar, gap="xs"))
        bar.set_share(account.used_bytes, account.quota_bytes)
        self.facts.set_facts(
            [
                ("Name", account.full_name or "–"),
                ("Account", account.id),
                ("Addresses", shown.addresses),
                ("Mail stored", stored),
                ("Last sign-in", shown.last_sign_in),
            ]
        )

    def take(self, event: t.EventData) -> bool:
        mine = (isinstance(event, t.MailEvent) and event.account == self.thing) or (
            isinstance(event, t.SignInEvent) and event.entry.account == self.thing
        )
        return mine or super().take(event)


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
        self.mailbox = Field(
            "Mailbox", value="INBOX", help="Where its mail is put; it is made when it is missing."
        )
        self.kind.chosen.connect(lambda: self.local_part.setEnabled(self.kind.value() == "one"))
        self.local_part.submitted.connect(self.submit)
        self.mailbox.submitted.connect(self.submit)
        across = row(self.local_part, self.domain, gap="s", grow=0)
        self.add(self.kind)
        self.content.addLayout(across)
        self.add(self.mailbox)

    async def _add(self) -> bool:
        fields = {"address": self.local_part, "mailbox": self.mailbox}
        name = ""
        if self.kind.value() == "one":
            name = self.local_part.text()
            if fault := words.check_local_part(name):
                show_faults(fields, {"address": fault})
                return False
        address, mailbox = f"{name}@{self.domain.value()}", self.mailbox.text() or "INBOX"
        try:
            await self._desk.session.call(
                lambda client: client.add_address(self._account, address, mailbox=mailbox)
            )
        except ApiError as error:
            if rest := show_faults(fields, faults_by_field(error)):
                self.problem.show_message("error", rest)
            return False
        return True


class MailboxSheet(TaskSheet):
    """Where mail to one address is put."""

    def __init__(
        self, parent: QWidget | None, desk: Desk, account: str, entry: t.AccountAddress
    ) -> None:
        title = f"Mail to {entry.address}"
        super().__init__(parent, title, "Save", self._save, describe=describe_error)
        self._desk, self._account, self._entry = desk, account, entry
        self.mailbox = Field(
            "Mailbox",
            value=entry.mailbox,
            help="Where its mail is put; it is made when it is missing. What has arrived stays where it is.",
        )
        self.mailbox.submitted.connect(self.submit)
        self.add(self.mailbox)
        self.mailbox.line.setFocus()

    async def _save(self) -> bool:
        fields = {"mailbox": self.mailbox}
        try:
            await self._desk.session.call(
                lambda client: client.change_address(
                    self._account, self._entry.address, mailbox=self.mailbox.text()
                )
            )
        except ApiError as error:
            if rest := show_faults(fields, faults_by_field(error)):
                self.problem.show_message("error", rest)
            return False
        return True


class AddressesPanel(Panel):
    """Each address with its mailbox; taking one away can be undone."""

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self._lines = column(gap="xs")
        card = Card("Addresses", button("Add address…", self._add, kind="primary", icon="plus"))
        card.body.addLayout(self._lines)
        self.add(card)

    async def load(self) -> None:
        account = await self.desk.session.call(lambda client: client.account(self.thing))
        clear(self._lines)
        for i, address in enumerate(account.addresses):
            if i:
                self._lines.addWidget(rule())
            self._lines.addWidget(self._line(address))
        if not account.addresses:
            self._lines.addWidget(
                Label("No address: nobody can write to this account.", tone="muted")
            )

    def _line(self, entry: t.AccountAddress) -> QWidget:
        address = entry.address
        notes = [] if not entry.catch_all else ["all other addresses of the domain"]
        notes.append(f"into {entry.mailbox}")
        change = button(
            "Mailbox…", partial(self._change, entry), name=f"Choose the mailbox for {address}"
        )
        remove = button(
            "",
            partial(self._remove, entry),
            kind="quiet",
            icon="trash",
            name=f"Remove the address {address}",
        )
        line = QWidget()
        box = row(
            Label(address, selectable=True, wrap=False),
            Label(", ".join(notes), tone="muted", wrap=False),
            None,
            change,
            remove,
            gap="m",
        )
        box.setContentsMargins(0, 4, 0, 4)
        line.setLayout(box)
        return line

    def _add(self) -> None:
        self.desk.scope.start(self._adding(), "add address")

    async def _adding(self) -> None:
        domains = await self.desk.session.call(lambda client: client.domains())
        if await wait_for(AddAddressSheet(self.desk.window, self.desk, self.thing, domains)):
            self.desk.toast("The address was added.")
            self.changed()

    def _change(self, entry: t.AccountAddress) -> None:
        self.desk.scope.start(self._changing(entry), "change mailbox")

    async def _changing(self, entry: t.AccountAddress) -> None:
        if await wait_for(MailboxSheet(self.desk.window, self.desk, self.thing, entry)):
            self.desk.toast(f"Mail to {entry.address} has a mailbox chosen for it now.")
            self.changed()

    def _remove(self, entry: t.AccountAddress) -> None:
        self.desk.scope.start(self._removing(entry), "remove address")

    async def _removing(self, entry: t.AccountAddress) -> None:
        session, account, address = self.desk.session, self.thing, entry.address
        await session.call(lambda client: client.remove_address(account, address))

        async def put_back() -> None:
            await session.call(
                lambda client: client.add_address(account, address, mailbox=entry.mailbox)
            )
            self.changed()

        def undo() -> None:
            self.desk.scope.start(put_back(), "put address back")

        self.desk.toast(f"{address} was removed. Mail to it is refused now.", undo)
        self.changed()


class LimitsPanel(FormPanel):
    """What it may keep and send, beside what it has sent within the last 24 hours."""

    FORM = "account-limits"

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self.facts = Facts()
        sent = Card("Within the last 24 hours")
        sent.body.addWidget(self.facts)
        self.body.insertWidget(0, sent)

    async def load(self) -> None:
        found = await self.desk.session.call(lambda client: client.send_limits(self.thing))
        now = datetime.now(UTC)
        facts: list[tuple[str, str | QWidget]] = []
        for name, limit in (("Sent to", found.messages), ("To new people", found.first_time)):
            bar = ShareBar(name)
            text = f"{wording.number(limit.used)} of {wording.count(limit.limit, 'recipient')}"
            if limit.room_at is not None:
                text += f"; there is room again {wording.until(limit.room_at, now)}"
            value = QWidget()
            value.setLayout(column(Label(text), bar, gap="xs"))
            bar.set_share(limit.used, limit.limit)
            facts.append((name, value))
        self.facts.set_facts(facts)
        await super().load()

    def take(self, event: t.EventData) -> bool:
        return isinstance(event, t.QueueEvent) or super().take(event)


class SignInPanel(Panel):
    """The password, whether signing in is possible, and who did."""

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self._account: t.Account | None = None
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
        allow = Card("Signing in")
        self._disable = button("Switch off", self._toggle, icon="ban")
        self._disable_text = Label("", tone="muted")
        allow.body.addLayout(row(self._disable_text, self._disable, gap="l", grow=0))
        columns: list[Column[t.SignInEntry]] = [
            Column(title="When", text=lambda e: wording.moment(e.at, datetime.now(UTC)), width=18),
            Column(
                title="Result",
                text=lambda e: "signed in" if e.succeeded else "refused",
                tone=lambda e: "ok" if e.succeeded else "error",
                width=14,
            ),
            Column(title="With", text=lambda e: e.protocol, width=14),
            Column(title="From", text=lambda e: e.peer, mono=True, width=22),
            Column(title="As", text=lambda e: e.address, spare=True),
            Column(title="Method", text=lambda e: e.mechanism, spare=True, muted=True, width=18),
        ]
        self.model: RowsModel[t.SignInEntry] = RowsModel(columns, key=lambda e: (e.at, e.peer))
        self.table = Table(self.model, "Sign-ins of the account")
        self._nobody = EmptyState(
            "login",
            "Nobody has signed in yet.",
            "Sign-ins of mail programs to this account, and refused tries, show here.",
            button("Connect a mail app", lambda: desk.go(f"/accounts/{thing}/connect")),
        )
        recent = Card("Last sign-ins")
        recent.body.addWidget(self.table)
        recent.body.addWidget(self._nobody)
        self.add(secret, allow, recent)

    async def load(self) -> None:
        session = self.desk.session
        account = await session.call(lambda client: client.account(self.thing))
        query = si.SignInQuery(account=account.id, limit=SIGN_INS)
        found = await session.call(lambda client: client.sign_ins(query))
        self._account = account
        verb = "Allow again" if account.disabled else "Switch off"
        set_button_text(self._disable, verb)
        self._disable.setAccessibleName(f"{verb}: signing in to the account")
        self._disable_text.setText(
            "It is switched off: nobody can sign in to the account or send from it. Mail to it is still taken."
            if account.disabled
            else "When it is switched off, the account keeps its mail and still gets new mail, but nobody can sign in to it or send from it."
        )
        self.model.replace(found)
        self.table.fit_height(12)
        self.table.setVisible(bool(found))
        self._nobody.setVisible(not found)

    def take(self, event: t.EventData) -> bool:
        mine = isinstance(event, t.SignInEvent) and event.entry.account == self.thing
        return mine or super().take(event)

    def _set_password(self) -> None:
        if self._account is not None:
            self.desk.scope.start(self._setting_password(self._account), "set password")

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
            self.desk.scope.start(self._set_disabled(not self._account.disabled), "switch sign-in")

    async def _set_disabled(self, disabled: bool) -> None:
        change = t.ChangeAccount(disabled=disabled)
        await self.desk.session.call(lambda client: client.change_account(self.thing, change))

        def undo() -> None:
            self.desk.scope.start(self._set_disabled(not disabled), "switch sign-in")

        said = "Nobody can sign in any more." if disabled else "Signing in is possible again."
        self.desk.toast(said, undo)
        self.changed()


class AccountRoutes(RoutesPanel):
    LEVEL = "account"


class SettingsPanel(FormPanel):
    FORM = "account"


class AccountPage(TabbedPage):
    TITLE = "Account"
    BACK = ("/accounts", "Accounts")
    PANELS: ClassVar = {
        "account": SummaryPanel,
        "account-addresses": AddressesPanel,
        "account-limits": LimitsPanel,
        "account-sign-in": SignInPanel,
        "connect": ConnectPanel,
        "account-routes": AccountRoutes,
        "account-settings": SettingsPanel,
    }

    async def load_head(self) -> None:
        account = await self.desk.session.call(lambda client: client.account(self.thing))
        shown = words.present_account(account, datetime.now(UTC))
        self.heading.setText(shown.name)
        self.subtitle.setText(shown.addresses)
        self.subtitle.show()
        self.pill.set_state(shown.state, shown.tone)

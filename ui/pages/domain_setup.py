"""“Set up mail for my domain”, as far as it goes today: adds the domain and a first account, and says what is to come."""

from collections.abc import Callable

from backend.api import types as t
from ui.pages.page import Desk
from ui.pages.passwords import password_sheet
from ui.pages.short import ShortPage
from ui.presenters import accounts as account_words
from ui.presenters.faults import describe_error
from ui.widgets.dialogs import wait_for
from ui.widgets.forms import Field, show_faults
from ui.widgets.surface import Banner, Card, rule
from ui.widgets.text import IconLabel, Label, button, row


class DomainSetupPage(ShortPage):
    """Adds one's own domain and a first account; says what is still to come."""

    def __init__(self, desk: Desk, back: Callable[[], None]) -> None:
        super().__init__(
            "Set up mail for my domain",
            "Add your domain and your own account to this server now.",
            back,
        )
        self._desk = desk
        self.note = Banner()
        card = Card(padding="xl")
        self.full_name = Field("Your name", placeholder="Anna Example", optional=True)
        self.address = Field(
            "The e-mail address you want",
            placeholder="you@yourdomain.org",
            help="The part after the @ must be a domain that belongs to you.",
        )
        self.problem = Banner()
        self.add_button = button(
            "Add domain and account", self._submit, kind="primary", icon="plus"
        )
        for field in (self.full_name, self.address):
            field.submitted.connect(self._submit)
            card.body.addWidget(field)
        card.body.addWidget(self.problem)
        card.body.addLayout(row(self.add_button, None))
        later = Card("What comes after this, and is not built yet", padding="xl")
        for text in (
            "A check of your connection: can it receive, can it send directly, or does it need a relay.",
            "Certificates that every mail program trusts.",
        ):
            later.body.addLayout(
                row(IconLabel("clock", "muted"), Label(text, tone="muted"), gap="m", grow=1)
            )
        later.body.addWidget(rule())
        later.body.addWidget(
            Label(
                "Until then the account works on this computer: mail among your own accounts arrives, and mail programs can connect.",
                tone="muted",
            )
        )
        self.body.addWidget(self.note)
        self.body.addWidget(card)
        self.body.addWidget(later)

    def prepare(self) -> None:
        connected = self._desk.session.is_connected
        self.add_button.setEnabled(connected)
        self.full_name.line.setFocus()
        if connected:
            self.note.hide()
        else:
            self.note.show_message(
                "info",
                "A server has to run first.",
                "A practice server is ready in a few seconds. Then come back here.",
                [
                    ("Start a practice server", lambda: self._desk.go("/start/try")),
                    ("Connect to one", lambda: self._desk.go("/start/connect")),
                ],
            )

    def _submit(self) -> None:
        if self.add_button.isEnabled():
            self.add_button.setEnabled(False)
            self._desk.scope.start(self._adding(), "set up domain")

    async def _adding(self) -> None:
        self.problem.hide()
        try:
            await self._add()
        except Exception as error:  # the border of the form: the reason is shown in it
            self.problem.show_message("error", describe_error(error))
        finally:
            self.add_button.setEnabled(True)

    async def _add(self) -> None:
        local, _, domain = self.address.text().rpartition("@")
        fault = (
            account_words.check_local_part(local)
            if domain
            else "Enter it in full, such as anna@example.org."
        )
        fault = fault or account_words.check_domain_name(domain)
        if fault:
            show_faults({"address": self.address}, {"address": fault})
            return
        session = self._desk.session
        known = await session.call(lambda client: client.domains())
        if domain.lower() not in {name for item in known for name in (item.name, item.unicode)}:
            await session.call(lambda client: client.add_domain(domain))
        request = t.AddAccount(address=f"{local}@{domain}", full_name=self.full_name.text())
        made = await session.call(lambda client: client.add_account(request))
        self._desk.go(f"/accounts/{made.account.id}/connect")
        if made.password:
            address = account_words.main_address(made.account)
            await wait_for(
                password_sheet(self._desk.window, f"{address} is ready", address, made.password)
            )
        self.address.line.clear()
        self.full_name.line.clear()

"""One domain: what there is to do, its addresses and aliases, signatures, policies, routes, settings."""

from datetime import UTC, datetime
from typing import ClassVar

from backend.api import dns
from backend.api import domains as o
from backend.api import tls_reports as r
from ui import palette
from ui.pages.dkim import DkimPanel
from ui.pages.dns import DnsTab
from ui.pages.page import Desk
from ui.pages.routes import RoutesPanel
from ui.pages.tabbed import ActionCard, FormPanel, ListPanel, Panel, TabbedPage
from ui.presenters import wording
from ui.presenters.listing import Row
from ui.widgets.copyfield import CopyField
from ui.widgets.facts import Facts, StepsCard
from ui.widgets.surface import Card, EmptyState
from ui.widgets.tables import Column, RowsModel, Table
from ui.widgets.text import Label, button, clear, column, row

POLICY_RECORDS = ("dmarc", "mta_sts", "mta_sts_host", "tlsrpt")
POLICIES = {"sts": "MTA-STS", "tlsa": "DANE", "no-policy-found": "none"}


class SummaryPanel(Panel):
    """How many there are of what, and what is missing."""

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self.steps = StepsCard(desk.go)
        self.facts = Facts()
        details = Card("Details")
        details.body.addWidget(self.facts)
        add = Card("Add")
        add.body.addLayout(
            row(
                button(
                    "Add an account",
                    lambda: desk.go(f"/accounts/new?domain={thing}"),
                    icon="user-plus",
                ),
                button(
                    "Add an alias", lambda: desk.go(f"/aliases/new?domain={thing}"), icon="users"
                ),
                None,
            )
        )
        self.remove = ActionCard(
            desk,
            "Remove the domain",
            "Mail to the domain is refused from then on. What else that means is shown before anything happens.",
            lambda: desk.go("/domains"),
        )
        self.add(self.steps, details, add, self.remove)

    async def load(self) -> None:
        view = await self.desk.session.call(lambda client: client.domain(self.thing))
        self.steps.set_steps(view.steps)
        await self.remove.load("domain", "remove", self.thing)
        self.facts.set_facts(_facts(view))


def _facts(view: o.DomainView) -> list[tuple[str, str]]:
    domain, now = view.domain, datetime.now(UTC)
    signed = "not signed"
    if domain.signed:
        signed = "signed"
        if domain.dkim_made_at is not None:
            signed += f", with a key made {wording.ago(domain.dkim_made_at, now)}"
    facts = [
        ("Accounts", wording.number(domain.accounts)),
        ("Addresses", wording.number(domain.addresses)),
        ("Aliases and lists", wording.number(domain.aliases)),
        ("Other addresses go to", domain.catch_all or "nobody: such mail is refused"),
        ("Mail that leaves", signed),
    ]
    if domain.unicode != domain.name:
        facts.append(("Name in the DNS", domain.name))
    if domain.description:
        facts.append(("Description", domain.description))
    return facts


class AddressesPanel(ListPanel):
    LIST = "account-addresses"
    QUERY = "domain"

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self.list.on_open = self._open

    def _open(self, chosen: Row) -> None:
        self.desk.go(str(chosen["page"]))


class AliasesPanel(ListPanel):
    LIST = "alias"
    QUERY = "domain"

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        add = button(
            "Add an alias",
            lambda: desk.go(f"/aliases/new?domain={thing}"),
            kind="primary",
            icon="plus",
        )
        self.body.insertLayout(0, row(add, None))


class DomainRoutes(RoutesPanel):
    LEVEL = "domain"


class SettingsPanel(FormPanel):
    FORM = "domain"


class PoliciesPanel(FormPanel):
    """The rule for delivery to the domain, the record about forged mail, and how encrypted connections went."""

    FORM = "domain-policies"

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self._records = column(gap="m")
        proposed = Card("What others are told in the DNS")
        proposed.body.addLayout(self._records)
        columns: list[Column[r.TlsOutcomes]] = [
            Column(title="Day (UTC)", text=lambda each: each.day.isoformat(), width=14),
            Column(title="Rule", text=lambda each: POLICIES[each.policy_type], width=14),
            Column(
                title="Encrypted",
                text=lambda each: wording.number(each.successes),
                right=True,
                width=12,
            ),
            Column(
                title="Failed",
                text=lambda each: wording.number(each.failures),
                right=True,
                width=10,
            ),
            Column(title="What failed", text=_failures, spare=True),
        ]
        self.outcomes: RowsModel[r.TlsOutcomes] = RowsModel(
            columns, key=lambda each: (each.day, each.policy_type, each.policy_domain)
        )
        self.table = Table(self.outcomes, "Encrypted connections to the domain")
        self._nothing = EmptyState(
            "shield-check",
            "No connection yet.",
            "When this server delivers to the domain elsewhere, each day shows here how encryption went.",
        )
        tls = Card("Encrypted connections to the domain")
        tls.body.addWidget(self.table)
        tls.body.addWidget(self._nothing)
        self.add(proposed, tls)

    async def load(self) -> None:
        await super().load()
        session = self.desk.session
        records = await session.call(lambda client: client.dns_records(self.thing))
        clear(self._records)
        for record in records.items:
            if record.code in POLICY_RECORDS:
                self._add_record(record)
        query = r.TlsPageQuery(domain=self.thing)
        found = await session.call(lambda client: client.tls_outcomes(query))
        self.outcomes.replace(found.items, found.total)
        self.table.fit_height(8)
        self.table.setVisible(bool(found.items))
        self._nothing.setVisible(not found.items)

    def _add_record(self, record: dns.DnsRecord) -> None:
        self._records.addWidget(Label(record.title, bold=True))
        self._records.addWidget(Label(record.purpose, tone="muted"))
        self._records.addWidget(CopyField(f"Name ({record.type})", record.name))
        for value in record.values:
            self._records.addWidget(CopyField("Value", value))
        self._records.addSpacing(palette.space("s"))


def _failures(outcomes: r.TlsOutcomes) -> str:
    return ", ".join(f"{each.count} × {each.result}" for each in outcomes.details) or "–"


class DomainPage(TabbedPage):
    TITLE = "Domain"
    BACK = ("/domains", "Domains")
    PANELS: ClassVar = {
        "domain": SummaryPanel,
        "domain-addresses": AddressesPanel,
        "domain-aliases": AliasesPanel,
        "dns": DnsTab,
        "dkim": DkimPanel,
        "domain-policies": PoliciesPanel,
        "domain-routes": DomainRoutes,
        "domain-settings": SettingsPanel,
    }

    async def load_head(self) -> None:
        view = await self.desk.session.call(lambda client: client.domain(self.thing))
        self.heading.setText(view.domain.unicode)
        if view.domain.disabled:
            self.pill.set_state("switched off", "neutral")
        elif any(step.severity == "required" for step in view.steps):
            self.pill.set_state("needs attention", "warn")
        else:
            self.pill.set_state("in use", "ok")

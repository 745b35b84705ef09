"""The DNS records of a domain: what should be there, what is, and how to get from one to the other."""

from backend.api import dns as d
from backend.api import types as t
from ui.pages.checks_panel import ChecksPanel
from ui.pages.page import Desk
from ui.pages.tabbed import Panel
from ui.widgets.copyfield import copy_text
from ui.widgets.dialogs import choose_save_file
from ui.widgets.text import Label, button

PATIENCE = (
    "DNS can take up to an hour. You may leave this page: what changes is noticed all the same."
)


class DnsPanel(ChecksPanel):
    """What stands below the title, also as a part of a domain's page: `show_domain`, then `await fetch()`."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, one_by_one=False)
        self.more.addWidget(button("Save zone file…", self._save, icon="device-floppy"))
        self.more.addWidget(button("Copy zone file", self._copy, icon="copy"))
        self.patience = Label(PATIENCE, tone="muted")
        self.patience.hide()
        self.servers = Label("", "small", tone="muted", selectable=True)
        self.servers.hide()
        self.foot.addWidget(self.patience)
        self.foot.addWidget(self.servers)

    def show_domain(self, domain: str) -> None:
        if domain != self.subject:
            self.subject = domain
            self.clear_checks()

    async def read(self) -> d.DnsCheck:
        domain = self.subject
        return await self.desk.session.call(lambda client: client.dns_check(domain))

    async def run_check(self, only: str) -> d.DnsCheck:  # noqa: ARG002  # all records are asked for together
        domain = self.subject
        return await self.desk.session.call(lambda client: client.check_dns(domain))

    def drawn(self, value: d.Checks) -> None:
        if not isinstance(value, d.DnsCheck):
            return
        name = value.provider.name
        self.chip.setVisible(bool(name))
        self.chip.set_state(f"DNS at {name}", "info")
        self.patience.setVisible(bool(value.items))
        self.servers.setVisible(bool(value.name_servers))
        self.servers.setText(f"Name servers of the domain: {', '.join(value.name_servers)}")
        self.show_notes(value.notes)

    async def _zone(self) -> str:
        domain = self.subject
        records = await self.desk.session.call(lambda client: client.dns_records(domain))
        return records.zone

    def _copy(self) -> None:
        async def work() -> None:
            copy_text(await self._zone())
            self.desk.toast("The zone file was copied.")

        self.desk.scope.start(work(), "copy zone file")

    def _save(self) -> None:
        async def work() -> None:
            zone = await self._zone()
            path = await choose_save_file(
                self.desk.window, "Save the zone file", f"{self.subject}.zone"
            )
            if path:
                with open(path, "w", encoding="utf-8") as file:  # noqa: ASYNC230  # a few kilobytes, once
                    file.write(zone)
                self.desk.toast("The zone file was saved.")

        self.desk.scope.start(work(), "save zone file")


class DnsTab(Panel):
    """The tab of a domain's page."""

    def __init__(self, desk: Desk, thing: str) -> None:
        super().__init__(desk, thing)
        self.checks = DnsPanel(desk)
        self.checks.show_domain(thing)
        self.add(self.checks)

    async def load(self) -> None:
        await self.checks.fetch()

    def take(self, event: t.EventData) -> bool:
        if isinstance(event, t.ConfigEvent):
            self.checks.changed()  # other settings may need other records
        return False

"""What handlers may use of the server. `server.py` fills it; nothing here is made or ended by the API."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from backend.accounts.service import AccountService
from backend.accounts.setup import SetupDesk
from backend.admin.feed import Feed
from backend.admin.flows.state import FlowShelf
from backend.admin.jobs import Jobs, Progress
from backend.api import types as t
from backend.checkup.dns import DnsCheckup
from backend.checkup.service import Checkups
from backend.config.paths import DataFolder
from backend.config.store import ConfigStore
from backend.core.clock import Clock
from backend.core.problems import Problem
from backend.mailauth.selectors import DkimKeys
from backend.observe.activity import Activity
from backend.observe.ring import LogRing
from backend.outbound.catalogue import Catalogue
from backend.outbound.hold_rules import HoldRules
from backend.outbound.service import Outbound
from backend.store.store import Store


class ServerControl(Protocol):
    """The process itself."""

    @property
    def started_at(self) -> float:
        """Seconds since 1970."""
        ...

    def ports(self) -> Sequence[t.Port]:
        """What is open now, as it was really bound."""
        ...

    def ca_file(self) -> Path | None:
        """Certificate of our own authority; None when the certificate comes from elsewhere."""
        ...

    def shut_down(self) -> None:
        """Begins a graceful end; returns at once."""
        ...

    def restart(self) -> None:
        """As `shut_down`, and the process starts anew."""
        ...

    async def verify(self, progress: Progress) -> list[Problem]:
        """Checks the stored mail against itself."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    clock: Clock
    folder: DataFolder
    config: ConfigStore
    accounts: AccountService
    store: Store
    outbound: Outbound
    catalogue: Catalogue
    hold_rules: HoldRules
    dns_checkup: DnsCheckup
    checkups: Checkups
    dkim: DkimKeys
    activity: Activity
    log_ring: LogRing
    feed: Feed
    jobs: Jobs
    flows: FlowShelf
    server: ServerControl
    setup: SetupDesk = field(default_factory=SetupDesk)

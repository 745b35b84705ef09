"""Which page of the window draws which entry of `backend.api.pages`, in the order of the rail."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from backend.api import pages as registry
from ui.pages.account import AccountPage
from ui.pages.accounts import AccountsPage
from ui.pages.activity import ActivityPage
from ui.pages.aliases import AliasesPage, AliasPage
from ui.pages.domain import DomainPage
from ui.pages.domains import DomainsPage
from ui.pages.flow import (
    FlowPage,
    NewAccount,
    NewAlias,
    NewDomain,
    NewRoute,
    NewTransport,
    RemoveAccount,
    RemoveDomain,
    RotateKeys,
)
from ui.pages.form_page import FormPage, is_single_form
from ui.pages.health import HealthPage
from ui.pages.history import HistoryPage
from ui.pages.holds import HoldRulePage, HoldRulesPage
from ui.pages.log import LogPage
from ui.pages.message import MessagePage
from ui.pages.overview import OverviewPage
from ui.pages.page import Desk, Page
from ui.pages.queue import QueuePage
from ui.pages.revisions import RevisionsPage
from ui.pages.routes import RoutesPage
from ui.pages.server import ServerPage
from ui.pages.settings import SettingsPage
from ui.pages.signins import SignInsPage
from ui.pages.suppressions import SuppressionPage, SuppressionsPage
from ui.pages.transports import TransportPage, TransportsPage
from ui.presenters.search import Entry

Make = Callable[[Desk], Page]

VIEWS: dict[str, Make] = {
    "overview": OverviewPage,
    "domains": DomainsPage,
    **dict.fromkeys(DomainPage.PANELS, DomainPage),
    "accounts": AccountsPage,
    **dict.fromkeys(AccountPage.PANELS, AccountPage),
    "aliases": AliasesPage,
    "alias": AliasPage,
    "queue": QueuePage,
    "history": HistoryPage,
    "hold-rules": HoldRulesPage,
    "hold-rule": HoldRulePage,
    "suppressions": SuppressionsPage,
    "suppression": SuppressionPage,
    "transports": TransportsPage,
    "transport": TransportPage,
    "routes": RoutesPage,
    "activity": ActivityPage,
    "message": MessagePage,
    "log": LogPage,
    "health": HealthPage,
    "signins": SignInsPage,
    "settings": SettingsPage,
    "revisions": RevisionsPage,
    "server": ServerPage,
    "new-domain": NewDomain,
    "rotate-keys": RotateKeys,
    "remove-domain": RemoveDomain,
    "new-account": NewAccount,
    "remove-account": RemoveAccount,
    "new-alias": NewAlias,
    "new-transport": NewTransport,
    "new-route": NewRoute,
    "flow": FlowPage,
    **{page.id: partial(FormPage, page) for page in registry.PAGES if is_single_form(page)},
}
"""By the page's id."""


@dataclass(frozen=True, slots=True)
class PageInfo:
    """An entry of the registry with the window's page for it."""

    entry: registry.Page
    make: Make

    @property
    def id(self) -> str:
        return self.entry.id

    @property
    def title(self) -> str:
        return self.entry.title

    @property
    def path(self) -> str:
        return self.entry.path

    @property
    def icon(self) -> str:
        return self.entry.icon

    @property
    def parent(self) -> str:
        """Pages with a parent are not in the rail; their parent is marked."""
        return self.entry.parent

    @property
    def offline(self) -> bool:
        """It is of use without a connection."""
        return self.entry.offline


PAGES: tuple[PageInfo, ...] = tuple(
    PageInfo(entry, VIEWS[entry.id]) for entry in registry.PAGES if entry.id in VIEWS
)


def resolve(path: str) -> tuple[PageInfo, str]:
    """The page of a path, and the rest that it opens: the names in the path, then what follows it."""
    found = registry.match(path, [info.entry for info in PAGES])
    if found is None:
        return PAGES[0], ""
    entry, names, rest = found
    return by_id(entry.id), "/".join([*names.values(), *([rest] if rest else [])])


def area_title(area: str) -> str:
    return dict(registry.AREAS)[area]


def by_id(page_id: str) -> PageInfo:
    return next(info for info in PAGES if info.id == page_id)


def search_entries() -> list[Entry]:
    return [
        Entry(title=info.title, path=info.path, icon=info.icon, kind="Page", words=info.entry.words)
        for info in PAGES
        if "{" not in info.path
    ]

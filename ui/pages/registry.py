"""Every page of the window in the order of the rail: id, title, path, icon, what finds it."""

from dataclasses import dataclass

from ui.pages.account import AccountPage
from ui.pages.accounts import AccountsPage
from ui.pages.activity import ActivityPage
from ui.pages.domains import DomainsPage
from ui.pages.log import LogPage
from ui.pages.overview import OverviewPage
from ui.pages.page import Page
from ui.pages.queue import QueuePage
from ui.pages.server import ServerPage
from ui.presenters.search import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class PageInfo:
    id: str
    title: str
    path: str
    icon: str
    page: type[Page]
    words: str
    """Synonyms for the search."""
    parent: str = ""
    """Pages with a parent are not in the rail; their parent is marked."""
    offline: bool = False
    """It is of use without a connection."""


PAGES: tuple[PageInfo, ...] = (
    PageInfo(
        id="overview",
        title="Overview",
        path="/",
        icon="layout-dashboard",
        page=OverviewPage,
        words="home status health attention dashboard",
    ),
    PageInfo(
        id="domains",
        title="Domains",
        path="/domains",
        icon="world",
        page=DomainsPage,
        words="dns names host",
    ),
    PageInfo(
        id="accounts",
        title="Accounts",
        path="/accounts",
        icon="users",
        page=AccountsPage,
        words="people users addresses passwords mailbox",
    ),
    PageInfo(
        id="queue",
        title="Queue",
        path="/queue",
        icon="mail-forward",
        page=QueuePage,
        words="waiting outgoing hold retry bounce",
    ),
    PageInfo(
        id="activity",
        title="Activity",
        path="/activity",
        icon="activity",
        page=ActivityPage,
        words="trace messages timeline delivered rejected",
    ),
    PageInfo(
        id="log",
        title="Live log",
        path="/log",
        icon="terminal-2",
        page=LogPage,
        words="debug errors lines",
        offline=True,
    ),
    PageInfo(
        id="server",
        title="Server",
        path="/server",
        icon="server",
        page=ServerPage,
        words="start stop restart ports folder dark light appearance password browser",
        offline=True,
    ),
    PageInfo(
        id="account",
        title="Account",
        path="/accounts/{account}",
        icon="user",
        page=AccountPage,
        words="",
        parent="accounts",
    ),
)


def resolve(path: str) -> tuple[PageInfo, str]:
    """The page of a path, and the rest that it opens."""
    parts = path.strip("/").split("/")
    if parts[0] == "accounts" and len(parts) > 1 and parts[1] != "new":
        return by_id("account"), "/".join(parts[1:])
    for info in PAGES:
        if info.path.strip("/") == parts[0] and not info.parent:
            return info, "/".join(parts[1:])
    return PAGES[0], ""


def by_id(page_id: str) -> PageInfo:
    return next(info for info in PAGES if info.id == page_id)


def search_entries() -> list[Entry]:
    return [
        Entry(title=info.title, path=info.path, icon=info.icon, kind="Page", words=info.words)
        for info in PAGES
        if not info.parent
    ]

"""Every page there is, once for both faces: its id, path, title, icon and words, and why a face goes without it.

A path is the same everywhere: in the window, behind the # in the browser, in `gatepost --open PATH`, in notifications. Parts in braces
stand for one name each (never "new"); what follows a page's path is the page's own business (`/queue/17`).

To add a page, move its line from `COMING` to `PAGES` (or write one), give both faces a view for its id (`ui/pages/registry.py`,
`resources/web/lib/pages.mjs`) or a waiver here, and run `python -m backend.admin.browser_pages`.
"""

from collections.abc import Iterable
from urllib.parse import unquote

from backend.api.types import Reply

AREAS: tuple[tuple[str, str], ...] = (
    ("overview", "Overview"),
    ("mail", "Mail"),
    ("delivery", "Delivery"),
    ("activity", "Activity"),
    ("health", "Health"),
    ("system", "System"),
)
"""Ids and titles, in the order of the rail."""

NEW = "new"
"""What no name in a path can be: behind a list it asks for a new thing."""


class Page(Reply):
    """`parent`: of a page that is not in the rail, the one that is marked there. `bar`: in the bar of a phone. `form`: the form or list
    (see `backend.api.forms`) that it shows.
    """

    id: str
    area: str
    title: str
    path: str
    icon: str
    words: str = ""
    """What else people call it, or what they look for on it."""
    parent: str = ""
    bar: bool = False
    offline: bool = False
    """It is of use without a connection."""
    form: str = ""
    tab: str = ""
    """Of a page that is a part of another one's thing: what its tab is called. The tabs of a thing are all pages with a tab whose path
    begins as that of the thing, in the order of this list."""
    without_qt: str = ""
    """A sentence why the window goes without it."""
    without_web: str = ""
    """A sentence why the browser goes without it."""


class Pages(Reply):
    items: list[Page]
    areas: dict[str, str]
    language: str


PAGES: tuple[Page, ...] = (
    Page(
        id="overview",
        area="overview",
        title="Overview",
        path="/",
        icon="layout-dashboard",
        words="home start status health attention dashboard",
        bar=True,
    ),
    Page(
        id="domains",
        area="mail",
        title="Domains",
        path="/domains",
        icon="world",
        words="dns names host",
        form="domain",
    ),
    Page(
        id="domain",
        area="mail",
        title="Domain",
        path="/domains/{domain}",
        icon="world",
        parent="domains",
        tab="Summary",
    ),
    Page(
        id="domain-addresses",
        area="mail",
        title="Addresses of the domain",
        path="/domains/{domain}/addresses",
        icon="at",
        parent="domains",
        form="account-addresses",
        tab="Addresses",
    ),
    Page(
        id="domain-aliases",
        area="mail",
        title="Aliases of the domain",
        path="/domains/{domain}/aliases",
        icon="users",
        parent="domains",
        form="alias",
        tab="Aliases and lists",
    ),
    Page(
        id="dns",
        area="mail",
        title="DNS records",
        path="/domains/{domain}/dns",
        icon="world",
        parent="domains",
        tab="DNS",
    ),
    Page(
        id="dkim",
        area="mail",
        title="Signatures (DKIM)",
        path="/domains/{domain}/dkim",
        icon="key",
        parent="domains",
        form="dkim",
        tab="Signing",
    ),
    Page(
        id="domain-policies",
        area="mail",
        title="Policies of the domain",
        path="/domains/{domain}/policies",
        icon="shield-check",
        parent="domains",
        form="domain-policies",
        tab="Policies",
    ),
    Page(
        id="domain-routes",
        area="mail",
        title="Routes of the domain",
        path="/domains/{domain}/routes",
        icon="route",
        parent="domains",
        form="domain-routes",
        tab="Routes",
    ),
    Page(
        id="domain-settings",
        area="mail",
        title="Settings of the domain",
        path="/domains/{domain}/settings",
        icon="settings",
        parent="domains",
        form="domain",
        tab="Settings",
    ),
    Page(
        id="accounts",
        area="mail",
        title="Accounts",
        path="/accounts",
        icon="users",
        words="people users addresses passwords mailbox",
        bar=True,
        form="account",
    ),
    Page(
        id="account",
        area="mail",
        title="Account",
        path="/accounts/{account}",
        icon="user",
        parent="accounts",
        tab="Summary",
    ),
    Page(
        id="account-addresses",
        area="mail",
        title="Addresses of the account",
        path="/accounts/{account}/addresses",
        icon="at",
        parent="accounts",
        form="account-addresses",
        tab="Addresses",
    ),
    Page(
        id="account-limits",
        area="mail",
        title="Limits of the account",
        path="/accounts/{account}/limits",
        icon="shield-check",
        parent="accounts",
        form="account-limits",
        tab="Limits",
    ),
    Page(
        id="account-sign-in",
        area="mail",
        title="Sign-in and devices",
        path="/accounts/{account}/sign-in",
        icon="key",
        parent="accounts",
        tab="Sign-in and devices",
    ),
    Page(
        id="connect",
        area="mail",
        title="Connect a mail app",
        path="/accounts/{account}/connect",
        icon="device-mobile",
        parent="accounts",
        words="imap smtp phone thunderbird outlook qr",
        tab="Connect a mail app",
    ),
    Page(
        id="account-routes",
        area="mail",
        title="Routes of the account",
        path="/accounts/{account}/routes",
        icon="route",
        parent="accounts",
        form="account-routes",
        tab="Routes",
    ),
    Page(
        id="account-settings",
        area="mail",
        title="Settings of the account",
        path="/accounts/{account}/settings",
        icon="settings",
        parent="accounts",
        form="account",
        tab="Settings",
    ),
    Page(
        id="aliases",
        area="mail",
        title="Aliases",
        path="/aliases",
        icon="users",
        words="group distribution list members forward",
        form="alias",
    ),
    Page(
        id="alias",
        area="mail",
        title="Alias",
        path="/aliases/{alias}",
        icon="users",
        parent="aliases",
        form="alias",
    ),
    Page(
        id="queue",
        area="delivery",
        title="Queue",
        path="/queue",
        icon="mail-forward",
        words="waiting outgoing hold retry bounce",
        bar=True,
    ),
    Page(
        id="history",
        area="delivery",
        title="Sent and failed",
        path="/queue/history",
        icon="history",
        parent="queue",
        words="retired delivered sent bounced past",
    ),
    Page(
        id="hold-rules",
        area="delivery",
        title="Hold rules",
        path="/queue/holds",
        icon="hand-stop",
        parent="queue",
        words="pause keep back",
        form="hold-rule",
    ),
    Page(
        id="hold-rule",
        area="delivery",
        title="Hold rule",
        path="/queue/holds/{rule}",
        icon="hand-stop",
        parent="queue",
        form="hold-rule",
    ),
    Page(
        id="transports",
        area="delivery",
        title="Transports",
        path="/transports",
        icon="plug",
        words="relay smarthost socks proxy provider way out",
        form="transport",
    ),
    Page(
        id="transport",
        area="delivery",
        title="Transport",
        path="/transports/{transport}",
        icon="plug",
        parent="transports",
        form="transport",
    ),
    Page(
        id="routes",
        area="delivery",
        title="Routes",
        path="/routes",
        icon="route",
        words="rules relay tester which way why",
        form="routes",
    ),
    Page(
        id="suppressions",
        area="delivery",
        title="Suppression list",
        path="/suppressions",
        icon="ban",
        words="blocked recipients bounced unsubscribe do not send",
        form="suppression",
    ),
    Page(
        id="suppression",
        area="delivery",
        title="Suppressed address",
        path="/suppressions/{address}",
        icon="ban",
        parent="suppressions",
        form="suppression",
    ),
    Page(
        id="activity",
        area="activity",
        title="Activity",
        path="/activity",
        icon="activity",
        words="trace messages timeline delivered rejected where is my mail",
        bar=True,
    ),
    Page(
        id="message",
        area="activity",
        title="Message",
        path="/activity/{trace}",
        icon="mail",
        parent="activity",
    ),
    Page(
        id="log",
        area="activity",
        title="Live log",
        path="/log",
        icon="terminal-2",
        words="debug errors lines",
        offline=True,
    ),
    Page(
        id="signins",
        area="activity",
        title="Sign-ins",
        path="/signins",
        icon="key",
        words="logins failures security wrong passwords attacks",
    ),
    Page(
        id="health",
        area="health",
        title="Checks",
        path="/health",
        icon="shield-check",
        words="diagnosis test blocklist port certificate",
    ),
    Page(
        id="settings",
        area="system",
        title="Settings",
        path="/settings",
        icon="settings",
        words="configuration toml files text advanced",
    ),
    Page(
        id="revisions",
        area="system",
        title="Changes of the settings",
        path="/settings/revisions",
        icon="history",
        parent="settings",
        words="revisions history undo revert diff go back",
    ),
    Page(
        id="server",
        area="system",
        title="Server",
        path="/server",
        icon="server",
        words="start stop restart ports folder dark light appearance password browser sessions check stored mail",
        offline=True,
    ),
    Page(
        id="postmaster",
        area="system",
        title="Postmaster",
        path="/settings/postmaster",
        icon="user",
        parent="settings",
        form="postmaster",
    ),
    Page(
        id="server-name",
        area="system",
        title="Name of the server",
        path="/system/server",
        icon="server",
        parent="server",
        form="server-name",
    ),
    Page(
        id="server-listeners",
        area="system",
        title="Ports",
        path="/system/ports",
        icon="plug",
        parent="server",
        words="listeners bind addresses nat",
        form="server-listeners",
    ),
    Page(
        id="server-tls",
        area="system",
        title="Certificates",
        path="/system/certificates",
        icon="lock",
        parent="server",
        words="tls ssl",
        form="server-tls",
    ),
    Page(
        id="server-limits",
        area="system",
        title="Limits",
        path="/system/limits",
        icon="shield-check",
        parent="server",
        form="server-limits",
    ),
    Page(
        id="server-outbound",
        area="system",
        title="Outgoing mail",
        path="/system/outgoing",
        icon="send",
        parent="server",
        words="dns resolver concurrency",
        form="server-outbound",
    ),
    Page(
        id="server-admin",
        area="system",
        title="Security of the administration",
        path="/system/security",
        icon="key",
        parent="server",
        words="browser sessions password allowed names",
        form="server-admin",
    ),
    Page(
        id="server-log",
        area="system",
        title="Log settings",
        path="/system/log",
        icon="terminal-2",
        parent="server",
        words="debug level",
        form="server-log",
    ),
    Page(
        id="new-domain",
        area="mail",
        title="Add a domain",
        path="/domains/new",
        icon="world-plus",
        parent="domains",
        words="wizard new",
    ),
    Page(
        id="rotate-keys",
        area="mail",
        title="Change the signature keys",
        path="/domains/{domain}/dkim/rotate",
        icon="key",
        parent="domains",
    ),
    Page(
        id="remove-domain",
        area="mail",
        title="Remove a domain",
        path="/domains/{domain}/remove",
        icon="trash",
        parent="domains",
    ),
    Page(
        id="new-account",
        area="mail",
        title="Add an account",
        path="/accounts/new",
        icon="user-plus",
        parent="accounts",
        words="wizard new person",
    ),
    Page(
        id="remove-account",
        area="mail",
        title="Remove an account",
        path="/accounts/{account}/remove",
        icon="trash",
        parent="accounts",
    ),
    Page(
        id="new-alias",
        area="mail",
        title="Add an alias",
        path="/aliases/new",
        icon="users",
        parent="aliases",
        words="wizard new list group",
    ),
    Page(
        id="new-transport",
        area="delivery",
        title="Add a transport",
        path="/transports/new",
        icon="plug",
        parent="transports",
        words="wizard new relay smarthost proxy",
    ),
    Page(
        id="new-route",
        area="delivery",
        title="Add a route",
        path="/routes/new",
        icon="route",
        parent="routes",
        words="wizard new rule",
    ),
    Page(
        id="flow",
        area="overview",
        title="Wizard",
        path="/flow/{flow}",
        icon="list",
        parent="overview",
    ),
)
"""In the order of the rail."""

COMING: tuple[Page, ...] = ()
"""Pages that no face has yet. They are not served."""


def match(path: str, pages: Iterable[Page] = PAGES) -> tuple[Page, dict[str, str], str] | None:
    """The page of a path, the names in it, and what follows, both decoded. Of several, the one whose path says most; None: there is none."""
    wanted = [part for part in path.split("?", 1)[0].split("/") if part]
    best: tuple[Page, dict[str, str], str] | None = None
    best_rank = (-1, -1)
    for page in pages:
        parts = [part for part in page.path.split("/") if part]
        if len(parts) > len(wanted) or (not parts and wanted):
            continue
        names: dict[str, str] = {}
        literal = 0
        for part, given in zip(parts, wanted, strict=False):
            if part.startswith("{"):
                if given == NEW:
                    break
                names[part[1:-1]] = unquote(given)
            elif part == given:
                literal += 1
            else:
                break
        else:
            if (rank := (len(parts), literal)) > best_rank:
                best_rank = rank
                best = page, names, unquote("/".join(wanted[len(parts) :]))
    return best


def tabs_of(page: Page) -> tuple[Page, ...]:
    """The tabs of the thing that the page is a part of, itself included; none for a page without."""
    if not page.tab:
        return ()
    thing = page.path.split("}", 1)[0]
    return tuple(each for each in PAGES if each.tab and each.path.split("}", 1)[0] == thing)


def by_id(page_id: str) -> Page:
    return next(page for page in PAGES if page.id == page_id)

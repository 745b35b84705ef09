"""What Ctrl+K finds: pages, things to do, domains and accounts, by name, synonym or what they are for."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.api import forms as f
from backend.api import types as t


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    title: str
    path: str
    icon: str
    kind: str
    words: str = ""
    """Synonyms and what it is for; searched, not shown."""


ACTIONS: tuple[Entry, ...] = (
    Entry(
        title="Send yourself a message",
        path="/activity/new",
        icon="send",
        kind="Do",
        words="test try trace mail",
    ),
    Entry(
        title="Add an account",
        path="/accounts/new",
        icon="user-plus",
        kind="Do",
        words="new person user mailbox",
    ),
    Entry(
        title="Add a domain",
        path="/domains/new",
        icon="world-plus",
        kind="Do",
        words="new host name",
    ),
    Entry(
        title="Connect to another server",
        path="/start/connect",
        icon="plug",
        kind="Do",
        words="remote open data folder",
    ),
)


def of_domains(domains: Iterable[t.Domain]) -> list[Entry]:
    return [
        Entry(
            title=domain.unicode,
            path="/domains",
            icon="world",
            kind="Domain",
            words=f"{domain.name} {domain.description}",
        )
        for domain in domains
    ]


def of_accounts(accounts: Iterable[t.Account]) -> list[Entry]:
    entries = []
    for account in accounts:
        addresses = " ".join(item.address for item in account.addresses)
        title = account.full_name or account.id
        path = f"/accounts/{account.id}"
        entries.append(Entry(title=title, path=path, icon="user", kind="Account", words=addresses))
        entries.append(
            Entry(
                title=f"Connect a mail app to {title}",
                path=f"{path}/connect",
                icon="device-mobile",
                kind="Do",
                words=f"{addresses} imap smtp settings thunderbird outlook phone",
            )
        )
    return entries


def of_settings(found: Iterable[f.FoundItem]) -> list[Entry]:
    """Single settings and the forms they are in; pages are known to the window itself."""
    return [
        Entry(
            title=item.title if item.kind == "form" else f"{item.title} ({item.context})",
            path=item.path,
            icon=item.icon or "settings",
            kind="Setting",
            words=f"{item.help} {item.words}",
        )
        for item in found
        if item.kind != "page"
    ]


def find(entries: Iterable[Entry], text: str, limit: int = 12) -> list[Entry]:
    """All words must be found; those that begin a title come first."""
    wanted = text.lower().split()
    ranked: list[tuple[int, int, Entry]] = []
    for place, entry in enumerate(entries):
        title, rest = entry.title.lower(), f"{entry.kind} {entry.words}".lower()
        if not all(word in title or word in rest for word in wanted):
            continue
        rank = sum(2 if word in title else 3 for word in wanted)
        if wanted and title.startswith(wanted[0]):
            rank -= 2
        ranked.append((rank, place, entry))
    ranked.sort(key=lambda item: item[:2])
    return [entry for _, _, entry in ranked[:limit]]

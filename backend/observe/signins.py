"""Who signed in, or tried to: the recent entries in memory, all on disk."""

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from backend.core.events import SignedIn
from backend.observe.jsonl import JsonLines

MAX_ENTRIES = 10_000  # held in memory
MAX_NAMES = 20  # told of one address
MAX_ACCOUNTS = 10_000  # whose last sign-in is remembered, a security limit
LOADED_BYTES = 2_000_000  # read back at start


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInFilter:
    """Empty: all. `text` is found in the name, the address, the program; `since`: seconds since 1970."""

    account: str = ""
    peer: str = ""
    protocol: str = ""
    succeeded: bool | None = None
    text: str = ""
    since: float = 0.0

    def accepts(self, entry: SignedIn) -> bool:
        if self.succeeded is not None and entry.succeeded is not self.succeeded:
            return False
        for wanted, value in (
            (self.account, entry.account),
            (self.peer, entry.peer),
            (self.protocol, entry.protocol),
        ):
            if wanted and wanted != value:
                return False
        if entry.at < self.since:
            return False
        said = f"{entry.account}\n{entry.address}\n{entry.peer}\n{entry.client}\n{entry.mechanism}"
        return self.text.lower() in said.lower()


@dataclass(slots=True, kw_only=True)
class Failures:
    """What failed from one address. `succeeded`: how many sign-ins from there went well."""

    peer: str
    count: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    names: list[str] = field(default_factory=list)
    protocols: list[str] = field(default_factory=list)
    succeeded: int = 0


class SignIns:
    def __init__(self, folder: Path) -> None:
        self._file = JsonLines(folder, "sign-ins", max_bytes=4_000_000)
        self._entries: deque[SignedIn] = deque(maxlen=MAX_ENTRIES)
        self._count = 0
        self._last: dict[str, float] = {}

    def load(self) -> None:
        """Reads the recent part back; before the server starts."""
        for value in self._file.tail(LOADED_BYTES):
            if (entry := _parse(value)) is not None:
                self._remember(entry)

    def add(self, entry: SignedIn) -> None:
        self._remember(entry)
        self._file.append(asdict(entry))

    def snapshot(self) -> list[tuple[int, SignedIn]]:
        """All that is in memory with its number, newest first. The rest may then be done on a thread."""
        numbered = enumerate(self._entries, self._count - len(self._entries) + 1)
        return list(reversed(list(numbered)))

    def recent(self, *, limit: int) -> list[SignedIn]:
        """Newest first."""
        return [entry for _, entry in self.snapshot()[:limit]]

    def last_of(self, account: str) -> float | None:
        """When the account last signed in."""
        return self._last.get(account)

    def close(self) -> None:
        self._file.flush()

    def _remember(self, entry: SignedIn) -> None:
        self._count += 1
        self._entries.append(entry)
        if entry.succeeded and (entry.account in self._last or len(self._last) < MAX_ACCOUNTS):
            self._last[entry.account] = entry.at


def matching(
    entries: list[tuple[int, SignedIn]], wanted: SignInFilter
) -> list[tuple[int, SignedIn]]:
    return [each for each in entries if wanted.accepts(each[1])]


def by_address(entries: list[tuple[int, SignedIn]], text: str = "") -> list[Failures]:
    """Where failed sign-ins came from, most of them first. `text` is found in the address or a name that was tried."""
    found: dict[str, Failures] = {}
    for _, entry in entries:
        one = found.setdefault(entry.peer, Failures(peer=entry.peer))
        if entry.succeeded:
            one.succeeded += 1
            continue
        one.count += 1
        one.first_at = entry.at
        one.last_at = one.last_at or entry.at
        name = entry.address or entry.account
        if name and name not in one.names and len(one.names) < MAX_NAMES:
            one.names.append(name)
        if entry.protocol not in one.protocols:
            one.protocols.append(entry.protocol)
    failed = [one for one in found.values() if one.count and _says(one, text.lower())]
    return sorted(failed, key=lambda one: (-one.count, -one.last_at))


def _says(one: Failures, text: str) -> bool:
    return not text or any(text in said.lower() for said in _told(one))


def _told(one: Failures) -> Iterator[str]:
    yield one.peer
    yield from one.names


def _parse(value: dict[str, object]) -> SignedIn | None:
    encrypted = value.get("encrypted")
    try:
        return SignedIn(
            account=str(value["account"]),
            address=str(value["address"]),
            protocol=str(value["protocol"]),
            peer=str(value["peer"]),
            succeeded=bool(value["succeeded"]),
            mechanism=str(value["mechanism"]),
            at=float(str(value["at"])),
            encrypted=encrypted if isinstance(encrypted, bool) else None,
            client=str(value.get("client", "")),
        )
    except (KeyError, ValueError):
        return None

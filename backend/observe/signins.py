"""Who signed in, or tried to: the recent entries in memory, all on disk."""

from collections import deque
from dataclasses import asdict
from pathlib import Path

from backend.core.events import SignedIn
from backend.observe.jsonl import JsonLines

MAX_ENTRIES = 2_000  # held in memory
MAX_ACCOUNTS = 10_000  # whose last sign-in is remembered, a security limit
LOADED_BYTES = 500_000  # read back at start


class SignIns:
    def __init__(self, folder: Path) -> None:
        self._file = JsonLines(folder, "sign-ins", max_bytes=4_000_000)
        self._entries: deque[SignedIn] = deque(maxlen=MAX_ENTRIES)
        self._last: dict[str, float] = {}

    def load(self) -> None:
        """Reads the recent part back; before the server starts."""
        for value in self._file.tail(LOADED_BYTES):
            if (entry := _parse(value)) is not None:
                self._remember(entry)

    def add(self, entry: SignedIn) -> None:
        self._remember(entry)
        self._file.append(asdict(entry))

    def recent(self, *, limit: int, account: str = "", failed: bool = False) -> list[SignedIn]:
        """Newest first."""
        found: list[SignedIn] = []
        for entry in reversed(self._entries):
            if (account and entry.account != account) or (failed and entry.succeeded):
                continue
            found.append(entry)
            if len(found) == limit:
                break
        return found

    def last_of(self, account: str) -> float | None:
        """When the account last signed in."""
        return self._last.get(account)

    def close(self) -> None:
        self._file.flush()

    def _remember(self, entry: SignedIn) -> None:
        self._entries.append(entry)
        if entry.succeeded and (entry.account in self._last or len(self._last) < MAX_ACCOUNTS):
            self._last[entry.account] = entry.at


def _parse(value: dict[str, object]) -> SignedIn | None:
    try:
        return SignedIn(
            account=str(value["account"]),
            address=str(value["address"]),
            protocol=str(value["protocol"]),
            peer=str(value["peer"]),
            succeeded=bool(value["succeeded"]),
            mechanism=str(value["mechanism"]),
            at=float(str(value["at"])),
        )
    except (KeyError, ValueError):
        return None

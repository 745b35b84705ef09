"""Which connection is still open to where the next message goes? SMTP connections between two messages.

A connection serves again only what agrees with it in everything that its key names: the settings of the transport with
the password, host, address, port, the kind of TLS and what was demanded of it, the proxy, the name in EHLO. So a change
of settings counts at the next attempt, and a message that needs stronger TLS never rides on a weaker one.

Bounded: how many are kept, for how long, for how many messages. What the other side says between two messages, mostly
421, or that it goes away, ends the connection.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from backend.outbound.dial import Connection
from backend.smtp.client import SmtpClient

MAX_KEPT = 50
MAX_KEPT_FOR_ONE_KEY = 20
MAX_TRANSACTIONS = 100  # Postfix and others close at 100 or more
MAX_LIFE_S = 300.0  # a server behind a name that has moved is left after a while
IDLE_S = 3.0  # other servers need their places as well


@dataclass(slots=True, kw_only=True)
class Open:
    """One connection that is signed in and ready for the next transaction. Its key holds a password: never shown."""

    key: Hashable = field(repr=False)
    host: str
    client: SmtpClient
    connection: Connection
    certificate: bytes | None
    opened_at: float
    transactions: int = 0
    kept_at: float = 0.0
    timer: asyncio.TimerHandle | None = None


class Connections:
    """`part` says goodbye and closes; it does not wait. Times are those of the event loop."""

    def __init__(
        self, part: Callable[[Connection, SmtpClient], None], idle_s: float = IDLE_S
    ) -> None:
        self._part = part
        self._idle_s = idle_s
        self._kept: OrderedDict[int, Open] = OrderedDict()
        self._by_key: dict[Hashable, list[Open]] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, key: Hashable) -> Open | None:
        """The one that was used last, which is the least likely to have gone."""
        found = self._by_key.get(key)
        if not found:
            return None
        kept = found[-1]
        self._remove(kept)
        return kept

    def leads_to(self, host: str) -> bool:
        """Whether one is open to that host; it may yet be for other demands."""
        return any(entry.host == host for entry in self._kept.values())

    def keep(self, entry: Open) -> None:
        """After a transaction: for the next one, or to its end when it is worn out."""
        now = asyncio.get_running_loop().time()
        worn_out = entry.transactions >= MAX_TRANSACTIONS or now - entry.opened_at > MAX_LIFE_S
        usable = entry.client.can_go_on and entry.connection.is_quiet
        if self._closed or worn_out or not usable:
            self._part(entry.connection, entry.client)
            return
        entry.kept_at = now
        entry.timer = asyncio.get_running_loop().call_later(self._idle_s, self._drop, entry)
        entry.connection.on_event = lambda: self._drop(entry)
        self._kept[id(entry)] = entry
        same = self._by_key.setdefault(entry.key, [])
        same.append(entry)
        if len(same) > MAX_KEPT_FOR_ONE_KEY:
            self._drop(same[0])
        if len(self._kept) > MAX_KEPT:
            self._drop(next(iter(self._kept.values())))

    def close(self) -> None:
        """Parts with all of them, and with those that come back later."""
        self._closed = True
        for entry in tuple(self._kept.values()):
            self._drop(entry)

    def _drop(self, entry: Open) -> None:
        if id(entry) in self._kept:
            self._remove(entry)
            self._part(entry.connection, entry.client)

    def _remove(self, entry: Open) -> None:
        del self._kept[id(entry)]
        same = self._by_key[entry.key]
        same.remove(entry)
        if not same:
            del self._by_key[entry.key]
        entry.connection.on_event = None
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None

"""How much may one peer ask of the SMTP servers? Connections at a time and per minute, messages, mistakes, and the pace.

One `Guard` is shared by all SMTP ports. Programs on this computer are exempt in practice mode.
"""

from collections import OrderedDict
from dataclasses import dataclass

from backend.accounts.login import is_loopback
from backend.core.clock import Clock, SystemClock
from backend.core.network import network_of
from backend.core.status import SmtpStatus

# Security limits of one connection; they need no setting because no proper client comes near them.
MAX_MESSAGES = 1000
MAX_UNKNOWN_COMMANDS = 5
MAX_ERRORS = 30  # replies of 5xx since the last message that was taken
MAX_SIGN_IN_FAILURES = 3
MAX_IDLE_COMMANDS = 200  # NOOP and the like since the last message
MAX_SESSION_S = 4 * 3600.0
SOFT_ERRORS = 5  # from here on each further mistake is answered late
MAX_TRACKED_ADDRESSES = 10_000  # security limit: what we remember of strangers

RATE_WINDOW_S = 60.0

TOO_MANY_UNKNOWN = SmtpStatus(421, "4.7.0", "Too many unknown commands; closing the connection")
TOO_MANY_ERRORS = SmtpStatus(421, "4.7.0", "Too many errors; closing the connection")
TOO_MANY_MESSAGES = SmtpStatus(
    421, "4.7.0", f"{MAX_MESSAGES} messages on one connection; send the rest on a new one"
)
TOO_MANY_SIGN_INS = SmtpStatus(421, "4.7.0", "Too many failed sign-ins; check name and password")
TOO_MANY_IDLE_COMMANDS = SmtpStatus(
    421, "4.7.0", "Too many commands without a message; closing the connection"
)
TOO_LONG_A_SESSION = SmtpStatus(421, "4.7.0", "The session has lasted too long; connect again")
SPOKE_TOO_EARLY = SmtpStatus(554, "5.5.1", "Clients wait for the server's greeting first")
_ALL_TAKEN = SmtpStatus(
    421, "4.3.2", "All connections of this server are taken (setting “connections”); try later"
)
_ADDRESS_TAKEN = SmtpStatus(
    421,
    "4.7.0",
    "Too many connections from your address at a time (setting “connections_per_address”); try later",
)
_ADDRESS_FAST = SmtpStatus(
    421,
    "4.7.0",
    "Too many new connections from your address (setting “connections_per_minute_per_address”); try later",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """The numbers are those of `[limits]` in server.toml."""

    connections: int = 1000
    connections_per_address: int = 50
    connections_per_minute_per_address: int = 300
    practice_mode: bool = False
    greeting_delay_s: float = 1.0
    """Pause before the greeting of port 25 for strangers; programs that send mail in bulk from stolen computers don't wait for it."""
    error_delay_s: float = 1.0
    """Pause before the answer to each mistake after the first few."""


@dataclass(slots=True)
class _Address:
    open: int = 0
    window_start: float = 0.0
    new_in_window: int = 0


class Guard:
    def __init__(self, settings: GuardSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._open = 0
        self._addresses: OrderedDict[str, _Address] = OrderedDict()

    @property
    def settings(self) -> GuardSettings:
        return self._settings

    @property
    def open_connections(self) -> int:
        return self._open

    def is_exempt(self, peer: str) -> bool:
        return self._settings.practice_mode and is_loopback(peer)

    def admit(self, peer: str) -> SmtpStatus | None:
        """None: come in, and `release` must follow. Else the refusal, and nothing must follow."""
        settings = self._settings
        if self._open >= settings.connections:
            return _ALL_TAKEN
        entry = self._entry(peer)
        if not self.is_exempt(peer):
            now = self._clock.monotonic()
            if now - entry.window_start >= RATE_WINDOW_S:
                entry.window_start, entry.new_in_window = now, 0
            entry.new_in_window += 1
            if entry.new_in_window > settings.connections_per_minute_per_address:
                return _ADDRESS_FAST
            if entry.open >= settings.connections_per_address:
                return _ADDRESS_TAKEN
        entry.open += 1
        self._open += 1
        return None

    def release(self, peer: str) -> None:
        self._open -= 1
        entry = self._addresses.get(network_of(peer))
        if entry is not None:
            entry.open -= 1

    def _entry(self, peer: str) -> _Address:
        key = network_of(peer)
        entry = self._addresses.get(key)
        if entry is None:
            entry = self._addresses[key] = _Address()
            while len(self._addresses) > MAX_TRACKED_ADDRESSES:
                self._forget_one()
        self._addresses.move_to_end(key)
        return entry

    def _forget_one(self) -> None:
        # The longest unseen one without open connections; there are more places than connections, or the oldest goes.
        for key, entry in self._addresses.items():
            if entry.open == 0:
                del self._addresses[key]
                return
        self._addresses.popitem(last=False)

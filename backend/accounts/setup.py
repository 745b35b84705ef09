"""Mail apps that are being set up: configuration profiles to fetch once, and who asked for settings a moment ago.

All of it is in memory: a restart ends what was offered, and that costs one more click.
"""

import secrets
from dataclasses import dataclass

OFFER_LASTS_S = 900.0
AGAIN_S = 60.0
"""A phone that fetches a profile may ask twice: to look at it, and to take it."""
MAX_OFFERS = 200  # a security limit
MAX_NOTED = 1000  # domains, a security limit
_TOKEN_BYTES = 24


@dataclass(slots=True)
class _Offer:
    account: str
    content: bytes
    until: float


@dataclass(frozen=True, slots=True)
class Asked:
    """`what`: autoconfig or profile."""

    at: float
    what: str


class SetupDesk:
    """Times are seconds of the clock that all callers share."""

    def __init__(self) -> None:
        self._offers: dict[str, _Offer] = {}
        self._asked: dict[str, Asked] = {}

    def offer(self, account: str, content: bytes, now: float) -> str:
        """The token under which the profile can be fetched once; an older offer for the account ends."""
        for token, old in list(self._offers.items()):
            if old.account == account or old.until <= now:
                del self._offers[token]
        while len(self._offers) >= MAX_OFFERS:
            del self._offers[next(iter(self._offers))]
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._offers[token] = _Offer(account, content, now + OFFER_LASTS_S)
        return token

    def take(self, token: str, now: float) -> bytes | None:
        """None: there is none of that name, it has expired or was fetched already."""
        offer = self._offers.get(token)
        if offer is None or offer.until <= now:
            return None
        offer.until = min(offer.until, now + AGAIN_S)
        self.note(offer.account, "profile", now)
        return offer.content

    def note(self, about: str, what: str, now: float) -> None:
        """Somebody has asked for the settings of a domain (autoconfig) or an account (profile)."""
        self._asked.pop(about, None)
        self._asked[about] = Asked(now, what)
        while len(self._asked) > MAX_NOTED:
            del self._asked[next(iter(self._asked))]

    def last_asked(self, *abouts: str) -> Asked | None:
        found = [self._asked[about] for about in abouts if about in self._asked]
        return max(found, key=lambda each: each.at, default=None)

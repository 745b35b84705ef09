"""How accounts are shown, and what forms about them and about domains check before the server is asked."""

from dataclasses import dataclass
from datetime import datetime

from backend.api import types as t
from ui.presenters import wording

FREEMAIL = frozenset(
    {
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "yahoo.com",
        "icloud.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "aol.com",
        "proton.me",
    }
)
SHORTEST_PASSWORD = 12
STATES: dict[t.AccountState, tuple[str, str]] = {
    "active": ("in use", "ok"),
    "full": ("full", "error"),
    "disabled": ("switched off", "neutral"),
}
"""Word and tone of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    id: str
    name: str
    addresses: str
    used: str
    last_sign_in: str
    state: str
    tone: str


def present_account(account: t.Account, now: datetime) -> AccountRow:
    shown = [_address(address) for address in account.addresses]
    used = wording.size(account.used_bytes)
    if account.quota_bytes:
        used += f" of {wording.size(account.quota_bytes)}"
    state, tone = STATES[account.state]
    return AccountRow(
        id=account.id,
        name=account.full_name or account.id,
        addresses=", ".join(shown) or "no address",
        used=f"{used} in {wording.count(account.messages, 'message')}",
        last_sign_in=wording.ago(account.last_sign_in_at, now),
        state=state,
        tone=tone,
    )


def _address(address: t.AccountAddress) -> str:
    return f"{address.address} (catch-all)" if address.catch_all else address.address


def main_address(account: t.Account) -> str:
    plain = [item.address for item in account.addresses if not item.catch_all]
    return plain[0] if plain else account.id


def check_domain_name(name: str) -> str:
    """What is wrong with it, or nothing. The server has the last word."""
    name = name.strip().rstrip(".").lower()
    if not name:
        return "Enter the name of your domain, such as example.org."
    if "@" in name:
        return "Only the part after the @ is the domain."
    if " " in name or "/" in name:
        return "A domain has no spaces and no slashes. Enter it as in example.org."
    if name in FREEMAIL:
        return f"{name} belongs to its provider. You need a domain of your own."
    if "." not in name:
        return "A domain has at least two parts, such as example.org."
    return ""


def check_local_part(name: str) -> str:
    name = name.strip()
    if not name:
        return "Enter the part before the @, such as anna."
    if "@" in name:
        return "Only the part before the @; choose the domain beside it."
    if " " in name:
        return "An address has no spaces."
    return ""


def check_password(password: str) -> str:
    """An empty one is fine: the server makes one up."""
    if password and len(password) < SHORTEST_PASSWORD:
        return f"Use at least {SHORTEST_PASSWORD} characters, or leave it empty to get a generated one."
    return ""

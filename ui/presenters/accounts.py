"""How accounts and domains are shown, what forms about them check before the server is asked, and what removing them means."""

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
    full = account.quota_bytes and account.used_bytes >= account.quota_bytes
    state, tone = ("disabled", "neutral") if account.disabled else ("active", "ok")
    if full and not account.disabled:
        state, tone = "full", "error"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRow:
    name: str
    shown: str
    description: str
    accounts: str
    addresses: str
    catch_all: str
    state: str
    tone: str


def present_domain(domain: t.Domain) -> DomainRow:
    return DomainRow(
        name=domain.name,
        shown=domain.unicode or domain.name,
        description=domain.description,
        accounts=wording.number(domain.accounts),
        addresses=wording.number(domain.addresses),
        catch_all=domain.catch_all or "refused",
        state="disabled" if domain.disabled else "active",
        tone="neutral" if domain.disabled else "ok",
    )


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


def removal_of_domain(domain: t.Domain, accounts: list[t.Account]) -> tuple[bool, str]:
    """(may be removed, what it means)."""
    inside = [account for account in accounts if account.domain == domain.name]
    using = [
        account
        for account in accounts
        if account not in inside
        and any(item.address.rpartition("@")[2] == domain.name for item in account.addresses)
    ]
    if inside:
        names = ", ".join(account.full_name or account.id for account in inside[:5])
        more = f" and {len(inside) - 5} more" if len(inside) > 5 else ""
        return False, (
            f"{wording.count(len(inside), 'account')} still {'lives' if len(inside) == 1 else 'live'} in it: "
            f"{names}{more}. Remove {'it' if len(inside) == 1 else 'them'} first, under Accounts."
        )
    text = "Mail to it will be refused from now on."
    if using:
        lost = [
            item.address
            for account in using
            for item in account.addresses
            if item.address.rpartition("@")[2] == domain.name
        ]
        text += f" These addresses go away with it: {', '.join(lost)}."
    return True, text


def removal_of_account(account: t.Account) -> str:
    mail = wording.count(account.messages, "message")
    addresses = ", ".join(item.address for item in account.addresses) or "none"
    return (
        f"All its mail goes with it: {mail}, {wording.size(account.used_bytes)}. This can't be undone. "
        f"Mail to its addresses ({addresses}) will be refused."
    )

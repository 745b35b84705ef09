"""Whose address is that? Recipients, senders and sign-in names against the configured domains and accounts.

Behaviour C1 to C3. Pure look-ups in tables that are built once for each configuration; `update` swaps them.
"""

from dataclasses import dataclass

from backend.config.model import Config, MailDomain
from backend.core.address import Address, AddressError, Domain, parse_address
from backend.core.ids import AccountId

POSTMASTER = "postmaster"


@dataclass(frozen=True, slots=True)
class Local:
    """Mail for the address goes to `mailbox` of `account`. `rule` is the configured address that took it."""

    account: AccountId
    mailbox: str
    rule: str


@dataclass(frozen=True, slots=True)
class UnknownUser:
    address: Address


@dataclass(frozen=True, slots=True)
class UnknownDomain:
    domain: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The domain is switched off for a while: a temporary error is the answer."""

    domain: str


Resolution = Local | UnknownUser | UnknownDomain | Unavailable


@dataclass(frozen=True, slots=True)
class _Rule:
    account: AccountId
    mailbox: str
    key: str


class Directory:
    def __init__(self, config: Config) -> None:
        self.update(config)

    def update(self, config: Config) -> None:
        """Takes over a new configuration."""
        domains = config.domains.domains
        exact: dict[tuple[str, str], _Rule] = {}
        catchall: dict[str, _Rule] = {}
        for name, account in config.domains.accounts.items():
            for key, destination in account.destinations.items():
                rule = _Rule(AccountId(name), destination.mailbox, key)
                if key.startswith("@"):
                    catchall[key[1:]] = rule
                    continue
                address = parse_address(key)
                domain = domains.get(address.domain.ascii)
                if domain is not None:
                    local = domain.canonical_localpart(address.localpart)
                    exact[local, address.domain.ascii] = rule
        self._hostname = config.server.hostname
        self._domains = domains
        self._accounts = config.domains.accounts
        self._exact = exact
        self._catchall = catchall
        self._postmaster = self._find_postmaster(config)

    @staticmethod
    def _find_postmaster(config: Config) -> _Rule | None:
        accounts = config.domains.accounts
        name = config.domains.postmaster_account
        if name not in accounts:
            name = next((n for n, a in accounts.items() if not a.disabled), "")
        if not name:
            return None
        return _Rule(AccountId(name), config.domains.postmaster_mailbox, POSTMASTER)

    def resolve(self, address: Address) -> Resolution:
        """Where mail for the address goes."""
        name = address.domain.ascii
        domain = self._domains.get(name)
        is_postmaster = address.localpart.lower() == POSTMASTER
        if is_postmaster and domain is None and (address.literal or name == self._hostname):
            return self.postmaster() or UnknownUser(address)
        if address.literal or domain is None:
            return UnknownDomain(address.domain_text)
        if domain.disabled:
            return Unavailable(name)
        rule = self._find_rule(address, domain)
        if rule is None:
            return UnknownUser(address)
        return Local(rule.account, rule.mailbox, rule.key)

    def _find_rule(self, address: Address, domain: MailDomain) -> _Rule | None:
        name = address.domain.ascii
        # Behaviour C2: postmaster@hostname stands before a catch-all of that name, but not before an account's own address.
        local = domain.canonical_localpart(address.localpart)
        rule = self._exact.get((local, name))
        if rule is None and local == POSTMASTER and name == self._hostname:
            rule = self._postmaster
        if rule is None:
            rule = self._catchall.get(name)
        if rule is None and local == POSTMASTER:
            rule = self._postmaster
        return rule

    def postmaster(self) -> Local | None:
        """Where mail to the bare `<postmaster>` goes (RFC 5321 §4.5.1); None while there is no account."""
        rule = self._postmaster
        return None if rule is None else Local(rule.account, rule.mailbox, rule.key)

    def may_send_as(self, account: AccountId, address: Address) -> bool:
        """Whether mail with that sender or author may come from the account."""
        domain = self._domains.get(address.domain.ascii)
        owner = self._accounts.get(account)
        if domain is None or owner is None or address.literal or domain.disabled or owner.disabled:
            return False
        rule = self._find_rule(address, domain)
        return rule is not None and rule.account == account

    def account_of_login(self, name: str) -> AccountId | None:
        """The account that a sign-in name belongs to: any of its addresses, but no catch-all."""
        try:
            address = parse_address(name)
        except AddressError:
            return None
        domain = self._domains.get(address.domain.ascii)
        if domain is None or address.literal:
            return None
        local = domain.canonical_localpart(address.localpart)
        rule = self._exact.get((local, address.domain.ascii))
        return None if rule is None else rule.account

    def is_local_domain(self, domain: Domain) -> bool:
        return domain.ascii in self._domains

    def is_disabled(self, account: AccountId) -> bool:
        """Whether nobody may sign in to it; true as well for an account that is gone."""
        owner = self._accounts.get(account)
        return owner is None or owner.disabled

    def addresses_of(self, account: AccountId) -> list[str]:
        """All its addresses as configured, catch-alls as `@domain`."""
        owner = self._accounts.get(account)
        return [] if owner is None else list(owner.destinations)

    def accounts(self) -> list[AccountId]:
        return [AccountId(name) for name in self._accounts]

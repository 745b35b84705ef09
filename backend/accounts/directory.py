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
class Group:
    """Mail for the address goes to each of `members`. `rule` is the alias's address."""

    members: tuple[Local, ...]
    rule: str
    post_public: bool = True
    send_as: bool = False

    def has_member(self, account: AccountId) -> bool:
        return any(member.account == account for member in self.members)

    def may_post(self, account: AccountId | None) -> bool:
        """`account`: who signed in; None for mail from outside, whose sender anybody can claim to be."""
        return self.post_public or (account is not None and self.has_member(account))


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


Resolution = Local | Group | UnknownUser | UnknownDomain | Unavailable


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
        self._groups = _groups_of(domains, exact)
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
        group = self._find_group(address, domain)
        if group is not None:
            return group
        rule = self._find_rule(address, domain)
        if rule is None:
            return UnknownUser(address)
        return Local(rule.account, rule.mailbox, rule.key)

    def _find_group(self, address: Address, domain: MailDomain) -> Group | None:
        local = domain.canonical_localpart(address.localpart)
        return self._groups.get((local, address.domain.ascii))

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
        group = self._find_group(address, domain)
        if group is not None:
            return group.send_as and group.has_member(account)
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


def _groups_of(
    domains: dict[str, MailDomain], exact: dict[tuple[str, str], _Rule]
) -> dict[tuple[str, str], Group]:
    groups: dict[tuple[str, str], Group] = {}
    for name, domain in domains.items():
        for localpart, alias in domain.aliases.items():
            members: dict[AccountId, Local] = {}
            for key in alias.members:
                address = parse_address(key)
                home = domains.get(address.domain.ascii)
                local = home.canonical_localpart(address.localpart) if home is not None else ""
                rule = exact.get((local, address.domain.ascii))
                # `config.check` refuses members that are nobody's. One with two addresses in the list gets one copy.
                if rule is not None:
                    members.setdefault(rule.account, Local(rule.account, rule.mailbox, rule.key))
            groups[domain.canonical_localpart(localpart), name] = Group(
                tuple(members.values()),
                rule=f"{localpart}@{name}",
                post_public=alias.post_public,
                send_as=alias.send_as,
            )
    return groups

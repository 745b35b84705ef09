"""Removing a domain or an account: what depends on it, what goes with it, and its name typed before it goes."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence

from backend.accounts.aliases import list_aliases
from backend.admin.flows import parts
from backend.admin.flows.dkim import domain_of, require_domain
from backend.admin.flows.state import FlowState
from backend.admin.flows.steps import ChecksStep, DoneStep, FlowType, ReviewStep, Step, Visit
from backend.admin.specs.check import Fault
from backend.api import flows as w
from backend.api import forms as f
from backend.config.model import Config
from backend.core.errors import NotFoundError
from backend.core.ids import AccountId
from backend.core.problems import Problem


class _Dependents(ChecksStep):
    id = "look"
    title = "What depends on it"
    short = "Dependents"
    why = "Nothing is removed before the last step, and only after its name has been typed."
    blocked: str

    async def look(self, visit: Visit, found: Callable[[w.CheckItem], Awaitable[None]]) -> None:
        for item in await self.findings(visit):
            await found(item)

    @abstractmethod
    async def findings(self, visit: Visit) -> list[w.CheckItem]: ...

    def verdict(self, visit: Visit, checks: Sequence[w.CheckItem]) -> str:  # noqa: ARG002  # of the kind
        if any(each.result == "fail" for each in checks):
            return "It can't be removed yet."
        if any(each.result == "warn" for each in checks):
            return "Read what is marked before you go on."
        return "Nothing else depends on it."

    async def submit(self, visit: Visit, move: w.FlowMove) -> list[Fault]:  # noqa: ARG002  # of the kind
        if not any(each.result == "fail" for each in await self.findings(visit)):
            return []
        self.forget(visit)
        return [Fault("flow.blocked", (), self.blocked)]


def _item(
    id_: str, title: str, names: Sequence[str], none: str, bad: str, result: str, fix: str = ""
) -> w.CheckItem:
    if not names:
        return w.CheckItem(id=id_, title=title, result="ok", text=none)
    text = bad.replace("{names}", parts.listed(list(names), 5))
    return w.CheckItem.model_validate(
        {"id": id_, "title": title, "result": result, "text": text, "fix": fix}
    )


# --- domains -------------------------------------------------------------------------------------------------------------


def _users(config: Config, domain: str) -> list[str]:
    ending = f"@{domain}"
    return [
        name
        for name, account in config.domains.accounts.items()
        if account.domain == domain or any(key.endswith(ending) for key in account.destinations)
    ]


class DomainUse(_Dependents):
    blocked = "Accounts still have addresses in the domain. Remove them, or give them other addresses, then check again."

    def begin(self, visit: Visit) -> list[w.CheckItem]:  # noqa: ARG002  # of the kind
        titles = {"accounts": "Accounts", "aliases": "Aliases", "routes": "Routes"}
        return [w.CheckItem(id=key, title=text, result="running") for key, text in titles.items()]

    async def findings(self, visit: Visit) -> list[w.CheckItem]:
        domain = domain_of(visit)
        settings = visit.config.domains.domains.get(domain)
        aliases = (
            []
            if settings is None
            else [each.address for each in list_aliases(visit.config.domains, domain)]
        )
        routes = [] if settings is None else [f"to {each.transport}" for each in settings.routes]
        return [
            _item(
                "accounts",
                "Accounts",
                _users(visit.config, domain),
                "No account has an address in it.",
                "These have addresses in it: {names}.",
                "fail",
                "Remove those accounts, or their addresses in the domain, first.",
            ),
            _item(
                "aliases",
                "Aliases",
                aliases,
                "There are none.",
                "These go with it: {names}.",
                "warn",
            ),
            _item(
                "routes",
                "Routes",
                routes,
                "There are none.",
                "The routes for its mail go with it.",
                "warn",
            ),
        ]


class ReviewDomain(ReviewStep):
    id = "review"
    title = "Remove the domain"
    primary = "Remove the domain"
    danger = True
    why = "Going back to earlier settings brings the domain back, with its keys, as long as those are kept. Mail that was refused meanwhile does not come back."

    def type_name(self, visit: Visit) -> str:
        return parts.shown_domain(domain_of(visit))

    def rows(self, visit: Visit) -> list[w.ReviewRow]:
        return [w.ReviewRow(label="Domain", value=parts.shown_domain(domain_of(visit)))]

    async def effects(self, visit: Visit) -> list[f.Effect]:
        domain = domain_of(visit)
        return [
            f.Effect(text=f"Mail to {parts.shown_domain(domain)} is refused from now on."),
            f.Effect(text="Its aliases and routes are removed.", kind="change"),
            f.Effect(
                text="Remove its DNS records, or let them point to where its mail goes from now on.",
                kind="dns",
            ),
        ]

    async def commit(self, visit: Visit) -> None:
        await visit.services.accounts.remove_domain(domain_of(visit), author=visit.author)

    async def is_applied(self, visit: Visit) -> bool:
        return domain_of(visit) not in visit.config.domains.domains


class DomainGone(DoneStep):
    title = "The domain is removed"

    def links(self, visit: Visit) -> list[w.Link]:  # noqa: ARG002  # the same for all
        return [parts.link("All domains", "/domains", "world", primary=True)]


class RemoveDomain(FlowType):
    id = "remove-domain"
    name = "Remove a domain"
    icon = "trash"

    def steps(self, visit: Visit) -> list[Step]:  # noqa: ARG002  # always the same
        return [DomainUse(), ReviewDomain(), DomainGone()]

    def begin(self, visit: Visit) -> None:
        require_domain(visit)

    def about(self, state: FlowState) -> str:
        return state.context.get("domain", "")


# --- accounts ------------------------------------------------------------------------------------------------------------


def account_of(visit: Visit) -> str:
    return visit.state.context.get("account", "")


def _addresses(visit: Visit) -> list[str]:
    account = visit.config.domains.accounts.get(account_of(visit))
    return [] if account is None else list(account.destinations)


class AccountUse(_Dependents):
    blocked = (
        "Aliases would have no members left. Give them others, or remove them, then check again."
    )

    def begin(self, visit: Visit) -> list[w.CheckItem]:  # noqa: ARG002  # of the kind
        titles = {
            "mail": "Mail",
            "addresses": "Addresses",
            "aliases": "Aliases",
            "postmaster": "Postmaster",
        }
        return [w.CheckItem(id=key, title=text, result="running") for key, text in titles.items()]

    async def findings(self, visit: Visit) -> list[w.CheckItem]:
        account = account_of(visit)
        mine = {each.lower() for each in _addresses(visit)}
        alone: list[str] = []
        member: list[str] = []
        for each in list_aliases(visit.config.domains):
            left = [key for key in each.alias.members if key.lower() not in mine]
            if len(left) < len(each.alias.members):
                (member if left else alone).append(each.address)
        usage = (await visit.services.store.usages([AccountId(account)]))[AccountId(account)]
        mail = [f"{usage.messages} messages"] if usage.messages else []
        found = [
            _item(
                "mail",
                "Mail",
                mail,
                "It keeps no mail.",
                "It keeps {names}, which are deleted for good.",
                "warn",
            ),
            _item(
                "addresses",
                "Addresses",
                _addresses(visit),
                "It has none.",
                "Mail to {names} is refused from then on, unless a catch-all takes it.",
                "warn",
            ),
        ]
        if alone:
            found.append(
                _item(
                    "aliases",
                    "Aliases",
                    alone,
                    "",
                    "It is the only member of {names}.",
                    "fail",
                    "Give them another member, or remove them, first.",
                )
            )
        else:
            found.append(
                _item("aliases", "Aliases", member, "It is in none.", "It leaves {names}.", "warn")
            )
        is_postmaster = visit.config.domains.postmaster_account == account
        found.append(
            _item(
                "postmaster",
                "Postmaster",
                [account] if is_postmaster else [],
                "Somebody else is it.",
                "Mail to the postmaster goes to the first account from then on.",
                "warn",
            )
        )
        return found


class ReviewAccount(ReviewStep):
    id = "review"
    title = "Remove the account"
    primary = "Remove the account"
    danger = True
    why = "The mail of an account can't be brought back. Who only wants to keep somebody out can switch the account off instead."

    def type_name(self, visit: Visit) -> str:
        return account_of(visit)

    def rows(self, visit: Visit) -> list[w.ReviewRow]:
        account = visit.config.domains.accounts.get(account_of(visit))
        rows = [w.ReviewRow(label="Account", value=account_of(visit))]
        if account is not None and account.full_name:
            rows.append(w.ReviewRow(label="Name", value=account.full_name))
        rows.append(w.ReviewRow(label="Addresses", value=parts.listed(_addresses(visit)) or "none"))
        return rows

    async def effects(self, visit: Visit) -> list[f.Effect]:
        account = AccountId(account_of(visit))
        usage = (await visit.services.store.usages([account]))[account]
        count = "1 message is" if usage.messages == 1 else f"{usage.messages} messages are"
        mail = f"{count} deleted for good." if usage.messages else "It keeps no mail that is lost."
        return [
            f.Effect(text=mail),
            f.Effect(text="Nobody can sign in with its password any more.", kind="secret"),
            f.Effect(text="Mail to its addresses is refused from now on."),
        ]

    async def commit(self, visit: Visit) -> None:
        await visit.services.accounts.remove_account(account_of(visit), author=visit.author)

    async def is_applied(self, visit: Visit) -> bool:
        return account_of(visit) not in visit.config.domains.accounts


class AccountGone(DoneStep):
    title = "The account is removed"

    def links(self, visit: Visit) -> list[w.Link]:  # noqa: ARG002  # the same for all
        return [parts.link("All accounts", "/accounts", "users", primary=True)]


class RemoveAccount(FlowType):
    id = "remove-account"
    name = "Remove an account"
    icon = "trash"

    def steps(self, visit: Visit) -> list[Step]:  # noqa: ARG002  # always the same
        return [AccountUse(), ReviewAccount(), AccountGone()]

    def begin(self, visit: Visit) -> None:
        try:
            found = visit.services.accounts.find_account(visit.state.context.get("account", ""))
        except NotFoundError:
            text = "There is no such account here."
            raise NotFoundError(
                Problem(code="account.unknown", message=text, fix="See the list of accounts.")
            ) from None
        visit.state.context["account"] = found

    def about(self, state: FlowState) -> str:
        return state.context.get("account", "")

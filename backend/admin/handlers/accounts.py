"""Accounts, their addresses and passwords. An account is named by its id or by one of its addresses."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.admin.services import Services
from backend.api import domains as o
from backend.api import queue as q
from backend.api import types as t
from backend.config.model import Account
from backend.core.ids import AccountId
from backend.outbound.limits import SendLimits, read_usage
from backend.store.values import Usage


async def describe(services: Services, account: AccountId) -> t.Account:
    return (await _describe_all(services, [account]))[0]


async def _describe_all(services: Services, accounts: Sequence[AccountId]) -> list[t.Account]:
    usages = await services.store.usages(accounts)
    return [_describe(services, account, usages[account]) for account in accounts]


def _describe(services: Services, account: AccountId, usage: Usage) -> t.Account:
    settings = services.accounts.get_account(account)
    last = services.activity.sign_ins.last_of(account)
    return t.Account(
        id=account,
        domain=settings.domain,
        full_name=settings.full_name,
        disabled=settings.disabled,
        address=settings.main_address,
        addresses=[
            t.AccountAddress(
                address=key, mailbox=destination.mailbox, catch_all=key.startswith("@")
            )
            for key, destination in settings.destinations.items()
        ],
        quota_bytes=settings.quota_bytes,
        used_bytes=usage.size_bytes,
        messages=usage.messages,
        max_outgoing_messages_per_day=settings.outgoing_limit,
        max_first_time_recipients_per_day=settings.first_time_limit,
        last_sign_in_at=None if last is None else wire.at(last),
        state=_state(settings, usage),
    )


def _state(settings: Account, usage: Usage) -> t.AccountState:
    if settings.disabled:
        return "disabled"
    full = settings.quota_bytes and usage.size_bytes >= settings.quota_bytes
    return "full" if full else "active"


def named(call: Call) -> AccountId:
    """The account in the path.

    Raises:
        NotFoundError: there is none of that name or address.
    """
    return call.services.accounts.find_account(call.path("account"))


async def accounts(call: Call) -> t.Accounts:
    query, services = call.query(t.AccountsQuery), call.services
    known = services.accounts.accounts()
    wanted, domain = query.search.casefold().split(), query.domain
    names = [
        name
        for name, settings in sorted(known.items())
        if (query.disabled is None or settings.disabled == query.disabled)
        and (not domain or _is_in(settings, domain))
        and (not wanted or _is_found(name, settings, wanted))
    ]
    match query.sort.lstrip("-"):
        case "full_name":
            names.sort(key=lambda name: known[name].full_name.casefold())
        case "last_sign_in_at":
            last_of = services.activity.sign_ins.last_of
            names.sort(key=lambda name: last_of(name) or 0)
    if query.sort.startswith("-"):
        names.reverse()
    page = names[query.offset :][: query.limit or len(names)]
    return t.Accounts(items=await _describe_all(services, page), total=len(names))


def _is_in(settings: Account, domain: str) -> bool:
    return settings.domain == domain or any(
        key.endswith(f"@{domain}") for key in settings.destinations
    )


def _is_found(account: AccountId, settings: Account, wanted: Sequence[str]) -> bool:
    text = " ".join((account, settings.full_name, *settings.destinations)).casefold()
    return all(word in text for word in wanted)


async def account(call: Call) -> t.Account:
    return await describe(call.services, named(call))


async def account_steps(call: Call) -> o.NextSteps:
    account = await describe(call.services, named(call))
    return o.NextSteps(items=list(_steps(account)))


def _steps(account: t.Account) -> Iterator[o.NextStep]:
    page = f"/accounts/{quote(account.id)}"
    if account.state == "disabled":
        yield o.NextStep(
            id="disabled",
            severity="required",
            title="Sign-in is switched off",
            text="Nobody can read or send with the account; mail to it is still taken.",
            verb="Open Sign-in and devices",
            page=f"{page}/sign-in",
        )
    if account.state == "full":
        yield o.NextStep(
            id="full",
            severity="required",
            title="The account is full",
            text="New mail to it is put off until there is room again, and comes back after some days.",
            verb="Give it more room",
            page=f"{page}/limits",
        )
    if not account.addresses:
        yield o.NextStep(
            id="address",
            severity="required",
            title="The account has no address",
            text="Nobody can write to it.",
            verb="Add an address",
            page=f"{page}/addresses",
        )
    if account.state != "disabled" and account.last_sign_in_at is None:
        yield o.NextStep(
            id="connect",
            severity="recommended",
            title="No mail app has signed in yet",
            text="On a phone that takes a scan of a code; elsewhere the settings are there to copy.",
            verb="Connect a mail app",
            page=f"{page}/connect",
        )


async def add_account(call: Call) -> t.NewAccount:
    body = call.body(t.AddAccount)
    service = call.services.accounts
    made = await service.add_account(
        body.address,
        password=body.password,
        name=body.id or "",
        full_name=body.full_name,
        author=call.author,
    )
    if body.quota_bytes:
        await service.update_account(made.id, {"quota_bytes": body.quota_bytes}, author=call.author)
    return t.NewAccount(
        account=await describe(call.services, made.id), password=made.password or None
    )


async def change_account(call: Call) -> t.Account:
    changes = call.body(t.ChangeAccount).model_dump(exclude_none=True)
    name = named(call)
    if changes:
        await call.services.accounts.update_account(name, changes, author=call.author)
    return await describe(call.services, name)


async def remove_account(call: Call) -> t.Empty:
    await call.services.accounts.remove_account(named(call), author=call.author)
    return t.Empty()


async def set_password(call: Call) -> t.NewPassword:
    body = call.body(t.SetPassword)
    made = await call.services.accounts.set_password(named(call), body.password)
    return t.NewPassword(password=made or None)


async def add_address(call: Call) -> t.Account:
    body = call.body(t.AddAddress)
    name = named(call)
    await call.services.accounts.add_address(
        name, body.address, mailbox=body.mailbox, author=call.author
    )
    return await describe(call.services, name)


async def change_address(call: Call) -> t.Account:
    name = named(call)
    await call.services.accounts.change_address(
        name,
        call.path("address"),
        mailbox=call.body(t.ChangeAddress).mailbox,
        author=call.author,
    )
    return await describe(call.services, name)


async def remove_address(call: Call) -> t.Empty:
    await call.services.accounts.remove_address(
        named(call), call.path("address"), author=call.author
    )
    return t.Empty()


async def send_limits(call: Call) -> q.SendLimits:
    name, queue = named(call), call.services.outbound.queue
    settings = call.services.accounts.get_account(name)
    allowed = SendLimits(settings.outgoing_limit, settings.first_time_limit)
    now = queue.now()
    used = await queue.database.read(lambda reader: read_usage(reader, name, allowed, now))
    messages, first_time = (
        q.SendLimit(
            used=each.used,
            limit=each.limit,
            room_at=None if each.room_at is None else wire.at(each.room_at),
        )
        for each in used
    )
    return q.SendLimits(account=name, messages=messages, first_time=first_time)


HANDLERS: dict[str, Handler] = {
    "accounts": accounts,
    "account": account,
    "account_steps": account_steps,
    "send_limits": send_limits,
    "add_account": add_account,
    "change_account": change_account,
    "remove_account": remove_account,
    "set_password": set_password,
    "add_address": add_address,
    "change_address": change_address,
    "remove_address": remove_address,
}

"""Accounts, their addresses and passwords. An account is named by its id or by one of its addresses."""

from collections.abc import Sequence

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.admin.services import Services
from backend.api import queue as q
from backend.api import types as t
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
    )


def named(call: Call) -> AccountId:
    """The account in the path.

    Raises:
        NotFoundError: there is none of that name or address.
    """
    return call.services.accounts.find_account(call.path("account"))


async def accounts(call: Call) -> t.Accounts:
    query, services = call.query(t.AccountsQuery), call.services
    names = sorted(services.accounts.accounts())
    wanted = query.search.casefold().split()
    if wanted:
        names = [name for name in names if _is_found(services, name, wanted)]
    if query.sort.lstrip("-") == "full_name":
        names.sort(key=lambda name: services.accounts.get_account(name).full_name.casefold())
    if query.sort.startswith("-"):
        names.reverse()
    page = names[query.offset :][: query.limit or len(names)]
    return t.Accounts(items=await _describe_all(services, page), total=len(names))


def _is_found(services: Services, account: AccountId, wanted: Sequence[str]) -> bool:
    settings = services.accounts.get_account(account)
    text = " ".join((account, settings.full_name, *settings.destinations)).casefold()
    return all(word in text for word in wanted)


async def account(call: Call) -> t.Account:
    return await describe(call.services, named(call))


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
    "send_limits": send_limits,
    "add_account": add_account,
    "change_account": change_account,
    "remove_account": remove_account,
    "set_password": set_password,
    "add_address": add_address,
    "remove_address": remove_address,
}

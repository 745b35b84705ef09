"""Every wizard there is. A new one is an entry here."""

from functools import cache

from backend.admin.flows.account import AddAccount
from backend.admin.flows.alias import AddAlias
from backend.admin.flows.dkim import RotateKeys
from backend.admin.flows.domain import AddDomain
from backend.admin.flows.remove import RemoveAccount, RemoveDomain
from backend.admin.flows.route import AddRoute
from backend.admin.flows.steps import FlowType
from backend.admin.flows.transport import AddTransport

FLOWS: tuple[FlowType, ...] = (
    AddDomain(),
    AddAccount(),
    AddAlias(),
    AddTransport(),
    AddRoute(),
    RotateKeys(),
    RemoveDomain(),
    RemoveAccount(),
)


@cache
def by_id() -> dict[str, FlowType]:
    return {each.id: each for each in FLOWS}

"""Every wizard there is. A new one is an entry here."""

from collections.abc import Iterator
from functools import cache

from backend.admin.flows.account import AddAccount
from backend.admin.flows.alias import AddAlias
from backend.admin.flows.dkim import RotateKeys
from backend.admin.flows.domain import AddDomain
from backend.admin.flows.remove import RemoveAccount, RemoveDomain
from backend.admin.flows.route import AddRoute
from backend.admin.flows.steps import SENTENCES, FlowType, Step
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


def texts() -> Iterator[str]:
    """What does not depend on a draft, for the catalogue."""
    for kind in FLOWS:
        yield kind.name
    for step in _below(Step):
        for name in ("title", "short", "intro", "why", "primary", "skip"):
            if text := getattr(step, name, ""):
                yield text
    yield from SENTENCES


def _below(kind: type[object]) -> Iterator[type[object]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)

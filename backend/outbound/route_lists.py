"""Whole lists of routes: what would the settings be with others?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backend.config.load import domains_from_data
from backend.config.model import Config
from backend.config.plan import to_lean
from backend.core.errors import NotFoundError
from backend.core.problems import Problem
from backend.outbound.route import Level


@dataclass(frozen=True, slots=True)
class RouteList:
    """`owner`: the account or domain, empty for the server. `routes` as they stand in the file, in order."""

    level: Level
    owner: str
    routes: Sequence[Mapping[str, Any]]


def with_lists(config: Config, lists: Sequence[RouteList]) -> Config:
    """The settings with these lists in the place of their own, not checked as a whole yet.

    Raises:
        NotFoundError: no such account or domain.
        ConfigError: with the faults of the routes.
    """
    data = to_lean(config.domains)
    for each in lists:
        owner_table(data, each.level, each.owner)["routes"] = [dict(one) for one in each.routes]
    return replace(config, domains=domains_from_data(data))


def owner_table(data: dict[str, Any], level: Level, owner: str) -> dict[str, Any]:
    """The table of the file that holds the list.

    Raises:
        NotFoundError: no such account or domain.
    """
    if level is Level.SERVER:
        return data
    group = "accounts" if level is Level.ACCOUNT else "domains"
    owners = data.get(group, {})
    if owner not in owners:
        raise NotFoundError(
            Problem(
                code="route.unknown_owner",
                path="/owner",
                message=f"There is no {level} “{owner}”.",
                fix=f"See the list of {group}.",
            )
        )
    table: dict[str, Any] = owners[owner]
    return table

"""Routes that can never match."""

import pytest

from backend.config.model import DomainsConfig
from backend.config.routing import Route
from backend.outbound.lint import RouteLint, useless_routes
from tests.support.settings import config_of


def useless(*routes, at="server"):
    rules = [{"transport": "t", **route} for route in routes]
    domain = {"routes": rules} if at == "domain" else {}
    config = config_of(
        domains={"a.test": domain, "b.test": {}},
        accounts={"anna": {"domain": "a.test", "routes": rules if at == "account" else []}},
        transports={"t": {}},
        routes=rules if at == "server" else [],
    )
    return [(each.place.position, each.reason) for each in useless_routes(config.domains)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({}, {"to_domain": ["x.test"], "minimum_attempts": 3}),
        ({"to_domain": [".x.test"]}, {"to_domain": ["x.test", "y.x.test", ".z.x.test"]}),
        ({"to_domain": ["x.test", "y.test"]}, {"to_domain": ["y.test"]}),
        ({"from_domain": ["a.test"]}, {"from_domain": ["a.test"], "to_domain": ["x.test"]}),
        ({"minimum_attempts": 2}, {"minimum_attempts": 2}),
        ({"to_domain": ["."]}, {"to_domain": ["."]}),
    ],
)
@pytest.mark.parametrize("at", ["server", "domain", "account"])
def test_a_route_behind_one_that_takes_all_of_its_mail_never_matches(first, second, at):
    assert useless(first, second, at=at) == [(2, "route 1 before it takes all that it would take")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"to_domain": ["x.test"]}, {}),
        ({"to_domain": ["x.test"]}, {"to_domain": ["y.x.test"]}),
        ({"to_domain": ["x.test"]}, {"to_domain": [".x.test"]}),
        ({"to_domain": [".x.test"]}, {"to_domain": ["yx.test"]}),
        ({"minimum_attempts": 3}, {"minimum_attempts": 2}),
        ({"minimum_attempts": 3}, {}),
        ({"from_domain": ["a.test"]}, {"to_domain": ["x.test"]}),
        ({"to_domain": [".x.test"]}, {"to_domain": ["."]}),
    ],
)
def test_a_route_that_has_mail_left_to_take_is_fine(first, second):
    assert useless(first, second) == []


def test_more_attempts_than_there_are_never_come():
    assert useless({"minimum_attempts": 7}) == []
    ((_, reason),) = useless({"minimum_attempts": 8})
    assert "at most 7 attempts come before" in reason


def test_mail_to_own_domains_takes_no_route():
    assert useless({"to_domain": ["a.test", "x.test"]}) == []
    assert useless({"to_domain": [".a.test"]}) == [], "names below it are not ours"
    ((_, reason),) = useless({"to_domain": ["a.test", "b.test"]})
    assert "delivered here" in reason


def test_routes_of_a_domain_see_mail_from_that_domain_only():
    assert useless({"from_domain": ["a.test"]}, at="domain") == []
    assert useless({"from_domain": ["x.test"]}) == []
    ((_, reason),) = useless({"from_domain": ["x.test"]}, at="domain")
    assert "only mail from a.test" in reason


def test_the_first_of_several_routes_that_cover_one_is_named():
    routes = [{"to_domain": [".x.test", "y.test"]}, {"to_domain": ["a.x.test"]}, {}, {}]
    found = useless(*routes)
    assert [(number, reason.split()[1]) for number, reason in found] == [(2, "1"), (4, "3")]


def test_a_thousand_routes_are_looked_at_through_an_index():
    routes = [Route(transport="r", to_domain=[f"{n}.x.test"]) for n in range(999)]
    domains = DomainsConfig(routes=[*routes, routes[500]])
    lint = RouteLint()
    (only,) = lint.of(domains)
    assert only.covered_by.position == 501
    assert lint.of(domains) is lint.of(domains)

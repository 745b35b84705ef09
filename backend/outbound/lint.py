"""Which routes can never match? They are no faults, but not what somebody meant. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.config.model import DomainsConfig
from backend.core.problems import Problem, Severity
from backend.outbound.backoff import MAX_ATTEMPTS
from backend.outbound.catalogue import Place, routes_of
from backend.outbound.route import Level, Rule


@dataclass(frozen=True, slots=True)
class Useless:
    """`covered_by`: the earlier route that takes all that this one would, if that is the reason."""

    place: Place
    reason: str
    covered_by: Place | None = None

    def problem(self) -> Problem:
        fix = "Remove it" if self.covered_by is None else "Move it up, or remove it"
        return Problem(
            code="route.never_matches",
            severity=Severity.WARNING,
            subject=str(self.place),
            message=f"{str(self.place).capitalize()} never matches: {self.reason}.",
            fix=f"{fix}.",
        )


def useless_routes(domains: DomainsConfig) -> list[Useless]:
    """In the order in which they are looked at; those that are switched off neither count nor cover."""
    own = set(domains.domains)
    found: list[Useless] = []
    earlier: list[tuple[Place, Rule]] = []
    for place, route in routes_of(domains):
        if route.disabled:
            continue
        before = [
            (other, rule)
            for other, rule in earlier
            if other.level is place.level and other.owner == place.owner
        ]
        reason = _reason(place, route, own)
        if reason:
            found.append(Useless(place, reason))
        else:
            cover = next((other for other, rule in before if _covers(rule, route)), None)
            if cover is not None:
                text = f"route {cover.position} before it takes all that it would take"
                found.append(Useless(place, text, cover))
        earlier.append((place, route))
    return found


def _reason(place: Place, route: Rule, own: set[str]) -> str:
    if route.minimum_attempts >= MAX_ATTEMPTS:
        return f"a message is tried {MAX_ATTEMPTS} times, so at most {MAX_ATTEMPTS - 1} attempts come before one"
    if route.to_domain and all(pattern in own for pattern in route.to_domain):
        return "mail to domains of this server is delivered here and takes no route"
    if place.level is Level.DOMAIN and not _takes(route.from_domain, place.owner):
        return f"only mail from {place.owner} gets there"
    return ""


def _takes(patterns: Sequence[str], domain: str) -> bool:
    return not patterns or _includes(set(patterns), domain)


def _covers(first: Rule, second: Rule) -> bool:
    """Whether all that the second takes is taken by the first."""
    return (
        first.minimum_attempts <= second.minimum_attempts
        and _all_within(second.from_domain, first.from_domain)
        and _all_within(second.to_domain, first.to_domain)
    )


def _all_within(inner: Sequence[str], outer: Sequence[str]) -> bool:
    if not outer:
        return True
    names = set(outer)
    return bool(inner) and all(_includes(names, pattern) for pattern in inner)


def _includes(names: set[str], pattern: str) -> bool:
    """Behaviour T9: `.a.example` is that domain and all below it, `.` only the empty one."""
    if pattern in names:
        return True
    name = pattern.removeprefix(".")
    while name:
        if f".{name}" in names:
            return True
        name = name.partition(".")[2]
    return False

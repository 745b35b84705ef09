"""Which routes can never match? They are no faults, but not what somebody meant. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backend.config.model import DomainsConfig
from backend.core.problems import Problem, Severity
from backend.outbound.backoff import MAX_ATTEMPTS
from backend.outbound.catalogue import Place, routes_of
from backend.outbound.route import Level, Rule

_ANY = ""  # no pattern, and none is written so


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


def useless_routes(domains: DomainsConfig, in_all: int = MAX_ATTEMPTS) -> list[Useless]:
    """In the order in which they are looked at; those that are switched off neither count nor cover.

    `in_all`: how often messages are tried.
    """
    own = set(domains.domains)
    found: list[Useless] = []
    lists: dict[tuple[Level, str], _Earlier] = {}
    for place, route in routes_of(domains):
        if route.disabled:
            continue
        before = lists.setdefault((place.level, place.owner), _Earlier())
        reason = _reason(place, route, own, in_all)
        if reason:
            found.append(Useless(place, reason))
        else:
            cover = before.cover(route)
            if cover is not None:
                text = f"route {cover.position} before it takes all that it would take"
                found.append(Useless(place, text, cover))
        before.add(place, route)
    return found


class _Earlier:
    """The routes of one list so far, found by what they ask for: with a thousand routes, comparing each pair takes
    a second.
    """

    def __init__(self) -> None:
        self._rules: list[tuple[Place, Rule]] = []
        self._by_sender: dict[str, list[int]] = {}
        self._by_recipient: dict[str, list[int]] = {}

    def add(self, place: Place, rule: Rule) -> None:
        number = len(self._rules)
        self._rules.append((place, rule))
        for index, patterns in (
            (self._by_sender, rule.from_domain),
            (self._by_recipient, rule.to_domain),
        ):
            for pattern in patterns or (_ANY,):
                index.setdefault(pattern, []).append(number)

    def cover(self, rule: Rule) -> Place | None:
        """The first that takes all that the rule would take."""
        senders = _candidates(self._by_sender, rule.from_domain)
        recipients = _candidates(self._by_recipient, rule.to_domain)
        for number in min(senders, recipients, key=len):
            place, other = self._rules[number]
            if _covers(other, rule):
                return place
        return None


def _candidates(index: Mapping[str, list[int]], patterns: Sequence[str]) -> list[int]:
    """Rules that may take the first of the patterns, in their order."""
    names = [_ANY, *_including(patterns[0])] if patterns else [_ANY]
    return sorted({number for name in names for number in index.get(name, ())})


class RouteLint:
    """Remembers the answer for the settings of the moment, which are asked about at every look at the state."""

    def __init__(self) -> None:
        self._seen: tuple[DomainsConfig, int] | None = None
        self._found: tuple[Useless, ...] = ()

    def of(self, domains: DomainsConfig, in_all: int = MAX_ATTEMPTS) -> tuple[Useless, ...]:
        seen = self._seen
        if seen is None or domains is not seen[0] or in_all != seen[1]:
            self._seen = (domains, in_all)
            self._found = tuple(useless_routes(domains, in_all))
        return self._found


def _reason(place: Place, route: Rule, own: set[str], in_all: int) -> str:
    if route.minimum_attempts >= in_all:
        times = "once" if in_all == 1 else f"{in_all} times"
        return f"a message is tried {times}, so at most {in_all - 1} attempts come before one"
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
    return any(name in names for name in _including(pattern))


def _including(pattern: str) -> Iterator[str]:
    """The patterns that take all that this one takes."""
    yield pattern
    name = pattern.removeprefix(".")
    while name:
        yield f".{name}"
        name = name.partition(".")[2]

"""Which transport takes a message to a recipient, and why? (behaviour T8, T9, T10) Pure.

The scheduler asks it anew for each attempt; the faces ask it for a message that waits and for the what-if tester, so
every answer carries the rules that were looked at with the first reason for which each did not match.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from backend.config.routing import Transport

DIRECT = ""
"""The name that stands for direct delivery, used when no route matches."""


class Rule(Protocol):
    """`backend.config.routing.Route` has this shape."""

    @property
    def from_domain(self) -> Sequence[str]: ...
    @property
    def to_domain(self) -> Sequence[str]: ...
    @property
    def minimum_attempts(self) -> int: ...
    @property
    def transport(self) -> str: ...
    @property
    def disabled(self) -> bool: ...


class Level(StrEnum):
    """Whose list a rule stands in, in the order in which they are looked at."""

    ACCOUNT = "account"
    DOMAIN = "domain"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The rules that concern one sender, and the transports by name."""

    account: Sequence[Rule] = ()
    domain: Sequence[Rule] = ()
    server: Sequence[Rule] = ()
    transports: Mapping[str, Transport]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Domains in A-label form; `sender_domain` empty for the null sender, either empty for an address literal.

    `attempts` were already made. `override` is the transport that a person chose for this message; None for none,
    `DIRECT` for direct delivery.
    """

    sender_domain: str
    recipient_domain: str
    attempts: int = 0
    override: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule that was looked at. `reason`: why it did not match, or by what it did."""

    level: Level
    position: int
    transport: str
    matched: bool
    reason: str

    def __str__(self) -> str:
        verdict = "matches" if self.matched else "does not match"
        return (
            f"Route {self.position} of the {self.level} ({self.transport}) {verdict}: {self.reason}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`transport` is a name in the configuration, or `DIRECT`. `known` is false when that name is gone since."""

    transport: str
    known: bool
    reason: str
    steps: tuple[Step, ...] = ()


def route(question: Question, routing: Routing) -> Choice:
    """First match wins: the sender's account, then the envelope sender's domain, then the server; in list order."""
    if question.override is not None:
        # Behaviour T10: what a person chose wins over all routes.
        name = question.override
        return Choice(
            transport=name,
            known=name == DIRECT or name in routing.transports,
            reason=f"{_label(name)} was chosen for this message by hand",
        )
    steps: list[Step] = []
    for level, rules in (
        (Level.ACCOUNT, routing.account),
        (Level.DOMAIN, routing.domain),
        (Level.SERVER, routing.server),
    ):
        for position, rule in enumerate(rules, 1):
            mismatch = _mismatch(rule, question)
            step = Step(
                level=level,
                position=position,
                transport=rule.transport,
                matched=mismatch is None,
                reason=_match(rule) if mismatch is None else mismatch,
            )
            steps.append(step)
            if mismatch is None:
                return Choice(
                    transport=rule.transport,
                    known=rule.transport in routing.transports,
                    reason=str(step),
                    steps=tuple(steps),
                )
    reason = "No route matches" if steps else "There are no routes"
    return Choice(
        transport=DIRECT,
        known=True,
        reason=f"{reason}: direct delivery to the recipient's domain",
        steps=tuple(steps),
    )


def _mismatch(rule: Rule, question: Question) -> str | None:
    if rule.disabled:
        return "it is switched off"
    if not takes(rule.from_domain, question.sender_domain):
        return f"the sender's domain is {_shown(question.sender_domain)}, not {_listed(rule.from_domain)}"
    if not takes(rule.to_domain, question.recipient_domain):
        return f"the recipient's domain is {_shown(question.recipient_domain)}, not {_listed(rule.to_domain)}"
    if question.attempts < rule.minimum_attempts:
        return f"{question.attempts} attempts were made so far, it asks for {rule.minimum_attempts}"
    return None


def _match(rule: Rule) -> str:
    criteria = []
    if rule.from_domain:
        criteria.append(f"sender in {_listed(rule.from_domain)}")
    if rule.to_domain:
        criteria.append(f"recipient in {_listed(rule.to_domain)}")
    if rule.minimum_attempts:
        criteria.append(f"at least {rule.minimum_attempts} attempts made")
    return ", ".join(criteria) or "it takes all mail"


def takes(patterns: Sequence[str], domain: str) -> bool:
    """Behaviour T9: no pattern takes any domain, `.a.example` takes that and all below it, `.` only the empty one."""
    if not patterns:
        return True
    for pattern in patterns:
        if pattern == ".":
            if not domain:
                return True
        elif pattern.startswith("."):
            if domain == pattern[1:] or domain.endswith(pattern):
                return True
        elif domain == pattern:
            return True
    return False


def _shown(domain: str) -> str:
    return domain or "empty"


def _listed(patterns: Sequence[str]) -> str:
    shown = [pattern if pattern != "." else "the empty domain" for pattern in patterns[:3]]
    if len(patterns) > 3:
        shown.append(f"{len(patterns) - 3} more")
    return " or ".join(shown)


def _label(name: str) -> str:
    return f"The transport “{name}”" if name else "Direct delivery"

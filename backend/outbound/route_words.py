"""Routes as sentences: what does this rule do, and which one decided? Pure."""

from collections.abc import Sequence

from backend.outbound.route import DIRECT, Choice, Rule

MARK = "**"
"""Around what differs from rule to rule; it can stand in no domain and no name of a transport."""
MOST_DOMAINS = 4  # by name in one sentence


def sentence(rule: Rule) -> str:
    """When mail from **any domain** goes to **.example.net**, send it through **relay**."""
    tried = ""
    if rule.minimum_attempts:
        attempts = "attempt has" if rule.minimum_attempts == 1 else "attempts have"
        tried = f" and {_strong(str(rule.minimum_attempts))} {attempts} failed"
    return (
        f"When mail from {_domains(rule.from_domain)} goes to {_domains(rule.to_domain)}{tried},"
        f" send it through {_strong(rule.transport)}."
    )


def headline(choice: Choice, *, recipient_domain: str, is_local: bool, is_forced: bool) -> str:
    """Where a message goes, and why, in one sentence."""
    if is_local:
        return f"Stays on this server: {recipient_domain} is one of its domains."
    way = "Goes out directly" if choice.transport == DIRECT else f"Goes through {choice.transport}"
    if is_forced:
        return f"{way}, because somebody chose that for this message."
    last = choice.steps[-1] if choice.steps else None
    if last is None or not last.matched:
        return f"{way}: no route matches." if choice.steps else f"{way}: there are no routes."
    missing = "" if choice.known else " But there is no transport of that name."
    return f"{way} because of {last.level} rule {last.position}.{missing}"


def _domains(patterns: Sequence[str]) -> str:
    if not patterns:
        return _strong("any domain")
    shown = [_strong("no domain" if each == "." else each) for each in patterns[:MOST_DOMAINS]]
    more = len(patterns) - MOST_DOMAINS
    if more > 0:
        shown.append(_strong(f"{more} more"))
    return " or ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def _strong(text: str) -> str:
    return f"{MARK}{text}{MARK}"

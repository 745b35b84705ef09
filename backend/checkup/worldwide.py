"""Do others see already what the name servers of the domain say? Asked of public resolvers that the settings name; of none by default."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from backend.checkup.checks import Check
from backend.checkup.entries import ENTERED
from backend.dns.answers import Answer, Found, LookupFailed

TIME_LIMIT_S = 6.0  # for all of it


class PublicResolver(Protocol):
    """`backend.dns.resolver.DnsResolver` is one."""

    async def records(self, name: str, kind: str) -> Answer[str]: ...


async def look_around(
    checks: Sequence[Check],
    resolvers: Mapping[str, PublicResolver],
    *,
    time_limit_s: float = TIME_LIMIT_S,
) -> list[Check]:
    """For what is right, a sentence about who sees it. Who does not answer counts neither way."""
    looked_at = {(c.name, c.type): set(c.found) for c in checks if _matters(c)}
    seen: dict[tuple[str, str], dict[str, bool]] = {question: {} for question in looked_at}

    async def ask(server: str, resolver: PublicResolver, name: str, kind: str) -> None:
        answer = await resolver.records(name, kind)
        if not isinstance(answer, LookupFailed):
            published = set(answer.records) if isinstance(answer, Found) else set()
            seen[name, kind][server] = looked_at[name, kind] <= published

    try:
        async with asyncio.timeout(time_limit_s), asyncio.TaskGroup() as group:
            for server, resolver in resolvers.items():
                for name, kind in looked_at:
                    group.create_task(ask(server, resolver, name, kind), name="dns worldwide")
    except TimeoutError:
        pass  # what came until now is told
    return [
        replace(check, worldwide=_sentence(seen[check.name, check.type]))
        if _matters(check)
        else check
        for check in checks
    ]


def _matters(check: Check) -> bool:
    return check.state == "ok" and check.direct and check.type in ENTERED and bool(check.found)


def _sentence(seen: Mapping[str, bool]) -> str:
    if not seen:
        return ""
    if all(seen.values()):
        return f"Public resolvers see it too ({_list(seen)})."
    unseen = [server for server, is_seen in seen.items() if not is_seen]
    return (
        f"Not everybody sees it yet: {_list(unseen)} still {'has' if len(unseen) == 1 else 'have'} "
        "what was there before. That can take as long as the old record was valid, often an hour."
    )


def _list(servers: Iterable[str]) -> str:
    return ", ".join(servers)

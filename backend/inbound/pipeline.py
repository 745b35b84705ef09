"""Gathers the facts about one message, all checks side by side. Replies nothing and decides nothing.

A check that crashes or takes too long yields `temperror` under its name: never a pass, never a missing fact.
"""

import asyncio
from collections.abc import Sequence

from backend.inbound.checks import Check, Fact, Incoming, Verdict
from backend.observe import log as logs
from backend.runtime import tasks

log = logs.get(__name__)

CHECK_TIMEOUT_S = 20.0


async def gather_facts(
    checks: Sequence[Check], incoming: Incoming, *, timeout_s: float = CHECK_TIMEOUT_S
) -> tuple[Fact, ...]:
    """One fact for each check that applies, in the order of `checks`."""
    running = [check for check in checks if check.applies(incoming)]
    if not running:
        return ()
    async with asyncio.TaskGroup() as group:
        facts = [
            tasks.start(group, _run(check, incoming, timeout_s), f"check {check.name}")
            for check in running
        ]
    return tuple(fact.result() for fact in facts)


async def _run(check: Check, incoming: Incoming, timeout_s: float) -> Fact:
    try:
        async with asyncio.timeout(timeout_s):
            return await check.run(incoming)
    except TimeoutError:
        log.info("check took too long", check=check.name)
        return Fact(check.name, Verdict.TEMPERROR, "It took too long")
    except Exception as error:  # a check's border: whatever it stumbles over is no verdict
        log.error("check failed", check=check.name, error=error)
        return Fact(check.name, Verdict.TEMPERROR, "The check itself failed")

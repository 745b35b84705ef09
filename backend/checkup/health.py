"""Is the server itself well? Each check alone: one that fails, or hangs, leaves the others as they are.

What is looked at comes from `Probes`; what it means is judged in `health_rules`, without asking.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from backend.checkup import health_rules as rules
from backend.checkup.checks import Check, Fix, keys
from backend.checkup.groups import worst
from backend.checkup.kept import Kept
from backend.checkup.probes import Door, Probes
from backend.config.model import Config
from backend.core.clock import Clock
from backend.observe import log as logs

log = logs.get(__name__)

TIME_LIMIT_S = 10.0  # for each check
MAX_DOMAIN_ROWS = 20


@dataclass(frozen=True, slots=True)
class _Plan:
    """A check that can be made; `blank` is how it looks before."""

    blank: Check
    run: Callable[[Check], Awaitable[Check]]


class Health:
    """Holds nothing between two checks."""

    def __init__(
        self,
        probes: Probes,
        *,
        config: Callable[[], Config],
        clock: Clock,
        time_limit_s: float = TIME_LIMIT_S,
    ) -> None:
        self._probes = probes
        self._config = config
        self._clock = clock
        self._time_limit_s = time_limit_s

    async def run(self, only: str = "", before: Sequence[Check] = ()) -> list[Check]:
        """`only`: the key of the one to run; what `before` says of the others is taken over."""
        plans = self._plans()
        known = dict(zip(keys(before), before, strict=True))
        names = keys([plan.blank for plan in plans])

        async def one(name: str, plan: _Plan) -> Check:
            if only and name != only and name in known:
                return known[name]
            return await self._safely(plan)

        return list(await asyncio.gather(*(one(n, p) for n, p in zip(names, plans, strict=True))))

    async def _safely(self, plan: _Plan) -> Check:
        try:
            async with asyncio.timeout(self._time_limit_s):
                return await plan.run(plan.blank)
        except TimeoutError:
            summary = f"Could not tell: no result within {self._time_limit_s:g} seconds."
        except Exception as error:  # the border of a check: whatever it is, the others stand
            log.warning("health check failed", check=plan.blank.code, error=repr(error))
            summary = "Could not tell: a fault in this program, see the log."
        return replace(plan.blank, result="unknown", summary=summary)

    def _plans(self) -> list[_Plan]:
        probes, config = self._probes, self._config()
        practice = config.server.practice_mode

        async def disk(check: Check) -> Check:
            return rules.judge_disk(check, await probes.disk())

        async def folder(check: Check) -> Check:
            return rules.judge_folder(check, await probes.folder())

        async def clock(check: Check) -> Check:
            return rules.judge_clock(check, await probes.clock())

        async def settings(check: Check) -> Check:
            return rules.judge_settings(check, probes.settings())

        async def errors(check: Check) -> Check:
            return rules.judge_errors(check, probes.errors())

        async def certificate(check: Check) -> Check:
            return rules.judge_age(check, await probes.certificate(), self._clock.now())

        async def names(check: Check) -> Check:
            return rules.judge_names(check, await probes.certificate(), config)

        async def queue(check: Check) -> Check:
            return rules.judge_queue(check, await probes.queue(), self._clock.time())

        async def outgoing(check: Check) -> Check:
            return rules.judge_outgoing(check, probes.sent_today(), practice=practice)

        async def intake(check: Check) -> Check:
            return rules.judge_intake(check, list(probes.ports()), practice=practice)

        plans = [
            _Plan(rules.DISK, disk),
            _Plan(rules.FOLDER, folder),
            _Plan(rules.CLOCK, clock),
            _Plan(rules.SETTINGS, settings),
            _Plan(rules.ERRORS, errors),
            _Plan(rules.INTAKE, intake),
        ]
        for port in probes.ports():

            async def answers(check: Check, port: Door = port) -> Check:
                return rules.judge_port(check, port, await probes.knock(port))

            plans.append(_Plan(rules.port_check(port), answers))
        return [
            *plans,
            _Plan(rules.CERTIFICATE_AGE, certificate),
            _Plan(rules.CERTIFICATE_NAMES, names),
            _Plan(rules.QUEUE, queue),
            _Plan(rules.OUTGOING, outgoing),
        ]

    def domains(self, kept: Mapping[str, Kept | None]) -> list[Check]:
        """What the last check of each domain has found: a line for each that needs somebody, one for all others."""
        rows: list[Check] = []
        well = 0
        for name, found in kept.items():
            state = worst(check.state for check in found.open_checks) if found else "unknown"
            if state in {"ok", "optional"}:
                well += 1
            elif len(rows) < MAX_DOMAIN_ROWS:
                rows.append(rules.judge_domain(name, state, found.report.headline if found else ""))
        hidden = len(kept) - well - len(rows)
        if well:
            rows.append(rules.domains_that_are_well(well))
        if hidden:
            rows.append(
                replace(
                    rules.domains_that_are_well(hidden),
                    code="domains_more",
                    result="warn",
                    title="More domains",
                    summary=f"{hidden} more domains need a look.",
                    fix=Fix("Look at the list of domains.", path="/domains"),
                )
            )
        return rows

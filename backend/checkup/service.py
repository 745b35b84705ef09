"""The checks as the faces use them: run now, looked up, acknowledged; and run by themselves now and then.

A fault becomes a problem that everybody sees only once it is confirmed (`steady`); checks that two people ask for at the same
time are one.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from backend.checkup.checks import Check
from backend.checkup.dns import DnsCheckup, Report
from backend.checkup.health import Health
from backend.checkup.kept import SERVER, Kept, KeptResults
from backend.config.model import Config
from backend.core.clock import Clock
from backend.core.problems import Problem, Severity
from backend.observe import log as logs
from backend.runtime import tasks

log = logs.get(__name__)

LOOK_EVERY_S = 60.0
AGAIN_S = 6 * 3600.0  # a domain whose records are as they were
AGAIN_WAVERING_S = 15 * 60.0  # something was seen that is not confirmed yet
SERVER_AGAIN_S = 15 * 60.0
DOMAIN_PROBLEM = "dns.domain"
SERVER_PROBLEM = "health.check"


class Checkups:
    """`open` before anything else. `run` is the background job."""

    def __init__(
        self,
        dns: DnsCheckup,
        health: Health,
        *,
        folder: Path,
        config: Callable[[], Config],
        clock: Clock,
        on_problem: Callable[[Problem], None],
        on_clear: Callable[[str, str], None],
    ) -> None:
        self.dns = dns
        self._health = health
        self._config = config
        self._clock = clock
        self._on_problem = on_problem
        self._on_clear = on_clear
        self._kept = KeptResults(folder, clock)
        self._running: dict[str, asyncio.Task[Kept]] = {}
        self._told: set[tuple[str, str]] = set()

    async def open(self) -> None:
        await self._kept.load()
        for subject in self._kept.subjects():
            self._tell(subject)

    async def close(self) -> None:
        """What still runs is given up."""
        await tasks.stop(*self._running.values())

    # ---- a domain

    def last(self, domain: str) -> Kept | None:
        """Of a domain as the settings write it."""
        return self._kept.get(domain)

    async def check_domain(self, name: str) -> Kept:
        """Raises:
        NotFoundError: that is none of our domains.
        """
        domain = self.dns.domain(name)

        async def check() -> Kept:
            report = await self.dns.check(domain)
            if report.practice_mode:
                return Kept(report)  # nobody was asked: nothing to keep
            kept = await self._kept.put(domain, report)
            self._tell(domain)
            return kept

        return await self._once(domain, check)

    # ---- the server

    def last_of_server(self) -> Kept | None:
        return self._kept.get(SERVER)

    async def check_server(self, only: str = "") -> Kept:
        """All checks, or the one of that key; the others stay as they were."""

        async def check() -> Kept:
            before = self._kept.get(SERVER)
            checks = await self._health.run(only, before.report.checks if before else ())
            checks += self._domains()
            report = Report(
                domain=SERVER,
                practice_mode=self._config().server.practice_mode,
                checked_at=self._clock.time(),
                headline=server_headline(checks),
                checks=tuple(checks),
                notes=(),
            )
            kept = await self._kept.put(SERVER, report)
            self._tell(SERVER)
            return kept

        return await self._once(SERVER, check)

    def _domains(self) -> list[Check]:
        config = self._config()
        if config.server.practice_mode:
            return []
        return self._health.domains(
            {name: self._kept.get(name) for name in sorted(config.domains.domains)}
        )

    async def _once(self, subject: str, check: Callable[[], Coroutine[Any, Any, Kept]]) -> Kept:
        task = self._running.get(subject)
        if task is None:
            task = tasks.spawn(check(), f"check {subject or 'server'}")
            self._running[subject] = task
            task.add_done_callback(lambda _: self._running.pop(subject, None))
        return await asyncio.shield(task)

    # ---- what people say to it

    async def acknowledge(self, subject: str, key: str, note: str, by: str) -> None:
        """Raises:
        NotFoundError: no such line.
        """
        await self._kept.acknowledge(subject, key, note, by)
        self._tell(subject)

    async def revoke(self, subject: str, key: str) -> None:
        """Raises:
        NotFoundError: no such line.
        """
        await self._kept.revoke(subject, key)
        self._tell(subject)

    # ---- by itself

    async def run(self) -> None:
        """Looks again now and then, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """One round: what is gone is forgotten, what is due is checked, those first that wait longest."""
        config = self._config()
        now = self._clock.time()
        for subject in self._kept.subjects():
            if subject != SERVER and subject not in config.domains.domains:
                await self._kept.forget(subject)
                self._tell(subject)
        if not config.server.practice_mode:
            names = config.domains.domains
            due = sorted((name for name in names if self._is_due(name, now)), key=self._checked_at)
            # So many that all of them get their turn in time.
            for name in due[: 1 + int(len(names) * LOOK_EVERY_S / AGAIN_S)]:
                await self.check_domain(name)
        last = self._kept.get(SERVER)
        if last is None or now - last.report.checked_at >= SERVER_AGAIN_S:
            await self.check_server()

    def _checked_at(self, domain: str) -> float:
        kept = self._kept.get(domain)
        return kept.report.checked_at if kept is not None else 0.0

    def _is_due(self, domain: str, now: float) -> bool:
        kept = self._kept.get(domain)
        if kept is None:
            return True
        again_s = AGAIN_WAVERING_S if kept.is_wavering else AGAIN_S
        return now - kept.report.checked_at >= again_s

    def _tell(self, subject: str) -> None:
        """Raises the problem of what is confirmed, and takes back the one that is over."""
        code = DOMAIN_PROBLEM if subject else SERVER_PROBLEM
        kept = self._kept.get(subject)
        faults = kept.confirmed_faults if kept is not None else []
        if faults:
            self._told.add((code, subject))
            self._on_problem(_problem(code, subject, faults))
        elif (code, subject) in self._told:
            self._told.remove((code, subject))
            self._on_clear(code, subject)


def _problem(code: str, subject: str, faults: list[Check]) -> Problem:
    titles = ", ".join(f"“{check.title}”" for check in faults[:3])
    more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    if subject:
        message = f"The DNS of {subject} is not as it should be: {titles}{more}."
        fix = "Open the page “DNS records” of the domain; it says what to change."
    else:
        message = f"A check of this server fails: {titles}{more}."
        fix = "Open the page “Checks”; it says what to do."
    return Problem(code=code, subject=subject, message=message, fix=fix, severity=Severity.WARNING)


def server_headline(checks: list[Check]) -> str:
    """One sentence for all of them."""
    failing = [check.title for check in checks if check.state == "fail"]
    if failing:
        rest = f" and {len(failing) - 2} more" if len(failing) > 2 else ""
        return f"To be mended: {', '.join(f'“{title}”' for title in failing[:2])}{rest}."
    warned = [check for check in checks if check.state == "warn"]
    if warned:
        return f"Everything works. {len(warned)} thing{'s' if len(warned) > 1 else ''} to look at."
    if any(check.state == "unknown" for check in checks):
        return "No fault was found, but not everything could be told."
    return "Everything is as it should be."

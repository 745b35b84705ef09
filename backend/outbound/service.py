"""Outgoing mail as one service: what `server.py` builds, opens, runs and closes."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from backend.accounts.directory import Directory
from backend.config.model import Config
from backend.config.routing import Transport as TransportSettings
from backend.core.clock import Clock, SystemClock
from backend.core.errors import UserError
from backend.core.events import QueueChanged, TimelineEntry
from backend.core.ids import AccountId
from backend.core.problems import Problem
from backend.dns.resolver import Resolver
from backend.observe import log as logs
from backend.outbound import suppressions
from backend.outbound.advice import Report
from backend.outbound.attempts import Attempts
from backend.outbound.bounces import IncomingBounces
from backend.outbound.choices import Choices
from backend.outbound.dial import Endpoints
from backend.outbound.history import purge
from backend.outbound.holds import find_hold
from backend.outbound.probe import probe
from backend.outbound.queue import Queue
from backend.outbound.reports import Reporter
from backend.outbound.schedule import DRAIN_S, Scheduler
from backend.outbound.session import DEFAULT_LIMITS, Limits
from backend.outbound.sts import StsPolicies
from backend.outbound.sts_cache import StsCache
from backend.outbound.sts_fetch import HTTPS_PORT, PolicyFetcher
from backend.outbound.submit import Deliver, Sign, Submitter
from backend.outbound.tally import Tally
from backend.outbound.tls_reports import TlsReports
from backend.outbound.tls_survey import TlsSurvey, survey
from backend.outbound.transports import Transports
from backend.runtime import tasks

log = logs.get(__name__)

DRAFT = "draft"  # what a transport is called that is tried before it is saved
TIDY_EVERY_S = 1800.0


class Outbound:
    """`queue` and `submitter` are for the admin API and for submission. `config` gives the configuration of the moment.

    `password` gives the stored password of a transport. `own_endpoints` says where this server itself listens for SMTP, so that it never delivers to itself in a loop.
    """

    def __init__(
        self,
        folder: Path,
        *,
        config: Callable[[], Config],
        directory: Directory,
        deliver: Deliver,
        resolver: Resolver,
        sign: Sign | None = None,
        password: Callable[[str], str | None] = lambda _: None,
        own_endpoints: Callable[[], Endpoints] = tuple,
        record: Callable[[TimelineEntry], None] = lambda _: None,
        publish: Callable[[QueueChanged], None] = lambda _: None,
        on_problem: Callable[[Problem], None] = lambda _: None,
        on_clear: Callable[[str, str], None] = lambda _code, _subject: None,
        clock: Clock | None = None,
        limits: Limits = DEFAULT_LIMITS,
        sts_port: int = HTTPS_PORT,
    ) -> None:
        """`sts_port`: at which other domains' web servers are asked for their MTA-STS policies; another in tests only."""
        server = config().server
        self._config = config
        self._resolver = resolver

        def record_and_follow(entry: TimelineEntry) -> None:
            record(entry)
            self.tls_reports.follow(entry)

        self._clock: Clock = clock if clock is not None else SystemClock()
        self.queue = Queue(
            folder,
            clock=self._clock,
            practice_mode=server.practice_mode,
            publish=publish,
            record=record_and_follow,
            history_days=lambda: config().server.outbound.history_days,
            suppression_days=lambda: config().server.outbound.suppression_days,
        )
        self.queue.rule_for = self._rule_for
        self.tls_reports = TlsReports(
            self.queue,
            config=config,
            directory=directory,
            resolver=resolver,
            sign=sign,
            context=self._verifying_context,
            clock=self._clock,
            tell=record,
            on_problem=on_problem,
            on_clear=on_clear,
        )
        self.bounces = IncomingBounces(self.queue, record)
        self.submitter = Submitter(
            self.queue,
            config=config,
            directory=directory,
            deliver=deliver,
            sign=sign,
            clock=self._clock,
            record=record,
        )
        self.sts = StsPolicies(
            resolver,
            PolicyFetcher(
                resolver,
                context=self._verifying_context,
                allow_private=server.outbound.allow_loopback,
                port=sts_port,
            ),
            StsCache(folder, self._clock),
            self._clock,
        )
        self.transports = Transports(
            resolver,
            config=config,
            password=password,
            own_endpoints=own_endpoints,
            clock=self._clock,
            limits=limits,
            find_sts=self.sts.find,
            record_tls=self.tls_reports.record,
        )
        self.tally = Tally(folder, self._clock)
        self.choices = Choices(config, self.tally)
        self.attempts = Attempts(
            self.queue,
            choices=self.choices,
            transports=self.transports,
            tally=self.tally,
            record=record_and_follow,
            clock=self._clock,
        )
        self._reporter = Reporter(
            self.queue,
            hostname=server.hostname,
            directory=directory,
            deliver=deliver,
            clock=self._clock,
            record=record,
            publish=publish,
        )
        self._scheduler = Scheduler(
            self.queue,
            self.attempts.attempt,
            concurrency=server.outbound.concurrency,
            per_domain=server.outbound.concurrency_per_domain,
            same_way=self.choices.relay_for,
            clock=self._clock,
        )
        self.queue.on_work = self.wake

    async def open(self) -> None:
        """Before anything is submitted."""
        await self.queue.open()
        await self.tls_reports.open()
        await self.tally.open()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            tasks.start(group, tasks.supervise(self._reporter.run, "reports"), "reports")
            tasks.start(
                group, tasks.supervise(self.tally.run, "counts of routes"), "counts of routes"
            )
            tasks.start(group, tasks.supervise(self._tidy_for_ever, "history"), "history")
            if not self.queue.practice_mode:
                tasks.start(group, tasks.supervise(self.sts.run, "mta-sts"), "mta-sts")
                tasks.start(
                    group, tasks.supervise(self._scheduler.run, "outbound queue"), "outbound queue"
                )
                for job, name in (
                    (self.tls_reports.run, "TLS reports"),
                    (self.tls_reports.ledger.run, "outcomes of TLS"),
                ):
                    tasks.start(group, tasks.supervise(job, name), name)

    async def close(self, drain_s: float = DRAIN_S) -> None:
        """After `run` was cancelled and nothing is submitted any more."""
        await self._scheduler.drain(drain_s)
        await self.transports.close()
        await self.sts.close()
        await self.tls_reports.close()
        await self.tally.save()
        await self.queue.close()

    def wake(self) -> None:
        """Something may be due (or a test has moved the clock)."""
        self._scheduler.wake()
        self._reporter.wake()
        self.tls_reports.wake()

    async def _verifying_context(self) -> ssl.SSLContext:
        return await self.transports.verifying_context()

    async def tidy(self) -> None:
        """Forgets what has been kept for long enough."""
        now = self._clock.time()
        await self.queue.database.write(lambda tx: suppressions.purge(tx, now))
        days = self._config().server.outbound.history_days
        removed = await purge(self.queue.database, days, self._clock.time())
        if removed:
            log.info("old history removed", rows=removed)

    def _rule_for(
        self, account: AccountId, sender_domain: str, recipient_domain: str
    ) -> tuple[str, str] | None:
        rules = self._config().domains.hold_rules
        held = find_hold(rules, account, sender_domain, recipient_domain)
        return None if held is None else (held.rule, held.note)

    async def forget_account(self, account: AccountId) -> None:
        """What it sent stays in the history for its days."""
        await self.queue.database.write(lambda tx: suppressions.forget_account(tx, account))

    async def _tidy_for_ever(self) -> None:
        while True:
            await self.tidy()
            await asyncio.sleep(TIDY_EVERY_S)

    async def test_transport(self, name: str, *, sender: str, domain: str) -> Report:
        """Raises:
        UserError: sender or domain can't be used, or practice mode forbids it.
        """
        domains, server = self._config().domains, self._config().server
        if server.practice_mode and not _stays_here(domains.transports[name]):
            raise _practice(name)
        report = await probe(name, domains, self.transports, sender=sender, domain=domain)
        self.tally.note(name, ok=report.ok, text=report.message, tested=True)
        return report

    async def try_transport(
        self, settings: TransportSettings, password: str | None, *, sender: str, domain: str
    ) -> Report:
        """As `test_transport`, with one that is not saved yet.

        Raises:
            UserError: sender or domain can't be used, or practice mode forbids it.
        """
        config, name = self._config(), DRAFT
        if config.server.practice_mode and not _stays_here(settings):
            raise _practice(name)
        drafts = {**config.domains.transports, name: settings}
        domains = config.domains.model_copy(update={"transports": drafts})
        transports = self.transports.with_draft(replace(config, domains=domains), password)
        try:
            return await probe(name, domains, transports, sender=sender, domain=domain)
        finally:
            await transports.close()

    async def survey_tls(self, domain: str) -> TlsSurvey:
        """What would hold for TLS on the way to a domain now.

        Raises:
            UserError: it is no domain, or practice mode forbids to ask.
        """
        if self._config().server.practice_mode:
            raise UserError(
                Problem(
                    code="tls.practice",
                    subject=domain,
                    message="In practice mode nothing leaves this computer, so other domains can't be asked.",
                    fix="Ask the real server: the one whose practice_mode in server.toml is false.",
                )
            )
        return await survey(domain, self._resolver, self.transports.findings)


def _practice(name: str) -> UserError:
    return UserError(
        Problem(
            code="transport.test_practice",
            subject=name,
            message="In practice mode nothing leaves this computer, so this transport can't be tried.",
            fix="Try it on the real server: the one whose practice_mode in server.toml is false.",
        )
    )


def _stays_here(transport: TransportSettings) -> bool:
    """Whether trying it connects to this computer at most."""
    relay = transport.submissions or transport.submission or transport.smtp
    if relay is not None:
        return relay.host == "localhost" or relay.host.startswith("127.")
    return transport.fail is not None

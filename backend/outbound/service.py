"""Outgoing mail as one service: what `server.py` builds, opens, runs and closes."""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from backend.accounts.directory import Directory
from backend.config.model import Config
from backend.config.routing import Transport as TransportSettings
from backend.core.address import Address
from backend.core.clock import Clock, SystemClock
from backend.core.errors import UserError
from backend.core.events import QueueChanged, TimelineEntry
from backend.core.ids import AccountId
from backend.core.problems import Problem
from backend.core.status import UNKNOWN_FAULT, SmtpStatus
from backend.dns.resolver import Resolver
from backend.observe import log as logs
from backend.outbound import suppressions
from backend.outbound.advice import Report
from backend.outbound.bounces import IncomingBounces
from backend.outbound.dial import Endpoints
from backend.outbound.entries import UNCONFIRMED, Batch, Fate, Item, Verdict
from backend.outbound.failure import judge
from backend.outbound.history import purge
from backend.outbound.holds import find_hold
from backend.outbound.lint import RouteLint, Useless
from backend.outbound.probe import probe
from backend.outbound.queue import Queue
from backend.outbound.relay import relay_of
from backend.outbound.reports import Reporter
from backend.outbound.route import Choice, Level, Question, Routing, Rule, route
from backend.outbound.schedule import DRAIN_S, Behind, Scheduler
from backend.outbound.session import DEFAULT_LIMITS, Limits
from backend.outbound.sts import StsPolicies
from backend.outbound.sts_cache import StsCache
from backend.outbound.sts_fetch import HTTPS_PORT, PolicyFetcher
from backend.outbound.submit import Deliver, Sign, Submitter
from backend.outbound.tally import Tally
from backend.outbound.tls_reports import TlsReports
from backend.outbound.tls_survey import TlsSurvey, survey
from backend.outbound.transport import Delivery, Result, Try
from backend.outbound.transports import Transports
from backend.runtime import tasks

log = logs.get(__name__)

DRAFT = "draft"  # what a transport is called that is tried before it is saved
WRITE_RETRY_S = 5.0
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

        self._record = record_and_follow
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
        self._lint = RouteLint()
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
            self.attempt,
            concurrency=server.outbound.concurrency,
            per_domain=server.outbound.concurrency_per_domain,
            same_way=self._relay_for,
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

    def explain(self, item: Item) -> Choice:
        """Which way the next attempt for an item takes, and why."""
        sender_domain = item.sender.rpartition("@")[2]
        return self._route(
            item.account,
            "" if sender_domain.startswith("[") else sender_domain,
            _domain(item.recipient),
            item.attempts,
            item.override,
        )

    def evaluate(
        self,
        *,
        account: str,
        sender_domain: str,
        recipient_domain: str,
        attempts: int,
        drafts: Mapping[Level, Sequence[Rule]],
        override: str | None = None,
    ) -> Choice:
        """Which way such a message would take. `drafts` are lists to look at instead of those in the settings."""
        question = Question(
            sender_domain=sender_domain,
            recipient_domain=recipient_domain,
            attempts=attempts,
            override=override,
        )
        routing = self._routing(AccountId(account), sender_domain)
        return route(
            question,
            replace(
                routing,
                account=drafts.get(Level.ACCOUNT, routing.account),
                domain=drafts.get(Level.DOMAIN, routing.domain),
                server=drafts.get(Level.SERVER, routing.server),
            ),
        )

    def useless_routes(self) -> Sequence[Useless]:
        """Routes that can never match."""
        config = self._config()
        return self._lint.of(config.domains, config.server.outbound.max_attempts)

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

    async def attempt(self, batch: Batch, behind: Behind | None = None) -> bool:
        """One attempt for one batch, written down. False: something was put off."""
        went_well = True
        for part in self._parts(batch):
            went_well &= await self._attempt_part(part, behind)
        return went_well

    def _parts(self, batch: Batch) -> Sequence[Batch]:
        """Recipients in several domains go together only by a relay; the settings may have changed since the claim."""
        if len(batch.domains) == 1:
            return [batch]
        outgoing = batch.outgoing
        sender = "" if outgoing.sender is None else outgoing.sender.domain.ascii
        relays = {
            self._relay_for(
                batch.account, sender, _domain(f"@{domain}"), batch.attempts - 1, batch.override
            )
            for domain in batch.domains
        }
        return [batch] if len(relays) == 1 and "" not in relays else batch.by_domain()

    def _relay_for(
        self,
        account: AccountId,
        sender_domain: str,
        recipient_domain: str,
        attempts: int,
        override: str | None,
    ) -> str:
        """The relay that takes such mail; empty when it goes another way. Also for other threads."""
        choice = self._route(account, sender_domain, recipient_domain, attempts, override)
        settings = self._config().domains.transports.get(choice.transport)
        return choice.transport if settings is not None and relay_of(settings) else ""

    async def _attempt_part(self, batch: Batch, behind: Behind | None) -> bool:
        started_at = self._clock.time()
        outgoing = batch.outgoing
        sender = "" if outgoing.sender is None else outgoing.sender.domain.ascii
        choices = [
            self._route(
                batch.account, sender, _domain(f"@{domain}"), batch.attempts - 1, batch.override
            )
            for domain in batch.domains
        ]
        for choice in choices:
            self._count(batch, choice)
        choice = choices[0]
        self._note(
            batch,
            "attempt",
            f"Attempt {batch.attempts} of {max(batch.attempts, batch.max_attempts)} to deliver to {_listed(outgoing.recipients)}. {choice.reason}",
        )
        delivery = await self._deliver(batch, choice)
        if not delivery.tries:
            # Nobody was connected to, which the log of attempts should say as well.
            delivery = replace(
                delivery, tries=(Try(host="", answer=delivery.results[0].status.text),)
            )
        fates = judge(
            batch.ids, delivery.results, batch.attempts, outgoing.wishes, batch.max_attempts
        )
        self._note_result(choice, fates)
        if behind is None:
            await self._write_down(batch, delivery, fates, started_at, choice)
        else:
            await behind.add(
                self._write_down(batch, delivery, fates, started_at, choice, together=True)
            )
        return not any(fate.verdict is Verdict.RETRY for fate in fates)

    async def _write_down(
        self,
        batch: Batch,
        delivery: Delivery,
        fates: Sequence[Fate],
        started_at: float,
        choice: Choice,
        *,
        together: bool = False,
    ) -> None:
        while True:
            try:
                await self.queue.settle(
                    batch,
                    fates,
                    delivery.tries,
                    started_at=started_at,
                    choice=choice,
                    together=together,
                )
                break
            except Exception as error:
                # A full disk, mostly. Forgetting what was delivered would deliver it twice: better wait.
                log.error("outcome of a delivery can't be written", cause=repr(error))
                await asyncio.sleep(WRITE_RETRY_S)
        self._tell(batch, delivery, fates)

    async def _deliver(self, batch: Batch, choice: Choice) -> Delivery:
        transport = self.transports.get(choice)
        if isinstance(transport, SmtpStatus):
            return _same_for_all(batch, transport)
        try:
            return await transport.deliver(batch.outgoing)
        except Exception as error:  # a job's border: a fault of ours is temporary for the message
            log.error("delivery failed by a fault of this server", error=error)
            return _same_for_all(batch, UNKNOWN_FAULT)

    def _route(
        self,
        account: AccountId,
        sender_domain: str,
        recipient_domain: str,
        attempts: int,
        override: str | None,
    ) -> Choice:
        return route(
            Question(
                sender_domain=sender_domain,
                recipient_domain=recipient_domain,
                attempts=attempts,
                override=override,
            ),
            self._routing(account, sender_domain),
        )

    def _routing(self, account: AccountId, sender_domain: str) -> Routing:
        domains = self._config().domains
        owner, home = domains.accounts.get(account), domains.domains.get(sender_domain)
        return Routing(
            account=owner.routes if owner is not None else (),
            domain=home.routes if home is not None else (),
            server=domains.routes,
            transports=domains.transports,
        )

    def _count(self, batch: Batch, choice: Choice) -> None:
        step = choice.steps[-1] if choice.steps else None
        if step is None or not step.matched:
            return
        sender = batch.outgoing.sender
        domain = "" if sender is None else sender.domain.ascii
        routing = self._routing(batch.account, domain)
        owner, rules = {
            Level.ACCOUNT: (str(batch.account), routing.account),
            Level.DOMAIN: (domain, routing.domain),
            Level.SERVER: ("", routing.server),
        }[step.level]
        self.tally.count(step.level, owner, rules[step.position - 1])

    def _note_result(self, choice: Choice, fates: Sequence[Fate]) -> None:
        if not choice.transport or not choice.known or not fates:
            return
        done = next((fate for fate in fates if fate.verdict is Verdict.DONE), None)
        result = (done or fates[0]).result
        who = f"{result.remote_mta} said: " if result.remote_mta else ""
        self.tally.note(choice.transport, ok=done is not None, text=f"{who}{result.status}")

    def _tell(self, batch: Batch, delivery: Delivery, fates: Sequence[Fate]) -> None:
        last = delivery.tries[-1] if delivery.tries else None
        for fate in fates:
            result = fate.result
            recipient, status = result.recipient, result.status
            said = f"{result.remote_mta} said: {status}" if result.remote_mta else status.text
            if fate.verdict is Verdict.DONE:
                kind, text = (
                    "sent",
                    f"{result.remote_mta} took the message for {recipient}: {status}",
                )
            elif fate.verdict is Verdict.RETRY:
                when = datetime.fromtimestamp(batch.next_attempt_at, UTC).strftime("%H:%M:%S UTC")
                kind, text = (
                    "deferred",
                    f"Not yet delivered to {recipient}; next attempt at {when}. {said}",
                )
            else:
                kind, text = "bounced", f"Not delivered to {recipient}, and given up. {said}"
            for more in (result.another_way, UNCONFIRMED if result.unconfirmed else ""):
                text += f" ({more})" if more else ""
            details = {"recipient": str(recipient), "queue_id": str(fate.id), "answer": str(status)}
            if result.unconfirmed:
                details["unconfirmed"] = "yes"
            if last is not None:
                details |= {
                    "host": last.host,
                    "ip": last.ip,
                    "tls": last.tls,
                    "policy": last.policy,
                }
            self._note(batch, kind, text, details)
            log.info(
                "delivery attempt ended",
                recipient_domain=recipient.domain_text,
                verdict=fate.verdict,
                attempts=batch.attempts,
                host=result.remote_mta or (last.host if last is not None else ""),
                answer=str(status),
            )

    def _note(
        self, batch: Batch, kind: str, text: str, details: dict[str, str] | None = None
    ) -> None:
        self._record(
            TimelineEntry(batch.outgoing.trace, self._clock.time(), kind, text, details or {})
        )


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


def _same_for_all(batch: Batch, status: SmtpStatus) -> Delivery:
    return Delivery(
        results=tuple(Result(recipient=r, status=status) for r in batch.outgoing.recipients)
    )


def _domain(address: str) -> str:
    domain = address.rpartition("@")[2]
    return "" if domain.startswith("[") else domain


def _listed(recipients: Sequence[Address]) -> str:
    shown = ", ".join(str(recipient) for recipient in recipients[:3])
    more = len(recipients) - 3
    return f"{shown} and {more} more" if more > 0 else shown

"""The daily TLS reports (RFC 8460): after midnight UTC each domain that was delivered to is asked whether it wants one.

Times are spread over some hours, and a computer that slept makes up for it within `SEND_WITHIN_DAYS`. How far each
report is stands in `tls_report_rows.py`. What carries our reports is not counted itself, or they would never end.
"""

import asyncio
import random
import secrets
import ssl
from collections.abc import Awaitable, Callable
from typing import assert_never

from backend.accounts.directory import (
    Directory,
    Group,
    Local,
    Unavailable,
    UnknownDomain,
    UnknownUser,
)
from backend.config.model import Config
from backend.core.address import Address, Domain
from backend.core.clock import Clock
from backend.core.envelope import Asked, Notify, Wish
from backend.core.errors import TemporaryError
from backend.core.events import TimelineEntry
from backend.core.ids import AccountId, TraceId
from backend.core.problems import Problem, Severity
from backend.dns.answers import Found, LookupFailed
from backend.dns.resolver import Resolver
from backend.message import headers
from backend.message.tls_report import (
    GZIP_TYPE,
    FailureDetail,
    PolicyResult,
    TlsReport,
    compressed,
    format_mail,
)
from backend.observe import log as logs
from backend.outbound import tls_report_rows as rows
from backend.outbound.dial import DialError
from backend.outbound.entries import NewEntry
from backend.outbound.https_post import post
from backend.outbound.queue import Queue
from backend.outbound.submit import Sign
from backend.outbound.tls_ledger import DAY_S, CountedPolicy, TlsLedger, date_of, day_of
from backend.outbound.tls_outcomes import TlsOutcome
from backend.outbound.tls_report_record import RecordError, mail_address, read_record
from backend.outbound.tls_report_rows import ReportRow, State
from backend.runtime.threads import Pool, run_blocking
from backend.store.values import Target

log = logs.get(__name__)

LOOK_AGAIN_S = 300.0  # a computer that slept finds out this soon
# RFC 8460 §4.1: not all at midnight, but within four hours.
MIN_JITTER_S, MAX_JITTER_S = 600.0, 4 * 3600.0
RETRY_AFTER_S = (900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0)  # RFC 8460 §5.5: up to a day
SEND_WITHIN_DAYS = 7
COMPLAIN_AFTER = 3  # reports that failed one after the other
ACCOUNT = AccountId("")  # of nobody: the routes and limits of accounts don't hold
PROBLEM = "outbound.tls_reports"

_FOLLOWED = {"sent": State.SENT, "bounced": State.FAILED, "dropped": State.FAILED}


class TlsReports:
    """`record` is the `tls_outcomes.Record` of direct deliveries. `follow` must be given the timeline.

    `context` gives a TLS context that verifies; it may raise DialError.
    """

    def __init__(
        self,
        queue: Queue,
        *,
        config: Callable[[], Config],
        directory: Directory,
        resolver: Resolver,
        sign: Sign | None,
        context: Callable[[], Awaitable[ssl.SSLContext]],
        clock: Clock,
        tell: Callable[[TimelineEntry], None] = lambda _: None,
        on_problem: Callable[[Problem], None] = lambda _: None,
        on_clear: Callable[[str, str], None] = lambda _code, _subject: None,
        jitter_s: Callable[[], float] = lambda: random.uniform(MIN_JITTER_S, MAX_JITTER_S),
    ) -> None:
        self._queue = queue
        self._database = queue.database
        self._config = config
        self._directory = directory
        self._resolver = resolver
        self._sign = sign
        self._context = context
        self._clock = clock
        self._tell = tell
        self._on_problem = on_problem
        self._on_clear = on_clear
        self._jitter_s = jitter_s
        self.ledger = TlsLedger(
            queue.database, clock=clock, is_own=lambda domain: domain in config().domains.domains
        )
        self._carried: set[TraceId] = set()
        self._news: list[tuple[TraceId, State, str]] = []
        self._planned_on = -1
        self._next_at = 0.0
        self._failed_in_a_row = 0
        self._wake = asyncio.Event()

    async def open(self) -> None:
        """After the queue is open, before anything is delivered."""
        await rows.recover(self._database, self._clock.time())
        self._carried = await rows.queued_traces(self._database)

    def record(self, outcome: TlsOutcome) -> None:
        if outcome.trace not in self._carried:
            self.ledger.record(outcome)

    def follow(self, entry: TimelineEntry) -> None:
        """Learns what becomes of the reports in the queue."""
        if entry.trace in self._carried and entry.kind in _FOLLOWED:
            self._news.append((entry.trace, _FOLLOWED[entry.kind], entry.text))
            self._wake.set()

    def wake(self) -> None:
        """Something may be due; told at every change of the queue, so that it has to cost nothing."""
        if self._clock.time() >= self._next_at:
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            await self.work()
            now = self._clock.time()
            due = await rows.next_time(self._database)
            tomorrow = (day_of(now) + 1.0) * DAY_S
            self._next_at = tomorrow if due is None else min(due, tomorrow)
            wait_s = max(self._next_at - now, 1.0)
            try:
                async with asyncio.timeout(min(wait_s, LOOK_AGAIN_S)):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def work(self) -> None:
        """Everything that is due by now."""
        await self._note_news()
        await self._plan()
        while row := await rows.next_due(self._database, self._clock.time()):
            try:
                await self._advance(row)
            except Exception as error:  # one report's border: the others go on
                log.error("TLS report failed by a fault of this server", error=error)
                await self._retry(row, "a fault of this server")
            await self._note_news()

    async def close(self) -> None:
        """Writes down what was recorded last."""
        await self._note_news()
        await self.ledger.write()

    # ---- once a day

    async def _plan(self) -> None:
        now = self._clock.time()
        today = day_of(now)
        if today == self._planned_on:
            return
        await self.ledger.write()
        await self.ledger.prune()
        new = await rows.plan(
            self._database,
            today=today,
            oldest=today - SEND_WITHIN_DAYS,
            now=now,
            enabled=self._is_on(),
            jitter_s=self._jitter_s,
        )
        self._planned_on = today
        if new:
            log.info("TLS reports planned", domains=new)

    def _is_on(self) -> bool:
        return self._config().server.outbound.tls_reports

    # ---- one report

    async def _advance(self, row: ReportRow) -> None:
        now = self._clock.time()
        if not self._is_on():
            await self._settle(row, State.OFF, "reports are switched off")
        elif row.day < day_of(now) - SEND_WITHIN_DAYS:
            await self._settle(row, State.LATE, "")
        elif row.domain in self._config().domains.domains:
            await self._settle(row, State.UNASKED, "the domain has moved to this server")
        elif not row.destination:
            await self._ask(row)
        elif row.destination.startswith("mailto:"):
            await self._mail(row)
        else:
            await self._post(row)

    async def _ask(self, row: ReportRow) -> None:
        name = f"_smtp._tls.{row.domain}"
        answer = await self._resolver.txt(name)
        if isinstance(answer, LookupFailed):
            await self._retry(row, answer.reason, final=not answer.temporary)
            return
        try:
            found = read_record(answer.records if isinstance(answer, Found) else ())
        except RecordError as error:
            await self._settle(row, State.UNASKED, str(error))
            return
        if found.unusable:
            log.info(
                "TLSRPT record names addresses that are not taken",
                domain=row.domain,
                count=len(found.unusable),
            )
        if found.uris:
            await rows.address_to(self._database, row, found.uris, self._clock.time())
        else:
            await self._settle(row, State.UNASKED, "its record names no address that can be used")

    async def _report(self, row: ReportRow, author: Address) -> TlsReport:
        submitter = author.domain.ascii
        begin = row.day * DAY_S
        return TlsReport(
            domain=row.domain,
            submitter=submitter,
            contact=str(author),
            report_id=f"{date_of(row.day)}.{row.domain}@{submitter}",
            begin=begin,
            end=begin + DAY_S - 1,
            policies=[_result(each) for each in await self.ledger.of_day(row.day, row.domain)],
        )

    async def _mail(self, row: ReportRow) -> None:
        author, to = self._author(), mail_address(row.destination)
        if author is None or to is None:
            await self._fail(row, "no domain of this server could send it")
            return
        now = self._clock.time()
        report = await self._report(row, author)
        gzipped = await run_blocking(Pool.MESSAGE, compressed, report)
        hostname = self._config().server.hostname
        message = format_mail(report, gzipped, author=author, to=to, hostname=hostname, at=now)
        body_at = headers.find_body(message)
        signed: tuple[bytes, ...] = ()
        if self._sign is not None:
            try:
                signed = (await self._sign(author, message[:body_at], message, body_at)).fields
            except TemporaryError as error:
                await self._retry(row, str(error))
                return
        if not signed:
            # RFC 8460 §3: others must ignore what is not signed.
            await self._fail(row, f"{author.domain.ascii} does not sign its mail (DKIM)")
            return
        header = headers.prepend(message[:body_at], signed)
        trace = TraceId(f"tlsrpt-{secrets.token_hex(6)}")
        remote: tuple[Address, ...] = ()
        local: tuple[tuple[Address, Target], ...] = ()
        match found := self._directory.resolve(to):
            case UnknownDomain():
                remote = (to,)
            case Local():
                local = ((to, Target(found.account, found.mailbox)),)
            case Group() if found.may_post(None):
                local = tuple((to, Target(m.account, m.mailbox)) for m in found.members)
            case Unavailable() | UnknownUser() | Group():
                await self._fail(row, f"there is no mailbox {to} on this server")
                return
            case _:
                assert_never(found)
        entry = NewEntry(
            trace=trace,
            account=ACCOUNT,
            sender=author,
            content=header + message[body_at:],
            size_bytes=len(header) + len(message) - body_at,
            header_bytes=len(header),
            message_id=(headers.get(header, b"Message-ID") or b"").decode("ascii", "replace"),
            remote=remote,
            local=local,
            # RFC 8460 §5.3: it has to arrive without TLS as well, and nobody would read a report about this report.
            asked=Asked(tls_optional=True),
            wishes={to: Wish(frozenset({Notify.NEVER}))},
        )
        # Before it is in the queue, where it may be delivered at once.
        self._carried.add(trace)
        try:
            await self._queue.add(
                entry,
                also=lambda tx: rows.mark_queued(tx, row, trace, now, stays_here=bool(local)),
            )
        except rows.NotWaitingError:
            self._carried.discard(trace)
            return
        except TemporaryError as error:
            self._carried.discard(trace)
            await self._retry(row, str(error))
            return
        self._say(trace, "accepted", f"This server wrote a TLS report for {row.domain} to {to}")
        self._done()
        log.info("TLS report queued", domain=row.domain, day=date_of(row.day), trace=trace)

    async def _post(self, row: ReportRow) -> None:
        author = self._author()
        if author is None:
            await self._fail(row, "no domain of this server could send it")
            return
        report = await self._report(row, author)
        gzipped = await run_blocking(Pool.MESSAGE, compressed, report)
        try:
            context = await self._context()
        except DialError as error:
            await self._retry(row, str(error))
            return
        await rows.mark_posting(self._database, row, self._clock.time())
        posted = await post(
            row.destination,
            gzipped,
            GZIP_TYPE,
            resolver=self._resolver,
            context=context,
            allow_private=self._config().server.outbound.allow_loopback,
        )
        if posted.succeeded:
            await self._settle(row, State.SENT, posted.answer)
            self._done()
            log.info("TLS report posted", domain=row.domain, day=date_of(row.day))
        else:
            await self._retry(row, posted.answer, final=not posted.temporary)

    def _author(self) -> Address | None:
        """The postmaster of the domain that the host name lies in, else of the postmaster's own domain."""
        config = self._config()
        domains = config.domains.domains
        labels = config.server.hostname.split(".")
        names = [".".join(labels[at:]) for at in range(len(labels))]
        postmaster = self._directory.postmaster()
        owner = config.domains.accounts.get(postmaster.account) if postmaster is not None else None
        if owner is not None:
            names.append(owner.domain)
        for name in names:
            if name in domains and not domains[name].disabled:
                return Address("postmaster", Domain(name))
        return None

    # ---- outcomes

    async def _settle(self, row: ReportRow, state: State, answer: str) -> None:
        await rows.settle(self._database, row, state, answer, self._clock.time())

    async def _retry(self, row: ReportRow, answer: str, *, final: bool = False) -> None:
        if final or row.attempts >= len(RETRY_AFTER_S):
            await self._fail(row, answer)
            return
        now = self._clock.time()
        until = now + RETRY_AFTER_S[row.attempts]
        await rows.put_off(self._database, row, until=until, answer=answer, now=now)

    async def _fail(self, row: ReportRow, answer: str) -> None:
        await self._settle(row, State.FAILED, answer)
        log.info("TLS report given up", domain=row.domain, day=date_of(row.day), cause=answer)
        self._failed_in_a_row += 1
        if self._failed_in_a_row == COMPLAIN_AFTER:
            self._on_problem(
                Problem(
                    code=PROBLEM,
                    severity=Severity.INFO,
                    message=f"The last TLS reports to other domains could not be sent: {answer}.",
                    fix="“gatepost tls reports” lists them. Mail itself is not touched by this; “tls_reports = false” under [outbound] in server.toml switches them off.",
                    path="/outbound/tls_reports",
                )
            )

    def _done(self) -> None:
        if self._failed_in_a_row >= COMPLAIN_AFTER:
            self._on_clear(PROBLEM, "")
        self._failed_in_a_row = 0

    async def _note_news(self) -> None:
        while self._news:
            trace, state, text = self._news[0]
            await rows.note_mail(self._database, trace, state, text, self._clock.time())
            self._news.pop(0)
            self._carried.discard(trace)

    def _say(self, trace: TraceId, kind: str, text: str) -> None:
        self._tell(TimelineEntry(trace, self._clock.time(), kind, text, {"direction": "out"}))


def _result(counted: CountedPolicy) -> PolicyResult:
    policy = counted.policy
    return PolicyResult(
        policy_type=policy.type,
        domain=policy.domain,
        successes=counted.successes,
        failures=counted.failures,
        strings=policy.strings,
        mx_hosts=policy.mx_hosts,
        details=[
            FailureDetail(
                result_type=each.result,
                count=each.count,
                sending_mta_ip=each.sending_ip,
                receiving_mx_hostname=each.receiving_host,
                receiving_mx_helo=each.receiving_helo,
                receiving_ip=each.receiving_ip,
                failure_reason_code=each.reason or each.info,
            )
            for each in counted.details
        ],
    )

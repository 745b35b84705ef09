"""What came of TLS on the connections of the last days, kept in the queue's database and counted by day, domain and policy.

`record` only counts in memory, so that no delivery waits; `run` writes it down within seconds. Whoever asks gets what
is written. A process that is killed loses those seconds.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from backend.core.clock import Clock
from backend.observe import log as logs
from backend.outbound.tls_outcomes import AppliedPolicy, PolicyType, TlsOutcome, TlsResult
from backend.store.database import Database, Reader, Transaction

log = logs.get(__name__)

DAY_S = 86_400
KEEP_DAYS = 30
WRITE_AFTER_S = 2.0
# What strangers' servers make us keep; all of these are security limits.
MAX_UNWRITTEN = 2000  # kinds of outcomes that wait in memory
MAX_POLICIES_PER_DAY = 5000
MAX_POLICIES_OF_A_DOMAIN = 20  # on one day
MAX_FAILURES_OF_A_POLICY = 100  # kinds of them; what comes above is counted by its result alone
MAX_STRINGS, MAX_STRING_CHARS = 50, 500
MAX_HOST_CHARS, MAX_REASON_CHARS, MAX_INFO_CHARS = 255, 200, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedFailure:
    result: TlsResult
    count: int
    sending_ip: str = ""
    receiving_host: str = ""
    receiving_ip: str = ""
    receiving_helo: str = ""
    reason: str = ""
    info: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedPolicy:
    """One day, domain and policy. `day` counts from 1970, UTC. `details` may be fewer than `failures` tells."""

    day: int
    domain: str
    policy: AppliedPolicy
    successes: int
    failures: int
    details: tuple[CountedFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class CountedPage:
    """`total` counts the rows that match, on all pages."""

    items: tuple[CountedPolicy, ...]
    total: int


@dataclass(frozen=True, slots=True)
class _Kind:
    day: int
    domain: str
    policy: AppliedPolicy
    failure: CountedFailure | None


def day_of(at: float) -> int:
    return int(at // DAY_S)


def date_of(day: int) -> str:
    """Such as `2026-11-23`."""
    return datetime.fromtimestamp(day * DAY_S, UTC).date().isoformat()


class TlsLedger:
    """`is_own` tells domains that mail is taken for here: nothing is kept of them."""

    def __init__(self, database: Database, *, clock: Clock, is_own: Callable[[str], bool]) -> None:
        self._database = database
        self._clock = clock
        self._is_own = is_own
        self._unwritten: Counter[_Kind] = Counter()
        self._wake = asyncio.Event()
        self._lost = 0

    def record(self, outcome: TlsOutcome) -> None:
        """`tls_outcomes.Record`; on the event loop."""
        if self._is_own(outcome.domain):
            return
        day = day_of(self._clock.time())
        for policy in outcome.policies:
            kind = _Kind(day, outcome.domain[:MAX_HOST_CHARS], _cut(policy), _failure(outcome))
            if kind not in self._unwritten and len(self._unwritten) >= MAX_UNWRITTEN:
                self._lost += 1
                continue
            self._unwritten[kind] += 1
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(WRITE_AFTER_S)
            await self.write()

    async def write(self) -> None:
        """Writes down what was recorded so far."""
        self._wake.clear()
        counted, self._unwritten = self._unwritten, Counter()
        lost, self._lost = self._lost, 0
        if lost:
            log.info("outcomes of TLS were not counted: too many kinds at once", count=lost)
        if not counted:
            return
        try:
            await self._database.write(lambda tx: _add_all(tx, counted))
        except BaseException:
            self._unwritten.update(counted)
            self._wake.set()
            raise

    async def prune(self) -> None:
        """Forgets what is older than `KEEP_DAYS`."""
        before = {"before": day_of(self._clock.time()) - KEEP_DAYS}

        def remove(tx: Transaction) -> None:
            tx.run(
                "DELETE FROM tls_failure WHERE policy IN"
                " (SELECT id FROM tls_policy WHERE day < :before)",
                before,
            )
            tx.run("DELETE FROM tls_policy WHERE day < :before", before)
            tx.run("DELETE FROM tls_report WHERE day < :before", before)

        await self._database.write(remove)

    async def of_day(self, day: int, domain: str) -> tuple[CountedPolicy, ...]:
        """What the report of that day to that domain is made of."""
        return await self._database.read(
            lambda reader: _read(
                reader, "WHERE day = :day AND domain = :domain", {"day": day, "domain": domain}
            )
        )

    async def page(self, domain: str = "", *, offset: int = 0, limit: int = 100) -> CountedPage:
        """The last days first. `domain` empty takes all."""
        where = "WHERE domain = :domain" if domain else ""
        params: dict[str, object] = {"domain": domain, "offset": offset, "limit": limit}

        def read(reader: Reader) -> CountedPage:
            total = reader.value(f"SELECT count(*) FROM tls_policy {where}", params)
            return CountedPage(_read(reader, where, params, " LIMIT :limit OFFSET :offset"), total)

        return await self._database.read(read)


def _cut(policy: AppliedPolicy) -> AppliedPolicy:
    return replace(
        policy,
        domain=policy.domain[:MAX_HOST_CHARS],
        strings=tuple(text[:MAX_STRING_CHARS] for text in policy.strings[:MAX_STRINGS]),
        mx_hosts=tuple(text[:MAX_HOST_CHARS] for text in policy.mx_hosts[:MAX_STRINGS]),
    )


def _failure(outcome: TlsOutcome) -> CountedFailure | None:
    if outcome.result is TlsResult.SUCCESS:
        return None
    return CountedFailure(
        result=outcome.result,
        count=1,
        sending_ip=outcome.sending_ip,
        receiving_host=_printable(outcome.receiving_host, MAX_HOST_CHARS),
        receiving_ip=outcome.receiving_ip,
        receiving_helo=_printable(outcome.receiving_helo, MAX_HOST_CHARS),
        reason=_printable(outcome.reason, MAX_REASON_CHARS),
        info=_printable(outcome.info, MAX_INFO_CHARS),
    )


def _printable(text: str, limit: int) -> str:
    return "".join(char if char.isprintable() else "?" for char in text[:limit])


# ---- SQL


def _add_all(tx: Transaction, counted: Counter[_Kind]) -> None:
    for kind, count in counted.items():
        policy = _policy_row(tx, kind)
        if policy is None:
            continue
        column = "successes" if kind.failure is None else "failures"
        tx.run(
            f"UPDATE tls_policy SET {column} = {column} + :count WHERE id = :id",
            {"count": count, "id": policy},
        )
        if kind.failure is not None:
            _add_failure(tx, policy, kind.failure, count)


def _policy_row(tx: Transaction, kind: _Kind) -> int | None:
    """None: there are too many already."""
    params: dict[str, object] = {
        "day": kind.day,
        "domain": kind.domain,
        "type": kind.policy.type,
        "policy_domain": kind.policy.domain,
        "strings": json.dumps(kind.policy.strings),
        "mx_hosts": json.dumps(kind.policy.mx_hosts),
    }
    known: int | None = tx.value(
        "SELECT id FROM tls_policy WHERE day = :day AND domain = :domain AND type = :type"
        " AND policy_domain = :policy_domain AND strings = :strings AND mx_hosts = :mx_hosts",
        params,
    )
    if known is not None:
        return known
    of_day, of_domain = tx.rows(
        "SELECT count(*) FROM tls_policy WHERE day = :day UNION ALL"
        " SELECT count(*) FROM tls_policy WHERE day = :day AND domain = :domain",
        params,
    )
    if of_day[0] >= MAX_POLICIES_PER_DAY or of_domain[0] >= MAX_POLICIES_OF_A_DOMAIN:
        return None
    return tx.insert(
        "INSERT INTO tls_policy (day, domain, type, policy_domain, strings, mx_hosts, successes,"
        " failures) VALUES (:day, :domain, :type, :policy_domain, :strings, :mx_hosts, 0, 0)",
        params,
    )


def _add_failure(tx: Transaction, policy: int, failure: CountedFailure, count: int) -> None:
    params = _failure_params(policy, failure, count)
    if tx.run(_COUNT_FAILURE, params):
        return
    kinds = tx.value("SELECT count(*) FROM tls_failure WHERE policy = :policy", params)
    if kinds >= MAX_FAILURES_OF_A_POLICY:
        params = _failure_params(policy, CountedFailure(result=failure.result, count=1), count)
        if tx.run(_COUNT_FAILURE, params):
            return
    tx.run(
        "INSERT INTO tls_failure (policy, result, sending_ip, receiving_host, receiving_ip,"
        " receiving_helo, reason, info, count) VALUES (:policy, :result, :sending_ip,"
        " :receiving_host, :receiving_ip, :receiving_helo, :reason, :info, :count)",
        params,
    )


_COUNT_FAILURE = (
    "UPDATE tls_failure SET count = count + :count, info = :info WHERE policy = :policy"
    " AND result = :result AND sending_ip = :sending_ip AND receiving_host = :receiving_host"
    " AND receiving_ip = :receiving_ip AND receiving_helo = :receiving_helo AND reason = :reason"
)


def _failure_params(policy: int, failure: CountedFailure, count: int) -> dict[str, object]:
    return {
        "policy": policy,
        "result": failure.result,
        "sending_ip": failure.sending_ip,
        "receiving_host": failure.receiving_host,
        "receiving_ip": failure.receiving_ip,
        "receiving_helo": failure.receiving_helo,
        "reason": failure.reason,
        "info": failure.info,
        "count": count,
    }


def _read(
    reader: Reader, where: str, params: dict[str, object], page: str = ""
) -> tuple[CountedPolicy, ...]:
    rows = reader.rows(
        "SELECT id, day, domain, type, policy_domain, strings, mx_hosts, successes, failures"
        f" FROM tls_policy {where} ORDER BY day DESC, domain, id{page}",
        params,
    )
    return tuple(
        CountedPolicy(
            day=day,
            domain=domain,
            policy=AppliedPolicy(
                type=PolicyType(type_),
                domain=policy_domain,
                strings=_texts(strings),
                mx_hosts=_texts(mx_hosts),
            ),
            successes=successes,
            failures=failures,
            details=_details(reader, id_) if failures else (),
        )
        for id_, day, domain, type_, policy_domain, strings, mx_hosts, successes, failures in rows
    )


def _details(reader: Reader, policy: int) -> tuple[CountedFailure, ...]:
    rows: Sequence[tuple[str, int, str, str, str, str, str, str]] = reader.rows(
        "SELECT result, count, sending_ip, receiving_host, receiving_ip, receiving_helo, reason,"
        " info FROM tls_failure WHERE policy = :policy ORDER BY count DESC, result, receiving_host,"
        " receiving_ip",
        {"policy": policy},
    )
    return tuple(
        CountedFailure(
            result=TlsResult(result),
            count=count,
            sending_ip=sending_ip,
            receiving_host=host,
            receiving_ip=ip,
            receiving_helo=helo,
            reason=reason,
            info=info,
        )
        for result, count, sending_ip, host, ip, helo, reason, info in rows
    )


def _texts(value: str) -> tuple[str, ...]:
    return tuple(str(text) for text in json.loads(value))

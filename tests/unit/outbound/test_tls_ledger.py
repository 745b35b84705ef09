"""Counting what came of TLS: by day, domain and policy, within bounds, and never in the way of a delivery."""

from dataclasses import replace

import pytest

from backend.core.clock import FakeClock
from backend.core.ids import TraceId
from backend.outbound import tls_ledger
from backend.outbound.queue import Queue
from backend.outbound.tls_ledger import DAY_S, KEEP_DAYS, TlsLedger, date_of, day_of
from backend.outbound.tls_outcomes import (
    AppliedPolicy,
    PolicyType,
    TlsOutcome,
    TlsResult,
    no_policy,
)

STS = AppliedPolicy(
    type=PolicyType.STS,
    domain="b.test",
    strings=("version: STSv1", "mode: enforce"),
    mx_hosts=("*.b.test",),
)
FINE = TlsOutcome(
    trace=TraceId("t"),
    domain="b.test",
    policies=(no_policy("b.test"),),
    result=TlsResult.SUCCESS,
)
EXPIRED = TlsOutcome(
    trace=TraceId("t"),
    domain="b.test",
    policies=(STS,),
    result=TlsResult.CERTIFICATE_EXPIRED,
    sending_ip="192.0.2.1",
    receiving_host="mx.b.test",
    receiving_ip="192.0.2.2",
    receiving_helo="mx",
    reason="expired",
    info="on Friday",
)


@pytest.fixture
async def queue(tmp_path):
    queue = Queue(tmp_path, clock=FakeClock())
    await queue.open()
    yield queue
    await queue.close()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def ledger(queue, clock):
    return TlsLedger(queue.database, clock=clock, is_own=lambda domain: domain == "a.test")


async def test_connections_are_counted_by_policy_and_by_kind_of_failure(ledger, clock):
    for outcome in (FINE, FINE, EXPIRED, replace(EXPIRED, result=TlsResult.SUCCESS), EXPIRED):
        ledger.record(outcome)
    ledger.record(replace(EXPIRED, receiving_ip="192.0.2.3"))
    await ledger.write()
    ledger.record(EXPIRED)
    await ledger.write()
    none, sts = await ledger.of_day(day_of(clock.time()), "b.test")
    assert (none.policy.type, none.successes, none.failures, none.details) == (
        PolicyType.NONE, 2, 0, (),
    )  # fmt: skip
    assert (sts.policy, sts.successes, sts.failures) == (STS, 1, 4)
    assert [(d.receiving_ip, d.count) for d in sts.details] == [("192.0.2.2", 3), ("192.0.2.3", 1)]
    assert (sts.details[0].reason, sts.details[0].info) == ("expired", "on Friday")


async def test_each_day_counts_for_itself_and_old_ones_are_forgotten(ledger, clock):
    ledger.record(FINE)
    await ledger.write()
    clock.advance(DAY_S)
    ledger.record(FINE)
    await ledger.write()
    page = await ledger.page()
    assert [date_of(each.day) for each in page.items] == ["2023-11-15", "2023-11-14"]
    clock.advance(DAY_S * KEEP_DAYS)
    await ledger.prune()
    assert [date_of(each.day) for each in (await ledger.page()).items] == ["2023-11-15"]


async def test_lists_come_in_pages_and_for_one_domain(ledger):
    for n in range(5):
        ledger.record(replace(FINE, domain=f"d{n}.test"))
    await ledger.write()
    page = await ledger.page(offset=1, limit=2)
    assert ([each.domain for each in page.items], page.total) == (["d1.test", "d2.test"], 5)
    page = await ledger.page("d4.test")
    assert ([each.domain for each in page.items], page.total) == (["d4.test"], 1)


async def test_nothing_is_kept_of_own_domains(ledger):
    ledger.record(replace(FINE, domain="a.test"))
    await ledger.write()
    assert (await ledger.page()).total == 0


async def test_a_stranger_can_make_us_keep_only_so_much(ledger, clock, monkeypatch):
    monkeypatch.setattr(tls_ledger, "MAX_POLICIES_OF_A_DOMAIN", 3)
    monkeypatch.setattr(tls_ledger, "MAX_FAILURES_OF_A_POLICY", 2)
    for n in range(6):
        ledger.record(replace(FINE, policies=(replace(STS, domain=f"mx{n}.b.test"),)))
    for n in range(6):
        ledger.record(
            replace(
                EXPIRED,
                domain="c.test",
                policies=(replace(STS, strings=("x" * 9999,) * 99),),
                reason=f"{n}\r\n" + "x" * 9999,
            )
        )
    await ledger.write()
    assert (await ledger.page("b.test")).total == 3
    (sts,) = await ledger.of_day(day_of(clock.time()), "c.test")
    assert sts.failures == 6
    assert sorted(detail.count for detail in sts.details) == [1, 1, 4]
    assert max(len(detail.reason) for detail in sts.details) == tls_ledger.MAX_REASON_CHARS
    assert "\n" not in "".join(detail.reason for detail in sts.details)
    assert len(sts.policy.strings) == tls_ledger.MAX_STRINGS


async def test_too_many_kinds_at_once_are_left_out(ledger, monkeypatch):
    monkeypatch.setattr(tls_ledger, "MAX_UNWRITTEN", 2)
    for n in range(5):
        ledger.record(replace(FINE, domain=f"d{n}.test"))
    ledger.record(replace(FINE, domain="d0.test"))
    await ledger.write()
    assert [(each.domain, each.successes) for each in (await ledger.page()).items] == [
        ("d0.test", 2),
        ("d1.test", 1),
    ]

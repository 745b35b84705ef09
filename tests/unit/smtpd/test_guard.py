"""The guard's counting, with a clock that stands still."""

import pytest

from backend.core.clock import FakeClock
from backend.smtpd import guard as guards
from backend.smtpd.guard import Guard, GuardSettings


def make(**numbers) -> tuple[Guard, FakeClock]:
    clock = FakeClock()
    return Guard(GuardSettings(**numbers), clock), clock


def test_an_ipv6_household_counts_as_one():
    guard, _ = make(connections_per_address=2)
    assert guard.admit("2001:db8::1") is None
    assert guard.admit("2001:db8::ffff:1") is None
    assert guard.admit("2001:db8::2") is not None
    assert guard.admit("2001:db8:0:1::1") is None


def test_a_mapped_address_counts_as_its_ipv4():
    guard, _ = make(connections_per_address=1)
    assert guard.admit("192.0.2.1") is None
    assert guard.admit("::ffff:192.0.2.1") is not None


def test_the_rate_is_counted_by_the_minute():
    guard, clock = make(connections_per_minute_per_address=2)
    for _ in range(2):
        assert guard.admit("192.0.2.1") is None
        guard.release("192.0.2.1")
    assert "connections_per_minute_per_address" in guard.admit("192.0.2.1").text
    assert guard.admit("192.0.2.2") is None
    clock.advance(60)
    assert guard.admit("192.0.2.1") is None


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "127.9.9.9", "::ffff:127.0.0.1"])
def test_this_computer_is_exempt_in_practice_mode_alone(peer):
    guard, _ = make(connections_per_address=1, practice_mode=True)
    assert guard.admit(peer) is None
    assert guard.admit(peer) is None
    strict, _ = make(connections_per_address=1)
    assert strict.admit(peer) is None
    assert strict.admit(peer) is not None


def test_the_memory_of_strangers_is_bounded(monkeypatch):
    monkeypatch.setattr(guards, "MAX_TRACKED_ADDRESSES", 100)
    guard, _ = make(connections=1000)
    assert guard.admit("10.0.0.1") is None
    for i in range(500):
        assert guard.admit(f"192.0.{i // 250}.{i % 250}") is None
        guard.release(f"192.0.{i // 250}.{i % 250}")
    assert len(guard._addresses) <= 100
    # The one that is still open was not forgotten.
    assert guard.open_connections == 1
    guard.release("10.0.0.1")
    assert guard.open_connections == 0


def test_all_refusals_are_temporary_and_name_their_setting():
    guard, _ = make(connections=1)
    guard.admit("192.0.2.1")
    refusal = guard.admit("192.0.2.2")
    assert refusal.is_temporary
    assert "“connections”" in refusal.text

from backend.accounts import throttle as t
from backend.accounts.throttle import Throttle
from backend.core.clock import FakeClock


def fail(throttle, peer, name, tried=""):
    assert throttle.begin(peer, name) == 0
    delay = throttle.failed(peer, name, tried)
    throttle.end(peer, name)
    return delay


def test_failures_are_answered_slower_and_slower_and_then_not_at_all():
    clock = FakeClock()
    throttle = Throttle(clock)
    delays = [fail(throttle, "192.0.2.1", "anna", str(n)) for n in range(t.MAX_FAILURES_PAIR)]
    assert delays == sorted(delays)
    assert delays[0] == t.FIRST_DELAY_S and delays[-1] == t.LONGEST_DELAY_S
    clock.advance(60)
    assert throttle.begin("192.0.2.1", "anna") == t.WINDOW_S - 60
    assert throttle.begin("192.0.2.1", "bob") == 0
    assert throttle.begin("192.0.2.2", "anna") == 0
    clock.advance(t.WINDOW_S)
    assert throttle.begin("192.0.2.1", "anna") == 0


def test_a_peer_that_tries_many_accounts_is_stopped():
    throttle = Throttle(FakeClock())
    for number in range(t.MAX_FAILURES_PEER):
        fail(throttle, "192.0.2.1", f"name{number}", "x")
    assert throttle.begin("192.0.2.1", "another") > 0


def test_an_account_that_many_peers_try_is_answered_slowly_but_never_locked():
    throttle = Throttle(FakeClock())
    delays = [fail(throttle, f"192.0.2.{n}", "anna", "x") for n in range(1, 30)]
    assert delays[-1] == t.LONGEST_DELAY_S
    assert throttle.begin("198.51.100.1", "anna") == 0


def test_an_app_that_repeats_its_old_password_locks_nobody_out():
    throttle = Throttle(FakeClock())
    for _ in range(5 * t.MAX_FAILURES_PAIR):
        fail(throttle, "192.0.2.1", "anna", "the old one")
    assert throttle.begin("192.0.2.1", "anna") == 0


def test_a_success_forgets_the_failures_at_that_account_only():
    throttle = Throttle(FakeClock())
    for number in range(t.MAX_FAILURES_PAIR - 1):
        fail(throttle, "192.0.2.1", "anna", str(number))
        fail(throttle, "192.0.2.1", "bob", str(number))
    throttle.succeeded("192.0.2.1", "anna")
    assert fail(throttle, "192.0.2.1", "anna", "x") >= t.FIRST_DELAY_S
    fail(throttle, "192.0.2.1", "bob", "x")
    assert throttle.begin("192.0.2.1", "bob") > 0


def test_attempts_at_the_same_time_are_bounded():
    throttle = Throttle(FakeClock())
    for _ in range(t.MAX_PENDING_PEER):
        assert throttle.begin("192.0.2.1", "anna") == 0
    assert throttle.begin("192.0.2.1", "anna") > 0
    throttle.end("192.0.2.1", "anna")
    assert throttle.begin("192.0.2.1", "anna") == 0


def test_the_tables_are_bounded(monkeypatch):
    monkeypatch.setattr(t, "MAX_ENTRIES", 50)
    throttle = Throttle(FakeClock())
    for number in range(500):
        fail(throttle, f"192.0.{number // 250}.{number % 250}", f"name{number}", "x")
    assert max(throttle.sizes()) <= 50
    assert throttle.sizes()[3] == 0

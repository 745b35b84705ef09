import pytest

from backend.outbound.backoff import (
    MAX_ATTEMPTS,
    last_attempt_at,
    next_delay_s,
    remaining_delays_s,
)

HOUR = 3600.0


def test_attempts_stand_where_the_schedule_says():
    at, times = 0.0, [0.0]
    for attempt in range(MAX_ATTEMPTS - 1):
        at += next_delay_s(attempt)
        times.append(at)
    minutes = [t / 60 for t in times]
    assert minutes == [0, 7.5, 22.5, 52.5, 112.5, 232.5, 472.5, 952.5]


@pytest.mark.parametrize("attempt", range(MAX_ATTEMPTS))
def test_jitter_moves_an_attempt_a_little_and_is_bounded(attempt):
    early, late = next_delay_s(attempt, -1000), next_delay_s(attempt, 1000)
    assert early == 445 * 2**attempt
    assert late == 454 * 2**attempt


def test_after_the_fifth_attempt_two_four_and_eight_hours_remain():
    assert remaining_delays_s(5) == (2 * HOUR, 4 * HOUR, 8 * HOUR)
    assert last_attempt_at(5, 1000.0) == 1000.0 + 12 * HOUR


def test_after_the_last_attempt_nothing_remains():
    assert remaining_delays_s(8) == ()
    assert remaining_delays_s(7) == (8 * HOUR,)
    assert last_attempt_at(7, 1000.0) == 1000.0

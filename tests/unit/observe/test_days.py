"""Each day's figures are kept over restarts, and a day without mail is a zero."""

import pytest

from backend.core.clock import FakeClock
from backend.core.events import TimelineEntry
from backend.core.ids import TraceId
from backend.observe.activity import Activity

DAY_S = 86_400


@pytest.fixture
def clock():
    return FakeClock()


def receive(activity, clock, count):
    for number in range(count):
        trace = TraceId(f"{clock.time()}-{number}")
        activity.record(TimelineEntry(trace, clock.time(), "received", "It came", {}))


def received(activity):
    return [day.received for day in activity.last_days(5)]


def test_days_are_counted_apart(tmp_path, clock):
    activity = Activity(tmp_path, clock)
    receive(activity, clock, 3)
    clock.advance(2 * DAY_S)
    receive(activity, clock, 2)
    assert received(activity) == [0, 0, 3, 0, 2]


def test_they_outlive_a_restart_and_nothing_is_counted_twice(tmp_path, clock):
    activity = Activity(tmp_path, clock)
    receive(activity, clock, 3)
    clock.advance(DAY_S)
    receive(activity, clock, 2)
    activity.close()
    again = Activity(tmp_path, clock)
    again.load()
    assert received(again) == [0, 0, 0, 3, 2]
    receive(again, clock, 1)
    assert received(again)[-1] == 3


def test_what_a_crash_kept_from_being_noted_is_counted_from_the_timeline(tmp_path, clock):
    activity = Activity(tmp_path, clock)
    receive(activity, clock, 4)
    activity.timeline.close()
    clock.advance(DAY_S)
    again = Activity(tmp_path, clock)
    again.load()
    assert received(again) == [0, 0, 0, 4, 0]


def test_a_damaged_note_is_no_fault(tmp_path, clock):
    (tmp_path / "days.jsonl").write_text('{"day":"no day"}\n{"received":1}\n{"day":"20')
    again = Activity(tmp_path, clock)
    again.load()
    assert received(again) == [0, 0, 0, 0, 0]

from datetime import UTC, datetime, timedelta

from ui.presenters import wording

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_sizes_have_units_and_one_digit_where_it_helps() -> None:
    assert [wording.size(n) for n in (0, 1, 999, 1500, 15_000, 2_500_000, 41_000_000_000)] == [
        "0 bytes",
        "1 byte",
        "999 bytes",
        "1.5 KB",
        "15 KB",
        "2.5 MB",
        "41 GB",
    ]
    assert wording.size(3_000_000_000_000) == "3.0 TB"


def test_counts_know_one_and_many() -> None:
    assert wording.count(1, "message") == "1 message"
    assert wording.count(2, "message") == "2 messages"
    assert wording.count(0, "entry", "entries") == "0 entries"
    assert wording.number(48210) == "48\u202f210"


def test_durations_grow_coarser() -> None:
    assert [wording.duration(s) for s in (-3, 12, 250, 7200, 12_000, 86_400, 400_000)] == [
        "0 s",
        "12 s",
        "4 min",
        "2 h",
        "3 h 20 min",
        "1 day",
        "4 days",
    ]


def test_times_are_told_from_now() -> None:
    assert wording.ago(None, NOW) == "never"
    assert wording.ago(NOW, NOW) == "just now"
    assert wording.ago(NOW - timedelta(minutes=3), NOW) == "3 min ago"
    assert wording.until(NOW + timedelta(hours=1), NOW) == "in 1 h"
    assert wording.until(NOW - timedelta(hours=1), NOW) == "now"
    assert wording.until(None, NOW) == ""


def test_moments_name_the_day_when_it_is_another() -> None:
    local = NOW.astimezone()
    assert wording.moment(NOW, NOW) == local.strftime("%H:%M:%S")
    assert wording.moment(NOW - timedelta(days=1), NOW).startswith("yesterday ")
    assert "Nov" in wording.moment(NOW - timedelta(days=5), NOW)


def test_milliseconds_become_seconds() -> None:
    assert wording.milliseconds(412) == "412 ms"
    assert wording.milliseconds(30_210) == "30.2 s"

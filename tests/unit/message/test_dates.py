import math
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest

from backend.message.dates import SentDate, format_date, format_timestamp, parse_date


@pytest.mark.parametrize(
    "text",
    [
        "Fri, 21 Nov 1997 09:55:06 -0600",
        "21 Nov 97 09:55:06 GMT",
        "Fri, 21 Nov 1997 09:55 +0130",
        "Thu, 13 Feb 1969 23:32:54 -0330",
        "Tue, 1 Jul 2003 10:52:37 EDT",
        "Tue, 01 Jul 2003 10:52:37 +0200 (CEST)",
        "Wed Nov 12 2003 11:22:33 GMT",
        "Thursday, 4 Jan 2001 10:20:30 -0800",
    ],
)
def test_dates_are_the_moments_that_the_standard_library_reads(text: str) -> None:
    found = parse_date(text.encode())
    assert found is not None
    expected = parsedate_to_datetime(text)
    if expected.tzinfo is None:
        expected = expected.replace(tzinfo=UTC)
    assert found.at == expected.timestamp()
    assert found.day == expected.date().toordinal() - datetime(1970, 1, 1).toordinal()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"1 Jan 1970 01:00:00 +0200", SentDate(-3600.0, 0)),
        (b"1-Jan-1970 00:00:00 +0000", SentDate(0.0, 0)),
        (b"1 January 1970 00.00.07", SentDate(7.0, 0)),
        (b"1 Jan 70 00:00:00 XYZ", SentDate(0.0, 0)),
        (b"1 Jan 101 00:00 -0000", SentDate(978307200.0, 11323)),
        (b"1 Jan 49 00:00 +0000", SentDate(2493072000.0, 28855)),
        (b"Thu, 1 Jan 1970 00:00:00.250 +0000", SentDate(0.0, 0)),
    ],
)
def test_old_and_careless_dates_are_understood(text: bytes, expected: SentDate) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"yesterday",
        b"31 Feb 2020 10:00:00 +0000",
        b"1 Foo 2020 10:00:00 +0000",
        b"1 Jan 2020 25:00:00 +0000",
        b"1 Jan 2020 10:61:00 +0000",
        b"1 Jan 2020 10:00:00 +9999",
        b"1 Jan 2020 10:00:00 " + b"x" * 500,
        b"0, 0 0 0",
        b"\xff\xfe",
    ],
)
def test_what_is_no_date_is_none(text: bytes) -> None:
    assert parse_date(text) is None


def test_dates_are_written_as_mail_wants_them() -> None:
    assert format_timestamp(0) == "Thu, 1 Jan 1970 00:00:00 +0000"
    assert format_timestamp(0, -210) == "Wed, 31 Dec 1969 20:30:00 -0330"
    zone = timezone(timedelta(hours=2))
    assert (
        format_date(datetime(2026, 11, 23, 18, 5, 9, tzinfo=zone))
        == "Mon, 23 Nov 2026 18:05:09 +0200"
    )
    assert format_date(datetime(2026, 11, 23, 18, 5, 9)) == "Mon, 23 Nov 2026 18:05:09 +0000"


def test_a_written_date_reads_back() -> None:
    for at in (0.0, 951_782_400.0, 4_102_444_799.0):
        for east in (-720, -1, 0, 345, 840):
            found = parse_date(format_timestamp(at, east).encode())
            assert found is not None
            assert math.isclose(found.at, at)

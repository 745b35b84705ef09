"""When a message says it was written (RFC 5322 §3.3), and how Gatepost writes dates itself."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_tz

MAX_DATE_OCTETS = 200  # security limit: a longer Date field is no date

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_MONTHS = {
    name: number
    for number, name in enumerate(
        (
            b"jan",
            b"feb",
            b"mar",
            b"apr",
            b"may",
            b"jun",
            b"jul",
            b"aug",
            b"sep",
            b"oct",
            b"nov",
            b"dec",
        ),
        1,
    )
}
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DATE = re.compile(
    rb"[ \t]*(?:[A-Za-z]{3,9}[.,]*[ \t]+)?(\d{1,2})[ \t-]+([A-Za-z]{3})[a-z.]*[ \t,-]+(\d{2,4})[ \t]+"
    rb"(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:\.\d+)?)?[ \t]*(?:([+-]\d{4})|([A-Za-z]{1,5}))?"
)
# RFC 5322 §4.3; single letters and unknown names say nothing about the zone (-0000).
_ZONES = {
    b"EST": -300,
    b"EDT": -240,
    b"CST": -360,
    b"CDT": -300,
    b"MST": -420,
    b"MDT": -360,
    b"PST": -480,
    b"PDT": -420,
}


@dataclass(frozen=True, slots=True)
class SentDate:
    """`at` in seconds since 1970 UTC; `day` counts days since 1970 by the calendar of the one who wrote it."""

    at: float
    day: int


def parse_date(value: bytes) -> SentDate | None:
    """A Date field's unfolded value; None where it names no moment."""
    if len(value) > MAX_DATE_OCTETS:
        return None
    match = _DATE.match(value)
    if match is None:
        return _parse_by_library(value)
    day_text, month_name, year_text, hour, minute, second, offset, zone = match.groups()
    month = _MONTHS.get(month_name.lower())
    if month is None:
        return None
    minutes_east = 0
    if offset is not None:
        minutes_east = int(offset[1:3]) * 60 + int(offset[3:5])
        if offset[0] == 0x2D:
            minutes_east = -minutes_east
    elif zone is not None:
        minutes_east = _ZONES.get(zone.upper(), 0)
    return _assemble(
        _full_year(year_text),
        month,
        int(day_text),
        int(hour),
        int(minute),
        int(second or 0),
        minutes_east * 60,
    )


def _full_year(text: bytes) -> int:
    # RFC 5322 §4.3: two digits are 1950 to 2049, three digits count from 1900.
    year = int(text)
    if len(text) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(text) == 3 else year


def _assemble(
    year: int, month: int, day: int, hour: int, minute: int, second: int, seconds_east: int
) -> SentDate | None:
    if not (
        1 <= year <= 9999
        and hour <= 24
        and minute < 60
        and second <= 61
        and abs(seconds_east) < 86_400 * 2
    ):
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        return None
    return SentDate(float(days * 86_400 + hour * 3600 + minute * 60 + second - seconds_east), days)


def _parse_by_library(value: bytes) -> SentDate | None:
    """Odd orders of words, which the standard library knows many of."""
    try:
        parsed = parsedate_tz(value.decode("latin-1"))
    except (ValueError, IndexError, TypeError):
        return None
    if parsed is None:
        return None
    year, month, day, hour, minute, second, _, _, _, offset = parsed
    return _assemble(year, month, day, hour, minute, second, offset or 0)


def format_date(moment: datetime) -> str:
    """As Date, Received and Resent-Date want it: `Mon, 23 Nov 2026 18:00:00 +0000`."""
    offset = moment.utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return (
        f"{_DAY_NAMES[moment.weekday()]}, {moment.day} {_MONTH_NAMES[moment.month - 1]} {moment.year:04d}"
        f" {moment:%H:%M:%S} {sign}{hours:02d}{rest:02d}"
    )


def format_timestamp(at: float, minutes_east: int = 0) -> str:
    """The same for seconds since 1970."""
    zone = timezone(timedelta(minutes=minutes_east)) if minutes_east else UTC
    return format_date(datetime.fromtimestamp(at, zone))

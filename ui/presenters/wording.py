"""How numbers, sizes and times are written for people."""

from datetime import datetime, timedelta


def size(size_bytes: int) -> str:
    value = float(size_bytes)
    for unit in ("bytes", "KB", "MB", "GB"):
        if value < 1000:
            if unit == "bytes":
                return f"{size_bytes} {'byte' if size_bytes == 1 else 'bytes'}"
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def number(value: int) -> str:
    """Groups of three, parted by a thin space: right in every language."""
    return f"{value:,}".replace(",", "\u202f")


def count(value: int, one: str, many: str = "") -> str:
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """`12 s`, `4 min`, `3 h 20 min`, `2 days`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        hours, minutes = whole // 3600, whole % 3600 // 60
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days = whole // 86400
    return "1 day" if days == 1 else f"{days} days"


def ago(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "never"
    seconds = (now - at).total_seconds()
    if seconds < 5:
        return "just now"
    return f"{duration(seconds)} ago"


def moment_ago(at: datetime, now: datetime) -> str:
    """As `ago`; what lies ahead is "in 12 min"."""
    return until(at, now) if at > now else ago(at, now)


def until(at: datetime | None, now: datetime) -> str:
    if at is None:
        return ""
    seconds = (at - now).total_seconds()
    return "now" if seconds < 1 else f"in {duration(seconds)}"


def clock(at: datetime, *, seconds: bool = True) -> str:
    """The time of day where the user is."""
    return at.astimezone().strftime("%H:%M:%S" if seconds else "%H:%M")


def moment(at: datetime, now: datetime) -> str:
    """The time today, `yesterday 14:02`, else the date too."""
    local, today = at.astimezone(), now.astimezone().date()
    if local.date() == today:
        return local.strftime("%H:%M:%S")
    if local.date() == today - timedelta(days=1):
        return f"yesterday {local:%H:%M}"
    return f"{local.day} {local:%b %H:%M}"


def milliseconds(value: int) -> str:
    return f"{value} ms" if value < 1000 else f"{value / 1000:.1f} s"

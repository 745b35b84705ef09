"""Tables and figures for people."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

import click

_UNITS = ("B", "KB", "MB", "GB", "TB")


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Aligned columns; `empty` is said instead of a table without rows."""
    if not rows:
        click.echo(empty)
        return
    plain = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(_width(cell) for cell in column) for column in zip(titles, *plain, strict=True)]
    for index, row in enumerate([list(titles), *plain]):
        padded = [
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        line = "  ".join(padded).rstrip()
        click.echo(click.style(line, bold=True) if index == 0 else line)


def facts(rows: Sequence[tuple[str, str]]) -> None:
    """Name and value, one a line; empty values are left out."""
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        if value:
            click.echo(f"{name:{width}}  {one_line(value)}")


def _width(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def one_line(text: str) -> str:
    """What other servers say must not steer the terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def size(octets: int) -> str:
    value = float(octets)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def moment(at: datetime | None) -> str:
    """In local time."""
    return "" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def until(at: datetime | None) -> str:
    """`in 12 min`, `now`."""
    if at is None:
        return ""
    seconds = (at - datetime.now(UTC)).total_seconds()
    return "now" if seconds <= 0 else f"in {duration(seconds)}"


def duration(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"

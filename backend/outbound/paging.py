"""Where does the next page of a long list begin? Behind the last row that was shown, wherever that has moved meanwhile.

Counting rows from the start (OFFSET) shows rows twice, or not at all, when others leave, and takes longer with each page.
"""

import base64
import binascii
import json
from dataclasses import dataclass

from backend.core.errors import UserError
from backend.core.problems import Problem

MAX_CURSOR_CHARS = 2000  # a security limit
_MAX_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Position:
    """Of a row in a sorted list: what it is sorted by, and its number, which decides between equals."""

    value: str | float
    id: int


def follow(
    column: str, number: str, after: Position | None, *, descending: bool
) -> tuple[str, dict[str, object]]:
    """A condition for the rows behind a position, to be put behind a WHERE, with its parameters."""
    if after is None:
        return "", {}
    sign = "<" if descending else ">"
    return (
        f" AND {column} {sign}= :after_value AND ({column} {sign} :after_value OR {number} {sign} :after_id)",
        {"after_value": after.value, "after_id": after.id},
    )


def write_cursor(kind: str, position: Position | None) -> str:
    """For the faces, who hand it back as it is; `kind` names list and order. Empty after the last page."""
    if position is None:
        return ""
    text = json.dumps([kind, position.value, position.id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(kind: str, cursor: str) -> Position | None:
    """None for the first page.

    Raises:
        UserError: it is none of this list in this order.
    """
    if not cursor:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _unusable() from None
    match found:
        case [str() as said, (str() | int() | float()) as value, int() as number] if (
            said == kind and not isinstance(value, bool) and abs(number) <= _MAX_NUMBER
        ):
            if isinstance(value, int) and abs(value) > _MAX_NUMBER:
                raise _unusable()
            return Position(value, number)
        case _:
            raise _unusable()


def contains(text: str) -> str:
    """A pattern for `LIKE … ESCAPE '!'`, which looks for the text as it is."""
    return "%{}%".format(text.replace("!", "!!").replace("%", "!%").replace("_", "!_"))


def _unusable() -> UserError:
    return UserError(
        Problem(
            code="list.cursor",
            path="/cursor",
            message="This list can't be continued from there.",
            fix="Begin with its first page again.",
        )
    )

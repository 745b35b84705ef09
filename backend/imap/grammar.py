"""What do the pieces of a command look like? Atoms, strings, sets, dates: each pattern under its ABNF (RFC 9051 §9).

`Cursor` walks over one whole command. Methods named after a grammar element read it or raise `GrammarError`; methods
whose name begins with `try_` leave the cursor where it was and return None or False.
"""

import re
from calendar import timegm
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import TypeVar

from backend.core.errors import PeerError
from backend.imap import utf7
from backend.imap.search import SavedResult, SequenceSet
from backend.imap.wire import Literal, RawCommand

T = TypeVar("T")

MAX_NESTING = 50  # parentheses within parentheses, a security limit: recursion is bounded
MAX_NUMBER = 2**32 - 1
MAX_NUMBER64 = 2**63 - 1
MAX_SET_RANGES = 20_000  # ranges in one sequence set, a security limit
MAX_FLAG_BYTES = 200  # one keyword, a security limit


class GrammarError(PeerError):
    """The command is not IMAP; the text may be sent back. The stream goes on behind it."""


# ATOM-CHAR = <any CHAR except atom-specials>; atom-specials = "(" / ")" / "{" / SP / CTL / "%" / "*" / DQUOTE / "\" / "]"
_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
# ASTRING-CHAR = ATOM-CHAR / resp-specials ("]")
# INTEROP(rev2 clients): raw UTF-8 in an unquoted mailbox name is taken, clients in rev2 mode forget the quotes.
_ASTRING = re.compile(rb'[^\x00-\x20\x7f(){%*"\\]+')
# list-char = ATOM-CHAR / list-wildcards / resp-specials
_LIST_MAILBOX = re.compile(rb'[^\x00-\x20\x7f(){"\\]+')
# tag = 1*<any ASTRING-CHAR except "+">
_TAG = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\+]{1,200}')
# quoted = DQUOTE *QUOTED-CHAR DQUOTE
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_ESCAPED = re.compile(rb'\\(["\\])')
_NUMBER = re.compile(rb"[0-9]{1,19}")
# sequence-set = (seq-number / seq-range) ["," sequence-set]; seq-number = nz-number / "*"
_SET = re.compile(
    rb"(?:[0-9]{1,10}|\*)(?::(?:[0-9]{1,10}|\*))?(?:,(?:[0-9]{1,10}|\*)(?::(?:[0-9]{1,10}|\*))?)*"
)
_WORD = re.compile(rb"[A-Za-z0-9.=+-]+")
# date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
_DATE_TIME = re.compile(
    rb'"([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"'
)
# date = date-text / DQUOTE date-text DQUOTE; date-text = date-day "-" date-month "-" date-year
_DATE = re.compile(rb'("?)([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\1')
MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")  # fmt: skip
_EPOCH_DAY = date(1970, 1, 1).toordinal()

SYSTEM_FLAGS = {
    flag.lower(): flag for flag in ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")
}


class Cursor:
    """A place in one command. `utf8`: mailbox names are UTF-8 (rev2 or UTF8=ACCEPT) instead of modified UTF-7."""

    __slots__ = ("_command", "_index", "_text", "pos", "utf8")

    def __init__(self, command: RawCommand, *, utf8: bool = False) -> None:
        self._command = command
        self._index = 0
        self._text = command.segments[0]
        self.pos = 0
        self.utf8 = utf8

    # Single characters

    def at_end(self) -> bool:
        return self.pos >= len(self._text) and self._index == len(self._command.segments) - 1

    def end(self) -> None:
        """INTEROP(telnet): blanks before the line's end are let pass."""
        if self.at_end() or (
            self._index == len(self._command.segments) - 1
            and not self._text[self.pos :].strip(b" ")
        ):
            return
        raise GrammarError("Unexpected text at the end of the command")

    def peek(self) -> bytes:
        return self._text[self.pos : self.pos + 1]

    def try_char(self, char: bytes) -> bool:
        if self._text.startswith(char, self.pos):
            self.pos += len(char)
            return True
        return False

    def char(self, char: bytes) -> None:
        if not self.try_char(char):
            raise GrammarError(f"Expected “{char.decode('ascii')}”")

    def sp(self) -> None:
        """INTEROP(telnet): more than one blank counts as one."""
        if self.peek() != b" ":
            raise GrammarError("Expected a space")
        while self.peek() == b" ":
            self.pos += 1

    def try_sp(self) -> bool:
        if self.peek() != b" ":
            return False
        self.sp()
        return True

    # Words

    def _match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        found = pattern.match(self._text, self.pos)
        if found is not None:
            self.pos = found.end()
        return found

    def tag(self) -> bytes:
        found = self._match(_TAG)
        if found is None:
            raise GrammarError("A command begins with a tag")
        return found[0]

    def word(self) -> str:
        """A name of a command, item or option, in upper case."""
        found = self._match(_WORD)
        if found is None:
            raise GrammarError("Expected a name")
        return found[0].decode("ascii").upper()

    def try_word(self, *words: str) -> bool:
        """One of these names in any case, and not just the beginning of a longer one."""
        found = _WORD.match(self._text, self.pos)
        if found is not None and found[0].decode("ascii").upper() in words:
            self.pos = found.end()
            return True
        return False

    def peek_word(self) -> str:
        found = _WORD.match(self._text, self.pos)
        return found[0].decode("ascii").upper() if found is not None else ""

    def atom(self) -> bytes:
        found = self._match(_ATOM)
        if found is None:
            raise GrammarError("Expected an atom")
        return found[0]

    def number(self, limit: int = MAX_NUMBER) -> int:
        found = self._match(_NUMBER)
        if found is None:
            raise GrammarError("Expected a number")
        value = int(found[0])
        if value > limit:
            raise GrammarError("A number is too big")
        return value

    def nz_number(self, limit: int = MAX_NUMBER) -> int:
        value = self.number(limit)
        if not value:
            raise GrammarError("A number must not be zero")
        return value

    # Strings

    def try_literal(self) -> Literal | None:
        if self.pos < len(self._text) or self._index == len(self._command.segments) - 1:
            return None
        literal = self._command.literals[self._index]
        self._index += 1
        self._text = self._command.segments[self._index]
        self.pos = 0
        return literal

    def try_string(self) -> bytes | None:
        """As in the ABNF: quoted or literal."""
        found = self._match(_QUOTED)
        if found is not None:
            return _ESCAPED.sub(rb"\1", found[1]) if b"\\" in found[1] else found[1]
        literal = self.try_literal()
        if literal is None:
            return None
        if literal.spool is not None:
            raise GrammarError("A literal is too big here")
        if b"\x00" in literal.data:
            raise GrammarError("NUL is not allowed in a string")
        return literal.data

    def string(self) -> bytes:
        value = self.try_string()
        if value is None:
            raise GrammarError("Expected a string")
        return value

    def astring(self) -> bytes:
        value = self.try_string()
        if value is not None:
            return value
        found = self._match(_ASTRING)
        if found is None:
            raise GrammarError("Expected a string or an atom")
        return found[0]

    def nstring(self) -> bytes | None:
        value = self.try_string()
        if value is None:
            if not self.try_word("NIL"):
                raise GrammarError("Expected a string or NIL")
            return None
        return value

    # Names and sets

    def mailbox(self) -> str:
        return self._name(self.astring())

    def list_mailbox(self) -> str:
        """A pattern of LIST."""
        value = self.try_string()
        if value is None:
            found = self._match(_LIST_MAILBOX)
            if found is None:
                raise GrammarError("Expected a mailbox pattern")
            value = found[0]
        return self._name(value)

    def _name(self, raw: bytes) -> str:
        try:
            # INTEROP(old webmail): eight-bit bytes can't be UTF-7; clients that send them mean UTF-8.
            return raw.decode("utf-8") if self.utf8 or not raw.isascii() else utf7.decode(raw)
        except ValueError as error:
            raise GrammarError("The mailbox name is not correctly encoded") from error

    def flag(self) -> str:
        r"""A keyword, or one of the five system flags in its own spelling."""
        is_system = self.try_char(b"\\")
        name = self.atom()
        if len(name) > MAX_FLAG_BYTES:
            raise GrammarError("A flag is too long")
        text = name.decode("ascii")
        if not is_system:
            return text
        known = SYSTEM_FLAGS.get(f"\\{text}".lower())
        if known is None:
            raise GrammarError(f"No such system flag: \\{text}")
        return known

    def flag_list(self) -> frozenset[str]:
        return frozenset(self.parenthesized(self.flag))

    def sequence_set(self, *, is_uid: bool) -> SequenceSet | SavedResult:
        # RFC 9051 §6.4.4.1: "$" stands for the saved result wherever a set may stand.
        if self.try_char(b"$"):
            return SavedResult()
        found = self._match(_SET)
        if found is None:
            raise GrammarError("Expected a set of message numbers")
        parts = found[0].split(b",")
        if len(parts) > MAX_SET_RANGES:
            raise GrammarError("The set of message numbers has too many parts")
        ranges: list[tuple[int | None, int | None]] = []
        for part in parts:
            first, colon, last = part.partition(b":")
            low = _seq_number(first)
            ranges.append((low, _seq_number(last) if colon else low))
        return SequenceSet(tuple(ranges), is_uid)

    def parenthesized(self, element: Callable[[], T]) -> list[T]:
        """Elements with spaces between them, in parentheses; none is fine too."""
        self.char(b"(")
        values: list[T] = []
        self.try_sp()
        while not self.try_char(b")"):
            if values:
                self.sp()
                if self.try_char(b")"):
                    break
            values.append(element())
        return values

    # Dates

    def date(self) -> int:
        """Days since 1970-01-01."""
        found = self._match(_DATE)
        if found is None:
            raise GrammarError("Expected a date such as 1-Feb-1994")
        try:
            return date(int(found[4]), _month(found[3]), int(found[2])).toordinal() - _EPOCH_DAY
        except ValueError as error:
            raise GrammarError("No such day") from error

    def date_time(self) -> float:
        """Seconds since 1970, UTC."""
        found = self._match(_DATE_TIME)
        if found is None:
            raise GrammarError('Expected a date such as "17-Jul-1996 02:44:25 -0700"')
        try:
            day = date(int(found[3]), _month(found[2]), int(found[1]))
        except ValueError as error:
            raise GrammarError("No such day") from error
        hour, minute, second = int(found[4]), int(found[5]), int(found[6])
        if hour > 23 or minute > 59 or second > 60:
            raise GrammarError("No such time of day")
        offset_s = (int(found[8]) * 60 + int(found[9])) * 60
        seconds = timegm((day.year, day.month, day.day, hour, minute, second))
        return float(seconds - offset_s if found[7] == b"+" else seconds + offset_s)


def _seq_number(text: bytes) -> int | None:
    if text == b"*":
        return None
    value = int(text)
    if not 1 <= value <= MAX_NUMBER:
        raise GrammarError("A message number is out of range")
    return value


def _month(name: bytes) -> int:
    try:
        return MONTHS.index(name.lower()) + 1
    except ValueError as error:
        raise GrammarError("No such month") from error


_MONTH_NAMES = tuple(month.capitalize() for month in MONTHS)


@lru_cache(maxsize=1000)
def _day_text(day: int) -> bytes:
    then = date.fromordinal(day + _EPOCH_DAY)
    return b"%02d-%b-%04d" % (then.day, _MONTH_NAMES[then.month - 1], then.year)


def internal_date(seconds: float) -> bytes:
    """As date-time, in UTC."""
    day, second = divmod(int(seconds), 86400)
    day = min(max(day, -_EPOCH_DAY + 1), date.max.toordinal() - _EPOCH_DAY)
    hour, second = divmod(second, 3600)
    return b'"%b %02d:%02d:%02d +0000"' % (_day_text(day), hour, *divmod(second, 60))

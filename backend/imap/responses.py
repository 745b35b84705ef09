"""How are answers written? Values in, bytes out (RFC 9051 §7)."""

import re
from collections.abc import Collection, Iterable
from enum import Enum

from backend.core.uidset import UidSet
from backend.imap import utf7


class Kind(Enum):
    OK = b"OK"
    NO = b"NO"
    BAD = b"BAD"
    BYE = b"BYE"
    PREAUTH = b"PREAUTH"


_SAFE_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+\Z')
# QUOTED-CHAR without the two that need a backslash
_PLAIN = re.compile(rb'[^\x00\r\n"\\\x80-\xff]*\Z')
_PLAIN_UTF8 = re.compile(rb'[^\x00\r\n"\\]*\Z')
MAX_QUOTED = 1000  # longer strings go as literals, kinder to clients with line limits


def reply(tag: bytes, kind: Kind, text: str, code: bytes = b"") -> bytes:
    """A tagged or (`*`) untagged status. `text` is for people; nothing in it can end the line."""
    words = text.translate(_ONE_LINE).encode("utf-8", "replace")
    if code:
        return b"%b %b [%b] %b\r\n" % (tag, kind.value, code, words)
    return b"%b %b %b\r\n" % (tag, kind.value, words)


_ONE_LINE = {0: " ", 10: " ", 13: " "}


def string(value: bytes, *, utf8: bool = False) -> bytes:
    """Quoted where it can be, else a literal. `utf8`: quoted strings may hold UTF-8."""
    if len(value) <= MAX_QUOTED:
        if (_PLAIN_UTF8 if utf8 else _PLAIN).match(value):
            return b'"%b"' % value
        if (utf8 or value.isascii()) and not any(c in value for c in (b"\x00", b"\r", b"\n")):
            return b'"%b"' % value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b"{%d}\r\n%b" % (len(value), value)


def nstring(value: bytes | None, *, utf8: bool = False) -> bytes:
    return b"NIL" if value is None else string(value, utf8=utf8)


def astring(value: bytes) -> bytes:
    """Bare where it can be."""
    return value if _SAFE_ATOM.match(value) and value.upper() != b"NIL" else string(value)


def mailbox(name: str, *, utf8: bool) -> bytes:
    if utf8:
        return string(name.encode("utf-8", "replace"), utf8=True)
    return string(utf7.encode(name))


def capability(names: bytes) -> bytes:
    return b"* CAPABILITY %b\r\n" % names


def exists(count: int) -> bytes:
    return b"* %d EXISTS\r\n" % count


def recent() -> bytes:
    # RFC 3501 §7.3.2: this server tracks no recent messages.
    return b"* 0 RECENT\r\n"


def expunge(seq: int) -> bytes:
    return b"* %d EXPUNGE\r\n" % seq


def flags(keywords: Iterable[str]) -> bytes:
    return b"* FLAGS (%b)\r\n" % _flags(keywords)


def permanent_flags(keywords: Iterable[str], *, read_only: bool) -> bytes:
    if read_only:
        return b"* OK [PERMANENTFLAGS ()] No flag can be changed\r\n"
    # RFC 9051 §7.1: \* tells that new keywords can be made.
    return b"* OK [PERMANENTFLAGS (%b \\*)] Flags that are kept\r\n" % _flags(keywords)


def _flags(keywords: Iterable[str]) -> bytes:
    return " ".join(
        ["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft", *keywords]
    ).encode("ascii", "replace")


def flags_fetch(
    seq: int, flag_list: bytes, *, uid: int | None = None, modseq: int | None = None
) -> bytes:
    """An untagged FETCH with flags."""
    uid_part = b"UID %d " % uid if uid is not None else b""
    modseq_part = b" MODSEQ (%d)" % modseq if modseq is not None else b""
    return b"* %d FETCH (%bFLAGS (%b)%b)\r\n" % (seq, uid_part, flag_list, modseq_part)


def listing(
    name: str,
    attributes: Iterable[str],
    *,
    utf8: bool,
    command: bytes = b"LIST",
    child_info: Collection[str] = (),
    old_name: str | None = None,
) -> bytes:
    extra = b""
    if child_info:  # RFC 5258 §3.5
        inner = b" ".join(b'"%b"' % option.encode("ascii") for option in child_info)
        extra += b' ("CHILDINFO" (%b))' % inner
    if old_name is not None:  # RFC 9051 §6.3.9.7
        extra += b' ("OLDNAME" (%b))' % mailbox(old_name, utf8=utf8)
    words = " ".join(attributes).encode("ascii")
    return b'* %b (%b) "/" %b%b\r\n' % (command, words, mailbox(name, utf8=utf8), extra)


def status(name: str, items: Iterable[tuple[str, int | str]], *, utf8: bool) -> bytes:
    values = " ".join(
        f"{item} ({value})" if isinstance(value, str) else f"{item} {value}"
        for item, value in items
    )
    return b"* STATUS %b (%b)\r\n" % (mailbox(name, utf8=utf8), values.encode("ascii"))


def search(numbers: Iterable[int], modseq: int | None) -> bytes:
    """The answer of RFC 3501, with the MODSEQ of RFC 7162 §3.1.5."""
    listed = "".join(f" {number}" for number in numbers)
    tail = f" (MODSEQ {modseq})" if modseq is not None and listed else ""
    return f"* SEARCH{listed}{tail}\r\n".encode("ascii")


def esearch(
    tag: bytes,
    *,
    by_uid: bool,
    lowest: int | None = None,
    highest: int | None = None,
    count: int | None = None,
    found: UidSet | None = None,
    modseq: int | None = None,
) -> bytes:
    """RFC 4731 §3.1. What is None (or an empty `found`) is left out."""
    line = b'* ESEARCH (TAG "%b")' % tag.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    if by_uid:
        line += b" UID"
    if lowest is not None:
        line += b" MIN %d" % lowest
    if highest is not None:
        line += b" MAX %d" % highest
    if count is not None:
        line += b" COUNT %d" % count
    if found:
        line += b" ALL " + found.to_bytes()
    if modseq is not None:
        line += b" MODSEQ %d" % modseq
    return line + b"\r\n"


def append_uid(uidvalidity: int, uids: Iterable[int]) -> bytes:
    """RFC 4315 §3: the code of APPEND; ranges only where they keep the order."""
    return b"APPENDUID %d %b" % (uidvalidity, ordered_set(uids))


def copy_uid(uidvalidity: int, source: Iterable[int], target: Iterable[int]) -> bytes:
    return b"COPYUID %d %b %b" % (uidvalidity, ordered_set(source), ordered_set(target))


def ordered_set(numbers: Iterable[int]) -> bytes:
    """Numbers in their given order; neighbours that ascend are drawn together."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return b",".join(b"%d" % a if a == b else b"%d:%d" % (a, b) for a, b in runs)

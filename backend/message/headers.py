"""Where the header ends, what its fields say, and how to select, add or remove fields without touching the others.

Everything works on raw bytes and keeps them: a signature over the header stays valid for the fields that are kept.
Lines may end in CRLF or in a bare LF; a line that is neither a field nor a continuation belongs to the field before it
as far as bytes go, and to no field as far as meaning goes.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

MAX_HEADER_OCTETS = (
    1 << 20
)  # security limit: fields beyond the first MiB of one header are kept but not understood

_HEADER_END = re.compile(rb"\n\r?\n")
_BLANK_LINE = re.compile(rb"\r?\n")
_ENDS_BLANK = re.compile(rb"(?:\A|\n)\r?\n\Z")
_CONTINUATION = re.compile(rb"\r?\n(?=[ \t])")


def find_body(raw: bytes, start: int = 0, end: int | None = None) -> int:
    """The offset behind the blank line that ends the header, or `end` where no blank line comes."""
    stop = len(raw) if end is None else end
    if blank := _BLANK_LINE.match(raw, start, stop):  # no header at all
        return blank.end()
    found = _HEADER_END.search(raw, start, stop)
    return found.end() if found else stop


def split_header(raw: bytes) -> tuple[bytes, bytes]:
    """Header with its blank line, and body."""
    at = find_body(raw)
    return raw[:at], raw[at:]


def unfold(value: bytes) -> bytes:
    """A field's value on one line, white space around it removed (RFC 5322 §2.2.3)."""
    return _CONTINUATION.sub(b"", value).strip(b" \t\r\n")


def logical_lines(block: bytes) -> list[bytes]:
    """The lines of a header, unfolded, without line ends; empty ones included."""
    if len(block) > MAX_HEADER_OCTETS:
        block = block[:MAX_HEADER_OCTETS]
    if b"\r\n" in block:
        block = block.replace(b"\r\n", b"\n")
    if b"\n " in block:
        block = block.replace(b"\n ", b" ")
    if b"\n\t" in block:
        block = block.replace(b"\n\t", b"\t")
    return block.split(b"\n")


def get_all(block: bytes, name: bytes) -> list[bytes]:
    """The unfolded values of all fields of that name, in order."""
    wanted = name.lower()
    values = []
    for line in logical_lines(block):
        key, colon, value = line.partition(b":")
        if colon and key.rstrip(b" \t").lower() == wanted:
            values.append(value.strip(b" \t\r"))
    return values


def get(block: bytes, name: bytes) -> bytes | None:
    """The unfolded value of the first field of that name."""
    wanted = name.lower()
    for line in logical_lines(block):
        key, colon, value = line.partition(b":")
        if colon and key.rstrip(b" \t").lower() == wanted:
            return value.strip(b" \t\r")
    return None


def select_fields(block: bytes, names: Iterable[bytes]) -> bytes:
    """The named fields as they stand, in their order, and a blank line.

    RFC 9051 §6.4.5.1: HEADER.FIELDS is matched without regard to case, and the blank line is always there.
    """
    return _closed(b"".join(_fields_named(_key(names)).findall(block)))


def fields_selector(names: Iterable[bytes]) -> Callable[[bytes], bytes]:
    """`select_fields` for one choice of names and many headers."""
    key = _key(names)
    if not key:
        return lambda _: b"\r\n"
    # A pattern that begins with a plain character is looked for four times as quickly as one that begins with `^`.
    alternatives = b"|".join(re.escape(name) for name in key)
    find = re.compile(rb"(?i)\n(?:" + alternatives + rb")[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*").findall

    def select(block: bytes) -> bytes:
        if not block.endswith(b"\n"):
            return select_fields(block, key)
        found = b"".join(find(b"\n" + block))
        return found[1:] + b"\n\r\n" if found else b"\r\n"

    return select


def select_other_fields(block: bytes, names: Iterable[bytes]) -> bytes:
    """All but the named fields, and a blank line (HEADER.FIELDS.NOT)."""
    kept = _fields_named(_key(names)).sub(b"", block[: find_body(block)])
    return kept if _ENDS_BLANK.search(kept, max(len(kept) - 3, 0)) else _closed(kept)


def without_fields(raw: bytes, names: Iterable[bytes]) -> bytes:
    """The whole message without the named header fields (Bcc before a message leaves)."""
    body = find_body(raw)
    return _fields_named(_key(names)).sub(b"", raw[:body]) + raw[body:]


def prepend(raw: bytes, fields: Iterable[bytes]) -> bytes:
    """The message with complete field lines put before its header, each with or without its CRLF."""
    return b"".join(line if line.endswith(b"\n") else line + b"\r\n" for line in fields) + raw


def _closed(fields: bytes) -> bytes:
    """With the blank line, and with a line end before it where the last field lacks one."""
    return fields + (b"\r\n" if not fields or fields.endswith(b"\n") else b"\r\n\r\n")


def _key(names: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted({name.lower() for name in names}))


@lru_cache(maxsize=256)
def _fields_named(names: tuple[bytes, ...]) -> re.Pattern[bytes]:
    if not names:
        return re.compile(rb"(?!)")
    alternatives = b"|".join(re.escape(name) for name in names)
    return re.compile(rb"(?im)^(?:" + alternatives + rb")[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z)")

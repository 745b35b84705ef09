"""How bytes from a message stand in an IMAP response: quoted, as a literal, or NIL.

One text serves rev1 and rev2 clients, so that it can be stored ready to send: only 7-bit characters are quoted.
"""

import re

MAX_QUOTED_OCTETS = (
    1024  # longer strings travel as literals, since clients read lines into small buffers
)

# RFC 3501 §9: QUOTED-CHAR is any 7-bit character but CR and LF, with a backslash before `"` and `\`.
_NEEDS_CARE = re.compile(rb'[\x00\r\n\x80-\xff"\\]')
_NEEDS_LITERAL = re.compile(rb"[\r\n\x80-\xff]")
_SPECIAL = re.compile(rb'(["\\])')


def quote(value: bytes) -> bytes:
    """An IMAP string. RFC 3501 §9: no string can hold a NUL, so NULs are left out."""
    if len(value) <= MAX_QUOTED_OCTETS and _NEEDS_CARE.search(value) is None:
        return b'"' + value + b'"'
    value = value.replace(b"\0", b"")
    if len(value) > MAX_QUOTED_OCTETS or _NEEDS_LITERAL.search(value):
        return b"{%d}\r\n" % len(value) + value
    return b'"' + _SPECIAL.sub(rb"\\\1", value) + b'"'


def quote_or_nil(value: bytes | None) -> bytes:
    return b"NIL" if value is None else quote(value)

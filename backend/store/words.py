"""The text of a message as SEARCH compares it, and the words that the index keeps of it."""

import re
import unicodedata

from backend.message.encoded import decode_header
from backend.message.headers import logical_lines
from backend.message.text import searchable_text

MAX_INDEXED_CHARS = (
    1024 * 1024
)  # of one text; the rest is looked into at search time, a security limit
MAX_SCANNED_BYTES = 64 * 1024 * 1024  # of one message, a security limit


def fold(text: str) -> str:
    """How text is compared in searches: composed, without case, white space as one space (RFC 9051 §6.4.4)."""
    folded = text.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", folded)
    return " ".join(folded.split())


def storable(text: str) -> str:
    """Without lone surrogates, which the database refuses."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def header_text(header: bytes) -> str:
    """All fields, unfolded, decoded and folded."""
    return storable(fold("\n".join(decode_header(line) for line in logical_lines(header))))


def body_text(raw: bytes) -> str:
    return storable(fold(searchable_text(raw[:MAX_SCANNED_BYTES])))


def field_values(header: bytes, name: str) -> list[str]:
    """The folded values of all fields of that name."""
    wanted = name.strip().lower().encode()
    values = []
    for line in logical_lines(header):
        key, colon, value = line.partition(b":")
        if colon and key.rstrip(b" \t").lower() == wanted:
            values.append(fold(decode_header(value)))
    return values


# RFC 9051 asks for substrings: a word is a stretch of letters and digits, of any script. A run of Chinese is one word.
_WORD = re.compile(r"[^\W_]+")
_ONLY_WORDS = str.maketrans({chr(code): " " for code in range(128) if not chr(code).isalnum()})


def words(folded: str) -> list[str]:
    """The words of a folded text, and the pieces of a needle each of which must lie inside one word."""
    if folded.isascii():
        return folded.translate(_ONLY_WORDS).split()  # four times as fast
    return _WORD.findall(folded)

"""The text of a message as SEARCH compares it, and which pieces of a needle the word index can answer for."""

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


# The index's tokenizer takes letters, digits and private use of Unicode 6.1 as parts of words. What was a letter or a
# number already in Unicode 3.2 is one for both sides; other characters end a piece, which costs a look, never a match.
_ASCII_PIECE = re.compile(r"[0-9a-z]+")


def pieces(needle: str) -> list[str]:
    """Stretches of a folded needle each of which must lie inside one word of the index."""
    if needle.isascii():
        return _ASCII_PIECE.findall(needle)
    marked = "".join(char if _is_letter(char) else " " for char in needle)
    return marked.split()


def _is_letter(char: str) -> bool:
    return unicodedata.ucd_3_2_0.category(char)[0] in "LN"

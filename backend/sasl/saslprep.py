"""SASLprep: one form for passwords that look the same (RFC 4013)."""

import stringprep
import unicodedata

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class PrepError(ValueError):
    """The text can't be a name or password."""


def saslprep(text: str, *, stored: bool = False) -> str:
    """`stored`: code points that Unicode 3.2 did not know are refused (RFC 3454 §7).

    Raises:
        PrepError: with a sentence for people.
    """
    if text.isascii():
        if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
            raise PrepError("Control characters can't be part of it")
        return text
    # RFC 4013 §2.1: other spaces become a space, characters "commonly mapped to nothing" vanish.
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char
        for char in text
        if not stringprep.in_table_b1(char)
    )
    result = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    for char in result:
        if any(in_table(char) for in_table in _PROHIBITED):
            raise PrepError("Control or private characters can't be part of it")
        if stored and stringprep.in_table_a1(char):
            raise PrepError(f"The character “{char}” can't be part of it")
    _check_direction(result)
    return result


def _check_direction(text: str) -> None:
    # RFC 3454 §6: right-to-left characters stand at both ends or nowhere.
    has_rtl = any(stringprep.in_table_d1(char) for char in text)
    if not has_rtl:
        return
    if any(stringprep.in_table_d2(char) for char in text):
        raise PrepError("It mixes right-to-left and left-to-right letters")
    if not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])):
        raise PrepError("With right-to-left letters it must begin and end in one")


def prepared(password: str) -> bytes:
    """A password as it is hashed: SASLprep where that applies, else as it was typed (RFC 5802 clients do either)."""
    try:
        return saslprep(password).encode("utf-8", "surrogatepass")
    except PrepError:
        return password.encode("utf-8", "surrogatepass")

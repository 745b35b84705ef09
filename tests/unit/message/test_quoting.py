import pytest

from backend.message.quoting import MAX_QUOTED_OCTETS, quote, quote_or_nil


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"", b'""'),
        (b"plain \t", b'"plain \t"'),
        (b'a"b\\c', b'"a\\"b\\\\c"'),
        (b"a\r\nb", b"{4}\r\na\r\nb"),
        (b"\xc3\xa4", b"{2}\r\n\xc3\xa4"),
        (b"a\0b", b'"ab"'),
        (b"\0\xff\0", b"{1}\r\n\xff"),
    ],
)
def test_strings_are_quoted_unless_they_need_a_literal(value: bytes, text: bytes) -> None:
    assert quote(value) == text


def test_long_strings_are_literals() -> None:
    assert quote(b"x" * MAX_QUOTED_OCTETS).startswith(b'"')
    assert quote(b"x" * (MAX_QUOTED_OCTETS + 1)).startswith(b"{1025}\r\n")


def test_what_is_missing_is_nil() -> None:
    assert quote_or_nil(None) == b"NIL"
    assert quote_or_nil(b"") == b'""'
    assert quote_or_nil(b"NIL") == b'"NIL"'

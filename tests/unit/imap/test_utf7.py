import pytest

from backend.imap import utf7

# RFC 3501 §5.1.3 has the first one.
PAIRS = [
    ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
    ("A&B", b"A&-B"),
    ("Entwürfe", b"Entw&APw-rfe"),
    ("😀", b"&2D3eAA-"),
    ("plain", b"plain"),
]


@pytest.mark.parametrize(("text", "wire"), PAIRS)
def test_both_ways(text, wire):
    assert utf7.encode(text) == wire
    assert utf7.decode(wire) == text


@pytest.mark.parametrize("wire", [b"a&b", b"&AGE-", b"&", b"\xff", b"&U,BTFw", b"&2D0-"])
def test_other_spellings_are_refused(wire):
    with pytest.raises(ValueError):
        utf7.decode(wire)


def test_what_utf16_cannot_hold_becomes_a_question_mark():
    assert utf7.encode("a\ud800b") == b"a?b"


def test_shifts_that_never_end_are_refused_at_once():
    with pytest.raises(ValueError, match="modified"):
        utf7.decode(b"&A" * 500_000)

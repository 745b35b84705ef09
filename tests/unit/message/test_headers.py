import pytest

from backend.message import headers

BLOCK = b"Received: from a\r\n\tby b\r\nSubject: one\r\n two\r\nsubject : again\r\nX-Subject: no\r\nTo: a@b\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"A: b\r\n\r\nbody", b"body"),
        (b"A: b\n\nbody", b"body"),
        (b"A: b\n\r\nbody", b"body"),
        (b"\r\nbody", b"body"),
        (b"\nbody", b"body"),
        (b"A: b\r\n", b""),
        (b"", b""),
        (b"A: b\r\n \r\nC: d\r\n\r\nbody", b"body"),
    ],
)
def test_the_header_ends_at_the_blank_line(raw: bytes, body: bytes) -> None:
    header, rest = headers.split_header(raw)
    assert rest == body
    assert header + rest == raw


def test_the_search_for_the_blank_line_stays_within_its_bounds() -> None:
    assert headers.find_body(b"xx\n\nA: b\n\nbody\n\n", 4, 10) == 10
    assert headers.find_body(b"xxA: b\n\n", 2, 6) == 6


def test_fields_are_found_without_regard_to_case() -> None:
    assert headers.get(BLOCK, b"SUBJECT") == b"one two"
    assert headers.get_all(BLOCK, b"Subject") == [b"one two", b"again"]
    assert headers.get(BLOCK, b"received") == b"from a\tby b"
    assert headers.get(BLOCK, b"Cc") is None
    assert headers.get_all(BLOCK, b"Cc") == []


def test_unfolding_takes_line_ends_and_leaves_white_space() -> None:
    assert headers.unfold(b" a\r\n b\n\tc\r\n") == b"a b\tc"


def test_selected_fields_keep_their_bytes_and_their_order() -> None:
    assert headers.select_fields(BLOCK, [b"To", b"subject"]) == (
        b"Subject: one\r\n two\r\nsubject : again\r\nTo: a@b\r\n\r\n"
    )
    assert headers.select_fields(BLOCK, [b"x.subject"]) == b"\r\n"
    assert headers.select_fields(BLOCK, []) == b"\r\n"


def test_other_fields_are_all_but_the_named_ones() -> None:
    assert (
        headers.select_other_fields(BLOCK, [b"Received", b"Subject"])
        == b"X-Subject: no\r\nTo: a@b\r\n\r\n"
    )
    assert headers.select_other_fields(BLOCK, []) == BLOCK


def test_a_header_without_a_blank_line_gets_one_when_fields_are_selected() -> None:
    assert headers.select_fields(b"A: b", [b"a"]) == b"A: b\r\n\r\n"
    assert headers.select_other_fields(b"A: b\r\nC: d\r\n", [b"a"]) == b"C: d\r\n\r\n"


def test_fields_are_removed_from_the_header_alone() -> None:
    raw = b"Bcc: x@y,\r\n z@y\r\nTo: a@b\r\n\r\nBcc: stays\r\n"
    assert headers.without_fields(raw, [b"bcc"]) == b"To: a@b\r\n\r\nBcc: stays\r\n"


def test_fields_are_put_before_the_message() -> None:
    assert (
        headers.prepend(b"A: b\r\n\r\n", [b"X: 1", b"Y: 2\r\n"]) == b"X: 1\r\nY: 2\r\nA: b\r\n\r\n"
    )


def test_of_an_endless_header_only_the_first_part_is_read() -> None:
    block = b"A: b\r\n" + b"X: y\r\n" * 400_000 + b"Subject: late\r\n\r\n"
    assert headers.get(block, b"a") == b"b"
    assert headers.get(block, b"subject") is None

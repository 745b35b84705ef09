"""Content through DATA: the end, the dots, the line ends that must not pass."""

import pytest

from backend.smtp.data import DataFault, DataReader, DotStuffer


def content_of(*chunks: bytes) -> tuple[bytes, DataReader]:
    reader, content = DataReader(), b""
    for chunk in chunks:
        content += reader.feed(chunk)
    return content, reader


def test_an_empty_message_ends_at_once():
    content, reader = content_of(b".\r\n")
    assert (content, reader.ended, reader.rest) == (b"", True, b"")


def test_dots_at_line_starts_are_removed():
    content, reader = content_of(b"..a\r\n.b\r\nc.\r\n...\r\n.\r\n")
    assert content == b".a\r\nb\r\nc.\r\n..\r\n"
    assert reader.size_bytes == len(content)
    assert reader.fault is None


def test_what_follows_the_end_is_kept_for_the_next_command():
    content, reader = content_of(b"a\r\n.\r\nQUIT\r\n")
    assert content == b"a\r\n"
    assert reader.rest == b"QUIT\r\n"


def test_one_byte_at_a_time():
    wire = b"..a\r\n\r\n.b\r\n.\r\n"
    content, reader = content_of(*(wire[i : i + 1] for i in range(len(wire))))
    assert content == b".a\r\n\r\nb\r\n"
    assert reader.ended


@pytest.mark.parametrize(
    "end",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r.\r\n",
        b"\r\n.\n",
        b"\r\n.\r",
        b"\r.\r",
        b"\r\n\x00.\r\n",
        b"\n.\r",
        b"\r\n.\r\r\n",
    ],
)
def test_nothing_but_crlf_dot_crlf_ends_the_content(end):
    _, reader = content_of(b"Subject: a\r\n\r\nbody" + end + b"MAIL FROM:<evil@x.org>\r\n")
    assert not reader.ended
    assert reader.fault is not None
    _, reader = content_of(b"body" + end + b"MAIL\r\n.\r\n")
    assert reader.ended
    assert reader.rest == b""


@pytest.mark.parametrize(
    "body, fault",
    [
        (b"a\nb\r\n", DataFault.BARE_LF),
        (b"a\rb\r\n", DataFault.BARE_CR),
        (b"a\r\r\n", DataFault.BARE_CR),
        (b"a\n\r\n", DataFault.BARE_LF),
        (b"a\x00\r\n", DataFault.NUL),
        (b"a\r\n", None),
    ],
)
def test_faults_are_seen_however_the_bytes_are_cut(body, fault):
    for cut in range(len(body) + 1):
        _, reader = content_of(body[:cut], body[cut:], b".\r\n")
        assert reader.fault is fault, cut


def test_what_goes_out_is_stuffed_and_closed():
    stuffer = DotStuffer()
    assert (
        stuffer.feed(b".a\r\n.") + stuffer.feed(b"b\r\n..") + stuffer.end()
        == b"..a\r\n..b\r\n...\r\n.\r\n"
    )


def test_an_empty_message_goes_out_as_the_end_alone():
    assert DotStuffer().end() == b".\r\n"


def test_bare_line_ends_leave_as_crlf():
    stuffer = DotStuffer()
    wire = stuffer.feed(b"a\n.\nb\r") + stuffer.feed(b"c\r") + stuffer.feed(b"\nd") + stuffer.end()
    assert wire == b"a\r\n..\r\nb\r\nc\r\nd\r\n.\r\n"

"""Replies in both directions."""

import pytest

from backend.core.status import SmtpStatus
from backend.smtp.extensions import Extension, Offer, format_offer, parse_offer
from backend.smtp.replies import Reply, ReplyError, ReplyReader, format_reply


def read(data: bytes) -> list[Reply]:
    reader = ReplyReader()
    reader.receive(data)
    replies = []
    while (reply := reader.next()) is not None:
        replies.append(reply)
    return replies


def test_each_line_carries_both_codes():
    assert (
        format_reply(SmtpStatus(550, "5.1.1", "one\ntwo")) == b"550-5.1.1 one\r\n550 5.1.1 two\r\n"
    )
    assert format_reply(SmtpStatus(354, "", "go")) == b"354 go\r\n"


def test_a_text_can_start_no_line_of_its_own():
    assert format_reply(SmtpStatus(550, "", "a\r\x00é250 b")) == b"550 a?250 b\r\n"
    assert format_reply(SmtpStatus(552, "", "setting “size”…")) == b'552 setting "size"...\r\n'


def test_long_texts_are_cut_at_words():
    lines = format_reply(SmtpStatus(550, "5.0.0", "word " * 300 + "x" * 1000)).split(b"\r\n")[:-1]
    assert all(len(line) <= 510 for line in lines)
    assert all(line.startswith(b"550-5.0.0 ") for line in lines[:-1])
    assert lines[-1].startswith(b"550 5.0.0 ")


def test_several_replies_in_one_piece():
    replies = read(b"250-a\r\n250 b\r\n354 c\r\n")
    assert replies == [Reply(250, ("a", "b")), Reply(354, ("c",))]


def test_enhanced_codes_are_taken_out_where_they_fit():
    assert read(b"550-5.1.1 no\r\n550 5.1.1 one\r\n")[0].status == SmtpStatus(
        550, "5.1.1", "no\none"
    )
    assert read(b"550 4.1.1 odd\r\n")[0].status == SmtpStatus(550, "", "4.1.1 odd")
    assert read(b"250 2.0.0\r\n")[0].status == SmtpStatus(250, "2.0.0", "")


def test_a_code_alone_and_a_bare_line_feed_are_understood():
    assert read(b"250\r\n220 hi\n") == [Reply(250, ("",)), Reply(220, ("hi",))]


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n",
        b"99 x\r\n",
        b"250_x\r\n",
        b"250-a\r\n550 b\r\n",
        b"6" * 4097,
        b"250 " + b"x" * 4096 + b"\r\n",
        b"250-a\r\n" * 201,
    ],
)
def test_what_is_no_reply_ends_it(data):
    with pytest.raises(ReplyError):
        read(data)


def test_discarding_forgets_half_a_reply():
    reader = ReplyReader()
    reader.receive(b"250-a\r\n250 b\r\n25")
    assert reader.next() is not None
    assert reader.discard() == 2
    reader.receive(b"220 x\r\n")
    assert reader.next() == Reply(220, ("x",))


def test_an_offer_is_read_and_written():
    offer = parse_offer(
        ["size 1000", "PIPELINING", "AUTH PLAIN LOGIN", "AUTH=LOGIN XOAUTH2", "X-OWN", "", "SIZE"]
    )
    assert offer.size_bytes == 1000
    assert offer.mechanisms == ("PLAIN", "LOGIN", "XOAUTH2")
    assert offer.unknown == ("X-OWN",)
    assert Extension.PIPELINING in offer
    assert Extension.DSN not in offer
    written = format_offer(offer)
    assert written == ("SIZE 1000", "PIPELINING", "AUTH PLAIN LOGIN XOAUTH2")
    assert parse_offer(written).keywords == offer.keywords


def test_a_size_without_limit_is_written_alone():
    assert format_offer(Offer(keywords=frozenset({Extension.SIZE}))) == ("SIZE",)
    assert parse_offer(["SIZE x"]).size_bytes == 0

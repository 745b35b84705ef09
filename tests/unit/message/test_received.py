from backend.core.address import parse_address
from backend.message import headers
from backend.message.received import received_line, return_path_line


def test_a_received_line_says_who_when_and_how() -> None:
    line = received_line(
        helo="mail.example.net",
        peer_name="out.example.net",
        peer_ip="192.0.2.7",
        by="mx.example.org",
        protocol="ESMTPS",
        trace="t1",
        at=0.0,
        tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
        recipient=parse_address("me@example.org"),
    )
    assert line == (
        b"Received: from mail.example.net (out.example.net [192.0.2.7])\r\n"
        b"\t(using TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n"
        b"\tby mx.example.org with ESMTPS id t1\r\n"
        b"\tfor <me@example.org>;\r\n"
        b"\tThu, 1 Jan 1970 00:00:00 +0000\r\n"
    )


def test_a_hostile_greeting_stays_one_word() -> None:
    line = received_line(
        helo="evil) by x; \r\nSubject: forged\xe4\0",
        peer_ip="2001:db8::1",
        by="mx.example.org",
        protocol="SMTP",
        trace="t1",
        at=0.0,
    )
    assert line.startswith(b"Received: from evilbyxSubject:forged ([IPv6:2001:db8::1])\r\n\tby ")
    assert headers.get(line, b"subject") is None


def test_no_greeting_and_an_international_recipient_are_left_out() -> None:
    line = received_line(
        helo="",
        peer_ip="192.0.2.7",
        by="mx.example.org",
        protocol="UTF8SMTP",
        trace="t1",
        at=0.0,
        recipient=parse_address("jörg@example.org"),
    )
    assert b"from unknown ([192.0.2.7])" in line
    assert b"for <" not in line


def test_the_return_path_is_the_sender_or_nothing() -> None:
    assert return_path_line(parse_address("a@example.org")) == b"Return-Path: <a@example.org>\r\n"
    assert return_path_line(None) == b"Return-Path: <>\r\n"

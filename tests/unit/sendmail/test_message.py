"""What sendmail makes of what it gets on standard input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sendmail.fault import SendmailError
from app.sendmail.message import prepare
from backend.core.address import parse_address

AUTHOR = parse_address("cron@example.org")
DEFAULT = parse_address("me@example.org")


def made(raw: bytes, recipient: str | None = "anna@example.org", default=DEFAULT):
    return prepare(raw, author=AUTHOR, recipient=recipient, default_destination=default)


def test_from_is_rewritten_and_line_feeds_become_crlf():
    found = made(b"From: root (Cron Daemon)\nTo: anna@example.org\nSubject: x\n\na\n.b\n")
    assert found.content == (
        b"From: <cron@example.org>\r\nTo: anna@example.org\r\nSubject: x\r\n\r\na\r\n.b\r\n"
    )
    assert str(found.recipient) == "anna@example.org"


def test_a_folded_from_goes_whole_and_several_go_all():
    found = made(b"from: one\n\ttwo\nTo: x@y\nFROM : three\n\nFrom: body\n")
    assert found.content == b"From: <cron@example.org>\r\nTo: x@y\r\n\r\nFrom: body\r\n"


def test_a_missing_to_is_added():
    assert b"\r\nTo: <anna@example.org>\r\n\r\nx" in made(b"Subject: s\n\nx").content


@pytest.mark.parametrize(
    ("raw", "content"),
    [
        (b"", b"\r\n"),
        (b"\nbody", b"\r\nbody\r\n"),
        (b"just text\nmore: of it\n", b"\r\njust text\r\nmore: of it\r\n"),
        (b"Subject: only\n", b"Subject: only\r\n\r\n"),
        (b"From anna Mon Jan  1\nSubject: x\n\nb", b"Subject: x\r\n\r\nb\r\n"),
        (b"Subject: a\r\n\r\nb\r\nc\rd\ne", b"Subject: a\r\n\r\nb\r\nc\r\nd\r\ne\r\n"),
        (b"Subject: a\n b\n\nx\n", b"Subject: a\r\n b\r\n\r\nx\r\n"),
        (b" a\n\nb\n", b"\r\n a\r\n\r\nb\r\n"),
        (b"Subject: \xe4\xc3\xa4\n\n\xff\x80\n", b"Subject: \xe4\xc3\xa4\r\n\r\n\xff\x80\r\n"),
    ],
)
def test_header_and_body_are_found_whatever_programs_write(raw, content):
    head = b"From: <cron@example.org>\r\n"
    fields, separator, body = content.partition(b"\r\n\r\n" if content[:2] != b"\r\n" else b"\r\n")
    to = b"To: <anna@example.org>\r\n"
    end = b"\r\n" if separator == b"\r\n\r\n" else b""
    assert made(raw).content == head + fields + end + to + b"\r\n" + body


def test_with_t_the_recipient_is_that_of_the_header():
    found = made(b"To: Anna <anna@example.net>\nCc: c@x\nBcc: b@x\n\nx", None)
    assert str(found.recipient) == "anna@example.net"
    assert b"Cc: c@x\r\nBcc: b@x\r\n" in found.content
    assert str(made(b'To:\n "A, B"\n <anna@example.net>\n\nx', None).recipient) == "anna@example.net"  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"Subject: x\n\nTo: a@b\n", "needs a To header"),
        (b"To: a@b\nTo: c@d\n\n", "only single To header allowed"),
        (b"To: a@b, c@d\n\n", "exactly one recipient"),
        (b"To: undisclosed-recipients:;\n\n", "exactly one recipient"),
        (b"To: \n\n", "exactly one recipient"),
    ],
)
def test_with_t_anything_but_one_recipient_is_refused(raw, said):
    with pytest.raises(SendmailError, match=said):
        made(raw, None)


def test_mail_for_a_local_user_goes_to_the_default_destination():
    assert made(b"Subject: x\n\n", "root").recipient == DEFAULT
    found = made(b"To: root\n\nx", None)
    assert found.recipient == DEFAULT
    assert b"To: root\r\n" in found.content  # cron's words stay as they are
    with pytest.raises(SendmailError, match="“root” has no @ and no default destination"):
        made(b"\n", "root", None)


def test_a_recipient_that_is_no_address_is_refused():
    for recipient in ("a@", "@b", "a b@c", "a@b\r\nRCPT TO:<x@y>"):
        with pytest.raises(SendmailError, match="is no address"):
            made(b"\n", recipient)
    assert str(made(b"\n", "<a@b>").recipient) == "a@b"


@given(st.binary(max_size=200))
def test_whatever_comes_in_leaves_with_whole_lines_and_one_from(raw):
    content = made(raw).content
    assert content.startswith(b"From: <cron@example.org>\r\n")
    assert content.endswith(b"\r\n")
    bare = content.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare
    header = content.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
    assert len([line for line in header if line.startswith(b"from:")]) == 1

from pathlib import Path

import pytest

from backend.message.bodystructure import format_structure
from backend.message.scan import scan
from tests.support.imap_values import check_body, check_envelope, read_value
from tests.support.messages import OWN_MESSAGES, real_messages


def structures(raw: bytes) -> tuple[bytes, bytes]:
    return format_structure(scan(raw))


def test_text_has_lines_and_its_default_charset() -> None:
    assert structures(b"Subject: x\r\n\r\none\r\ntwo\r\n") == (
        b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2)',
        b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2 NIL NIL NIL NIL)',
    )


def test_all_extension_data_is_there() -> None:
    raw = (
        b'Content-Type: IMAGE/GIF; Name="a \\"b\\".gif"\r\nContent-ID: <id@x>\r\nContent-Description: a picture\r\n'
        b"Content-Transfer-Encoding: Base64\r\nContent-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n"
        b"Content-Disposition: Attachment; filename=x.gif\r\nContent-Language: de, en\r\nContent-Location: http://x/\r\n"
        b"\r\nR0lG\r\n"
    )
    body, full = structures(raw)
    assert body == b'("image" "gif" ("name" "a \\"b\\".gif") "<id@x>" "a picture" "base64" 6)'
    assert full == (
        b'("image" "gif" ("name" "a \\"b\\".gif") "<id@x>" "a picture" "base64" 6 '
        b'"Q2hlY2sgSW50ZWdyaXR5IQ==" ("Attachment" ("filename" "x.gif")) ("de" "en") "http://x/")'
    )


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (b"Content-Disposition: inline", b'NIL ("inline" NIL) NIL NIL)'),
        (b"Content-Disposition:", b'NIL ("attachment" NIL) NIL NIL)'),
        (b"Content-Language: de", b'NIL NIL "de" NIL)'),
        (b"Content-Language: ,", b"NIL NIL NIL NIL)"),
        (b"Content-Location:", b'NIL NIL NIL "")'),
    ],
)
def test_extension_fields_alone(field: bytes, text: bytes) -> None:
    assert structures(field + b"\r\n\r\nx")[1].endswith(text)


def test_multiparts_list_their_parts_and_embedded_messages_their_envelope() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\nhi\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@b\r\nSubject: in\r\n\r\nhello\r\nyou\r\n"
        b"--b--\r\n"
    )
    body, full = structures(raw)
    author = b'((NIL NIL "a" "b"))'
    envelope = b'(NIL "in" %b %b %b NIL NIL NIL NIL NIL)' % (author, author, author)
    text = b'"text" "plain" ("charset" "us-ascii") NIL NIL "7bit" %d %d'
    assert body == b'((%b)("message" "rfc822" NIL NIL NIL "7bit" 36 %b (%b) 4) "mixed")' % (
        text % (2, 0),
        envelope,
        text % (10, 1),
    )
    assert full == (
        b'((%b NIL NIL NIL NIL)("message" "rfc822" NIL NIL NIL "7bit" 36 %b (%b NIL NIL NIL NIL) 4 NIL NIL NIL NIL) '
        b'"mixed" ("boundary" "b") NIL NIL NIL)'
    ) % (text % (2, 0), envelope, text % (10, 1))


def test_message_global_has_the_shape_and_name_that_every_client_knows() -> None:
    assert structures(b"Content-Type: message/global\r\n\r\nSubject: x\r\n\r\ny")[0].startswith(
        b'("message" "rfc822" NIL NIL NIL "7bit" 15 (NIL "x" '
    )


def test_a_multipart_without_parts_has_one() -> None:
    body, full = structures(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n")
    check_body(read_value(body), extended=False)
    check_body(read_value(full), extended=True)


def test_continued_parameters_are_joined() -> None:
    # RFC 2231 §6: the server joins continuations; the extended notation stays for the client.
    raw = b"Content-Type: text/plain; name*0*=utf-8''%C3; name*1*=%A4.txt; x*0=a; x*1=b\r\n\r\n"
    assert b"""("name*" "utf-8''%C3%A4.txt" "x" "ab")""" in structures(raw)[0]


@pytest.mark.parametrize("raw", OWN_MESSAGES)
def test_every_structure_follows_the_grammar(raw: bytes) -> None:
    body, full = structures(raw)
    check_body(read_value(body), extended=False)
    check_body(read_value(full), extended=True)


def test_structures_and_envelopes_of_real_messages_follow_the_grammar(testdata: Path) -> None:
    from backend.message.digest import digest

    for name, raw in real_messages(testdata):
        for form in (raw, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")):
            found = digest(form)
            try:
                check_envelope(read_value(found.envelope))
                check_body(read_value(found.body), extended=False)
                check_body(read_value(found.bodystructure), extended=True)
            except AssertionError as error:
                raise AssertionError(name) from error

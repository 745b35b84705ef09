"""No bytes make the message core fail, and what it writes can be read."""

import string

from hypothesis import example, given
from hypothesis import strategies as st

from backend.message import headers
from backend.message.addresses import Mailbox, flatten, format_for_people, parse_addresses
from backend.message.dates import format_timestamp, parse_date
from backend.message.digest import summarize
from backend.message.encoded import (
    UnknownEncodingError,
    decode_charset,
    decode_header,
    decode_parameter,
    decode_transfer,
    parse_parameters,
)
from backend.message.quoting import quote
from backend.message.scan import Part, part_at, scan
from backend.message.text import searchable_text, strip_html
from tests.support.imap_values import check_body, check_envelope, read_value
from tests.support.messages import OWN_MESSAGES

# Pieces that mean something, so that random messages get far into the parsers.
_PIECES = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b"--b", b"--", b"\n--b\n", b"\n--b--\n", b"\n--c\r\n", b"\0", b"\xff", b"\xc3\xa4",
    b"Content-Type: multipart/mixed; boundary=b\n", b'Content-Type: multipart/digest; boundary="c"\n\n',
    b"Content-Type: message/rfc822\n\n", b"Content-Type: text/html; charset=", b"utf-7\n\n", b"utf-16\n", b"hz\n", b"iso-2022-jp\n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n", b"Content-Transfer-Encoding: x-uuencode\n",
    b"Content-Disposition: attachment; filename*0*=utf-8''%C3; filename*1=x\n", b"Content-Language: a,b\n", b"Content-MD5: x\n",
    b"From: ", b"To: ", b"Subject: ", b"Date: ", b"References: <a@b>", b"Message-ID: <", b"=?utf-8?q?", b"=?x?b?", b"?=", b"=C3", b"=", b"<", b">", b"(",
    b")", b'"', b"\\", b"@", b",", b";", b":", b"[", b"]", b"a@b", b"Mon, 1 Jan 2020 10:00:00 +0100", b"begin 644 x\n", b"<!--", b"-->", b"<style>",
    b"</style>", b"<body>", b"&#", b"&amp;", b"YWJj", b"hello world",
)  # fmt: skip
noise = st.lists(st.one_of(st.sampled_from(_PIECES), st.binary(max_size=8)), max_size=60).map(
    b"".join
)


def _check_offsets(part: Part, start: int, end: int) -> None:
    assert start <= part.header_start <= part.body_start <= part.body_end <= end
    at = part.body_start
    for child in part.children:
        assert child.header_start >= at
        _check_offsets(child, at, part.body_end)
        at = child.body_end
    if part.message is not None:
        _check_offsets(part.message, part.body_start, part.body_end)


def check_everything(raw: bytes) -> None:
    root = scan(raw)
    _check_offsets(root, 0, len(raw))
    found = summarize(raw, root)
    check_envelope(read_value(found.envelope))
    check_body(read_value(found.body), extended=False)
    check_body(read_value(found.bodystructure), extended=True)
    texts = (
        found.subject,
        found.from_,
        found.to,
        found.cc,
        found.bcc,
        found.message_id,
        found.preview,
    )
    for text in (*texts, *found.references, searchable_text(raw, root)):
        text.encode("utf-8")
        assert "\0" not in text
    assert len(found.preview) <= 200
    for leaf in root.leaves():
        assert leaf.filename is None or isinstance(leaf.filename, str)


@given(noise)
def test_no_message_makes_the_parsers_fail(raw: bytes) -> None:
    check_everything(raw)


@given(st.sampled_from(OWN_MESSAGES), st.data())
def test_no_damage_to_a_message_makes_the_parsers_fail(raw: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(raw)))
    until = data.draw(st.integers(at, min(at + 10, len(raw))))
    check_everything(raw[:at] + data.draw(noise) + raw[until:])


@given(st.binary(max_size=300))
@example(b"=?utf-7?q?+2AA-?=")
@example(b"a;n*=utf-7''+2AA-")
def test_header_values_are_always_text(value: bytes) -> None:
    decode_header(value).encode("utf-8")
    head, params = parse_parameters(value)
    assert head == head.strip()
    for name, _ in params:
        text = decode_parameter(params, name)
        assert text is None or text.encode("utf-8") is not None
    format_for_people(parse_addresses(value)).encode("utf-8")
    parse_date(value)


@given(
    st.binary(max_size=200),
    st.sampled_from(
        [
            "utf-8",
            "utf-7",
            "utf-16",
            "utf-32",
            "us-ascii",
            "iso-8859-1",
            "iso-8859-8-i",
            "koi8-r",
            "gb2312",
            "gb18030",
            "hz",
            "big5",
            "big5hkscs",
            "euc-jp",
            "iso-2022-jp",
            "iso-2022-jp-3",
            "iso-2022-kr",
            "shift_jis",
            "euc-kr",
            "johab",
            "windows-1251",
            "windows-874",
            "tis-620",
            "x-unknown",
        ]
    ),
)
def test_bytes_of_any_charset_are_text(data: bytes, charset: str) -> None:
    decode_charset(data, charset).encode("utf-8")


@given(
    st.binary(max_size=200),
    st.sampled_from(["7bit", "base64", "quoted-printable", "x-uuencode", "x-none"]),
)
def test_transfer_encodings_fail_with_their_own_error_alone(data: bytes, encoding: str) -> None:
    try:
        assert isinstance(decode_transfer(data, encoding), bytes)
    except UnknownEncodingError:
        assert encoding == "x-none"


@given(st.binary(max_size=300))
def test_a_quoted_string_reads_back(value: bytes) -> None:
    assert read_value(quote(value)) == value.replace(b"\0", b"")


@given(st.text(max_size=200))
@example("&#" + "9" * 5000)
def test_any_page_can_be_stripped(page: str) -> None:
    assert isinstance(strip_html(page), str)


_word = st.text(
    string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~", min_size=1, max_size=8
)
_dotted = st.lists(_word, min_size=1, max_size=3).map(".".join)
_phrase = st.text(
    string.printable.translate({13: None, 10: None, 11: None, 12: None, 9: None}), max_size=12
).map(lambda text: " ".join(text.split()))


@given(st.lists(st.tuples(_phrase, _dotted, _dotted), max_size=5))
def test_written_addresses_read_back(people: list[tuple[str, str, str]]) -> None:
    written = []
    for name, local, domain in people:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        written.append(f'"{escaped}" <{local}@{domain}>' if name else f"{local}@{domain}")
    found = flatten(parse_addresses(", ".join(written).encode()))
    assert found == [
        Mailbox(name.encode(), local.encode(), domain.encode()) for name, local, domain in people
    ]


@given(st.integers(-2_000_000_000, 250_000_000_000), st.integers(-719, 840))
def test_a_written_date_reads_back(at: int, east: int) -> None:
    found = parse_date(format_timestamp(at, east).encode())
    assert found is not None
    assert found.at == at
    assert found.day == (at + east * 60) // 86_400


@given(noise)
def test_a_header_is_cut_without_losing_a_byte(raw: bytes) -> None:
    header, body = headers.split_header(raw)
    assert header + body == raw
    kept = headers.without_fields(raw, [b"Subject", b"From"])
    assert kept.endswith(body)
    names = {
        name.partition(b":")[0].rstrip().lower()
        for name in headers.logical_lines(headers.split_header(kept)[0])
        if b":" in name
    }
    assert not names & {b"subject", b"from"}


@given(
    st.lists(
        st.binary(max_size=6).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")),
        min_size=1,
        max_size=6,
    )
)
def test_the_parts_that_were_put_in_come_out(contents: list[bytes]) -> None:
    raw = b"Content-Type: multipart/mixed; boundary=frontier\r\n\r\npreamble\r\n"
    for content in contents:
        raw += b"--frontier\r\n\r\n" + content + b"\r\n"
    raw += b"--frontier--\r\n"
    root = scan(raw)
    assert [raw[part.body_start : part.body_end] for part in root.children] == contents
    for number, part in enumerate(root.children, 1):
        assert part_at(root, (number,)) is part

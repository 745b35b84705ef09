import base64
import quopri

import pytest

from backend.message.encoded import UnknownEncodingError
from backend.message.scan import part_at, scan
from backend.message.text import PREVIEW_LENGTH, decode_part, preview, searchable_text, strip_html


def text_message(
    content: bytes, kind: str = "text/plain; charset=utf-8", encoding: str = "8bit"
) -> bytes:
    return (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + content
    )


def preview_of(raw: bytes) -> str:
    return preview(raw, scan(raw))


ALTERNATIVE = (
    b"Content-Type: multipart/mixed; boundary=m\n\n"
    b"--m\nContent-Type: multipart/alternative; boundary=a\n\n"
    b"--a\nContent-Type: text/html\n\n<p>from <b>ht</b>ml</p>\n"
    b"--a\nContent-Type: text/plain\n\nfrom plain\n--a--\n"
    b"--m\nContent-Type: message/rfc822\n\nSubject: =?utf-8?q?inn=C3=A9r?=\nFrom: x@y\n\nforwarded words\n"
    b"--m\nContent-Type: text/plain\nContent-Transfer-Encoding: x-odd\nContent-Disposition: attachment\n\nodd words\n"
    b"--m\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nc2VjcmV0\n--m--\n"
)


def test_all_text_can_be_searched() -> None:
    text = searchable_text(ALTERNATIVE)
    for words in ("from html", "from plain", "innér", "x@y", "forwarded words", "odd words"):
        assert words in text
    assert "secret" not in text
    assert "<b>" not in text
    assert searchable_text(ALTERNATIVE, scan(ALTERNATIVE)) == text


def test_the_preview_is_plain_text_where_there_is_some() -> None:
    assert preview_of(ALTERNATIVE) == "from plain"


def test_the_preview_falls_back_to_html_and_to_nothing() -> None:
    page = b"<html><head><title>T</title><style>p{}</style></head><body><p>Hello&nbsp;<i>wor</i>ld &amp; co</body>"
    assert preview_of(text_message(page, "text/html")) == "Hello world & co"
    assert preview_of(b"Content-Type: image/gif\r\n\r\nGIF89a") == ""
    assert preview_of(b"Subject: x\r\n\r\n") == ""
    attached = b"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nhidden"
    assert preview_of(attached) == ""


def test_the_preview_of_html_starts_at_the_body() -> None:
    page = (
        b"<html><head><style>"
        + b"p { color: red } " * 1000
        + b"</style></head><BODY class=x>Words</body>"
    )
    assert preview_of(text_message(page, "text/html")) == "Words"
    encoded = base64.encodebytes(b"<html><head></head><body>Words" + b" more" * 5000)
    assert preview_of(text_message(encoded, "text/html", "base64")).startswith("Words more more")


@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_the_preview_is_short_whatever_the_size(encoding: str, charset: str) -> None:
    content = ("grüße " * 20_000).encode(charset)
    if encoding == "quoted-printable":
        content = quopri.encodestring(content)
    elif encoding == "base64":
        content = base64.encodebytes(content)
    found = preview_of(text_message(content, f"text/plain; charset={charset}", encoding))
    assert len(found) <= PREVIEW_LENGTH
    assert found.endswith("…")
    assert set(found.removesuffix("…").split()) <= {"grüße", "grüß", "grü", "gr", "g"}


def test_the_preview_of_one_endless_line_is_cut() -> None:
    for encoding in ("quoted-printable", "8bit"):
        found = preview_of(text_message(b"x" * 100_000, encoding=encoding))
        assert found == "x" * (PREVIEW_LENGTH - 1) + "…"
    assert preview_of(text_message(b"=C3=A4" * 10_000, encoding="quoted-printable")).startswith(
        "ää"
    )


def test_a_letter_that_is_cut_in_two_is_left_out() -> None:
    assert "\ufffd" not in preview_of(text_message(b"x" + ("\u20ac\n" * 3000).encode()))
    for lead in range(4):
        raw = text_message(b" " * (3070 + lead) + "\u20ac\u20ac".encode())
        assert preview_of(raw).strip("\u20ac") == ""


def test_a_part_is_handed_out_without_its_encoding() -> None:
    raw = text_message(b"YWJj\r\n", encoding="base64")
    part = part_at(scan(raw), (1,))
    assert part is not None
    assert decode_part(raw, part) == b"abc"
    raw = text_message(b"abc", encoding="x-odd")
    with pytest.raises(UnknownEncodingError):
        decode_part(raw, scan(raw))


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<p>one<p>two", ["one", "two"]),
        ("<b>W</b>ord", ["Word"]),
        ("a<br>b<BR/>c", ["a", "b", "c"]),
        ("a<!-- hidden -->b", ["a", "b"]),
        ("a<!-- never closed b", ["a<!--", "never", "closed", "b"]),
        ("<STYLE>x{}</style >a<script>b</script>c", ["a", "c"]),
        ("a<script>never closed", ["a"]),
        ("<head><title>t</title></head>a", ["a"]),
        ("<head>a", ["a"]),
        ("<header>a</header>", ["a"]),
        ("1 < 2 > 0", ["1", "<", "2", ">", "0"]),
        ("&lt;p&gt; &#228;&auml;", ["<p>", "ää"]),
        ("a&#" + "9" * 5000 + ";b", ["a", "b"]),
        ("<style>x</style><!-- y <script> --> a", ["a"]),
    ],
)
def test_html_is_what_a_reader_sees(page: str, words: list[str]) -> None:
    assert strip_html(page).split() == words


@pytest.mark.parametrize(
    "piece",
    ["<", "<!--", "<style>", "<head>", "<b ", "</", "&", "&#", "<div>", "<script></script>"],
)
def test_hostile_html_is_read_in_one_pass(piece: str) -> None:
    assert isinstance(strip_html(piece * (200_000 // len(piece))), str)

import base64
import binascii

import pytest

from backend.message.encoded import (
    MAX_DECODED_OCTETS,
    MAX_PARAMETERS,
    UnknownEncodingError,
    decode_charset,
    decode_header,
    decode_parameter,
    decode_transfer,
    find_codec,
    get_parameter,
    is_identity,
    parse_parameters,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        (b"=?US-ASCII?Q?Keith_Moore?=", "Keith Moore"),
        (b"=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <x@y>", "Keld Jørn Simonsen <x@y>"),
        (
            b"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\t=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
            "If you can read this you understand the example.",
        ),
        # RFC 2047 §8
        (b"(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        (b"(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
        (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
        # a letter cut in two, spaces inside, a language, lower case
        (b"=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),
        (b"=?utf-8?q?a b?=", "a b"),
        (b"=?utf-8*de?q?=C3=A4?=", "ä"),
        (b"=?utf-8?b?w6Q?=", "ä"),
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?gb2312?B?1tC5+g==?=", "中国"),
        (b"=?no-such?q?=C3=A4?=", "ä"),
        (b"=?no-such?q?=E4?=", "ä"),
        # broken
        (b"=?utf-8?q?open", "=?utf-8?q?open"),
        (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        (b"=?a b?q?abc?=", "=?a b?q?abc?="),
        (b"=??q?abc?=", "=??q?abc?="),
        (b"=?utf-8?q??= x", " x"),
        (b"raw \xc3\xa4", "raw ä"),
        (b"raw \xe4 =?utf-8?q?=C3=A4?=", "raw ä ä"),
        (b"nul\0 =?utf-8?q?=00x?=", "nul x"),
        (b"nul\0", "nul"),
    ],
)
def test_header_text_is_decoded_as_far_as_it_can_be_read(value: bytes, text: str) -> None:
    assert decode_header(value) == text


def test_of_an_endless_value_only_the_start_is_decoded() -> None:
    assert len(decode_header(b"x" * 2 * MAX_DECODED_OCTETS)) == MAX_DECODED_OCTETS


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("grün".encode(), "", "grün"),
        ("grün".encode("latin-1"), "", "grün"),
        ("grün".encode("latin-1"), "us-ascii", "grün"),
        ("grün".encode("latin-1"), "utf-8", "grün"),
        ("grün".encode(), "iso-8859-1", "grün"),
        ("€".encode("cp1252"), "iso-8859-1", "€"),
        ("привет".encode("koi8-r"), "KOI8-R", "привет"),
        ("привет".encode("cp1251"), '"windows-1251"', "привет"),
        ("日本".encode("shift_jis"), "x-sjis", "日本"),
        ("한국".encode("cp949"), "ks_c_5601-1987", "한국"),
        ("中国".encode("gbk"), "gb2312", "中国"),
        ("中".encode(), "big5", "中"),
        ("x".encode("utf-16"), "utf-16", "x"),
        (b"+AOQ-", "utf-7", "ä"),
        (b"+2AA-", "utf-7", "?"),
        (b"abc", "rot13", "abc"),
        (b"abc", "idna", "abc"),
        (b"abc", "x" * 300, "abc"),
        ("aaäöüß€".encode() + b"\xff", "utf-8", "aaäöüß€\ufffd"),
        (b"\x81\x8d", "", "\ufffd\ufffd"),
        (b"", "utf-8", ""),
    ],
)
def test_character_sets_are_read_by_label_and_by_look(data: bytes, charset: str, text: str) -> None:
    assert decode_charset(data, charset) == text


def test_labels_never_reach_the_codec_registry() -> None:
    for name in (
        "zlib",
        "hex",
        "base64",
        "unicode_escape",
        "punycode",
        "mbcs",
        "undefined",
        "../x",
    ):
        assert find_codec(name) is None
    assert find_codec("UTF-8") == "utf_8"
    assert find_codec(" 'ISO 8859-15' ") == "iso8859_15"


@pytest.mark.parametrize(
    ("data", "encoding", "content"),
    [
        (b"a=\n", "7bit", b"a=\n"),
        (b"a", "8bit", b"a"),
        (b"a", "binary", b"a"),
        (b"YWJj\r\nZGVm\r\n", "base64", b"abcdef"),
        (b"YW Jj!\xff", "base64", b"abc"),
        (b"YWJjZA", "base64", b"abcd"),
        (b"YWJjZ", "base64", b"abc"),
        (b"", "base64", b""),
        (b"=3D=\r\nx=20\r\n=ZZ=", "quoted-printable", b"=x \r\n=ZZ"),
        (b"x=C3=A4", "quoted-printable", b"x\xc3\xa4"),
    ],
)
def test_transfer_encodings_are_undone(data: bytes, encoding: str, content: bytes) -> None:
    assert decode_transfer(data, encoding) == content


def test_uuencoded_content_is_decoded_with_and_without_its_frame() -> None:
    line = binascii.b2a_uu(b"hello world")
    for data in (
        b"noise\nbegin 644 x.txt\n" + line + b"`\nend\n",
        line,
        b"begin 644 x.txt\r\n" + line.rstrip() + b"garbage\r\nend\r\n",
    ):
        assert decode_transfer(data, "x-uuencode") == b"hello world"
    assert decode_transfer(b"\n\xff\xff\xff\n", "uuencode") == b""


def test_an_unknown_transfer_encoding_is_an_error() -> None:
    with pytest.raises(UnknownEncodingError, match="x-fancy"):
        decode_transfer(b"a", "x-fancy")
    assert is_identity("8bit")
    assert not is_identity("base64")


@pytest.mark.parametrize(
    ("value", "head", "params"),
    [
        (b"text/plain", b"text/plain", ()),
        (b"text/plain; charset=us-ascii (Plain text)", b"text/plain", ((b"charset", b"us-ascii"),)),
        (
            b'text/plain; Charset="us\\-ascii"; x = y',
            b"text/plain",
            ((b"charset", b"us-ascii"), (b"x", b"y")),
        ),
        (b'a/b;;; name="x;y=z" junk; b=', b"a/b", ((b"name", b"x;y=z"), (b"b", b""))),
        (
            b"attachment; filename=This is a test.txt",
            b"attachment",
            ((b"filename", b"This is a test.txt"),),
        ),
        (b"a/b (c); flag; =x; n=v", b"a/b", ((b"n", b"v"),)),
        (b'a/b; name="open', b"a/b", ((b"name", b"open"),)),
        (b'a/b; name="open\\', b"a/b", ((b"name", b"open"),)),
        (b"; a=b", b"", ((b"a", b"b"),)),
        (b"(only) ; a=(b)", b"(only)", ((b"a", b"(b)"),)),
        # RFC 2231 §3 and §4
        (
            b'message/external-body; URL*0="ftp://";\r\n URL*1="cs.utk.edu/x"',
            b"message/external-body",
            ((b"url", b"ftp://cs.utk.edu/x"),),
        ),
        (
            b"application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
            b"application/x-stuff",
            (
                (
                    b"title*",
                    b"us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn't it!",
                ),
            ),
        ),
        (b"a/b; n*1=y; n*0=x; n*3=z; m=1", b"a/b", ((b"m", b"1"), (b"n", b"xy"))),
        (b"a/b; n*0=50%; n*1*=%25", b"a/b", ((b"n*", b"''50%25%25"),)),
        (b"a/b; *=x; n**=y", b"a/b", ((b"*", b"x"), (b"n**", b"y"))),
    ],
)
def test_parameters_are_split_and_joined(
    value: bytes, head: bytes, params: tuple[tuple[bytes, bytes], ...]
) -> None:
    assert parse_parameters(value) == (head, params)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"x; n=plain", "plain"),
        (b"x; n*=utf-8''%e2%82%ac%20rates", "€ rates"),
        (b"x; n=ascii; n*=utf-8''%C3%A4", "ä"),
        (b"x; n*=iso-8859-1'en'%A3%20rates", "£ rates"),
        (b"x; n*0*=''a%C3; n*1*=%A4", "aä"),
        (b"x; n*=no%20quotes%ZZ", "no quotes%ZZ"),
        (b"x; n==?utf-8?q?=C3=A4?=", "ä"),
        (b"x; n=\xc3\xa4", "ä"),
        (b"x; m=1", None),
    ],
)
def test_parameters_are_read_in_either_notation(value: bytes, text: str | None) -> None:
    assert decode_parameter(parse_parameters(value)[1], b"n") == text


def test_the_octets_of_a_parameter_need_no_charset() -> None:
    params = parse_parameters(b"x; a=1; b*=us-ascii''%62%63")[1]
    assert get_parameter(params, b"a") == b"1"
    assert get_parameter(params, b"b") == b"bc"
    assert get_parameter(params, b"c") is None


def test_the_number_of_parameters_is_limited() -> None:
    assert len(parse_parameters(b"x" + b"; a=b" * 1000)[1]) == MAX_PARAMETERS


@pytest.mark.parametrize(
    "piece", [b";", b"; ", b"a=", b';a="', b';a="\\', b"(", b" ", b"=", b";a*0=b"]
)
def test_hostile_parameters_are_read_in_one_pass(piece: bytes) -> None:
    assert isinstance(parse_parameters(b"x/y" + piece * (500_000 // len(piece)))[1], tuple)


def test_base64_by_the_standard_library_reads_back() -> None:
    data = bytes(range(256)) * 10
    assert decode_transfer(base64.encodebytes(data), "base64") == data

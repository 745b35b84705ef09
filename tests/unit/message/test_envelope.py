import pytest

from backend.message.envelope import format_envelope, read_addresses
from backend.message.scan import scan
from tests.support.imap_values import check_envelope, read_value


def envelope(header: bytes) -> bytes:
    fields = scan(header + b"\r\n\r\n").fields
    return format_envelope(fields, read_addresses(fields))


def test_the_example_of_the_rfc_comes_out_as_printed() -> None:
    # RFC 3501 §8
    assert envelope(
        b"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
        b"From: Terry Gray <gray@cac.washington.edu>\r\n"
        b"Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
        b"To: imap@cac.washington.edu\r\n"
        b"cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
        b"Message-Id: <B27397-0100000@cac.washington.edu>\r\n"
        b"MIME-Version: 1.0"
    ) == (
        b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) '
        b'((NIL NIL "imap" "cac.washington.edu")) '
        b'((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) '
        b'NIL NIL "<B27397-0100000@cac.washington.edu>")'
    )


def test_missing_fields_are_nil_and_empty_ones_are_empty() -> None:
    assert envelope(b"X: y") == b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
    assert envelope(b"Date:\r\nSubject:\r\nTo:\r\nIn-Reply-To:\r\nMessage-ID: ") == (
        b'("" "" NIL NIL NIL NIL NIL NIL "" "")'
    )


def test_sender_and_reply_to_are_the_author_where_they_are_missing_or_empty() -> None:
    assert envelope(b"From: a@b\r\nSender:\r\nReply-To: c@d") == (
        b'(NIL NIL ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) ((NIL NIL "c" "d")) NIL NIL NIL NIL NIL)'
    )


def test_groups_stand_between_a_start_and_an_end() -> None:
    assert (
        b'((NIL NIL "team x" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL)(NIL NIL "c" "d"))'
        in envelope(b"To: team x: a@b;, c@d")
    )
    assert b'((NIL NIL "nobody" NIL)(NIL NIL NIL NIL))' in envelope(b"To: nobody:;")


def test_no_host_and_no_mailbox_are_strings_since_nil_would_mean_a_group() -> None:
    assert b'((NIL NIL "root" ""))' in envelope(b"To: root")
    assert b'(("Some One" NIL "" ""))' in envelope(b"To: Some One")


def test_routes_stand_in_their_place() -> None:
    assert b'((NIL "@a,@b" "c" "d"))' in envelope(b"To: <@a,@b:c@d>")


def test_encoded_words_stay_encoded_and_folds_go() -> None:
    assert envelope(
        b"Subject: =?utf-8?q?a?=\r\n =?utf-8?q?b?=\r\nFrom: =?utf-8?q?J?= <a@b>"
    ).startswith(b'(NIL "=?utf-8?q?a?= =?utf-8?q?b?=" (("=?utf-8?q?J?=" NIL "a" "b"))')


@pytest.mark.parametrize(
    "header",
    [
        b"Subject: \xc3\xa4\r\nFrom: J\xfcrgen <j\xfc@\xff>",
        b'Subject: "quoted" \\ \0 nul\r\nTo: "a\\"b" <"x y"@z>',
        b"Subject: " + b"x" * 5000,
        b"Subject: bare\rreturn",
        b"To: " + b"a@b, " * 3000,
    ],
)
def test_every_envelope_is_one(header: bytes) -> None:
    check_envelope(read_value(envelope(header)))

import pytest

from backend.core.uidset import UidSet
from backend.imap import responses
from backend.imap.responses import Kind


def test_a_reply_with_code():
    assert responses.reply(b"a1", Kind.NO, "No", b"TOOBIG") == b"a1 NO [TOOBIG] No\r\n"


def test_no_text_can_end_the_line():
    assert responses.reply(b"*", Kind.OK, "a\r\nb\0") == b"* OK a  b \r\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"plain", b'"plain"'),
        (b'a"b\\c', b'"a\\"b\\\\c"'),
        (b"a\r\nb", b"{4}\r\na\r\nb"),
        ("ü".encode(), b"{2}\r\n\xc3\xbc"),
        (b"x" * 1001, b"{1001}\r\n" + b"x" * 1001),
        (b"", b'""'),
    ],
)
def test_strings(value, expected):
    assert responses.string(value) == expected


def test_utf8_strings_may_be_quoted_when_the_client_takes_them():
    assert responses.string("ü".encode(), utf8=True) == '"ü"'.encode()
    assert responses.mailbox("Ü", utf8=False) == b'"&ANw-"'


def test_esearch_leaves_out_what_was_not_found():
    assert responses.esearch(b"a", by_uid=True) == b'* ESEARCH (TAG "a") UID\r\n'
    line = responses.esearch(
        b"a", by_uid=False, lowest=1, highest=9, count=3, found=UidSet([(1, 2), (9, 9)]), modseq=7
    )
    assert line == b'* ESEARCH (TAG "a") MIN 1 MAX 9 COUNT 3 ALL 1:2,9 MODSEQ 7\r\n'


def test_search_tells_modseq_only_with_numbers():
    assert responses.search([1, 3], 5) == b"* SEARCH 1 3 (MODSEQ 5)\r\n"
    assert responses.search([], 5) == b"* SEARCH\r\n"


def test_the_order_of_copied_uids_is_kept():
    assert responses.copy_uid(7, [5, 1, 2, 3], [10, 11, 12, 13]) == b"COPYUID 7 5,1:3 10:13"


def test_listing_with_old_name_and_child_info():
    line = responses.listing(
        "a", ("\\HasChildren",), utf8=True, child_info=("SUBSCRIBED",), old_name="b"
    )
    assert (
        line == b'* LIST (\\HasChildren) "/" "a" ("CHILDINFO" ("SUBSCRIBED")) ("OLDNAME" ("b"))\r\n'
    )


def test_header_names_are_bare_where_they_can_be():
    assert responses.astring(b"From") == b"From"
    assert responses.astring(b"a b") == b'"a b"'
    assert responses.astring(b"NIL") == b'"NIL"'

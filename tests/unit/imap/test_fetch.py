import pytest

from backend.core.uidset import UidSet
from backend.imap.commands import BinaryItem, BinarySizeItem, BodyItem, Field, Section, SectionKind
from backend.imap.fetch import Column, Piece, plan
from backend.imap.grammar import internal_date

RAW = (
    b"From: a@b\r\nSubject: one\r\n two\r\nX: y\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=B\r\n\r\n"
    b"pre\r\n--B\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"h=C3=BC\r\n--B\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: inner\r\n\r\ninner body\r\n--B--\r\n"
)
HEADER, BODY = RAW[: RAW.index(b"\r\n\r\n") + 4], RAW[RAW.index(b"\r\n\r\n") + 4 :]


def lines(items, rows, uids=((1, 100),), **options):
    how = plan(items, **options)
    return how.formatter(UidSet(uids))(rows)


def one(item):
    how = plan([item])
    values = {Column.UID: 7, Column.HEADER: HEADER, Column.CONTENT: RAW}
    return how.formatter(UidSet([(7, 7)]))([tuple(values[column] for column in how.columns)])


def literal(label: bytes, value: bytes) -> bytes:
    return b"* 1 FETCH (%b {%d}\r\n%b)\r\n" % (label, len(value), value)


def test_ready_items_are_put_together_with_uid_first():
    assert plan([Field.FLAGS, Field.UID]).columns == (Column.UID, Column.FLAGS)
    rows = [(5, b"\\Seen"), (6, b"")]
    assert lines([Field.FLAGS, Field.UID], rows, ((5, 6),)) == (
        b"* 1 FETCH (UID 5 FLAGS (\\Seen))\r\n* 2 FETCH (UID 6 FLAGS ())\r\n"
    )
    assert lines([Field.SIZE], [(5, 10)], ((4, 5),)) == b"* 2 FETCH (RFC822.SIZE 10)\r\n"


@pytest.mark.parametrize("items", [[Field.UID, Field.FLAGS], [Field.UID, Field.PREVIEW]])
def test_numbers_follow_the_view_whatever_its_gaps(items):
    uids = [1, 2, 5, 9, 10, 11, 20]
    view = UidSet.from_iterable(uids)
    for wanted in ([1, 2, 5, 9], [2, 9, 20], uids, [20], [5, 10, 11]):
        value = "x" if Field.PREVIEW in items else b"x"
        text = plan(items).formatter(view)([(uid, value) for uid in wanted])
        numbers = [int(line.split()[1]) for line in text.splitlines()]
        assert numbers == [uids.index(uid) + 1 for uid in wanted]


def test_rows_that_the_client_does_not_know_are_left_out():
    for items, value in (([Field.FLAGS], b""), ([Field.PREVIEW], "")):
        assert lines(items, [(3, value), (9, value)], ((9, 9),)).count(b"FETCH") == 1
        assert lines(items, []) == b""


def test_dates_and_preview():
    text = lines([Field.INTERNALDATE, Field.PREVIEW, Field.THREADID], [(1, 837596665.0, 'a"ü')])
    assert text == (
        b'* 1 FETCH (INTERNALDATE "17-Jul-1996 09:44:25 +0000" PREVIEW {4}\r\na"\xc3\xbc THREADID NIL)\r\n'
    )


def test_a_date_before_1970_and_one_beyond_all_calendars():
    assert internal_date(-1) == b'"31-Dec-1969 23:59:59 +0000"'
    assert internal_date(1e15).endswith(b'+0000"')


SECTIONS = [
    (Section(), b"BODY[]", RAW),
    (Section((), SectionKind.HEADER), b"BODY[HEADER]", HEADER),
    (Section((), SectionKind.TEXT), b"BODY[TEXT]", BODY),
    (Section((1,)), b"BODY[1]", b"h=C3=BC"),
    (
        Section((1,), SectionKind.MIME),
        b"BODY[1.MIME]",
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
    ),
    (Section((2,)), b"BODY[2]", b"Subject: inner\r\n\r\ninner body"),
    (Section((2,), SectionKind.HEADER), b"BODY[2.HEADER]", b"Subject: inner\r\n\r\n"),
    (Section((2,), SectionKind.TEXT), b"BODY[2.TEXT]", b"inner body"),
    (Section((2, 1)), b"BODY[2.1]", b"inner body"),
    (
        Section((), SectionKind.HEADER_FIELDS, (b"SUBJECT", b"x")),
        b"BODY[HEADER.FIELDS (SUBJECT x)]",
        b"Subject: one\r\n two\r\nX: y\r\n\r\n",
    ),
    (
        Section((), SectionKind.HEADER_FIELDS_NOT, (b"subject", b"content-type", b"mime-version")),
        b"BODY[HEADER.FIELDS.NOT (subject content-type mime-version)]",
        b"From: a@b\r\nX: y\r\n\r\n",
    ),
    (
        Section((2,), SectionKind.HEADER_FIELDS, (b"From",)),
        b"BODY[2.HEADER.FIELDS (From)]",
        b"\r\n",
    ),
]


@pytest.mark.parametrize(("section", "label", "value"), SECTIONS)
def test_sections(section, label, value):
    assert one(BodyItem(section, peek=True)) == literal(label, value)


@pytest.mark.parametrize("section", [Section((3,)), Section((1, 1)), Section((1,), SectionKind.HEADER)])  # fmt: skip
def test_a_part_that_is_not_there_is_nil(section):
    assert one(BodyItem(section)).endswith(b"] NIL)\r\n")


def test_pieces_name_their_offset_and_may_lie_beyond_the_end():
    assert one(BodyItem(Section((), SectionKind.HEADER), True, (0, 4))) == literal(b"BODY[HEADER]<0>", b"From")  # fmt: skip
    assert one(BodyItem(Section((1,)), True, (100, 4))) == literal(b"BODY[1]<100>", b"")


def test_a_piece_of_the_whole_message_needs_no_more_than_the_piece():
    how = plan([Field.UID, BodyItem(Section(), True, (5, 3))])
    assert how.piece == Piece(None, 5, 3)
    write = how.formatter(UidSet([(1, 1)]), is_cut=True)
    assert write([(1, b"abc")]) == b"* 1 FETCH (UID 1 BODY[]<5> {3}\r\nabc)\r\n"
    assert write([(1, None)]) == b"* 1 FETCH (UID 1 BODY[]<5> NIL)\r\n"


def test_which_items_can_be_read_in_pieces():
    assert plan([BodyItem(Section((1,)), True, (5, 3))]).piece == Piece(Section((1,)), 5, 3)
    assert plan([BinaryItem((), True, (5, 3))]).piece == Piece(None, 5, 3)
    assert plan([BinaryItem((1,), True, (5, 3))]).piece is None
    assert plan([BodyItem(Section(), True, (5, 3)), BodyItem(Section((1,)), True)]).piece is None
    assert plan([BodyItem(Section(), True)]).piece is None
    inner = Section((1,), SectionKind.HEADER_FIELDS, (b"x",))
    assert plan([BodyItem(inner, True, (5, 3))]).piece is None


def test_header_items_do_not_read_the_body():
    assert plan([BodyItem(Section((), SectionKind.HEADER))]).columns == (Column.UID, Column.HEADER)


def test_only_peeking_leaves_messages_unread():
    assert plan([BodyItem(Section())]).sets_seen
    assert plan([BinaryItem((1,))]).sets_seen
    assert not plan([BodyItem(Section(), True), BinarySizeItem((1,)), Field.ENVELOPE]).sets_seen


def test_binary_undoes_the_transfer_encoding():
    assert one(BinaryItem((1,))) == literal(b"BINARY[1]", "hü".encode())
    assert one(BinaryItem((1,), True, (1, 1))) == literal(b"BINARY[1]<1>", b"\xc3")
    assert one(BinarySizeItem((1,))) == b"* 1 FETCH (BINARY.SIZE[1] 3)\r\n"
    assert one(BinaryItem((9,))) == b"* 1 FETCH (BINARY[9] NIL)\r\n"
    assert one(BinaryItem(())) == literal(b"BINARY[]", RAW)


def test_binary_with_nul_is_a_literal8():
    raw = b"Content-Transfer-Encoding: base64\r\n\r\nAGEA"
    text = lines([BinaryItem((1,))], [(1, raw)])
    assert text == b"* 1 FETCH (BINARY[1] ~{3}\r\n\0a\0)\r\n"


def test_old_names_answer_under_their_old_names():
    item = BodyItem(Section((), SectionKind.TEXT), label=b"RFC822.TEXT")
    assert one(item) == literal(b"RFC822.TEXT", BODY)

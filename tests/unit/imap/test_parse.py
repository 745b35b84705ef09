import pytest

from backend.imap import commands as c
from backend.imap import search as s
from backend.imap.commands import BodyItem, Field, SearchReturn, Section, SectionKind, StatusItem
from backend.imap.parse import BadCommandError, parse, tag_of
from backend.imap.wire import CommandReader, RawCommand, after_login


def raw(text: bytes) -> RawCommand:
    reader = CommandReader(after_login(1_000_000))
    reader.receive(text + b"\r\n")
    event = reader.next_event()
    assert isinstance(event, RawCommand)
    return event


def command(text: str | bytes, *, utf8: bool = False) -> c.Command:
    data = text if isinstance(text, bytes) else text.encode()
    return parse(raw(b"t1 " + data), utf8=utf8).command


def numbers(*ranges, is_uid=False) -> s.SequenceSet:
    return s.SequenceSet(ranges, is_uid)


ONE = numbers((1, 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("capability", c.Capability()),
        ("NOOP ", c.Noop()),
        ('LOGIN anna "pass \\"word\\\\"', c.Login(b"anna", b'pass "word\\')),
        (b"LOGIN {4+}\r\nanna {6+}\r\nsecret", c.Login(b"anna", b"secret")),
        ("AUTHENTICATE plain", c.Authenticate("PLAIN", None)),
        ("AUTHENTICATE PLAIN =", c.Authenticate("PLAIN", b"")),
        ("AUTHENTICATE PLAIN AGEAYg==", c.Authenticate("PLAIN", b"\0a\0b")),
        ("ENABLE CONDSTORE imap4rev2", c.Enable(("CONDSTORE", "IMAP4REV2"))),
        ('ID ("name" "x" "os" NIL)', c.Id({"name": "x", "os": ""})),
        ("ID NIL", c.Id({})),
        ("SELECT inbox", c.Select("inbox")),
        ('EXAMINE "a b" (CONDSTORE)', c.Select("a b", True, True)),
        ("SELECT Entw&APw-rfe", c.Select("Entwürfe")),
        ("CREATE x (USE (\\Sent))", c.Create("x", "\\Sent")),
        ("RENAME a b/c", c.Rename("a", "b/c")),
        ('LIST "" *', c.List("", ("*",))),
        ('LIST "" "%/x"', c.List("", ("%/x",))),
        (
            'LIST (SUBSCRIBED RECURSIVEMATCH) "" ("a*" b) RETURN (CHILDREN STATUS (MESSAGES SIZE))',
            c.List(
                "",
                ("a*", "b"),
                frozenset({"SUBSCRIBED", "RECURSIVEMATCH"}),
                frozenset({"CHILDREN"}),
                (StatusItem.MESSAGES, StatusItem.SIZE),
                True,
            ),
        ),
        ('LSUB "" %', c.Lsub("", "%")),
        ("STATUS x (uidnext)", c.Status("x", (StatusItem.UIDNEXT,))),
        ("UID EXPUNGE 3:5", c.Expunge(numbers((3, 5), is_uid=True))),
        ("EXPUNGE", c.Expunge()),
        ("COPY 1,3:* x", c.Copy(numbers((1, 1), (3, None)), "x", False)),
        ("UID MOVE $ x", c.Move(s.SavedResult(), "x", True)),
    ],
)
def test_a_command_becomes_its_value(text, expected):
    assert command(text) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("FAST", (Field.FLAGS, Field.INTERNALDATE, Field.SIZE)),
        ("(UID flags UID)", (Field.UID, Field.FLAGS)),
        ("BODY", (Field.BODY,)),
        ("BODY[]", (BodyItem(Section()),)),
        ("BODY.PEEK[]<5.10>", (BodyItem(Section(), True, (5, 10)),)),
        ("BODY[1.2.MIME]", (BodyItem(Section((1, 2), SectionKind.MIME)),)),
        ("BODY[3.HEADER]", (BodyItem(Section((3,), SectionKind.HEADER)),)),
        (
            'BODY.PEEK[HEADER.FIELDS (From "Subject")]',
            (BodyItem(Section((), SectionKind.HEADER_FIELDS, (b"From", b"Subject")), True),),
        ),
        ("RFC822.HEADER", (BodyItem(Section((), SectionKind.HEADER), True, None, b"RFC822.HEADER"),)),
        ("(BINARY.PEEK[1]<0.5> BINARY.SIZE[2.1])", (c.BinaryItem((1,), True, (0, 5)), c.BinarySizeItem((2, 1)))),
        ("(PREVIEW (LAZY) EMAILID)", (Field.PREVIEW, Field.EMAILID)),
    ],
)  # fmt: skip
def test_fetch_items(items, expected):
    fetch = command(f"FETCH 1 {items}")
    assert isinstance(fetch, c.Fetch)
    assert fetch.items == expected


def test_fetch_modifiers():
    fetch = command("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)")
    assert fetch == c.Fetch(
        messages=numbers((1, None), is_uid=True),
        items=(Field.FLAGS,),
        by_uid=True,
        changed_since=12345,
    )


@pytest.mark.parametrize(
    ("text", "op", "flags", "silent", "since"),
    [
        ("FLAGS (\\seen $Junk)", c.StoreOp.REPLACE, {"\\Seen", "$Junk"}, False, None),
        ("+FLAGS.SILENT \\DELETED", c.StoreOp.ADD, {"\\Deleted"}, True, None),
        ("(UNCHANGEDSINCE 7) -flags ()", c.StoreOp.REMOVE, set(), False, 7),
        ("+FLAGS a b", c.StoreOp.ADD, {"a", "b"}, False, None),
    ],
)
def test_store(text, op, flags, silent, since):
    assert command(f"STORE 1 {text}") == c.Store(
        messages=ONE, op=op, flags=frozenset(flags), silent=silent, by_uid=False, unchanged_since=since
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ALL", s.All()),
        ("UNSEEN", s.Flag("\\Seen", False)),
        ("KEYWORD $Junk", s.Flag("$Junk")),
        ("1:3,5", numbers((1, 3), (5, 5))),
        ("UID 1:*", numbers((1, None), is_uid=True)),
        ("NOT SEEN DELETED", s.And((s.Not(s.Flag("\\Seen")), s.Flag("\\Deleted")))),
        ("OR (FROM a SUBJECT b) TEXT c", s.Or(s.And((s.Address("from", "a"), s.Subject("b"))), s.Text("c"))),
        ("SINCE 1-Feb-1994", s.Date(s.DateField.INTERNAL, s.Compare.SINCE, 8797)),
        ('SENTON "01-Jan-1970"', s.Date(s.DateField.SENT, s.Compare.ON, 0)),
        ("LARGER 100 YOUNGER 60", s.And((s.Size(100, True), s.Within(60, True)))),
        ('HEADER Message-ID ""', s.Header("message-id", "")),
        ("MODSEQ 5", s.ModSeqSince(5)),
        ('MODSEQ "/flags/\\\\draft" all 5', s.ModSeqSince(5)),
        ("$", s.SavedResult()),
        ("EMAILID M1-2", s.EmailId("M1-2")),
    ],
)  # fmt: skip
def test_search_keys(text, key):
    found = command(f"SEARCH {text}")
    assert isinstance(found, c.Search)
    assert found.key == key
    assert found.returns is None


def test_search_options_and_charset():
    found = command(
        "UID SEARCH RETURN (MIN count SAVE) CHARSET utf-8 SUBJECT {5+}\r\nmüll".encode()
    )
    assert isinstance(found, c.Search)
    assert found.returns == {SearchReturn.MIN, SearchReturn.COUNT, SearchReturn.SAVE}
    assert (found.key, found.charset, found.by_uid) == (s.Subject("müll"), "UTF-8", True)
    assert command("SEARCH RETURN () ALL").returns == {SearchReturn.ALL}
    # An unknown charset is refused later, with BADCHARSET; its text is not decoded.
    assert command(b'SEARCH CHARSET KOI8-R SUBJECT "\xc0"').charset == "KOI8-R"


def test_append_with_all_arguments():
    append = command('APPEND "a b" (\\Seen x) "17-Jul-1996 02:44:25 -0700" {3+}\r\nabc {2+}\r\nde')
    assert isinstance(append, c.Append)
    first, second = append.messages
    assert (append.mailbox, first.flags, first.received_at) == ("a b", {"\\Seen", "x"}, 837596665.0)
    assert (first.content.data, second.content.data) == (b"abc", b"de")
    assert second.received_at is None


def test_append_in_utf8_form():
    append = command(b"APPEND x UTF8 (~{3+}\r\nabc)")
    assert append.messages[0].content.data == b"abc"


def test_names_are_utf8_once_that_is_enabled():
    assert command("SELECT {8+}\r\nEntwürf".encode(), utf8=True) == c.Select("Entwürf")
    assert command("SELECT A&B", utf8=True) == c.Select("A&B")


@pytest.mark.parametrize(
    "text",
    [
        "FOO",
        "LOGIN anna",
        "LOGIN anna secret more",
        "LOGIN {3+}\r\na\0b x",
        "SELECT A&B",
        "SELECT &AGE-",
        "SELECT (a)",
        "FETCH 0 UID",
        "FETCH 4294967296 UID",
        "FETCH 1 ()",
        "FETCH 1 (ALL)",
        "FETCH 1 BODY[MIME]",
        "FETCH 1 BODY[1.]",
        "FETCH 1 BODY[HEADER.FIELDS ()]",
        "FETCH 1 BODY[]<0.0>",
        "FETCH 1 BINARY[1.MIME]",
        "FETCH 1,,2 UID",
        "STORE 1 FLAGS (\\Recent)",
        "STORE 1 FLAGS (\\Nope)",
        "STORE 1 FOO (x)",
        "SEARCH",
        "SEARCH ()",
        "SEARCH SINCE 31-Feb-2020",
        "SEARCH NOPE",
        "SEARCH RETURN (FOO) ALL",
        "SEARCH " + "(" * 60 + "ALL" + ")" * 60,
        "SEARCH " + "NOT " * 60 + "ALL",
        "SEARCH OLDER 0",
        "APPEND x nothing",
        'APPEND x "32-Jul-1996 02:44:25 -0700" {1+}\r\na',
        'LIST (RECURSIVEMATCH) "" *',
        'LIST "" ' + "%a" * 51,
        'LSUB "" ' + "%a" * 51,
        'LIST (FOO) "" *',
        'LIST "" () ',
        "STATUS x ()",
        "AUTHENTICATE PLAIN *****",
        "ENABLE",
        "UID NOOP",
    ],
)  # fmt: skip
def test_what_is_no_command_is_refused_with_its_tag(text):
    with pytest.raises(BadCommandError) as caught:
        command(text)
    assert caught.value.tag == b"t1"
    assert str(caught.value)


@pytest.mark.parametrize("text", [b"", b" NOOP", b"+ NOOP", b"(a NOOP", b"\xff NOOP"])
def test_without_a_tag_the_answer_is_untagged(text):
    with pytest.raises(BadCommandError) as caught:
        parse(raw(text))
    assert caught.value.tag == b"*"


def test_the_tag_of_a_beginning():
    assert tag_of(b"a1 APPEND x ") == b"a1"
    assert tag_of(b"{") == b"*"


def test_secrets_don_t_show():
    assert "secret" not in repr(c.Login(b"anna", b"secret"))
    assert "secret" not in repr(c.Authenticate("PLAIN", b"\0anna\0secret"))

"""The IMAP core against whatever comes: cuts in the stream, nonsense, and a view beside a naive list."""

from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from backend.core.events import FlagsChanged, MessagesAdded, MessagesExpunged
from backend.core.uidset import UidSet
from backend.imap import utf7
from backend.imap.listing import Entry, list_mailboxes
from backend.imap.parse import BadCommandError, Parsed, parse
from backend.imap.parse_list import List
from backend.imap.responses import string
from backend.imap.search import SequenceSet
from backend.imap.view import MailboxView
from backend.imap.wire import (
    CommandReader,
    Event,
    Limits,
    RawCommand,
    SpoolChunk,
    WireError,
)
from backend.message.headers import fields_selector, select_fields

LIMITS = Limits(
    command_bytes=300,
    append_bytes=400,
    append_total_bytes=900,
    spool_above_bytes=50,
    discard_bytes=2000,
    literals=10,
)


def read(pieces: list[bytes]) -> list[Event | str]:
    """Events with neighbouring chunks joined; `dead` at the end of a reader's life."""
    reader = CommandReader(LIMITS)
    events: list[Event | str] = []
    for piece in pieces:
        reader.receive(piece)
        try:
            while (event := reader.next_event()) is not None:
                if isinstance(event, SpoolChunk) and events and isinstance(events[-1], SpoolChunk):
                    event = SpoolChunk(events.pop().data + event.data)
                events.append(event)
        except WireError:
            events.append("dead")
    return events


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places})
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


literal = st.builds(
    lambda data, plus, tilde: b"%b{%d%b}\r\n%b" % (tilde, len(data), plus, data),
    st.binary(max_size=120),
    st.sampled_from([b"", b"+"]),
    st.sampled_from([b"", b"~"]),
)
words = st.sampled_from(
    b"a1 b2 LOGIN APPEND FETCH UID SEARCH STORE LIST SELECT IDLE NOOP INBOX 1:* 1,2:4 * % $ "
    b"FLAGS +FLAGS.SILENT (FLAGS) ( ) BODY[] BODY.PEEK[HEADER.FIELDS (x)]<0.5> BINARY[1.2] "
    b'"x y" "\\"" \\Seen $Junk CHARSET RETURN (MIN ALL) OR NOT SUBJECT NIL {3} {5+} ~{2+} '
    b'"17-Jul-1996 02:44:25 -0700" 1-Feb-1994 UNCHANGEDSINCE CHANGEDSINCE (SUBSCRIBED) MODSEQ'.split(
        b" "
    )
)
lines = st.lists(words | literal | st.binary(max_size=8), max_size=10).map(
    lambda parts: b"t " + b" ".join(parts) + b"\r\n"
)


@given(st.lists(lines, max_size=5).map(b"".join), st.lists(st.integers(0, 3000), max_size=12))
@example(b"t APPEND x {60+}\r\n" + b"z" * 60 + b"\r\n", [5, 30, 60])
def test_however_the_stream_is_cut_the_same_commands_come_out(data, places):
    assert read(cut(data, places)) == read([data])


@given(st.lists(lines, max_size=4).map(b"".join))
def test_byte_by_byte_is_no_different(data):
    assert read([data[i : i + 1] for i in range(len(data))]) == read([data])


@given(lines, st.booleans())
@settings(max_examples=100)
def test_no_command_makes_the_parser_raise_anything_else(line, utf8):
    for event in read([line]):
        if isinstance(event, RawCommand):
            try:
                assert isinstance(parse(event, utf8=utf8), Parsed)
            except BadCommandError as error:
                assert error.tag and str(error)


@given(st.binary(max_size=60))
def test_no_bytes_do_either(data):
    for utf8 in (False, True):
        try:
            parse(RawCommand((b"t SEARCH " + data,)), utf8=utf8)
        except BadCommandError:
            pass


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_modified_utf7_goes_both_ways(name):
    wire = utf7.encode(name)
    assert wire.isascii()
    assert utf7.decode(wire) == name


@given(st.binary(max_size=40))
def test_modified_utf7_has_one_spelling(wire):
    try:
        name = utf7.decode(wire)
    except ValueError:
        return
    assert utf7.encode(name) == wire


@given(st.binary(max_size=40).filter(lambda value: b"\0" not in value))
def test_strings_are_read_as_they_are_written(value):
    (*_, event) = read([b"t LOGIN x %b\r\n" % string(value)])
    assert isinstance(event, RawCommand)
    assert parse(event).command.password == value


names = st.lists(st.sampled_from(["a", "b", "INBOX", "é"]), min_size=1, max_size=4).map("/".join)


@given(st.lists(names, unique=True, max_size=8), st.text("ab/*%é", max_size=6))
def test_a_star_lists_whatever_a_percent_lists(mailboxes, pattern):
    entries = [Entry(name) for name in mailboxes]
    narrow = {one.name for one in list_mailboxes(entries, List("", (pattern,)))}
    wide = {one.name for one in list_mailboxes(entries, List("", (pattern.replace("%", "*"),)))}
    assert narrow <= wide
    assert {one.name for one in list_mailboxes(entries, List("", ("*",)))} >= set(mailboxes)


class ViewBesideList(RuleBasedStateMachine):
    """The client keeps a plain list and does what the lines say; the server keeps the true mailbox."""

    def __init__(self):
        super().__init__()
        self.mailbox = dict.fromkeys((1, 2, 5), b"")
        self.last = 5
        self.view = MailboxView(UidSet.from_iterable(self.mailbox))
        self.client = [[uid, b""] for uid in self.mailbox]
        self.pending = []

    def change(self, change):
        """Changes reach the session some time later, in order, perhaps twice."""
        self.pending.append(change)

    @rule(count=st.integers(1, 3), gap=st.integers(0, 2))
    def add(self, count, gap):
        first = self.last + 1 + gap
        self.last = first + count - 1
        uids = tuple(range(first, self.last + 1))
        self.mailbox.update(dict.fromkeys(uids, b""))
        self.change(MessagesAdded("a", 1, uids, 1))

    @precondition(lambda self: self.mailbox)
    @rule(data=st.data())
    def expunge(self, data):
        gone = data.draw(st.lists(st.sampled_from(sorted(self.mailbox)), min_size=1, unique=True))
        for uid in gone:
            del self.mailbox[uid]
        self.change(MessagesExpunged("a", 1, tuple(sorted(gone)), 1))

    @precondition(lambda self: self.mailbox)
    @rule(data=st.data(), flag=st.sampled_from([b"\\Seen", b"x", b""]))
    def flag(self, data, flag):
        uid = data.draw(st.sampled_from(sorted(self.mailbox)))
        self.mailbox[uid] = flag
        self.change(FlagsChanged("a", 1, ((uid, flag),), 1))

    @rule(twice=st.booleans())
    def apply(self, twice):
        for change in self.pending * (2 if twice else 1):
            self.view.apply(change)
        self.pending.clear()

    @rule(allow_expunge=st.booleans())
    def tell(self, allow_expunge):
        for line in self.view.tell(allow_expunge=allow_expunge, with_recent=False):
            _, number, verb, *rest = line.rstrip().split(b" ", 3)
            if verb == b"EXPUNGE":
                assert allow_expunge
                del self.client[int(number) - 1]
            elif verb == b"EXISTS":
                assert int(number) >= len(self.client)
                new = list(self.view.uids)[len(self.client) : int(number)]
                # A client learns flags and UIDs of new messages by a FETCH.
                self.client += [[uid, self.mailbox.get(uid, b"?")] for uid in new]
            else:
                uid, flags = rest[0][1:-1].split(b" ", 2)[1:]
                entry = self.client[int(number) - 1]
                assert entry[0] == int(uid)
                entry[1] = flags.removeprefix(b"FLAGS ").strip(b"()")

    @invariant()
    def numbers_fit(self):
        assert [uid for uid, _ in self.client] == list(self.view.uids)

    @invariant()
    def resolving_agrees_with_the_list(self):
        count = len(self.client)
        if count:
            found = self.view.resolve(SequenceSet(((1, (count + 1) // 2), (None, None)), False))
            expected = {uid for uid, _ in [*self.client[: (count + 1) // 2], self.client[-1]]}
            assert set(found) == expected

    def teardown(self):
        self.apply(False)
        self.tell(True)
        assert {uid: flags for uid, flags in self.client} == self.mailbox  # noqa: C416


ViewBesideList.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
test_the_view_beside_a_naive_list = ViewBesideList.TestCase


header_lines = st.sampled_from(
    [b"From: a", b"from : b", b"X: y", b" folded", b"\tfolded", b"Subject:", b"", b"Fromage: x", b"date"]
)  # fmt: skip


@given(st.lists(header_lines, max_size=8), st.sampled_from([b"\r\n", b"\n"]), st.booleans())
def test_the_quick_selection_of_fields_agrees_with_the_plain_one(lines, end_of_line, is_ended):
    block = end_of_line.join(lines) + (end_of_line if is_ended else b"")
    for names in ([b"FROM"], [b"subject", b"from", b"x"], []):
        assert fields_selector(names)(block) == select_fields(block, names)

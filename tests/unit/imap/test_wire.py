import pytest

from backend.imap import wire
from backend.imap.wire import (
    CommandDropped,
    CommandReader,
    ContinueWanted,
    Line,
    Literal,
    LiteralRefused,
    RawCommand,
    SpoolChunk,
    SpoolStart,
    WireError,
)


def events(reader: CommandReader, data: bytes = b"") -> list[wire.Event]:
    reader.receive(data)
    found = []
    while (event := reader.next_event()) is not None:
        found.append(event)
    return found


def signed_in(message_bytes: int = 10_000_000) -> CommandReader:
    return CommandReader(wire.after_login(message_bytes))


def test_lines_become_commands():
    assert events(CommandReader(), b"a NOOP\r\nb CAPABILITY\r\nc LO") == [
        RawCommand((b"a NOOP",)),
        RawCommand((b"b CAPABILITY",)),
    ]


def test_a_lone_lf_ends_a_line_too():
    assert events(CommandReader(), b"a NOOP\n") == [RawCommand((b"a NOOP",))]


def test_a_synchronizing_literal_asks_for_continuation_first():
    reader = CommandReader()
    assert events(reader, b"a LOGIN {4}\r\n") == [ContinueWanted()]
    assert events(reader, b"anna {6}\r\n") == [ContinueWanted()]
    assert events(reader, b"secret\r\n") == [
        RawCommand((b"a LOGIN ", b" ", b""), (Literal(b"anna", 4), Literal(b"secret", 6)))
    ]


def test_a_non_synchronizing_literal_is_just_read():
    # RFC 7888 §4
    assert events(CommandReader(), b"a LOGIN {4+}\r\nanna {2+}\r\n\r\n\r\n") == [
        RawCommand((b"a LOGIN ", b" ", b""), (Literal(b"anna", 4), Literal(b"\r\n", 2)))
    ]


def test_a_binary_literal_is_marked():
    found = events(signed_in(), b"a APPEND x ~{3+}\r\na\0b\r\n")
    assert found == [RawCommand((b"a APPEND x ", b""), (Literal(b"a\0b", 3, True),))]


def test_a_line_that_never_ends_kills_the_reader_once():
    reader = CommandReader()
    with pytest.raises(WireError):
        events(reader, b"a" * 9000)
    assert events(reader, b"\r\nb NOOP\r\n") == []


def test_a_long_line_is_refused_before_and_taken_after_login():
    line = b"a FETCH " + b"1," * 10_000 + b"1 UID\r\n"
    with pytest.raises(WireError):
        events(CommandReader(), line)
    assert len(events(signed_in(), line)) == 1


def test_a_synchronizing_literal_that_is_too_big_ends_its_command():
    reader = CommandReader()
    assert events(reader, b"a LOGIN {9000}\r\nb NOOP\r\n") == [
        LiteralRefused(b"a LOGIN ", 9000, 8192 - len(b"a LOGIN {9000}")),
        RawCommand((b"b NOOP",)),
    ]


def test_a_non_synchronizing_literal_that_is_too_big_is_skipped():
    reader = CommandReader()
    found = events(reader, b"a LOGIN {9000+}\r\n" + b"x" * 9000 + b" y\r\nb NOOP\r\n")
    assert [type(event) for event in found] == [LiteralRefused, RawCommand]
    assert found[1] == RawCommand((b"b NOOP",))


def test_an_absurd_literal_is_the_end():
    with pytest.raises(WireError):
        events(CommandReader(), b"a LOGIN {99999999999+}\r\n")


def test_an_append_before_login_gets_no_big_literal():
    assert isinstance(events(CommandReader(), b"a APPEND x {100000}\r\n")[0], LiteralRefused)


def test_a_big_append_goes_out_in_chunks():
    reader = signed_in()
    body = bytes(range(256)) * 2000
    found = events(reader, b"a APPEND x {%d+}\r\n" % len(body) + body + b"\r\n")
    assert found[0] == SpoolStart(len(body))
    chunks = found[1:-1]
    assert b"".join(chunk.data for chunk in chunks if isinstance(chunk, SpoolChunk)) == body
    assert found[-1] == RawCommand(
        (b"a APPEND x ", b""), (Literal(b"", len(body), is_binary=False, spool=0),)
    )


def test_waiting_bytes_stay_small_while_a_big_message_streams():
    reader = signed_in()
    events(reader, b"a APPEND x {1000000+}\r\n")
    for _ in range(15):
        events(reader, b"x" * 65_536)
        assert reader.waiting_bytes < 2 * wire.CHUNK


def test_several_messages_count_against_one_bound():
    reader = signed_in(100)
    found = events(reader, b"a APPEND x" + b" {90+}\r\n".join([b"", *[b"x" * 90] * 5]) + b"\r\n")
    assert isinstance(found[-1], LiteralRefused)


def test_what_was_spooled_for_a_refused_command_is_dropped():
    reader = signed_in(300_000)
    start = b"a APPEND x {290000+}\r\n" + b"x" * 290_000
    found = events(reader, start + b" {400000}\r\n")
    assert [type(event) for event in found[-2:]] == [CommandDropped, LiteralRefused]


def test_too_many_literals_are_refused():
    with pytest.raises(WireError):
        events(signed_in(), b"a SEARCH" + b" {0+}\r\n" * 1100)


def test_the_shell_can_ask_for_a_plain_line():
    reader = CommandReader()
    reader.receive(b"a IDLE\r\nDONE\r\nb NOOP\r\n")
    assert reader.next_event() == RawCommand((b"a IDLE",))
    reader.expect_line()
    assert reader.next_event() == Line(b"DONE")
    assert reader.next_event() == RawCommand((b"b NOOP",))


def test_what_came_in_the_clear_can_be_forgotten():
    reader = CommandReader()
    reader.receive(b"a STARTTLS\r\nb LOGIN x y\r\n")
    assert reader.next_event() == RawCommand((b"a STARTTLS",))
    reader.forget()
    assert events(reader, b"c NOOP\r\n") == [RawCommand((b"c NOOP",))]

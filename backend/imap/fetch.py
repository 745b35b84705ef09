"""What does a FETCH need from the store, and how are its lines written?

`plan` looks at the items once. Its columns go to the store's `rows`; `FetchPlan.formatter` makes the function that
turns a chunk of rows into bytes. That function runs on the store's reader thread: it touches nothing but its rows.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from backend.core.message_fields import Field as Column  # an item of FETCH is a Field here
from backend.core.uidset import UidSet
from backend.imap import responses
from backend.imap.commands import (
    BinaryItem,
    BinarySizeItem,
    BodyItem,
    FetchItem,
    Field,
    Section,
    SectionKind,
)
from backend.imap.grammar import internal_date
from backend.imap.sections import Message, binary, header_selector, section_reader

Row = tuple[Any, ...]
"""A row of the store; `Any`, because its types follow from the columns that were asked for."""

Formatter = Callable[[Sequence[Row]], bytes]


# Items that are ready to send: the column and the pattern that it is put into.
_READY: dict[Field, tuple[Column, bytes]] = {
    Field.UID: (Column.UID, b"UID %d"),
    Field.FLAGS: (Column.FLAGS, b"FLAGS (%b)"),
    Field.MODSEQ: (Column.MODSEQ, b"MODSEQ (%d)"),
    Field.SIZE: (Column.SIZE, b"RFC822.SIZE %d"),
    Field.ENVELOPE: (Column.ENVELOPE, b"ENVELOPE %b"),
    Field.BODY: (Column.BODY, b"BODY %b"),
    Field.BODYSTRUCTURE: (Column.BODYSTRUCTURE, b"BODYSTRUCTURE %b"),
}

_Write = Callable[[Row, Message, list[bytes]], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """`section` None: of the whole message, so that its structure need not be known."""

    section: Section | None
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """`columns` begins with the UID. `sets_seen`: fetching marks the messages as read."""

    columns: tuple[Column, ...]
    items: tuple[FetchItem, ...]
    sets_seen: bool
    utf8: bool
    piece: "Piece | None" = None
    """The one item with content is a piece of a section: the store need not read the whole message for it."""

    def formatter(self, view: UidSet, *, is_cut: bool = False) -> Formatter:
        """`view`: the picture that the client has; rows of other messages are left out.

        `is_cut`: the content in the rows is the `piece` alone.
        """
        if Column.CONTENT in self.columns:
            return _content_formatter(self, view, is_cut=is_cut)
        return _column_formatter(self, view)


def plan(items: Sequence[FetchItem], *, utf8: bool = False) -> FetchPlan:
    columns = [Column.UID]
    # UID goes first in a line, whatever the order of the request: rows begin with it.
    ordered = sorted(dict.fromkeys(items), key=lambda item: item is not Field.UID)
    for item in ordered:
        for column in _columns_of(item):
            if column not in columns:
                columns.append(column)
    sets_seen = any(isinstance(item, BodyItem | BinaryItem) and not item.peek for item in ordered)
    return FetchPlan(tuple(columns), tuple(ordered), sets_seen, utf8, _piece(ordered, columns))


def _columns_of(item: FetchItem) -> tuple[Column, ...]:
    match item:
        case BodyItem():
            # The header block is stored on its own: for it the message need not be read.
            if not item.section.part and item.section.kind in _HEADER_KINDS:
                return (Column.HEADER,)
            return (Column.CONTENT,)
        case BinaryItem() | BinarySizeItem():
            return (Column.CONTENT,)
        case Field.INTERNALDATE:
            return (Column.RECEIVED_AT,)
        case Field.SAVEDATE:
            return (Column.SAVED_AT,)
        case Field.PREVIEW:
            return (Column.PREVIEW,)
        case Field.EMAILID:
            return (Column.EMAIL_ID,)
        case Field.THREADID:
            return ()
        case _:
            return (_READY[item][0],)


_HEADER_KINDS = frozenset(
    {SectionKind.HEADER, SectionKind.HEADER_FIELDS, SectionKind.HEADER_FIELDS_NOT}
)


def _piece(items: Iterable[FetchItem], columns: Sequence[Column]) -> Piece | None:
    if Column.CONTENT not in columns:
        return None
    with_content = [item for item in items if Column.CONTENT in _columns_of(item)]
    item = with_content[0]
    if len(with_content) != 1 or isinstance(item, Field | BinarySizeItem) or item.partial is None:
        return None
    if isinstance(item, BinaryItem):
        # What is decoded can't be cut before.
        return None if item.part else Piece(None, *item.partial)
    section = item.section
    if section.kind is SectionKind.HEADER_FIELDS or section.kind is SectionKind.HEADER_FIELDS_NOT:
        return None
    is_whole = not section.part and section.kind is SectionKind.WHOLE
    return Piece(None if is_whole else section, *item.partial)


def _numbers(view: UidSet, rows: Sequence[Row]) -> Sequence[int | None]:
    """The sequence numbers of rows, which ascend by UID."""
    first, last = view.seq_of(rows[0][0]), view.seq_of(rows[-1][0])
    # As many rows as numbers between the first and the last: then none is missing in between.
    if first is not None and last is not None and last - first + 1 == len(rows):
        return range(first, last + 1)
    return [view.seq_of(row[0]) for row in rows]


def _column_formatter(fetch: FetchPlan, view: UidSet) -> Formatter:
    """Without content: values are made column by column, then one pattern per message takes them all."""
    cells = [_cell(item, fetch) for item in fetch.items]
    line = b"* %d FETCH (" + b" ".join(pattern for _, pattern, _ in cells) + b")\r\n"
    wanted = [(column, convert) for column, _, convert in cells if column is not None]
    places = [(fetch.columns.index(column), convert) for column, convert in wanted]
    # Rows that are ready as they stand need not be turned.
    is_ready = [(at, None) for at in range(len(fetch.columns))] == places

    def write(rows: Sequence[Row]) -> bytes:
        if not rows:
            return b""
        numbers = _numbers(view, rows)
        if not isinstance(numbers, range):
            rows = [row for seq, row in zip(numbers, rows, strict=True) if seq is not None]
            numbers = [seq for seq in numbers if seq is not None]
        if is_ready:
            return b"".join([line % (seq, *row) for seq, row in zip(numbers, rows, strict=True)])
        columns = list(zip(*rows, strict=True))
        values: list[Iterable[object]] = [
            columns[at] if convert is None else map(convert, columns[at]) for at, convert in places
        ]
        return b"".join([line % cell for cell in zip(numbers, *values)])  # noqa: B905  # map has no length

    return write


_Convert = Callable[[Any], object]


def _cell(item: FetchItem, fetch: FetchPlan) -> tuple[Column | None, bytes, _Convert | None]:
    """The column of an item, the pattern for its value, and what makes the value (None: the column as it is)."""
    if isinstance(item, BodyItem):
        return Column.HEADER, b"%b", _header_text(item)
    assert isinstance(item, Field), "items with content are written one by one"
    match item:
        case Field.INTERNALDATE:
            return Column.RECEIVED_AT, b"INTERNALDATE %b", internal_date
        case Field.SAVEDATE:
            return Column.SAVED_AT, b"SAVEDATE %b", internal_date
        case Field.EMAILID:
            return Column.EMAIL_ID, b"EMAILID (%b)", str.encode
        case Field.THREADID:
            return None, b"THREADID NIL", None
        case Field.PREVIEW:
            utf8 = fetch.utf8
            return (
                Column.PREVIEW,
                b"PREVIEW %b",
                lambda text: responses.string(text.encode("utf-8", "replace"), utf8=utf8),
            )
        case _:
            return *_READY[item], None


def _header_text(item: BodyItem) -> Callable[[bytes], bytes]:
    select = header_selector(item.section)
    label, partial = _label(item), item.partial

    def text(header: bytes) -> bytes:
        value = select(header)
        if partial is not None:
            value = value[partial[0] : partial[0] + partial[1]]
        return b"%b {%d}\r\n%b" % (label, len(value), value)

    return text


def _label(item: BodyItem) -> bytes:
    label = item.label or b"BODY[%b]" % _section_label(item)
    # RFC 9051 §7.5.2: the answer names the offset only.
    return label if item.partial is None else label + b"<%d>" % item.partial[0]


def _content_formatter(fetch: FetchPlan, view: UidSet, *, is_cut: bool) -> Formatter:
    """Pieces are collected and joined once per chunk, so that a body is copied once."""
    columns = {column: index for index, column in enumerate(fetch.columns)}
    writers = [_writer(item, columns, fetch, is_cut=is_cut) for item in fetch.items]
    header_at = columns.get(Column.HEADER)
    content_at = columns[Column.CONTENT]

    def write(rows: Sequence[Row]) -> bytes:
        if not rows:
            return b""
        pieces: list[bytes] = []
        for seq, row in zip(_numbers(view, rows), rows, strict=True):
            if seq is None:
                continue
            message = Message(None if header_at is None else row[header_at], row[content_at])
            lead = b"* %d FETCH (" % seq
            for write_item in writers:
                pieces.append(lead)
                write_item(row, message, pieces)
                lead = b" "
            pieces.append(b")\r\n")
        return b"".join(pieces)

    return write


def _writer(
    item: FetchItem, columns: dict[Column, int], fetch: FetchPlan, *, is_cut: bool
) -> _Write:
    match item:
        case BodyItem():
            return _body_writer(item, is_cut=is_cut and Column.CONTENT in _columns_of(item))
        case BinaryItem():
            return _binary_writer(item, is_cut=is_cut and Column.CONTENT in _columns_of(item))
        case BinarySizeItem():
            return _binary_size_writer(item)
    column, pattern, convert = _cell(item, fetch)
    if column is None:
        return lambda _row, _message, pieces: pieces.append(pattern)
    at = columns[column]
    if convert is None:
        return lambda row, _, pieces: pieces.append(pattern % row[at])
    return lambda row, _, pieces: pieces.append(pattern % convert(row[at]))


def _body_writer(item: BodyItem, *, is_cut: bool) -> _Write:
    read = _piece_of if is_cut else section_reader(item.section)
    label, partial = _label(item), item.partial

    def write(_row: Row, message: Message, pieces: list[bytes]) -> None:
        value = read(message)
        if value is None:
            pieces.append(label + b" NIL")
            return
        if partial is not None and not is_cut:
            value = value[partial[0] : partial[0] + partial[1]]
        pieces.append(b"%b {%d}\r\n" % (label, len(value)))
        pieces.append(value)

    return write


def _piece_of(message: Message) -> bytes | None:
    return message.piece


def _section_label(item: BodyItem) -> bytes:
    section = item.section
    parts = [b"%d" % number for number in section.part]
    if section.kind is not SectionKind.WHOLE:
        parts.append(section.kind.value)
    label = b".".join(parts)
    if section.fields:
        label += b" (%b)" % b" ".join(responses.astring(field) for field in section.fields)
    return label


def _binary_writer(item: BinaryItem, *, is_cut: bool) -> _Write:
    label = b"BINARY[%b]" % b".".join(b"%d" % number for number in item.part)
    partial = item.partial
    if partial is not None:
        label += b"<%d>" % partial[0]

    def write(_row: Row, message: Message, pieces: list[bytes]) -> None:
        value = binary(message, item.part)
        if value is None:
            pieces.append(label + b" NIL")
            return
        if partial is not None and not is_cut:
            value = value[partial[0] : partial[0] + partial[1]]
        # RFC 3516 §4.2: a literal8 where there is NUL, else a plain one.
        tilde = b"~" if b"\x00" in value else b""
        pieces.append(b"%b %b{%d}\r\n" % (label, tilde, len(value)))
        pieces.append(value)

    return write


def _binary_size_writer(item: BinarySizeItem) -> _Write:
    label = b"BINARY.SIZE[%b]" % b".".join(b"%d" % number for number in item.part)

    def write(_row: Row, message: Message, pieces: list[bytes]) -> None:
        pieces.append(b"%b %d" % (label, len(binary(message, item.part) or b"")))

    return write

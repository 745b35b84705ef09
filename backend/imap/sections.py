"""Which bytes of a message does a section name? (RFC 9051 §6.4.5, BODY[…] and BINARY[…])"""

from collections.abc import Callable

from backend.imap.commands import Section, SectionKind
from backend.message.headers import fields_selector, find_body, select_other_fields
from backend.message.scan import Part, part_at, scan
from backend.message.text import decode_part

SectionReader = Callable[["Message"], bytes | None]


class Message:
    """One message while its line is written: what came from the store, taken apart at most once."""

    __slots__ = ("_content", "_header", "_root")

    def __init__(self, header: bytes | None, content: bytes | None) -> None:
        self._header = header
        self._content = content
        self._root: Part | None = None

    @property
    def content(self) -> bytes:
        return self._content or b""

    @property
    def piece(self) -> bytes | None:
        """The content where it is a piece that was cut before; None: there is no such section."""
        return self._content

    @property
    def header(self) -> bytes:
        if self._header is None:
            self._header = self.content[: find_body(self.content)]
        return self._header

    @property
    def root(self) -> Part:
        if self._root is None:
            self._root = scan(self.content)
        return self._root


def section_reader(section: Section) -> SectionReader:
    """The function that cuts this section out of a message; it gives None where there is no such part."""
    match section.kind:
        case SectionKind.WHOLE if not section.part:
            return lambda message: message.content
        case SectionKind.HEADER_FIELDS | SectionKind.HEADER_FIELDS_NOT:
            return _fields_reader(section)
        case _ if not section.part:
            return _header if section.kind is SectionKind.HEADER else _text
    return _part_reader(section)


def _header(message: Message) -> bytes:
    return message.header


def _text(message: Message) -> bytes:
    return message.content[find_body(message.content) :]


def _part_reader(section: Section) -> SectionReader:
    def read(message: Message) -> bytes | None:
        span = section_span(message.root, section)
        return None if span is None else message.content[span[0] : span[1]]

    return read


def section_span(root: Part, section: Section) -> tuple[int, int] | None:
    """Where a section with part numbers, or TEXT, begins and ends in its message; None where there is no such part."""
    kind = section.kind
    part = part_at(root, section.part)
    if part is None:
        return None
    if section.part and kind is SectionKind.WHOLE:
        return part.body_start, part.body_end
    if kind is SectionKind.MIME:
        return part.header_start, part.body_start
    # HEADER and TEXT of a part mean the message that the part holds.
    inner = part.message if section.part else part
    if inner is None:
        return None
    if kind is SectionKind.TEXT:
        return inner.body_start, inner.body_end
    return inner.header_start, inner.body_start


def _fields_reader(section: Section) -> SectionReader:
    select = header_selector(section)
    if not section.part:
        return lambda message: select(message.header)
    whole = _part_reader(Section(section.part, SectionKind.HEADER))

    def read(message: Message) -> bytes | None:
        header = whole(message)
        return None if header is None else select(header)

    return read


def header_selector(section: Section) -> Callable[[bytes], bytes]:
    """What HEADER, HEADER.FIELDS and HEADER.FIELDS.NOT leave of a header block."""
    match section.kind:
        case SectionKind.HEADER_FIELDS:
            return fields_selector(section.fields)
        case SectionKind.HEADER_FIELDS_NOT:
            names = section.fields
            return lambda header: select_other_fields(header, names)
        case _:
            return lambda header: header


def binary(message: Message, numbers: tuple[int, ...]) -> bytes | None:
    """A part with its transfer encoding undone; the whole message for no number at all."""
    if not numbers:
        return message.content
    part = part_at(message.root, numbers)
    return None if part is None else decode_part(message.content, part)

"""Which parts a message has and where they stand: a tree of byte offsets (RFC 2046), so that a section is a slice.

The scanner never fails. What can't be a part stays inside the one around it, and every octet of the message belongs to
a part, an outer header, a preamble or an epilogue. Work is linear in the size of the message for any given depth.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.message import encoded, headers

MAX_DEPTH = 40  # security limit: what is nested deeper is one opaque part
MAX_PARTS = 5_000  # security limit: when a message has as many, the last one holds the rest
MAX_NEAR_BOUNDARIES = (
    10_000  # security limit: lines that start like a boundary and are none, of a whole message
)

_ADDRESS_FIELDS = frozenset((b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc"))
_MESSAGE_FIELDS = _ADDRESS_FIELDS | {
    b"date",
    b"subject",
    b"in-reply-to",
    b"message-id",
    b"references",
}
_PART_FIELDS = frozenset(
    (
        b"content-type",
        b"content-transfer-encoding",
        b"content-id",
        b"content-description",
        b"content-md5",
        b"content-disposition",
        b"content-language",
        b"content-location",
    )
)
_ALL_FIELDS = _MESSAGE_FIELDS | _PART_FIELDS

_TOKEN = re.compile(rb"[!#-'*+.0-9A-Z^-~-]{1,127}/[!#-'*+.0-9A-Z^-~-]{1,127}$")
_LONE_TYPES = {b"text": b"plain", b"multipart": b"mixed", b"message": b"rfc822"}
_BOUNDARY_LINE_END = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_FIELD_START = re.compile(rb"[!-9;-~]{1,200}[ \t]*:|\r?\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One entity: a header from `header_start` to `body_start` (its blank line included), a body up to `body_end`.

    `type`, `subtype` and `encoding` are in lower case. `fields` holds the unfolded values of the header fields that IMAP's
    ENVELOPE and BODYSTRUCTURE are made from, by lower-case name, repeated address fields joined by commas. `lines` is
    counted for text and embedded messages. `children` are a multipart's parts (never empty there), `message` is the
    message inside a message/rfc822.
    """

    header_start: int
    body_start: int
    body_end: int
    type: str
    subtype: str
    params: encoded.Parameters
    encoding: str
    fields: Mapping[bytes, bytes]
    lines: int
    children: tuple["Part", ...]
    message: "Part | None"

    @property
    def size(self) -> int:
        return self.body_end - self.body_start

    @property
    def charset(self) -> str:
        """As labelled, empty where there is no label."""
        value = encoded.get_parameter(self.params, b"charset")
        return value.decode("latin-1") if value else ""

    @property
    def is_attachment(self) -> bool:
        return self.fields.get(b"content-disposition", b"")[:10].lower() == b"attachment"

    @property
    def filename(self) -> str | None:
        """From Content-Disposition, else from the `name` of Content-Type."""
        _, params = encoded.parse_parameters(self.fields.get(b"content-disposition", b""))
        return encoded.decode_parameter(params, b"filename") or encoded.decode_parameter(
            self.params, b"name"
        )

    def leaves(self) -> list["Part"]:
        """The parts that hold content, in order; embedded messages are entered."""
        found: list[Part] = []
        waiting = [self]
        while waiting:
            part = waiting.pop()
            if part.message is not None:
                waiting.append(part.message)
            elif part.children:
                waiting.extend(reversed(part.children))
            else:
                found.append(part)
        return found


def scan(raw: bytes) -> Part:
    """The whole message as a tree."""
    return _Scanner(raw).message(0, len(raw), 0)


def part_at(root: Part, section: Sequence[int]) -> Part | None:
    """The part that IMAP calls by these numbers (RFC 9051 §6.4.5.1); the root for no numbers."""
    part = root
    inside_message = True  # the numbers that follow count within a whole message
    for number in section:
        if part.message is not None and not inside_message:
            part, inside_message = part.message, True
        if part.children:
            if not 1 <= number <= len(part.children):
                return None
            part = part.children[number - 1]
        elif not inside_message or number != 1:
            return None
        inside_message = False
    return part


class _Scanner:
    """One message being scanned; holds what is shared by all levels."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._parts = 0
        self._near_misses = 0
        self._header_octets = (
            headers.MAX_HEADER_OCTETS
        )  # security limit: counted over all headers of a message

    def message(self, start: int, end: int, depth: int) -> Part:
        body = headers.find_body(self._raw, start, end)
        return self._entity(start, body, end, _ALL_FIELDS, b"text/plain", depth)

    def _entity(
        self, start: int, body: int, end: int, wanted: frozenset[bytes], default: bytes, depth: int
    ) -> Part:
        raw = self._raw
        self._parts += 1
        fields = self._read_fields(start, body, wanted)
        main, sub, params = _content_type(fields.get(b"content-type"), default)
        encoding = fields.get(b"content-transfer-encoding", b"7bit")
        if b";" in encoding or b"(" in encoding:
            encoding, _ = encoded.parse_parameters(encoding)
        transfer = encoding.strip(b"'\" \t").decode("latin-1").lower() or "7bit"
        lines = 0
        children: tuple[Part, ...] = ()
        inner: Part | None = None
        if main == "text":
            lines = raw.count(b"\n", body, end)
        elif main == "multipart":
            if depth >= MAX_DEPTH:
                main, sub = "application", "octet-stream"
            else:
                children = self._children(params, sub, body, end, depth + 1)
        elif main == "message" and sub in {"rfc822", "global"}:
            # RFC 2046 §5.2.1 allows no encoding here. An encoded one can't be addressed by offsets: it is a file.
            if depth >= MAX_DEPTH or not encoded.is_identity(transfer):
                main, sub = "application", "octet-stream"
            else:
                lines = raw.count(b"\n", body, end)
                inner = self.message(body, end, depth + 1)
        return Part(
            header_start=start,
            body_start=body,
            body_end=end,
            type=main,
            subtype=sub,
            params=params,
            encoding=transfer,
            fields=fields,
            lines=lines,
            children=children,
            message=inner,
        )

    def _read_fields(self, start: int, end: int, wanted: frozenset[bytes]) -> dict[bytes, bytes]:
        stop = min(end, start + self._header_octets)
        self._header_octets -= stop - start
        fields: dict[bytes, bytes] = {}
        repeated: dict[bytes, list[bytes]] = {}
        for line in headers.logical_lines(self._raw[start:stop]):
            name, _, value = line.partition(b":")
            key = name.lower()
            if key not in wanted:
                key = key.rstrip(b" \t")
                if key not in wanted:
                    continue
            if key not in fields:
                fields[key] = value.strip()
            elif key in _ADDRESS_FIELDS and (more := value.strip()):
                # Programs differ in which of several From fields they show; so that nothing hides, all are read as one.
                repeated.setdefault(key, [fields[key]]).append(more)
        for key, values in repeated.items():
            fields[key] = b", ".join(values)
        return fields

    def _children(
        self, params: encoded.Parameters, subtype: str, start: int, end: int, depth: int
    ) -> tuple[Part, ...]:
        boundary = (encoded.get_parameter(params, b"boundary") or b"").rstrip()
        spans = self._spans(b"--" + boundary, start, end) if boundary else []
        # RFC 2046 §5.1.5: parts of a digest are messages unless they say otherwise.
        default = b"message/rfc822" if subtype == "digest" else b"text/plain"
        if not spans:
            # RFC 9051 §9 wants a part in every multipart; this one shows people what stands there.
            return (self._entity(start, start, end, _PART_FIELDS, b"text/plain", depth),)
        children = []
        for first, last in spans:
            # A part whose first line is no field has no header (and lost its blank line on the way).
            if _FIELD_START.match(self._raw, first, last):
                body = headers.find_body(self._raw, first, last)
            else:
                body = first
            children.append(self._entity(first, body, last, _PART_FIELDS, default, depth))
        return tuple(children)

    def _spans(self, delimiter: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Where the parts between the delimiter lines begin and end."""
        raw = self._raw
        spans: list[tuple[int, int]] = []
        part_start = -1
        # A body follows a line end, which may serve the first delimiter; later ones own the line end before them.
        needle = b"\n" + delimiter
        found = raw.find(needle, max(start - 1, 0), end) + 1
        while found > 0:
            line = _BOUNDARY_LINE_END.match(raw, found + len(delimiter), end)
            if line is None:
                self._near_misses += 1
                if self._near_misses > MAX_NEAR_BOUNDARIES:
                    break
                found = raw.find(needle, found + len(delimiter) - 1, end) + 1
                continue
            if part_start >= 0:
                part_end = found - 1
                if part_end > part_start and raw[part_end - 1] == 0x0D:
                    part_end -= 1
                spans.append((part_start, max(part_end, part_start)))
                part_start = -1
            if line[1] is not None:
                return spans
            if self._parts + len(spans) >= MAX_PARTS:
                if spans:
                    spans[-1] = (spans[-1][0], end)
                return spans
            part_start = line.end()
            found = raw.find(needle, part_start - 1, end) + 1
        if part_start >= 0:
            spans.append((part_start, end))
        return spans


def _content_type(value: bytes | None, default: bytes) -> tuple[str, str, encoded.Parameters]:
    if value is None:
        main, _, sub = default.partition(b"/")
        # RFC 2045 §5.2: no Content-Type means text/plain in US-ASCII.
        return main.decode(), sub.decode(), ((b"charset", b"us-ascii"),) if main == b"text" else ()
    head, params = encoded.parse_parameters(value)
    kind = head.lower()
    if b" " in kind or b"\t" in kind:
        kind = kind.replace(b" ", b"").replace(b"\t", b"")
    if _TOKEN.match(kind):
        main, _, sub = kind.partition(b"/")
    else:
        # RFC 2045 §5.2 again: what can't be understood is text/plain; a type without subtype is its plainest one.
        main = kind.partition(b"/")[0]
        if main not in _LONE_TYPES:
            main = b"text"
        sub = _LONE_TYPES[main]
    return main.decode("ascii"), sub.decode("ascii"), params

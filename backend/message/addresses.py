"""Who stands in From, To and their like (RFC 5322 §3.4, RFC 6854), also where the list is broken.

The lenient side of addresses: nothing is refused, and what can't be an address is shown as it stands. For addresses that
decide something (SMTP paths, configuration) there is `backend.core.address`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backend.message.encoded import decode_header, decode_octets

MAX_ADDRESSES = 5_000  # security limit: of one field
MAX_ODD_OCTETS = (
    128 * 1024
)  # security limit: of a field that is not plainly written, so much is read
MAX_COMMENT_FAULTS = 8  # security limit: unclosed comments are searched for their end only so often


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address. All as raw bytes without quoting; encoded words are left as they are.

    `domain` is empty where the field names no domain. `route` is the obsolete source route `@a,@b`.
    """

    name: bytes
    localpart: bytes
    domain: bytes
    route: bytes = b""

    @property
    def display_name(self) -> str:
        """Decoded, for people."""
        return decode_header(self.name)

    @property
    def address(self) -> str:
        """`localpart@domain` for people and for comparing; not quoted."""
        text = self.localpart + b"@" + self.domain if self.domain else self.localpart
        # SECURITY: no encoded words here. They can't stand in an address, and this text decides who may send.
        return decode_octets(text).replace("\0", "")

    def __str__(self) -> str:
        name, address = self.display_name, self.address
        return f"{name} <{address}>" if name and address else name or address


@dataclass(frozen=True, slots=True)
class Group:
    """A named list, perhaps empty: `undisclosed-recipients:;`."""

    name: bytes
    members: tuple[Mailbox, ...]


Entry = Mailbox | Group

# The form that nearly all addresses have, one at a time: `"Name" <a@b>`, `Name <a@b>` or `a@b`, then a comma or the end.
_PLAIN = re.compile(
    rb"[ \t\r\n]*(?:"
    rb'(?:"([^"\\]*)"|([^\s"(\[<>,:;@\\]+(?:[ \t]+[^\s"(\[<>,:;@\\]+)*))?[ \t\r\n]*'
    rb'<[ \t]*([^\s"()\[\]<>,:;@\\]+)@([^\s"()\[\]<>,:;@\\]+)[ \t]*>'
    rb'|([^\s"()\[\]<>,:;@\\]+)@([^\s"()\[\]<>,:;@\\]+)'
    rb")[ \t\r\n]*(?:,|\Z)"
)
_TOKEN = re.compile(
    rb"([ \t\r\n]+)"  # 1 white space
    rb'|"([^"\\]*(?:\\.[^"\\]*)*)"?'  # 2 quoted string, closed or not
    rb"|(\()"  # 3 a comment begins
    rb"|(\[[^\[\]<>,\s]*\]?)"  # 4 domain literal
    rb"|([<>,:;@])"  # 5 punctuation
    rb'|([^\s"(\[<>,:;@]+|.)',  # 6 atoms, dots, anything else
    re.DOTALL,
)
_COMMENT_EDGE = re.compile(rb"[()]|\\.", re.DOTALL)
_SPACED_DOT = re.compile(rb" *\. *")
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)


def parse_addresses(value: bytes) -> list[Entry]:
    """The entries of an unfolded address field, in order. Never fails."""
    found: list[Entry] = []
    at, end = 0, len(value)
    match = _PLAIN.match
    while at < end:
        plain = match(value, at)
        if plain is None:
            found.extend(_Reader(value, at).entries(MAX_ADDRESSES - len(found)))
            break
        quoted, bare, local, domain, lone_local, lone_domain = plain.groups()
        if lone_local is not None:
            found.append(Mailbox(b"", lone_local, lone_domain))
        else:
            found.append(Mailbox(quoted or bare or b"", local, domain))
        at = plain.end()
        if len(found) >= MAX_ADDRESSES:
            break
    return found


def parse_mailboxes(value: bytes) -> list[Mailbox]:
    """All addresses of a field, those in groups included."""
    return flatten(parse_addresses(value))


def flatten(entries: Sequence[Entry]) -> list[Mailbox]:
    boxes: list[Mailbox] = []
    for entry in entries:
        if isinstance(entry, Group):
            boxes.extend(entry.members)
        else:
            boxes.append(entry)
    return boxes


def format_for_people(entries: Sequence[Entry]) -> str:
    """`Name <a@b>, c@d`, decoded; groups as `Team: a@b, c@d;`."""
    texts = []
    for entry in entries:
        if isinstance(entry, Group):
            members = ", ".join(map(str, entry.members))
            texts.append(f"{decode_header(entry.name)}: {members};")
        else:
            texts.append(str(entry))
    return ", ".join(filter(None, texts))


class _Reader:
    """Reads entries token by token, for the lists that the plain pattern does not know."""

    def __init__(self, value: bytes, at: int) -> None:
        self._value = value[at : at + MAX_ODD_OCTETS]
        self._at = 0
        self._comment_faults = 0
        self._reset()

    def _reset(self) -> None:
        self._words: list[bytes] = []  # a phrase, or an address without angle brackets
        self._gaps: set[int] = set()  # which of the words are white space
        self._at_sign = -1  # where in the words an @ stands
        self._comment = b""

    def entries(self, limit: int) -> list[Entry]:
        found: list[Entry] = []
        members: list[Mailbox] = []
        group: bytes | None = None
        count = 0
        while self._at < len(self._value) and count < limit:
            kind, text = self._token()
            box: Mailbox | None = None
            if kind == 5 and text == b"<":
                box = self._angle()
            elif kind == 5 and text == b":" and group is None and self._at_sign < 0:
                group = self._phrase()
                self._reset()
            elif kind == 5 and text in b",;":
                box = self._flush()
            elif kind == 5 and text == b"@" and self._at_sign < 0:
                self._at_sign = len(self._words)
                self._words.append(text)
            elif kind == 1:
                if len(self._words) - 1 in self._gaps:
                    continue  # a comment stood between
                self._gaps.add(len(self._words))
                self._words.append(b" ")
            elif (
                kind != 3 and text != b">"
            ):  # a comment is kept as a name for an address that has none
                self._words.append(text)
            if box is not None:
                count += 1
                if group is None:
                    found.append(box)
                else:
                    members.append(box)
            if kind == 5 and text == b";" and group is not None:
                found.append(Group(group, tuple(members)))
                group, members = None, []
                count += 1
        box = self._flush()
        if box is not None and count < limit:
            members.append(box) if group is not None else found.append(box)
        if group is not None:
            found.append(Group(group, tuple(members)))
        return found

    def _token(self) -> tuple[int, bytes]:
        match = _TOKEN.match(self._value, self._at)
        assert match is not None  # its last alternative takes any octet
        kind = match.lastindex or 6
        text = match[kind]
        self._at = match.end()
        if kind == 2 and b"\\" in text:
            text = _ESCAPE.sub(rb"\1", text)
        elif kind == 3:
            comment = self._read_comment(match.start())
            if comment is None:
                return 6, b"("
            self._comment = comment
        return kind, text

    def _read_comment(self, start: int) -> bytes | None:
        if self._comment_faults >= MAX_COMMENT_FAULTS:
            return None
        depth = 0
        for edge in _COMMENT_EDGE.finditer(self._value, start):
            if edge[0] == b"(":
                depth += 1
            elif edge[0] == b")":
                depth -= 1
                if depth == 0:
                    self._at = edge.end()
                    return _ESCAPE.sub(rb"\1", self._value[start + 1 : edge.start()]).strip()
        self._comment_faults += 1
        return None

    def _phrase(self) -> bytes:
        return b" ".join(b"".join(self._words).split())

    def _flush(self) -> Mailbox | None:
        """An entry without angle brackets ends here."""
        words, gaps, at_sign, comment = self._words, self._gaps, self._at_sign, self._comment
        self._reset()
        if at_sign < 0:
            text = b" ".join(b"".join(words).split())
            if b" " in text:  # no address at all: at least the name is shown
                return Mailbox(text, b"", b"")
            return Mailbox(comment, text, b"") if text else None
        # RFC 5322 §4.4: the obsolete forms allow white space around dots; elsewhere it ends the address, so that
        # `Name a@b` is a name and an address.
        start = at_sign
        while start > 0:
            if (
                start < at_sign
                and start - 1 in gaps
                and not words[start].startswith(b".")
                and (start == 1 or not words[start - 2].endswith(b"."))
            ):
                break
            start -= 1
        local = b"".join(
            [
                word
                for index, word in enumerate(words[:at_sign])
                if index >= start and index not in gaps
            ]
        )
        phrase = b" ".join(b"".join(words[:start]).split())
        domain = _SPACED_DOT.sub(b".", b"".join(words[at_sign + 1 :]).strip())
        return Mailbox(phrase or comment, local, domain.partition(b" ")[0])

    def _angle(self) -> Mailbox:
        """What stands in angle brackets, up to `>` or to where the list goes on without it."""
        name = self._phrase() or self._comment
        self._reset()
        route: list[bytes] = []
        local: list[bytes] = []
        domain: list[bytes] | None = None
        while self._at < len(self._value):
            before = self._at
            kind, text = self._token()
            if kind in {1, 3}:
                continue
            if kind == 5 and text == b">":
                break
            if kind == 5 and text in b",;<" and domain is not None and local:
                self._at = before  # the bracket was never closed
                break
            if kind == 5 and text == b"@":
                if domain is None:
                    domain = []
                else:
                    domain.append(text)
            elif kind == 5 and text == b":" and domain is not None and not local:
                route = [b"@", *domain]  # RFC 5322 §4.4: obs-route, `<@a,@b:c@d>`
                domain = None
            elif domain is None:
                local.append(text)
            else:
                domain.append(text)
        comment = self._skip_to_separator()
        return Mailbox(name or comment, b"".join(local), b"".join(domain or []), b"".join(route))

    def _skip_to_separator(self) -> bytes:
        """Behind `>` come white space, perhaps a comment that names the person, and then a separator."""
        while self._at < len(self._value):
            before = self._at
            kind, text = self._token()
            if kind == 5 and text in b",;":
                # The comma is this entry's own; a semicolon also ends the group around it.
                self._at = before if text == b";" else self._at
                break
            if kind == 5 and text == b"<":
                self._at = before
                break
        comment = self._comment
        self._reset()
        return comment

"""What is wanted of which messages, and which flags are set? The arguments of FETCH and STORE."""

from backend.imap.commands import (
    BinaryItem,
    BinarySizeItem,
    BodyItem,
    Fetch,
    FetchItem,
    Field,
    Section,
    SectionKind,
    Store,
    StoreOp,
)
from backend.imap.grammar import MAX_NUMBER64, Cursor, GrammarError

MAX_ITEMS = 200  # items in one FETCH, a security limit
MAX_PART_DEPTH = 100  # part numbers in one section, a security limit

# RFC 9051 §6.4.5: macros stand alone, outside parentheses.
_MACROS: dict[str, tuple[FetchItem, ...]] = {
    "ALL": (Field.FLAGS, Field.INTERNALDATE, Field.SIZE, Field.ENVELOPE),
    "FAST": (Field.FLAGS, Field.INTERNALDATE, Field.SIZE),
    "FULL": (Field.FLAGS, Field.INTERNALDATE, Field.SIZE, Field.ENVELOPE, Field.BODY),
}

# RFC 3501 §6.4.5: the old names and what they equal.
_OLD_NAMES: dict[str, FetchItem] = {
    "RFC822": BodyItem(Section(), label=b"RFC822"),
    "RFC822.HEADER": BodyItem(Section(kind=SectionKind.HEADER), peek=True, label=b"RFC822.HEADER"),
    "RFC822.TEXT": BodyItem(Section(kind=SectionKind.TEXT), label=b"RFC822.TEXT"),
}

_FIELDS = {field.value: field for field in Field}


def parse_fetch(cursor: Cursor, *, by_uid: bool) -> Fetch:
    """What follows `FETCH`."""
    cursor.sp()
    messages = cursor.sequence_set(is_uid=by_uid)
    cursor.sp()
    items: tuple[FetchItem, ...]
    if cursor.peek() == b"(":
        items = tuple(dict.fromkeys(cursor.parenthesized(lambda: _item(cursor))))
        if not items:
            raise GrammarError("Expected at least one item to fetch")
    elif cursor.peek_word() in _MACROS:
        items = _MACROS[cursor.word()]
    else:
        items = (_item(cursor),)
    if len(items) > MAX_ITEMS:
        raise GrammarError("Too many items to fetch")
    changed_since = None
    if cursor.try_sp() and not cursor.at_end():
        changed_since = _modifier(cursor, "CHANGEDSINCE")
    return Fetch(messages=messages, items=items, by_uid=by_uid, changed_since=changed_since)


def _modifier(cursor: Cursor, name: str) -> int:
    """One modifier with its mod-sequence, in parentheses."""
    cursor.char(b"(")
    word = cursor.word()
    if word != name:
        raise GrammarError(f"No such modifier: {word}")
    cursor.sp()
    value = cursor.number(MAX_NUMBER64)
    cursor.char(b")")
    return value


def _item(cursor: Cursor) -> FetchItem:
    name = cursor.word()
    if cursor.peek() == b"[":
        return _bracketed(cursor, name)
    if name in _OLD_NAMES:
        return _OLD_NAMES[name]
    field = _FIELDS.get(name)
    if field is None:
        raise GrammarError(f"No such item to fetch: {name}")
    # RFC 8970 §3.1: PREVIEW (LAZY); previews are ready at delivery, so laziness changes nothing.
    if field is Field.PREVIEW and cursor.try_char(b" ("):
        if not cursor.try_word("LAZY"):
            raise GrammarError("Expected LAZY")
        cursor.char(b")")
    return field


def _bracketed(cursor: Cursor, name: str) -> FetchItem:
    match name:
        case "BODY" | "BODY.PEEK":
            section = _section(cursor)
            return BodyItem(section, name == "BODY.PEEK", _partial(cursor))
        case "BINARY" | "BINARY.PEEK":
            part = _binary_section(cursor)
            return BinaryItem(part, name == "BINARY.PEEK", _partial(cursor))
        case "BINARY.SIZE":
            return BinarySizeItem(_binary_section(cursor))
    raise GrammarError(f"No such item to fetch: {name}[]")


def _part(cursor: Cursor) -> tuple[tuple[int, ...], bool]:
    """Part numbers, and whether a dot follows the last."""
    part: list[int] = []
    while cursor.peek().isdigit():
        part.append(cursor.nz_number())
        if len(part) > MAX_PART_DEPTH:
            raise GrammarError("The section is nested too deeply")
        if not cursor.try_char(b"."):
            return tuple(part), False
    return tuple(part), bool(part)


def _binary_section(cursor: Cursor) -> tuple[int, ...]:
    # section-binary = "[" [section-part] "]"
    cursor.char(b"[")
    part, has_dot = _part(cursor)
    if has_dot:
        raise GrammarError("Expected a part number")
    cursor.char(b"]")
    return part


def _section(cursor: Cursor) -> Section:
    # section = "[" [section-spec] "]"; section-spec = section-msgtext / (section-part ["." section-text])
    cursor.char(b"[")
    part, has_dot = _part(cursor)
    if (part and not has_dot) or (not part and cursor.peek() == b"]"):
        cursor.char(b"]")
        return Section(part)
    word = cursor.word()
    try:
        kind = SectionKind(word.encode("ascii"))
    except ValueError as error:
        raise GrammarError(f"No such section: {word}") from error
    # RFC 9051 §6.4.5: "The MIME part specifier MUST be prefixed by one or more numeric part specifiers."
    if kind is SectionKind.MIME and not part:
        raise GrammarError("MIME needs a part number before it")
    fields: tuple[bytes, ...] = ()
    if kind in {SectionKind.HEADER_FIELDS, SectionKind.HEADER_FIELDS_NOT}:
        cursor.sp()
        fields = tuple(cursor.parenthesized(cursor.astring))
        if not fields or len(fields) > MAX_ITEMS:
            raise GrammarError("Expected names of header fields, but not too many")
        if any(
            not field or not field.isascii() or b"\r" in field or b"\n" in field for field in fields
        ):
            raise GrammarError("No such header field")
    cursor.char(b"]")
    return Section(part, kind, fields)


def _partial(cursor: Cursor) -> tuple[int, int] | None:
    # partial = "<" number64 "." nz-number64 ">"
    if not cursor.try_char(b"<"):
        return None
    offset = cursor.number(MAX_NUMBER64)
    cursor.char(b".")
    length = cursor.nz_number(MAX_NUMBER64)
    cursor.char(b">")
    return offset, length


_OPS = {"FLAGS": StoreOp.REPLACE, "+FLAGS": StoreOp.ADD, "-FLAGS": StoreOp.REMOVE}


def parse_store(cursor: Cursor, *, by_uid: bool) -> Store:
    """What follows `STORE`."""
    cursor.sp()
    messages = cursor.sequence_set(is_uid=by_uid)
    cursor.sp()
    unchanged_since = None
    # RFC 7162 §3.1.3: store-modifier = "UNCHANGEDSINCE" SP mod-sequence-valzer
    if cursor.peek() == b"(":
        unchanged_since = _modifier(cursor, "UNCHANGEDSINCE")
        cursor.sp()
    name = cursor.word()
    base = name.removesuffix(".SILENT")
    if base not in _OPS:
        raise GrammarError(f"No such item to store: {name}")
    cursor.sp()
    if cursor.peek() == b"(":
        flags = cursor.flag_list()
    else:  # store-att-flags = … (flag-list / (flag *(SP flag)))
        listed = [cursor.flag()]
        while cursor.try_sp() and not cursor.at_end():
            listed.append(cursor.flag())
        flags = frozenset(listed)
    return Store(
        messages=messages,
        op=_OPS[base],
        flags=flags,
        silent=base != name,
        by_uid=by_uid,
        unchanged_since=unchanged_since,
    )

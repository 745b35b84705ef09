"""Reads IMAP text back (lists, strings, literals, NIL, numbers) and checks ENVELOPE and BODYSTRUCTURE against their grammar.

Written from RFC 9051 §9 alone and sharing no code with the server.
"""

Value = bytes | int | None | list["Value"]


class MalformedError(AssertionError):
    """The text is not what the grammar allows."""


def read_value(text: bytes) -> Value:
    """The single value that the whole text is."""
    value, at = _read(text, 0)
    if at != len(text):
        raise MalformedError(f"something follows the value: {text[at : at + 40]!r}")
    return value


def _read(text: bytes, at: int) -> tuple[Value, int]:
    if at >= len(text):
        raise MalformedError("the text ends too early")
    first = text[at : at + 1]
    if first == b"(":
        return _read_list(text, at)
    if first == b'"':
        return _read_quoted(text, at)
    if first == b"{":
        end = text.index(b"}\r\n", at)
        start = end + 3
        size = int(text[at + 1 : end])
        value = text[start : start + size]
        if len(value) != size or b"\0" in value:
            raise MalformedError("a literal that is too short or holds NUL")
        return value, start + size
    end = at
    while end < len(text) and text[end] not in b' ()"{':
        end += 1
    word = text[at:end]
    if word == b"NIL":
        return None, end
    if word.isdigit():
        return int(word), end
    raise MalformedError(f"neither number nor NIL: {word!r}")


def _read_list(text: bytes, at: int) -> tuple[Value, int]:
    at += 1
    values: list[Value] = []
    while True:
        value, at = _read(text, at)
        values.append(value)
        follows = text[at : at + 1]
        if follows == b")":
            return values, at + 1
        if follows == b" ":
            at += 1
        elif follows != b"(" or text[at - 1 : at] != b")":
            # only `1*address` and `1*body` stand side by side without a space
            raise MalformedError(f"no space between values: {text[max(at - 20, 0) : at + 20]!r}")


def _read_quoted(text: bytes, at: int) -> tuple[Value, int]:
    out = bytearray()
    at += 1
    while True:
        char = text[at]
        if char == 0x22:
            return bytes(out), at + 1
        if char == 0x5C:
            at += 1
            char = text[at]
            if char not in b'"\\':
                raise MalformedError("a backslash before something else")
        elif char in (0, 10, 13) or char >= 0x80:
            raise MalformedError(f"octet {char} in a quoted string")
        out.append(char)
        at += 1


def check_envelope(value: Value) -> None:
    """RFC 9051 §9: envelope."""
    fields = _list(value, 10)
    for index in (0, 1, 8, 9):
        _nstring(fields[index])
    for index in range(2, 8):
        addresses = fields[index]
        if addresses is None:
            continue
        for address in _some(addresses):
            for item in _list(address, 4):
                _nstring(item)


def check_body(value: Value, *, extended: bool) -> None:
    """RFC 9051 §9: body, without (`BODY`) or with (`BODYSTRUCTURE`) all of its extension data."""
    items = _some(value)
    if isinstance(items[0], list):
        count = 0
        while count < len(items) and isinstance(items[count], list):
            check_body(items[count], extended=extended)
            count += 1
        _string(items[count])
        rest = items[count + 1 :]
        if extended:
            _parameters(_list(rest, 4)[0])
            _extension(rest[1:])
        elif rest:
            raise MalformedError("extension data in BODY")
        return
    kind = _string(items[0]).lower(), _string(items[1]).lower()
    _parameters(items[2])
    _nstring(items[3])
    _nstring(items[4])
    _string(items[5])
    _number(items[6])
    at = 7
    if kind[0] == b"text":
        _number(items[7])
        at = 8
    elif kind == (b"message", b"rfc822"):
        check_envelope(items[7])
        check_body(items[8], extended=extended)
        _number(items[9])
        at = 10
    rest = items[at:]
    if extended:
        _nstring(_list(rest, 4)[0])
        _extension(rest[1:])
    elif rest:
        raise MalformedError("extension data in BODY")


def _extension(values: list[Value]) -> None:
    disposition, language, location = values
    if disposition is not None:
        kind, params = _list(disposition, 2)
        _string(kind)
        _parameters(params)
    if isinstance(language, list):
        for tag in _some(language):
            _string(tag)
    else:
        _nstring(language)
    _nstring(location)


def _parameters(value: Value) -> None:
    if value is None:
        return
    items = _some(value)
    if len(items) % 2:
        raise MalformedError("a parameter without a value")
    for item in items:
        _string(item)


def _list(value: Value, length: int) -> list[Value]:
    if not isinstance(value, list) or len(value) != length:
        raise MalformedError(f"not a list of {length}: {value!r}")
    return value


def _some(value: Value) -> list[Value]:
    if not isinstance(value, list) or not value:
        raise MalformedError(f"not a list: {value!r}")
    return value


def _string(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise MalformedError(f"not a string: {value!r}")
    return value


def _nstring(value: Value) -> None:
    if value is not None:
        _string(value)


def _number(value: Value) -> None:
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise MalformedError(f"not a number: {value!r}")

"""On which line of a TOML file does a setting stand? For messages about faults; the file itself is read by tomllib.

A scan of the text that follows the grammar as far as places need it. Only for texts that tomllib has accepted.
"""

import re
from collections.abc import Mapping, Sequence

Path = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_ESCAPES = re.compile(r'\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[btnfr"\\])')
_SIMPLE = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def find_lines(text: str) -> dict[Path, int]:
    """The line (from 1) of each key, table and array element."""
    return _Scan(text).run()


def line_of(lines: Mapping[Path, int], path: Sequence[str | int]) -> int:
    """The line of the setting, or of the nearest thing around it that is in the file; 1 for the file as such."""
    whole = tuple(path)
    for length in range(len(whole), 0, -1):
        line = lines.get(whole[:length])
        if line is not None:
            return line
    return 1


def _unescape(text: str) -> str:
    def value(match: re.Match[str]) -> str:
        code = match[1]
        return _SIMPLE.get(code) or chr(int(code[1:], 16))

    return _ESCAPES.sub(value, text)


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._line = 1
        self._counted = 0
        self._arrays: dict[Path, int] = {}

    def run(self) -> dict[Path, int]:
        table: Path = ()
        while True:
            self._skip(_BLANK_LINES)
            if self._at >= len(self._text):
                return self._lines
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()

    def _mark(self, path: Path) -> None:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        self._lines.setdefault(path, self._line)

    def _header(self) -> Path:
        is_array = self._text.startswith("[[", self._at)
        start = self._at
        self._at += 2 if is_array else 1
        keys = self._keys()
        path: Path = ()
        for index, key in enumerate(keys):
            path = (*path, key)
            is_last = index == len(keys) - 1
            if is_last and is_array:
                self._arrays[path] = self._arrays.get(path, -1) + 1
            end, self._at = self._at, start
            self._mark(path)
            if path in self._arrays:
                path = (*path, self._arrays[path])
                self._mark(path)
            self._at = end
        self._at += 2 if is_array else 1
        return path

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_BLANK)
            if self._text[self._at] in "\"'":
                keys.append(self._string())
            else:
                match = _BARE_KEY.match(self._text, self._at)
                if match is None:
                    raise ValueError("not a key")
                keys.append(match[0])
                self._at = match.end()
            self._skip(_BLANK)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _pair(self, table: Path) -> None:
        start = self._at
        path = table
        keys = self._keys()
        end, self._at = self._at, start
        for key in keys:
            path = (*path, key)
            self._mark(path)
        self._at = end + 1  # behind the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _value(self, path: Path) -> None:
        char = self._text[self._at]
        if char in "\"'":
            self._string()
        elif char == "[":
            self._array(path)
        elif char == "{":
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        while True:
            self._skip(_BLANK_LINES)
            if self._text[self._at] == "]":
                self._at += 1
                return
            self._mark((*path, index))
            self._value((*path, index))
            index += 1
            self._skip(_BLANK_LINES)
            if self._text[self._at] == ",":
                self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK_LINES)
            if self._text[self._at] == "}":
                self._at += 1
                return
            self._pair(path)
            self._skip(_BLANK_LINES)
            if self._text[self._at] == ",":
                self._at += 1

    def _string(self) -> str:
        quote = self._text[self._at]
        if self._text.startswith(quote * 3, self._at):
            return self._long_string(quote * 3)
        start = self._at = self._at + 1
        while self._text[self._at] != quote:
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        raw = self._text[start : self._at]
        self._at += 1
        return _unescape(raw) if quote == '"' else raw

    def _long_string(self, quotes: str) -> str:
        start = self._at = self._at + 3
        while not self._text.startswith(quotes, self._at):
            self._at += 2 if quotes[0] == '"' and self._text[self._at] == "\\" else 1
        # Up to two quotation marks may stand right before the closing ones.
        while self._text[self._at + 3 : self._at + 4] == quotes[0]:
            self._at += 1
        raw = self._text[start : self._at]
        self._at += 3
        return raw

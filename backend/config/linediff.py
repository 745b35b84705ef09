"""What differs between two texts: line by line, and inside of a line that was changed, piece by piece.

Blocking; for a thread: it takes some milliseconds for large files.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

CONTEXT_LINES = 2
MAX_PIECE_CHARS = (
    2_000  # longer lines are shown as changed from end to end: comparing them takes too long
)
ALIKE = 0.4  # lines less alike than this are a removal and an addition, not a change

_PIECE = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Part:
    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """`old` and `new`: its number in either text, 0 where it is not in it. `gap`: lines that are the same were left out."""

    kind: Literal["same", "removed", "added", "gap"]
    old: int
    new: int
    parts: tuple[Part, ...] = ()

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


def compare(old: str, new: str) -> list[Line]:
    """The changed lines with two lines around them; empty when the texts are the same."""
    before, after = old.splitlines(), new.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    found: list[Line] = []
    last = (0, 0)
    for group in matcher.get_grouped_opcodes(CONTEXT_LINES):
        first = group[0]
        if found or (first[1], first[3]) != (0, 0):
            found.append(Line("gap", first[1], first[3]))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                found += [
                    Line("same", i + 1, j + 1, (Part(before[i]),))
                    for i, j in zip(range(i1, i2), range(j1, j2), strict=True)
                ]
            else:
                found += _changed(before[i1:i2], after[j1:j2], i1, j1)
        last = (group[-1][2], group[-1][4])
    if found and last != (len(before), len(after)):
        found.append(Line("gap", *last))
    return found


def _changed(old: Sequence[str], new: Sequence[str], at_old: int, at_new: int) -> Iterator[Line]:
    """Lines that stand opposite each other are compared piece by piece. All that went comes first, as people read it."""
    pairs = [_pieces(left, right) for left, right in zip(old, new, strict=False)]
    for i, text in enumerate(old):
        parts = pairs[i][0] if i < len(pairs) else (Part(text),)
        yield Line("removed", at_old + i + 1, 0, parts)
    for i, text in enumerate(new):
        parts = pairs[i][1] if i < len(pairs) else (Part(text),)
        yield Line("added", 0, at_new + i + 1, parts)


def _pieces(old: str, new: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    if max(len(old), len(new)) > MAX_PIECE_CHARS:
        return (Part(old),), (Part(new),)
    left, right = _PIECE.findall(old), _PIECE.findall(new)
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    if matcher.ratio() < ALIKE:
        return (Part(old),), (Part(new),)
    removed: list[Part] = []
    added: list[Part] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        for parts, text in ((removed, "".join(left[i1:i2])), (added, "".join(right[j1:j2]))):
            if text:
                parts.append(Part(text, tag != "equal"))
    return tuple(removed), tuple(added)

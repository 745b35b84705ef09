"""What differs between a record as it should be and as it is, word by word. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Literal

MAX_CHARS = 4_000  # of one value that is compared word by word, a security limit
MAX_WORDS = 400  # of one value that is compared word by word, a security limit: others publish what they like
LONG_WORD = 24  # letters from which two words are compared within

Mark = Literal["same", "new", "gone"]


@dataclass(frozen=True, slots=True)
class Span:
    """`new`: stands in what it should be alone; `gone`: stands in what is there alone."""

    mark: Mark
    text: str


Line = tuple[Span, ...]


def compare_lines(
    expected: Sequence[str], found: Sequence[str]
) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """The lines as they should be and as they are now; each that is on one side alone is set against the one most like it."""
    ours, theirs = list(expected), list(found)
    same = {text for text in ours if text in theirs}
    should: dict[int, Line] = {
        i: (Span("same", text),) for i, text in enumerate(ours) if text in same
    }
    now: dict[int, Line] = {
        i: (Span("same", text),) for i, text in enumerate(theirs) if text in same
    }
    open_ours = [i for i in range(len(ours)) if i not in should]
    open_theirs = [i for i in range(len(theirs)) if i not in now]
    for i in open_ours:
        best = max(open_theirs, key=lambda j: _likeness(ours[i], theirs[j]), default=None)
        if best is None or not _likeness(ours[i], theirs[best]):
            should[i] = (Span("new", ours[i]),)
            continue
        open_theirs.remove(best)
        should[i], now[best] = compare_words(ours[i], theirs[best])
    for j in open_theirs:
        now[j] = (Span("gone", theirs[j]),)
    return tuple(should[i] for i in range(len(ours))), tuple(now[j] for j in range(len(theirs)))


def compare_words(expected: str, found: str) -> tuple[Line, Line]:
    """The two lines, with what is in one of them alone marked."""
    ours, theirs = _words(expected), _words(found)
    if max(len(expected), len(found)) > MAX_CHARS or max(len(ours), len(theirs)) > MAX_WORDS:
        return (Span("new", expected),), (Span("gone", found),)
    should: list[Span] = []
    now: list[Span] = []
    for kind, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        one, other = "".join(ours[a:b]), "".join(theirs[c:d])
        if kind == "equal":
            should.append(Span("same", one))
            now.append(Span("same", other))
        elif kind == "replace" and b - a == d - c == 1 and min(len(one), len(other)) >= LONG_WORD:
            in_one, in_other = _within_words(one, other)
            should += in_one
            now += in_other
        else:
            if one:
                should.append(Span("new", one))
            if other:
                now.append(Span("gone", other))
    return tuple(should), tuple(now)


def _within_words(one: str, other: str) -> tuple[list[Span], list[Span]]:
    """Two long words, such as keys, that may differ in a few letters only: their common start and end stay unmarked."""
    start = _common(one, other)
    rest = min(len(one), len(other)) - start
    end = min(_common(one[::-1], other[::-1]), rest)
    if start + end < max(len(one), len(other)) / 2:
        return [Span("new", one)], [
            Span("gone", other)
        ]  # two keys: letters that agree mean nothing

    def parts(word: str, mark: Mark) -> list[Span]:
        pieces: tuple[tuple[Mark, str], ...] = (
            ("same", word[:start]),
            (mark, word[start : len(word) - end]),
            ("same", word[len(word) - end :]),
        )
        return [Span(kind, text) for kind, text in pieces if text]

    return parts(one, "new"), parts(other, "gone")


def _common(one: str, other: str) -> int:
    """With how many letters both begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|[^\s;=:,]+|[;=:,]", text)


def _likeness(one: str, other: str) -> int:
    """How many words they share; the kind of record (`v=spf1`) alone makes them alike."""
    return len(set(_words(one[:MAX_CHARS])) & set(_words(other[:MAX_CHARS])))

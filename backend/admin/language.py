"""The words of forms and pages in the language of who asks: gettext catalogues, read as they are kept (`resources/locale`).

The English text is its own key. A text that a language lacks stays English. `qps` is a language for tests: every letter
accented and each text 40 % longer, so that what is not translated, or has no room, is seen.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel

import resources
from backend.api import forms as f

M = TypeVar("M", bound=BaseModel)

ENGLISH = "en"
PSEUDO = "qps"
MAX_HEADER_CHARS = 500  # of Accept-Language, a security limit

_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]{1,30})?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?"
)
_HOLE = re.compile(r"\{[^{}]*\}")
_ACCENTED = str.maketrans("aeiouyACEINOSUYcns", "áéíóúýÀÇÉÎÑÖŠÛÝçñš")

TEXTS = frozenset(
    {
        "label",
        "help",
        "help_long",
        "unit",
        "zero",
        "title",
        "text",
        "empty",
        "add_label",
        "create_label",
        "item_title",
        "ask",
        "done",
        "verb",
        "message",
        "disabled",
        "keywords",
        "words",
        "area",
    }
)
"""Members of specifications that are texts for people, whatever they belong to. Placeholders are examples and stay."""

_NAMES = {(f.ChoicesFrom, "label")}
"""Members that are called like texts, but name a member of something else."""


class Words:
    """One language: `words("Save")` is the text in it, `words("At most {max}.", max=3)` with the holes filled."""

    def __init__(self, language: str, texts: dict[str, str] | None = None) -> None:
        self.language = language
        self._texts = texts or {}

    def __call__(self, text: str, **holes: object) -> str:
        if self.language == PSEUDO:
            translated = pseudo(text)
        else:
            translated = self._texts.get(text) or text
        for name, value in holes.items():
            translated = translated.replace("{" + name + "}", str(value))
        return translated


@cache
def languages() -> tuple[str, ...]:
    """Those that have a catalogue, English first."""
    folder = resources.path("locale")
    return (ENGLISH, *sorted(path.stem for path in folder.glob("*.po")))


@cache
def words_of(language: str) -> Words:
    if language in {ENGLISH, PSEUDO} or language not in languages():
        return Words(language if language == PSEUDO else ENGLISH)
    return Words(language, read_po(resources.text(f"locale/{language}.po")))


def choose(accept_language: str) -> str:
    """RFC 9110 §12.5.4: the language that is liked best of those there are; English when none is."""
    wishes: list[tuple[float, int, str]] = []
    for place, each in enumerate(accept_language[:MAX_HEADER_CHARS].split(",")):
        match = _RANGE.fullmatch(each)
        if match is None:
            continue
        liking = float(match[2] or 1)
        name = match[1].lower()
        if liking > 0 and (name in languages() or name == PSEUDO):
            wishes.append((-liking, place, name))
    return min(wishes)[2] if wishes else ENGLISH


def pseudo(text: str) -> str:
    """Accented and 40 % longer; what stands in braces stays."""
    if not text:
        return text
    pieces = _HOLE.split(text)
    holes = [*_HOLE.findall(text), ""]
    accented = "".join(
        piece.translate(_ACCENTED) + hole for piece, hole in zip(pieces, holes, strict=True)
    )
    return f"[{accented}{'~' * (len(text) * 2 // 5)}]"


def translated(model: M, words: Words) -> M:
    """A copy whose texts are in that language."""
    if words.language == ENGLISH:
        return model
    changes: dict[str, Any] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        is_text = _is_text(model, name) and isinstance(value, str)
        new = words(value) if is_text else _inside(value, words)
        if new is not value:
            changes[name] = new
    return model.model_copy(update=changes) if changes else model


def _is_text(model: BaseModel, name: str) -> bool:
    return name in TEXTS and (type(model), name) not in _NAMES


def _inside(value: Any, words: Words) -> Any:
    if isinstance(value, BaseModel):
        return translated(value, words)
    if isinstance(value, list):
        new = [_inside(each, words) for each in value]
        return new if any(a is not b for a, b in zip(new, value, strict=True)) else value
    return value


def texts_in(model: BaseModel) -> Iterator[str]:
    """What there is to translate in it."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if _is_text(model, name) and isinstance(value, str):
            if value:
                yield value
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, BaseModel):
                yield from texts_in(each)


def read_po(text: str) -> dict[str, str]:
    """The translations of a gettext catalogue: entries without plural forms; fuzzy ones do not count.

    Raises:
        ValueError: it is broken, with its line.
    """
    texts: dict[str, str] = {}
    parts: dict[str, str] = {}
    current, fuzzy = "", False

    def finish() -> None:
        nonlocal fuzzy
        if parts.get("msgid") and parts.get("msgstr") and not fuzzy:
            texts[parts["msgid"]] = parts["msgstr"]
        parts.clear()
        fuzzy = False

    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if line.startswith("#"):
            if "msgstr" in parts:
                finish()
            fuzzy = fuzzy or (line.startswith("#,") and "fuzzy" in line)
            continue
        if not line:
            continue
        keyword, _, rest = line.partition(" ")
        if keyword in {"msgid", "msgstr"}:
            if keyword == "msgid" and "msgstr" in parts:
                finish()
            current = keyword
        elif line.startswith('"') and current:
            rest = line
        else:
            raise ValueError(f"line {number} is no gettext: {line[:40]}")
        try:
            piece = ast.literal_eval(rest)
        except (SyntaxError, ValueError):
            raise ValueError(f"line {number} holds no text in quotation marks") from None
        parts[current] = parts.get(current, "") + str(piece)
    finish()
    return texts

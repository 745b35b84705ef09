"""The specifications as they are served: in a language, with a version, as JSON; and what the search finds in them."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from backend.admin.forms.table import FORMS
from backend.admin.language import translated, words_of
from backend.admin.specs.lists import LISTS
from backend.api import forms as f
from backend.api.pages import PAGES

MAX_KEPT = 256  # specifications in all languages, in their JSON
VERSION_CHARS = 16


def spec_json(form: str, language: str) -> tuple[bytes, str] | None:
    """The JSON without what is at its default, and its version; None when there is no such form."""
    return _spec_json(form, language) if form in _all_specs() else None


@cache
def _all_specs() -> dict[str, f.Spec]:
    """Of forms and of lists without one."""
    forms = {form.id: form.spec for form in FORMS}
    return forms | {spec.id: spec for spec in LISTS}


@lru_cache(maxsize=MAX_KEPT)
def _spec_json(form: str, language: str) -> tuple[bytes, str]:
    spec = translated(_all_specs()[form], words_of(language))
    content = spec.model_dump_json(exclude_defaults=True)
    version = hashlib.sha256(content.encode()).hexdigest()[:VERSION_CHARS]
    stamped = spec.model_copy(update={"version": version})
    return stamped.model_dump_json(exclude_defaults=True).encode(), version


def heads(language: str) -> f.Specs:
    items = []
    for spec in _all_specs().values():
        _, version = _spec_json(spec.id, language)
        title = words_of(language)(spec.title)
        items.append(f.SpecHead(id=spec.id, version=version, title=title, page=spec.page))
    return f.Specs(items=items, language=language)


# --- search --------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _index(language: str) -> tuple[tuple[str, str, f.FoundItem], ...]:
    """Title, all words in English and in that language, and what is found."""
    words = words_of(language)
    entries = []
    for each in PAGES:
        if "{" not in each.path:
            title = words(each.title)
            page = f.FoundItem(
                title=title, kind="page", path=each.path, icon=each.icon, words=each.words
            )
            entries.append(_entry(page, each.title, each.words, words(each.words)))
    for form in FORMS:
        english = form.spec
        path = _reachable(english.page)
        if not path:
            continue
        local = translated(english, words)
        page = f.FoundItem(
            title=local.title, kind="form", path=path, icon=local.icon, help=local.help
        )
        entries.append(_entry(page, english.title, english.help))
        for (pointer, field, around), (_, ours, _) in zip(
            _all_fields(english.fields), _all_fields(local.fields), strict=True
        ):
            found = f.FoundItem(
                title=ours.label,
                kind="field",
                path=path,
                icon=local.icon,
                context=local.title,
                field=pointer,
                help=ours.help,
                words=f"{field.label} {field.keywords} {ours.keywords}",
            )
            more = (field.label, field.help, field.keywords, ours.keywords, around)
            entries.append(_entry(found, *more, english.title))
    return tuple(entries)


def _reachable(page: str) -> str:
    """Where one gets to a form without naming a thing: the page itself or the list in front of it; empty when no face has it."""
    path = page.split("/{", 1)[0]
    return path if any(each.path == path for each in PAGES) else ""


def _entry(found: f.FoundItem, *more: str) -> tuple[str, str, f.FoundItem]:
    text = " ".join((found.title, found.help, found.context, *more)).casefold()
    return found.title.casefold(), text, found


def _all_fields(
    fields: Sequence[f.Field], above: str = "", around: str = ""
) -> Iterator[tuple[str, f.Field, str]]:
    """Path, field, and the words of what it stands in. Entries of lists are found by the list."""
    for field in fields:
        path = f"{above}/{field.key}"
        yield path, field, around
        words = f"{around} {field.label} {field.keywords}"
        yield from _all_fields(field.fields, path, words)
        for variant in field.variants:
            yield from _all_fields(variant.fields, path, f"{words} {variant.title}")
        if field.item is not None:
            for _, inner, _ in _all_fields(field.item.fields, path):
                yield path, inner, words


def search(text: str, language: str, limit: int) -> list[f.FoundItem]:
    """All words must be found; those that begin a title come first, then titles, then what is found by its help. Without
    words, everything.
    """
    wanted = text.casefold().split()
    ranked: list[tuple[int, int, f.FoundItem]] = []
    seen: set[tuple[str, str, str]] = set()
    for place, (title, words, found) in enumerate(_index(language)):
        name = (found.path, found.title, found.field)
        if name in seen or not all(word in words for word in wanted):
            continue
        seen.add(name)
        rank = sum(0 if word in title else 2 for word in wanted)
        rank += 0 if wanted and title.startswith(wanted[0]) else 1
        ranked.append((rank, place, found))
    return [found for _, _, found in sorted(ranked, key=lambda item: item[:2])[:limit]]

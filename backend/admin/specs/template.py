"""All texts of forms and pages, for translators: `python -m backend.admin.specs.template` renews `resources/locale/gatepost.pot`.

It also brings the catalogues of the languages up to date: new texts come in empty, texts that are gone leave.
"""

import json
from collections.abc import Iterator

import resources
from backend.admin.flows import table as flows
from backend.admin.forms import service, wording
from backend.admin.forms.effects import SENTENCES
from backend.admin.forms.parts import NO_ADMINISTRATION
from backend.admin.forms.suppression import NO_ACCOUNT, NO_ADDRESS
from backend.admin.forms.table import FORMS
from backend.admin.forms.transport import PASSWORD_MOVES
from backend.admin.language import read_po, texts_in
from backend.admin.specs import check
from backend.admin.specs.lists import LISTS
from backend.api.pages import AREAS, PAGES

TEMPLATE = "locale/gatepost.pot"

_HEAD = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Language: {language}\\n"\n'
)


def all_texts() -> dict[str, str]:
    """Each text with where it first stands."""
    texts: dict[str, str] = {}
    for place, text in _texts():
        texts.setdefault(text, place)
    return texts


def _texts() -> Iterator[tuple[str, str]]:
    for form in FORMS:
        for text in texts_in(form.spec):
            yield f"form {form.id}", text
    for spec in LISTS:
        for text in texts_in(spec):
            yield f"list {spec.id}", text
    for page in PAGES:
        for text in (page.title, page.words):
            if text:
                yield f"page {page.id}", text
    for _, title in AREAS:
        yield "areas of pages", title
    for text in (*check.SENTENCES, *wording.texts()):
        yield "faults in forms", text
    for text in (*SENTENCES, NO_ADMINISTRATION, PASSWORD_MOVES):
        yield "what a save does", text
    for text in flows.texts():
        yield "wizards", text
    for text in service.SENTENCES:
        yield "saving a form", text
    for text in (NO_ADDRESS, NO_ACCOUNT):
        yield "form suppression", text


def render(language: str, translations: dict[str, str]) -> str:
    """A catalogue with all texts, in gettext's format."""
    entries = [
        f"\n#: {place}\nmsgid {quoted(text)}\nmsgstr {quoted(translations.get(text, ''))}\n"
        for text, place in all_texts().items()
    ]
    return _HEAD.replace("{language}", language) + "".join(entries)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    folder = resources.path("locale")
    resources.path(TEMPLATE).write_text(render("", {}), encoding="utf-8")
    for path in sorted(folder.glob("*.po")):
        known = read_po(path.read_text(encoding="utf-8"))
        path.write_text(render(path.stem, known), encoding="utf-8")

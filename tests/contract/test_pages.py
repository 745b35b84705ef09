"""One list of pages for both faces: each draws every page or says why not."""

import json
import re
from pathlib import Path

import pytest

import resources
from backend.admin.browser_pages import FILE, registry_mjs
from backend.admin.forms.table import FORMS, by_id
from backend.api.pages import AREAS, COMING, PAGES, match
from ui.pages.registry import PAGES as DRAWN
from ui.pages.registry import VIEWS, resolve

ALL = (*PAGES, *COMING)
PATHS = json.loads((Path(__file__).parent / "paths.json").read_text(encoding="utf-8"))


def browser_views() -> set[str]:
    text = resources.text("web/lib/pages.mjs")
    table = text[text.index("const VIEWS = {") : text.index("\n};", text.index("const VIEWS = {"))]
    return {name.strip('"') for name in re.findall(r'^  ("?[\w-]+"?): \{', table, re.MULTILINE)}


def test_every_page_is_drawn_by_the_window_or_says_why_not():
    for page in PAGES:
        assert (page.id in VIEWS) != bool(page.without_qt), page.id
    assert set(VIEWS) <= {page.id for page in PAGES}


def test_every_page_is_drawn_by_the_browser_or_says_why_not():
    views = browser_views()
    for page in PAGES:
        assert (page.id in views) != bool(page.without_web), page.id
    assert views <= {page.id for page in PAGES}


def test_waivers_are_sentences():
    for page in PAGES:
        for waiver in filter(None, (page.without_qt, page.without_web)):
            assert len(waiver.split()) > 4
            assert waiver.endswith(".")


def test_the_browsers_copy_of_the_list_is_fresh():
    assert resources.text(FILE) == registry_mjs(), "python -m backend.admin.browser_pages"


def test_pages_are_told_apart_and_stand_where_they_say():
    assert len({page.id for page in ALL}) == len(ALL)
    assert len({page.path for page in ALL}) == len(ALL)
    icons = {path.stem for path in resources.path("icons").glob("*.svg")}
    ids = {page.id for page in ALL}
    for page in ALL:
        assert page.area in dict(AREAS)
        assert page.icon in icons, page.id
        assert not page.parent or page.parent in ids
        assert page.title
    for page in PAGES:
        assert not page.parent or page.parent in {each.id for each in PAGES}
        assert not page.form or page.form in by_id()


def test_every_form_has_a_page_or_one_that_is_to_come():
    paths = {re.sub(r"{\w+}", "{}", page.path) for page in ALL}
    for form in FORMS:
        assert re.sub(r"{\w+}", "{}", form.spec.page) in paths, form.id


def test_the_window_shows_the_pages_in_the_order_of_the_list():
    assert [info.id for info in DRAWN] == [page.id for page in PAGES if page.id in VIEWS]


@pytest.mark.parametrize("case", PATHS, ids=[case["path"] for case in PATHS])
def test_a_path_leads_to_its_page(case):
    found = match(case["path"], ALL)
    if case["page"] is None:
        assert found is None
    else:
        page, names, rest = found
        assert (page.id, names, rest) == (case["page"], case["names"], case["rest"])


def test_the_window_opens_what_a_path_names():
    page, rest = resolve("/accounts/anna/connect")
    assert (page.id, rest) == ("connect", "anna")
    assert resolve("/activity/x1")[1] == "x1"
    assert resolve("/accounts/new")[0].id == "new-account"
    assert resolve("/nothing")[0].id == "overview"

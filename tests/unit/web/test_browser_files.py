"""The browser's pages as files: small, whole, without anything that the content policy would have to allow."""

import re
from pathlib import Path

import pytest

import resources

WEB = resources.path("web")
OWN = [script for script in sorted(WEB.rglob("*.mjs")) if script.parent.name != "vendor"]
MAX_SCRIPT_BYTES = 150_000


def loaded_with(script: Path, known: frozenset[Path] = frozenset()) -> frozenset[Path]:
    """The script and all that it imports before it runs."""
    if script in known:
        return known
    known |= {script}
    text = script.read_text(encoding="utf-8")
    for target in re.findall(r'^(?:import|export) [^;]*?from "([^"]+)";', text, re.MULTILINE):
        known = loaded_with((script.parent / target).resolve(), known)
    return known


@pytest.mark.parametrize("page", sorted((WEB / "pages").glob("*.mjs")), ids=lambda page: page.name)
def test_all_that_a_page_loads_is_small(page: Path) -> None:
    frame = loaded_with((WEB / "app.mjs").resolve())
    loaded = loaded_with(page.resolve(), frame)
    assert sum(script.stat().st_size for script in loaded) < MAX_SCRIPT_BYTES


def test_pages_are_loaded_when_they_are_opened() -> None:
    frame = loaded_with((WEB / "app.mjs").resolve())
    at_once = {script.name for script in frame if script.parent.name == "pages"}
    assert at_once == {"signin.mjs"}


def test_the_html_has_no_inline_script_handler_or_style() -> None:
    text = (WEB / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\son\w+\s*=", text)
    assert "style=" not in text
    assert "<style" not in text
    assert not re.search(r"(src|href)=\"(https?:)?//", text)


@pytest.mark.parametrize("script", OWN, ids=lambda script: script.name)
def test_text_gets_into_pages_as_text_only(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    for door in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
    ):
        assert door not in text, f"{script.name} uses {door}"
    # A string as style would be an inline style; an object is set through the object model.
    assert 'style="' not in text


@pytest.mark.parametrize("script", OWN, ids=lambda script: script.name)
def test_every_import_is_a_file_beside_it(script: Path) -> None:
    for target in re.findall(r'(?:from |import\()"([^"]+)"', script.read_text(encoding="utf-8")):
        assert target.startswith(("./", "../")), f"{script.name} imports {target}"
        assert (script.parent / target).resolve().is_file(), f"{script.name} imports {target}"


@pytest.mark.parametrize("script", OWN, ids=lambda script: script.name)
def test_every_name_that_is_imported_is_exported_and_used(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    imports = re.findall(r'^import \{([^}]+)\} from "([^"]+)";$', text, re.MULTILINE)
    body = re.sub(r"^import .*$", "", text, flags=re.MULTILINE)
    for names, target in imports:
        if "/vendor/" in target:
            continue
        source = (script.parent / target).resolve().read_text(encoding="utf-8")
        for name in (each.strip() for each in names.split(",")):
            assert re.search(rf"\bexport\b[^;]*\b{name}\b", source), f"{target} lacks {name}"
            assert re.search(rf"\b{name}\b", body), f"{script.name} does not use {name}"


def test_every_icon_that_a_page_names_exists() -> None:
    icons = {path.stem for path in resources.path("icons").glob("*.svg")}
    named = {
        name
        for script in OWN
        for name in re.findall(
            r'(?:icon=|icon: |Icon\} name=)"([a-z0-9-]+)"', script.read_text(encoding="utf-8")
        )
    }
    assert len(named) > 30
    assert named <= icons, sorted(named - icons)


@pytest.mark.parametrize("sheet", sorted(WEB.glob("*.css")), ids=lambda sheet: sheet.name)
def test_style_sheets_are_whole(sheet: Path) -> None:
    text = sheet.read_text(encoding="utf-8")
    assert text.count("{") == text.count("}")
    left = [line for line in text.splitlines() if re.match(r"<{7} |={7}$|>{7} ", line)]
    assert left == [], "what two people changed has not been brought together"

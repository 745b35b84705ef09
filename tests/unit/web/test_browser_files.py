"""The browser's pages as files: small, whole, without anything that the content policy would have to allow."""

import re
from pathlib import Path

import pytest

import resources

WEB = resources.path("web")
SCRIPTS = sorted(WEB.rglob("*.mjs"))
OWN = [script for script in SCRIPTS if script.parent.name != "vendor"]
MAX_SCRIPT_BYTES = 150_000


def test_all_scripts_together_are_small() -> None:
    assert sum(script.stat().st_size for script in SCRIPTS) < MAX_SCRIPT_BYTES


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
    for target in re.findall(r'from "([^"]+)"', script.read_text(encoding="utf-8")):
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

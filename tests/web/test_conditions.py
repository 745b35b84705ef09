"""The browser's conditions come to what the window's come to."""

import json
from pathlib import Path

import pytest

from backend.api.pages import COMING, PAGES
from tests.support.browser import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

CASES = Path(__file__).parents[1] / "contract" / "conditions.json"


async def test_the_browser_agrees_on_the_shared_cases(visitor: Visitor) -> None:
    page = await visitor.open("/")
    different = await page.evaluate(
        """async (cases) => {
            const { holds } = await import("./lib/conditions.mjs");
            return cases.filter((each) => holds(each.cond, each.values, each.here ?? []) !== each.holds).map((each) => each.says);
        }""",
        json.loads(CASES.read_text(encoding="utf-8")),
    )
    assert different == []


async def test_the_browser_finds_the_same_page_for_a_path(visitor: Visitor) -> None:
    page = await visitor.open("/")
    paths = json.loads((CASES.parent / "paths.json").read_text(encoding="utf-8"))
    pages = [each.model_dump() for each in (*PAGES, *COMING)]
    found = await page.evaluate(
        """async ([cases, pages]) => {
            const { match } = await import("./lib/pages.mjs");
            return cases.map((each) => match(each.path, pages)).map((each) => each && { page: each.page.id, names: each.names, rest: each.rest });
        }""",
        [paths, pages],
    )
    nothing = {"page": None, "names": {}, "rest": ""}
    assert [each or nothing for each in found] == [
        {name: case[name] for name in nothing} for case in paths
    ]

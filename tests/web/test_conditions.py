"""The browser's conditions come to what the window's come to."""

import json
from pathlib import Path

import pytest

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

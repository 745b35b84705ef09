"""The list of pages as the browser reads it: `python -m backend.admin.browser_pages` renews `resources/web/lib/registry.mjs`."""

import json

import resources
from backend.api.pages import AREAS, PAGES

FILE = "web/lib/registry.mjs"

_HEAD = "// Written from backend/api/pages.py by `python -m backend.admin.browser_pages`; a test holds the two together.\n"
_LEFT_OUT = {"offline", "without_qt"}


def registry_mjs() -> str:
    """Pages that the browser has, without what is at its default."""
    rows = [
        json.dumps(page.model_dump(exclude_defaults=True, exclude=_LEFT_OUT), ensure_ascii=False)
        for page in PAGES
        if not page.without_web
    ]
    areas = json.dumps(dict(AREAS), ensure_ascii=False)
    listed = "".join(f"  {row},\n" for row in rows)
    return f"{_HEAD}export const AREAS = {areas};\nexport const PAGES = [\n{listed}];\n"


if __name__ == "__main__":
    resources.path(FILE).write_text(registry_mjs(), encoding="utf-8")

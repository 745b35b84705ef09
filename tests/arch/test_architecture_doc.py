"""The documents name files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`((?:app|backend|ui|resources|installers|tests)/[\w./<>-]+)`")


@pytest.mark.parametrize(
    "document", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"]
)
def test_every_path_in_the_document_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = {path for path in NAMED.findall(text) if "<" not in path}
    missing = sorted(path for path in named if not (ROOT / path).exists())
    assert not missing


def test_pictures_in_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)

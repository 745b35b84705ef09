"""House rules that no linter knows."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path for top in ("app", "backend", "ui", "resources") for path in (ROOT / top).rglob("*.py")
)
BANNED = {"utils", "helpers", "common", "misc", "manager", "base"}
MAX_LINES = 700


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [path for path in SOURCES if path.stem in BANNED]


def test_no_module_outgrows_its_reader() -> None:
    assert not [
        path for path in SOURCES if len(path.read_text(encoding="utf-8").splitlines()) > MAX_LINES
    ]


def test_every_module_says_what_it_answers() -> None:
    silent = [
        path
        for path in SOURCES
        if path.stat().st_size
        and not path.read_text(encoding="utf-8").lstrip().startswith(('"""', 'r"""'))
    ]
    assert not silent


def test_windows_never_run_a_nested_event_loop() -> None:
    nested = re.compile(
        r"\.exec\(|QMessageBox\.(question|information|warning|critical)\(|QFileDialog\.get\w+\("
    )
    found = [
        path
        for path in (ROOT / "ui").rglob("*.py")
        if nested.search(path.read_text(encoding="utf-8"))
    ]
    assert not found

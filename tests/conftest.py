"""What every test shares: silence is asserted, and the real messages are found where they lie."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

settings.register_profile(
    "gatepost",
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
settings.load_profile("gatepost")

ROOT = Path(__file__).resolve().parents[1]
TESTDATA = Path(os.environ.get("GATEPOST_TESTDATA", ROOT.parent / "shared" / "testdata"))


class _Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True)
def expect_log() -> Iterator[Callable[[str], None]]:
    """Fails a test that logs a warning or worse, unless it announced it: `expect_log("task failed")` (a regular expression)."""
    handler, expected = _Records(), []
    root = logging.getLogger("gatepost")
    root.addHandler(handler)
    try:
        yield expected.append
    finally:
        root.removeHandler(handler)
    lines = [
        f"{r.levelname} {r.name}: {r.getMessage()} {getattr(r, 'fields', '')}"
        for r in handler.records
    ]
    unexpected = [
        line for line in lines if not any(re.search(pattern, line) for pattern in expected)
    ]
    assert not unexpected, "unexpected log lines:\n" + "\n".join(unexpected)


_notice_given = False


@pytest.fixture
def testdata(capsys: pytest.CaptureFixture[str]) -> Path:
    """The folder of real messages. It may be missing (a user's clone): then `iter` over it is empty, and that is said once."""
    global _notice_given
    if not TESTDATA.is_dir() and not _notice_given:
        _notice_given = True
        with capsys.disabled():
            print(
                f"\nreal messages are not here ({TESTDATA}); the project's own samples are tested alone"
            )
    return TESTDATA

"""PySide6 6.12 on Python 3.11 and older drops a reference to None with each call that returns nothing, until it dies.

The pin in pyproject.toml avoids it; a short test suite would never notice its loss.
"""

import os
import subprocess
import sys

CALLS = """
from PySide6.QtCore import QObject
thing = QObject()
for _ in range(20_000):
    thing.setObjectName("x")
print("alive")
"""


def test_twenty_thousand_calls_that_return_nothing_are_survived() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CALLS],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "alive"

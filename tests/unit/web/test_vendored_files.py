"""The vendored libraries are the files that their table names."""

import hashlib
import re
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[3] / "resources" / "web" / "vendor"


def test_each_vendored_file_has_the_checksum_that_is_written_down() -> None:
    table = (VENDOR / "README.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"^\| (\S+\.mjs) .*\| ([0-9a-f]{64}) \|$", table, re.MULTILINE))
    assert set(named) == {path.name for path in VENDOR.glob("*.mjs")}
    for name, checksum in named.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == checksum

"""The log's file takes whatever strangers send."""

import json
import logging

import pytest

from backend.observe import log as logs


@pytest.fixture
def file(tmp_path):
    root = logs.set_up(file=tmp_path / "server.log", console=False)
    yield tmp_path / "server.log"
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.propagate = True


def test_what_strangers_send_stays_in_its_field_of_its_line(file, capsys):
    hostile = 'x\n{"level": "error"}\r\x1b[31m\x00 \udce4 ' + "y" * 10_000
    logs.get("backend.test").info("greeting", name=hostile)
    (line,) = file.read_text(encoding="utf-8").splitlines()
    values = json.loads(line)
    assert values["name"] == hostile[: logs.MAX_FIELD_CHARS]
    assert "\x1b" not in line
    assert capsys.readouterr().err == ""


def test_a_full_file_is_put_aside_and_the_next_one_counts_from_its_beginning(file):
    handlers = logging.getLogger("gatepost").handlers
    (handler,) = [each for each in handlers if isinstance(each, logs.SizedFileHandler)]
    handler.maxBytes = 1000
    for number in range(20):
        logs.get("backend.test").info("line", number=number, text="ü" * 50)
    parts = sorted(file.parent.glob("server.log*"))
    assert len(parts) > 2
    assert all(part.stat().st_size <= 1000 for part in parts)
    lines = "".join(part.read_text(encoding="utf-8") for part in parts).splitlines()
    seen = [json.loads(line)["number"] for line in lines]
    assert sorted(seen) == list(range(20))[-len(seen) :]
    assert seen


def test_a_file_that_was_begun_earlier_is_counted_whole(tmp_path):
    path = tmp_path / "server.log"
    path.write_text("x" * 999 + "\n")
    handler = logs.SizedFileHandler(path, maxBytes=1000, backupCount=1, encoding="utf-8")
    handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "next", None, None))
    handler.close()
    assert path.read_text() == "next\n"
    assert (tmp_path / "server.log.1").stat().st_size == 1000

"""The log's file takes whatever strangers send."""

import json

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

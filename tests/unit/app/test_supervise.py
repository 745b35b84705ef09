"""Starting, stopping and reading a server process; a small script stands for the server where its own life is not the point."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app import supervise
from app.supervise import Supervisor, command
from backend.api.endpoint import note_file
from ui.control import StartError

SLEEPER = "import time\nprint('gatepost app', flush=True)\ntime.sleep(60)\n"
REFUSER = "import sys\nsys.exit('Port 25 is used by nginx.')\n"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Makes the supervisor start this text instead of the server."""

    def use(text: str) -> None:
        file = tmp_path / "gatepost_app.py"
        file.write_text(text)
        monkeypatch.setattr(
            supervise, "command", lambda _folder, practice: [sys.executable, str(file)]
        )

    return use


def test_the_command_names_the_folder(tmp_path: Path) -> None:
    assert command(tmp_path, practice=False)[1:] == ["-m", "app", "serve", "--dir", str(tmp_path)]
    assert command(tmp_path, practice=True)[3:5] == ["trial", "--json"]


async def test_a_started_process_lives_on_its_own_and_is_stopped_when_asked(
    script, tmp_path: Path
) -> None:
    script(SLEEPER)
    folder = tmp_path / "data"
    first = Supervisor()
    await first.start(folder)
    assert first.is_alive(folder)
    pid = first._children[folder].pid
    assert os.getsid(pid) == pid  # a session of its own: the window's end does not reach it
    note_file(folder).write_text(json.dumps({"pid": pid}))
    other = Supervisor()
    assert other.is_alive(folder)
    await first.stop(folder)
    assert not first.is_alive(folder)
    assert not other.is_alive(folder)


async def test_a_second_start_changes_nothing(script, tmp_path: Path) -> None:
    script(SLEEPER)
    supervisor = Supervisor()
    await supervisor.start(tmp_path)
    pid = supervisor._children[tmp_path].pid
    await supervisor.start(tmp_path)
    assert supervisor._children[tmp_path].pid == pid
    await supervisor.stop(tmp_path)


async def test_a_process_that_ends_at_once_says_why(script, tmp_path: Path) -> None:
    script(REFUSER)
    supervisor = Supervisor()
    with pytest.raises(StartError, match="used by nginx"):
        await supervisor.start(tmp_path)
    assert not supervisor.is_alive(tmp_path)
    assert supervisor.tail(tmp_path, 5) == ["Port 25 is used by nginx."]


async def test_what_practice_mode_prints_is_for_the_owner_alone(script, tmp_path: Path) -> None:
    values = {"accounts": [{"address": "me@gatepost.test", "password": "secret"}]}
    script(f"import time\nprint({json.dumps(json.dumps(values))}, flush=True)\ntime.sleep(60)\n")
    supervisor = Supervisor()
    await supervisor.start(tmp_path, practice=True)
    try:
        assert supervisor.practice_accounts(tmp_path) == [("me@gatepost.test", "secret")]
        supervisor.note_practice_password(tmp_path, "me@gatepost.test", "another")
        supervisor.note_practice_password(tmp_path, "who@gatepost.test", "nobody")
        assert supervisor.practice_accounts(tmp_path) == [("me@gatepost.test", "another")]
        assert (tmp_path / "run" / "practice.json").stat().st_mode & 0o077 == 0
    finally:
        await supervisor.stop(tmp_path)


def test_a_practice_folder_is_known_by_its_settings(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    settings = tmp_path / "config" / "server.toml"
    assert not supervise._is_practice(tmp_path)
    settings.write_text("practice_mode = true\n")
    assert supervise._is_practice(tmp_path)
    settings.write_text("practice_mode = [\n")
    assert not supervise._is_practice(tmp_path)


def test_without_practice_there_are_no_known_passwords(tmp_path: Path) -> None:
    assert Supervisor().practice_accounts(tmp_path) == []


def test_a_note_of_a_dead_process_or_of_another_program_does_not_count(tmp_path: Path) -> None:
    note_file(tmp_path).parent.mkdir()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    note_file(tmp_path).write_text(json.dumps({"pid": gone.pid}))
    assert not Supervisor().is_alive(tmp_path)
    other = subprocess.Popen(["sleep", "60"])
    try:
        note_file(tmp_path).write_text(json.dumps({"pid": other.pid}))
        assert not Supervisor().is_alive(tmp_path)
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()


async def test_stopping_what_does_not_run_is_no_fault(tmp_path: Path) -> None:
    await Supervisor().stop(tmp_path)


def test_the_tail_reads_as_text(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    line = {
        "time": "2026-11-23T12:00:01.000+00:00",
        "level": "error",
        "logger": "server",
        "message": "port taken",
        "port": 25,
    }
    (tmp_path / "log" / "server.log").write_text(json.dumps(line) + "\nnot json\n\n")
    assert Supervisor().tail(tmp_path, 5) == [
        "12:00:01 ERROR server: port taken port=25",
        "not json",
    ]
    assert Supervisor().tail(tmp_path / "nothing", 5) == []


def test_a_folder_with_settings_is_a_server(tmp_path: Path) -> None:
    assert not Supervisor().exists(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "server.toml").touch()
    assert Supervisor().exists(tmp_path)

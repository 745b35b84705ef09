"""The command line against real servers: what it says, what it prints for programs, its exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.cli.output import duration, size

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def run(tmp_path):
    """`run("account", "list", code=0)`: the output; against the folder of `trial` if that is running."""

    def run(*words: str, code: int = 0, stdin: str | None = None) -> str:
        result = CliRunner().invoke(main, [*words, "--dir", str(tmp_path / "data")], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.output

    return run


def test_without_a_screen_the_window_is_refused_in_plain_words(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 1
    assert "There is no screen here" in result.output and "gatepost --help" in result.output


def test_without_a_server_the_command_that_starts_it_is_named(run, tmp_path):
    assert "gatepost trial --dir" in run("status", code=3)
    told = json.loads(run("queue", "list", "--json", code=3))
    assert told["error"] == "server.not_running"
    (tmp_path / "data" / "config").mkdir(parents=True)
    (tmp_path / "data" / "config" / "server.toml").write_text("")
    assert "gatepost serve --dir" in run("account", "list", code=3)


def test_a_folder_without_settings_is_a_fault_that_config_check_names(run):
    assert "no data folder" in run("config", "check", code=1)
    assert json.loads(run("verify", "--json", code=1))["problems"][0]["fix"]


@pytest.mark.parametrize(
    "words",
    [("nothing",), ("account", "add"), ("queue", "kick", "x"), ("trial", "--account", "no-colon")],
)
def test_a_wrong_command_line_is_exit_code_2(words):
    assert CliRunner().invoke(main, list(words)).exit_code == 2


def test_help_needs_neither_server_nor_heavy_libraries():
    code = (
        "import sys; sys.argv=['gatepost','--help']\n"
        "from app.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'aiohttp','pydantic','PySide6','cryptography','backend'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Exit codes" in done.stdout


def test_sizes_and_times_are_for_people():
    assert [size(n) for n in (0, 999, 1500, 123_456, 10**13)] == [
        "0 B",
        "999 B",
        "1.5 KB",
        "123 KB",
        "10.0 TB",
    ]
    assert [duration(s) for s in (5, 65, 3700, 90_000)] == ["5 s", "1 min", "1 h 1 min", "1 d 1 h"]


@pytest.fixture
def trial(tmp_path):
    """A practice server as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [
            sys.executable,
            *("-m", "app", "trial", "--dir", str(tmp_path / "data"), "--json"),
            *("--account", "me@gatepost.test:practice-password"),
        ],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.mark.e2e
def test_a_running_server_is_administered(run, trial):
    assert "Practice mode" in run("status")
    state = json.loads(run("status", "--json"))
    assert state["practice_mode"] is True
    assert state["pid"] == trial["pid"]
    # domains and accounts
    assert "Added b.example" in run("domain", "add", "b.example")
    assert "is here already" in run("domain", "add", "b.example", code=1)
    refusal = json.loads(run("domain", "add", "b.example", "--json", code=1))
    assert refusal["issues"][0]["fix"]
    added = json.loads(run("account", "add", "anna@b.example", "--name", "Anna", "--json"))
    assert added["password"]
    assert "anna@b.example" in run("account", "list")
    assert "IMAP" in run("account", "show", "anna")
    chosen = "a long enough passphrase"
    assert "is set" in run("account", "password", "anna", "--password-stdin", stdin=chosen + "\n")
    assert "goes to anna" in run("account", "add-address", "anna", "info@b.example")
    assert "refused" in run("account", "remove-address", "anna", "info@b.example")
    run("account", "remove", "anna", stdin="n\n", code=1)
    assert "Removed" in run("account", "remove", "anna", "--yes")
    assert "Removed" in run("domain", "remove", "b.example")
    assert "b.example" not in run("domain", "list")
    # configuration
    revisions = json.loads(run("config", "revisions", "--json"))
    assert "Removed the domain b.example" in run("config", "revisions")
    assert '-[domains."b.example".dkim]' in run("config", "diff", str(revisions["current"]))
    assert "b.example" in run("config", "revert", str(revisions["current"] - 1))
    assert "no faults" in run("config", "check")
    assert "practice_mode = true" in run("config", "show", "server.toml")
    # signatures
    keys = json.loads(run("domain", "dkim", "list", "gatepost.test", "--json"))
    signing, reserve = (each["name"] for each in keys["selectors"])
    assert keys["sign"] == [signing]
    shown = run("domain", "dkim", "list", "gatepost.test", "--check")
    assert "could not tell" in shown
    assert f"is signed with {signing}." in shown
    records = run("domain", "dkim", "records", "gatepost.test")
    assert f'{reserve}._domainkey.gatepost.test. TXT "v=DKIM1; k=rsa; p=' in records
    ed = run("domain", "dkim", "add", "gatepost.test", "--algorithm", "ed25519", "--selector", "ed")
    assert "Made a key" in ed
    assert "with ed." in run("domain", "dkim", "sign", "gatepost.test", "ed")
    assert "--even-if-signing" in run("domain", "dkim", "remove", "gatepost.test", "ed", code=1)
    forced = ("gatepost.test", "ed", "--even-if-signing")
    assert "leaves unsigned" in run("domain", "dkim", "remove", *forced)
    run("domain", "dkim", "sign", "gatepost.test", code=2)
    assert "Publish the DNS records" in run("domain", "dkim", "rotate", "gatepost.test")
    assert "Leave" not in run("domain", "dkim", "rotate", "gatepost.test", "--now")
    assert "There is no domain" in run("domain", "dkim", "list", "other.test", code=1)
    # the rest
    assert "Nothing waits" in run("queue", "list")
    assert "0 messages" in run("queue", "kick", "--all")
    assert "in order" in run("verify")
    assert "server is ready" in run("log")
    assert json.loads(run("log", "-n", "1", "--json"))["seq"]
    assert "New administrator's password" in run("admin-password")
    assert "stops" in run("stop")

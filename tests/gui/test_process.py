"""The window's process: one for each user and folder, and what it says when it breaks."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import qWarning

from app.crash import CrashReporter, describe
from app.gui import practice_folder
from app.instance import Instance, name_of

ROOT = Path(__file__).resolve().parents[2]


def test_a_second_start_hands_its_wish_to_the_first(qtbot: Any, tmp_path: Path) -> None:
    name = name_of(tmp_path)
    first = Instance(name)
    assert first.claim()
    code = f"""
import sys
from PySide6.QtCore import QCoreApplication
app = QCoreApplication([])
from app.instance import Instance
sys.exit(0 if Instance({name!r}).claim("/queue") else 7)
"""
    with qtbot.waitSignal(first.asked, timeout=20_000) as asked:
        second = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    assert asked.args == ["/queue"]
    qtbot.waitUntil(lambda: second.poll() is not None, timeout=10_000)
    assert second.returncode == 7
    first.release()


def test_the_name_is_free_again_after_the_end(qapp: Any, tmp_path: Path) -> None:
    name = name_of(tmp_path)
    first = Instance(name)
    assert first.claim()
    first.release()
    second = Instance(name)
    assert second.claim()
    second.release()


def test_folders_have_windows_of_their_own(tmp_path: Path) -> None:
    assert name_of(tmp_path / "a") != name_of(tmp_path / "b")
    assert name_of(tmp_path / "a") == name_of(tmp_path / "b" / ".." / "a")


def test_practice_lives_beside_the_real_folder() -> None:
    assert practice_folder(Path("/home/anna/mail")) == Path("/home/anna/mail-practice")


def failure() -> Exception:
    secret = "anna@example.org"  # noqa: F841  # it must not get into the report
    try:
        raise ValueError("the password is 1234")
    except ValueError as error:
        return error


def test_a_report_holds_places_but_no_values() -> None:
    text = describe(failure(), "0.1.0")
    assert "Gatepost 0.1.0" in text
    assert "builtins.ValueError" in text
    assert "in failure" in text
    assert "1234" not in text
    assert "anna" not in text
    assert str(ROOT) not in text


def test_what_nobody_caught_is_written_and_shown(tmp_path: Path, expect_log: Any) -> None:
    expect_log("unexpected fault in the window")
    reporter = CrashReporter(tmp_path, "0.1.0")
    shown: list[str] = []
    reporter.show = shown.append
    reporter.install()
    try:
        error = failure()
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        reporter.uninstall()
    assert len(shown) == 1
    assert (tmp_path / "report-1.txt").read_text().strip() == shown[0]


def test_a_fault_in_a_task_is_reported_too(tmp_path: Path, expect_log: Any) -> None:
    expect_log("unexpected fault in the window")
    reporter = CrashReporter(tmp_path, "0.1.0")
    shown: list[str] = []
    reporter.show = shown.append
    loop = asyncio.new_event_loop()
    try:
        reporter.install_in_loop(loop)
        loop.call_exception_handler({"message": "x", "exception": failure()})
    finally:
        loop.close()
        reporter._faults.close()
    assert shown


@pytest.mark.no_qt_log
def test_messages_of_qt_go_to_the_log(qapp: Any, tmp_path: Path, expect_log: Any) -> None:
    expect_log("WARNING gatepost.qt")
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("gatepost.qt").addHandler(handler)
    reporter = CrashReporter(tmp_path, "0.1.0")
    reporter.install()
    try:
        qWarning("something about a layout")
    finally:
        reporter.uninstall()
        logging.getLogger("gatepost.qt").removeHandler(handler)
    assert records == ["something about a layout"]


@pytest.mark.e2e
def test_the_whole_window_process_starts_and_ends(tmp_path: Path) -> None:
    env = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_DATA_HOME": str(tmp_path / "share"),
        "XDG_RUNTIME_DIR": str(tmp_path),
    }
    env.pop("GATEPOST_DIR", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "app"], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True
    )
    try:
        state = tmp_path / "state" / "gatepost" / "window" / "faults.txt"
        for _ in range(300):
            if state.exists() or process.poll() is not None:
                break
            with_pause()
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        with_pause(1.0)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert (tmp_path / "config" / "gatepost" / "window.ini").is_file()


def with_pause(seconds: float = 0.1) -> None:
    """Another process can't be awaited with a signal of this one."""
    import time

    time.sleep(seconds)

"""Starts the server process of a data folder so that it outlives the window, stops it, and reads what it wrote last.

The window hands a `Supervisor` to `ui.session`. Where a service manager runs the server, the service does this work.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from backend.api.endpoint import load_note
from ui.control import StartError

ROOT = Path(__file__).resolve().parents[1]
STOP_TIMEOUT_S = 30.0
POLL_S = 0.1
TAIL_BYTES = 64_000  # read from the end of a log file
FIRST_LOOK_S = 0.4  # a process that fails at once does so within this


class Supervisor:
    """Keeps the processes that it started only to notice their end; they do not end with it."""

    def __init__(self) -> None:
        self._children: dict[Path, subprocess.Popen[bytes]] = {}

    # ---- questions

    def exists(self, folder: Path) -> bool:
        return (folder / "config" / "server.toml").is_file()

    def is_alive(self, folder: Path) -> bool:
        child = self._children.get(folder)
        if child is not None:
            if child.poll() is None:
                return True
            del self._children[folder]
        note = load_note(folder)
        return note is not None and _runs(note.pid)

    def practice_accounts(self, folder: Path) -> list[tuple[str, str]]:
        try:
            values = json.loads(_practice_file(folder).read_text(encoding="utf-8"))
            accounts = [(str(a["address"]), str(a["password"])) for a in values["accounts"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        return [(address, password) for address, password in accounts if password]

    def note_practice_password(self, folder: Path, address: str, password: str) -> None:
        """A person set another password: what is remembered of the old one is wrong now."""
        known = dict(self.practice_accounts(folder))
        if address in known:
            known[address] = password
            values = {"accounts": [{"address": a, "password": p} for a, p in known.items()]}
            with os.fdopen(_private_file(_practice_file(folder)), "w", encoding="utf-8") as file:
                json.dump(values, file)

    def tail(self, folder: Path, lines: int) -> list[str]:
        """The log's last lines as people read them, then what the process itself said (a trace, a refusal)."""
        logged = [_plain(line) for line in _last_lines(folder / "log" / "server.log", lines)]
        said = _last_lines(_console_file(folder), lines)
        return (logged + said)[-lines:]

    # ---- acts

    async def start(self, folder: Path, *, practice: bool = False) -> None:
        """Starts it detached. Raises: StartError, with the reason that the process gave."""
        if self.is_alive(folder):
            return
        practice = practice or _is_practice(folder)
        try:
            child = _spawn(folder, practice=practice)
        except OSError as error:
            raise StartError(f"The server could not be started: {error}") from error
        self._children[folder] = child
        deadline = time.monotonic() + FIRST_LOOK_S
        while time.monotonic() < deadline:
            if child.poll() is not None:
                said = "\n".join(_last_lines(_console_file(folder), 3))
                raise StartError(
                    said or f"The server ended at once (exit code {child.returncode})."
                )
            await asyncio.sleep(POLL_S)

    async def stop(self, folder: Path) -> None:
        """Asks the process to end, waits, and ends it by force after half a minute: stored mail survives that too."""
        child = self._children.get(folder)
        note = load_note(folder)
        pid = child.pid if child is not None else note.pid if note is not None else 0
        if not pid or not self.is_alive(folder):
            return
        _signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while self.is_alive(folder):
            if time.monotonic() > deadline:
                _signal(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
                deadline += STOP_TIMEOUT_S
            await asyncio.sleep(POLL_S)


def command(folder: Path, *, practice: bool) -> list[str]:
    """How the server process is started."""
    what = ["trial", "--json"] if practice else ["serve"]
    own = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app"]
    return [*own, *what, "--dir", str(folder)]


def _spawn(folder: Path, *, practice: bool) -> "subprocess.Popen[bytes]":
    for name in ("run", "log"):
        (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    output = _console_file(folder)
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    # SECURITY: what practice mode prints holds passwords, so its file is for the owner alone.
    out = _private_file(_practice_file(folder)) if practice else os.open(os.devnull, os.O_WRONLY)
    try:
        errors = _private_file(output)
        try:
            return subprocess.Popen(
                command(folder, practice=practice),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
                close_fds=True,
            )
        finally:
            os.close(errors)
    finally:
        os.close(out)


def _private_file(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _console_file(folder: Path) -> Path:
    return folder / "log" / "console.log"


def _practice_file(folder: Path) -> Path:
    return folder / "run" / "practice.json"


def _is_practice(folder: Path) -> bool:
    """By its own settings; broken ones are for the server to complain of."""
    try:
        text = (folder / "config" / "server.toml").read_text(encoding="utf-8")
        return tomllib.loads(text).get("practice_mode") is True
    except (OSError, ValueError):
        return False


def _runs(pid: int) -> bool:
    """A process with this number runs and is no zombie; another program's, after a restart of the computer, does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    proc = Path(f"/proc/{pid}")
    if not proc.exists():
        return True  # no such file system here: the number is all there is
    try:
        state = (proc / "stat").read_text().rpartition(")")[2].split()[0]
        words = (proc / "cmdline").read_bytes().lower()
    except OSError:
        return False
    return state != "Z" and (b"gatepost" in words or b"app" in words)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _last_lines(path: Path, lines: int) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]


def _plain(line: str) -> str:
    """A line of the log file (JSON) as text; anything else as it is."""
    try:
        values = json.loads(line)
        at, level = str(values.pop("time"))[11:19], str(values.pop("level")).upper()
        logger, message = values.pop("logger"), values.pop("message")
    except (ValueError, KeyError, AttributeError, TypeError):
        return line
    trace = values.pop("trace", "")
    fields = " ".join(f"{key}={value}" for key, value in values.items())
    return f"{at} {level} {logger}: {message} {fields}".rstrip() + (f"\n{trace}" if trace else "")

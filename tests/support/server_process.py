"""The real server as a process of its own: started, stopped, killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class Ready:
    """The line that `gatepost trial --json` prints."""

    values: dict[str, Any]

    def address(self, name: str) -> tuple[str, int]:
        host, port = self.values[name]
        return str(host), int(port)

    @property
    def account(self) -> str:
        return str(self.values["accounts"][0]["address"])

    @property
    def password(self) -> str:
        return str(self.values["accounts"][0]["password"])

    @property
    def ca_file(self) -> str:
        return str(self.values["ca_file"])


class Trial:
    """`gatepost trial` on a folder; restartable on the same folder."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self._arguments = arguments
        self._process: subprocess.Popen[str] | None = None
        self.ready: Ready = Ready({})

    def start(self) -> Ready:
        command = [
            sys.executable,
            "-m",
            "app",
            "trial",
            "--dir",
            str(self.folder),
            "--json",
            *self._arguments,
        ]
        log = (self.folder.parent / f"{self.folder.name}.stderr").open("a")
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=environment()
        )
        log.close()
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(STOP_TIMEOUT_S)
            raise RuntimeError(
                (self.folder.parent / f"{self.folder.name}.stderr").read_text()[-4000:]
            )
        self.ready = Ready(json.loads(line))
        return self.ready

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._ended()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._ended()

    def _ended(self) -> int:
        assert self._process is not None
        code = self._process.wait(STOP_TIMEOUT_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()


class Serve:
    """`gatepost serve` on a folder whose settings the test has written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = (self.folder / "stderr").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--dir", str(self.folder)],
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env=environment(),
        )
        log.close()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "stderr").read_text()[-4000:])
            time.sleep(0.05)

    def _answers(self) -> bool:
        # The note is written when all ports answer, and names the process that wrote it.
        try:
            note = json.loads((self.folder / "run" / "server.json").read_text())
        except (OSError, ValueError):
            return False
        return self._process is not None and note.get("pid") == self._process.pid

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> int:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_TIMEOUT_S)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_TIMEOUT_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()


def gatepost(folder: Path, *arguments: str, stdin: str = "") -> Any:
    """A command of the command line with `--json`; its output as values.

    Raises:
        subprocess.CalledProcessError: with what it wrote to standard error.
    """
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments, "--dir", str(folder), "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment(),
        timeout=60,
        input=stdin,
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, done.args, done.stdout, done.stderr)
    return json.loads(done.stdout)


def free_ports(host: str, count: int) -> Sequence[int]:
    """Ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((host, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()

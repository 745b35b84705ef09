"""Entry of the server process: the one door from `app` to `backend.server`.

`run` and `run_practice` serve a folder until they are told to stop; the others answer for a folder whose server does not run.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backend.server import offline
from backend.server.process import Ended, serve, serve_practice


def run(folder: Path, *, console: bool = False) -> int:
    """Serves the folder; the exit code."""
    return _end(serve(folder, console=console))


def run_practice(
    folder: Path,
    *,
    port_base: int | None,
    accounts: Sequence[tuple[str, str]],
    console: bool,
    on_ready: Callable[[dict[str, Any]], None],
) -> int:
    """Makes the folder a practice server's, if it is new, and serves it. `on_ready` gets the trial contract's values."""
    return _end(
        serve_practice(
            folder,
            port_base=port_base,
            accounts=accounts,
            console=console,
            on_ready=lambda running: on_ready(running.contract()),
        )
    )


def _end(ended: Ended) -> int:
    if ended.restart:
        # The same process id goes on: a service manager or terminal that waits for it sees no end. orig_argv holds the
        # interpreter's own options too.
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # no shell is wanted
    return ended.code


def verify_folder(folder: Path) -> list[dict[str, Any]]:
    """What is wrong with the stored mail, as problems; empty when all is well. The server must not be running."""
    return asyncio.run(offline.verify(folder))


def check_config(folder: Path) -> list[dict[str, Any]]:
    """All faults of the settings, as problems; empty when there are none."""
    return offline.check_config(folder)

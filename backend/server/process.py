"""The server as this process: loop, signals, and faults told on the terminal."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.core.errors import AppError, ConfigError, UserError
from backend.server import practice
from backend.server.run import Running, Server

if sys.platform != "win32":
    import resource

OPEN_FILES = 16_384  # above all connections that the limits let in
EXIT_OK = 0
EXIT_CONFIG = 78  # EX_CONFIG of sysexits.h: what service managers know as a fault in the settings


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    restart: bool = False


def serve(
    folder: Path,
    *,
    console: bool,
    on_ready: Callable[[Running], None] | None = None,
    accounts: practice.Accounts = (),
) -> Ended:
    """Until SIGTERM, SIGINT, or a face asks for the end."""
    _prepare_process()
    server = Server(folder, console=console)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, server.request_stop)
        await server.run(on_ready=on_ready, accounts=accounts)

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(main())
    except AppError as error:
        return _explain(error)
    return Ended(EXIT_OK, server.restart_requested)


def serve_practice(
    folder: Path,
    *,
    port_base: int | None,
    accounts: practice.Accounts,
    console: bool,
    on_ready: Callable[[Running], None],
) -> Ended:
    """The same for a folder that is made a practice server's first, if it is new."""
    _prepare_process()
    try:
        practice.prepare_folder(folder.resolve(), port_base=port_base, accounts=accounts)
    except AppError as error:
        return _explain(error)
    return serve(folder, console=console, on_ready=on_ready, accounts=accounts)


def _prepare_process() -> None:
    # SECURITY: whatever is made in the data folder is for this user alone, beside the rights of the folder itself.
    os.umask(0o077)
    if sys.platform != "win32":
        # Systems let a process open 1024 files unless it asks: one stranger's idle connections would use them up.
        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
        if resource.RLIM_INFINITY != now < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Windows has none
        return None
    return uvloop.new_event_loop


def _explain(error: AppError) -> Ended:
    for said in _sentences(error):
        print(f"gatepost: {said}", file=sys.stderr)
    return Ended(EXIT_CONFIG)


def _sentences(error: AppError) -> Sequence[object]:
    match error:
        case ConfigError():
            return error.problems
        case UserError():
            return (error.problem,)
        case _:
            return (error,)

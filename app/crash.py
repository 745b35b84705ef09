"""The last resort of the window: what nobody caught is written to a file and shown, with words that may be sent to others.

The report holds versions, the kind of fault and where in the code it was: no values of variables, no addresses, no mail.
"""

import asyncio
import faulthandler
import logging
import platform
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler, qVersion

_log = logging.getLogger("gatepost.app.crash")

KEPT_REPORTS = 5


def describe(error: BaseException, version: str) -> str:
    """The report of one fault."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"  {_place(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join(
        [
            f"Gatepost {version}",
            f"Python {platform.python_version()}, Qt {qVersion()}, {platform.system()} {platform.release()}",
            f"{type(error).__module__}.{type(error).__name__}",
            *places,
        ]
    )


def _place(file: str) -> str:
    """The path inside the project or the library, never the user's folders."""
    parts = Path(file).parts
    for mark in ("app", "ui", "backend", "resources", "site-packages"):
        if mark in parts:
            return "/".join(parts[parts.index(mark) :])
    return parts[-1] if parts else file


class CrashReporter:
    """Installed once; `show` is called with each report, in the window's thread."""

    def __init__(self, folder: Path, version: str) -> None:
        self._folder = folder
        self._version = version
        self.show: Callable[[str], None] | None = None
        self._count = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._faults = (folder / "faults.txt").open("a", encoding="utf-8")

    def install(self) -> None:
        faulthandler.enable(self._faults)
        sys.excepthook = self._excepthook
        qInstallMessageHandler(_qt_message)

    def install_in_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.set_exception_handler(self._loop_handler)

    def uninstall(self) -> None:
        sys.excepthook = sys.__excepthook__
        qInstallMessageHandler(None)
        if faulthandler.is_enabled():
            faulthandler.disable()
        self._faults.close()

    def report(self, error: BaseException) -> str:
        text = describe(error, self._version)
        _log.error("unexpected fault in the window: %s", type(error).__name__, exc_info=error)
        self._count = self._count % KEPT_REPORTS + 1
        try:
            (self._folder / f"report-{self._count}.txt").write_text(text + "\n", encoding="utf-8")
        except OSError:
            _log.warning("the report could not be written")
        if self.show is not None:
            self.show(text)
        return text

    def _excepthook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        self.report(error.with_traceback(trace))

    def _loop_handler(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            self.report(error)
        else:
            loop.default_exception_handler(context)


def _qt_message(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    serious = kind in {QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg}
    level = (
        logging.ERROR
        if serious
        else logging.WARNING
        if kind == QtMsgType.QtWarningMsg
        else logging.DEBUG
    )
    logging.getLogger("gatepost.qt").log(level, "%s", text)

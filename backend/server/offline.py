"""Answers about a data folder whose server does not run, for the command line."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from backend.config.files import read_texts
from backend.config.load import load_texts
from backend.config.paths import DataFolder
from backend.core.errors import AppError, ConfigError, UserError
from backend.core.problems import Problem
from backend.outbound.lint import useless_routes
from backend.runtime import threads
from backend.server.lock import FolderLock
from backend.store import verify as store


async def verify(folder: Path) -> list[dict[str, Any]]:
    """Checks the stored mail against itself; its problems."""
    data = DataFolder(folder.resolve())
    if not data.accounts.is_dir():
        return [_plain(_no_folder(data))]
    lock = FolderLock(data.run)
    try:
        lock.take()
    except UserError as error:
        return [_plain(error.problem)]
    try:
        report = await store.verify(data.root)
        return [_plain(problem) for problem in report.problems]
    finally:
        threads.shut_down()
        lock.release()


def check_config(folder: Path) -> list[dict[str, Any]]:
    """All faults of the settings at once; without any, the routes that can never match, as warnings."""
    data = DataFolder(folder.resolve())
    if not data.exists:
        return [_plain(_no_folder(data))]
    try:
        texts = read_texts(data)
        loaded = load_texts(texts.server, texts.domains)
    except ConfigError as error:
        return [_plain(problem) for problem in error.problems]
    except AppError as error:
        return [_plain(Problem(code="config.unreadable", message=str(error)))]
    useless = useless_routes(loaded.domains, loaded.server.outbound.max_attempts)
    return [_plain(each.problem()) for each in useless]


def _no_folder(data: DataFolder) -> Problem:
    return Problem(
        code="folder.missing",
        subject=str(data.root),
        message=f"{data.root} is no data folder of Gatepost.",
        fix="Name the right one with --dir, or make a practice server with “gatepost trial --dir DIR”.",
    )


def _plain(problem: Problem) -> dict[str, Any]:
    return asdict(problem)

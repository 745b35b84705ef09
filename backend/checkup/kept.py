"""What the last check of each domain, and of the server, has found: kept in small files, so that lists need not ask again.

With it goes what people have acknowledged, which holds until the finding is another one, and which faults are confirmed.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from backend.checkup.checks import Check, keys
from backend.checkup.dns import Report
from backend.checkup.steady import Steady
from backend.config.atomic import write_atomically
from backend.core.clock import Clock
from backend.core.errors import NotFoundError
from backend.core.problems import Problem
from backend.observe import log as logs
from backend.runtime.threads import Pool, run_blocking

log = logs.get(__name__)

SERVER = ""
"""The subject of the checks of the server itself; those of a domain have its name."""

_SERVER_FILE = "_server"  # no domain is called so
MAX_NOTE = 500
MAX_FILE_NAME = 200  # file systems take 255 with the ending, names of domains may have 253


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """`finding`: what it was about."""

    note: str
    by: str
    at: float
    finding: str


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one check beyond its last result. `since`: the result has been the same."""

    state: str
    since: float
    steady: Steady = field(default_factory=Steady)
    acknowledged: Acknowledgement | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """`news`: what the last check has seen change, in a sentence."""

    report: Report
    rows: dict[str, Row] = field(default_factory=dict)
    news: str = ""

    def row(self, key: str) -> Row | None:
        return self.rows.get(key)

    @property
    def open_checks(self) -> list[Check]:
        """Those that nobody has acknowledged."""
        found = zip(keys(self.report.checks), self.report.checks, strict=True)
        return [check for key, check in found if not _acknowledged(self.rows.get(key))]

    @property
    def confirmed_faults(self) -> list[Check]:
        """What is wrong for long enough to be told, and that nobody has acknowledged."""
        found = zip(keys(self.report.checks), self.report.checks, strict=True)
        return [
            check
            for key, check in found
            if (row := self.rows.get(key)) is not None
            and row.steady.is_bad
            and row.acknowledged is None
        ]

    @property
    def is_wavering(self) -> bool:
        """Something is to be looked at again soon."""
        return any(row.steady.is_wavering for row in self.rows.values())


_ADAPTER: TypeAdapter[Kept] = TypeAdapter(Kept)


def take_in(before: Kept | None, report: Report) -> Kept:
    """The new report, with what was known of its rows. Pure."""
    at = report.checked_at
    rows: dict[str, Row] = {}
    fixed: list[str] = []
    for key, check in zip(keys(report.checks), report.checks, strict=True):
        old = before.rows.get(key) if before is not None else None
        if check.state == "unknown":
            # Who can't look has seen nothing: what was known stays.
            rows[key] = replace(old, state="unknown") if old else Row("unknown", at)
            continue
        if old is not None and old.state in {"warn", "fail", "optional"} and check.state == "ok":
            fixed.append(check.title)
        # What a line about a domain says is told by the domain itself.
        is_bad = check.state == "fail" and check.area != "domains"
        steady = (old.steady if old else Steady()).see(is_bad, at)
        noted = old.acknowledged if old else None
        if noted is not None and noted.finding != check.finding:
            noted = None
        since = old.since if old is not None and old.state == check.state else at
        rows[key] = Row(check.state, since, steady, noted)
    left = len([check for check in report.checks if check.is_bad])
    return Kept(report, rows, _news(fixed, left))


def _news(fixed: Sequence[str], left: int) -> str:
    if not fixed:
        return ""
    names = ", ".join(f"“{title}”" for title in dict.fromkeys(fixed))
    match = "now match" if len(set(fixed)) > 1 else "now matches"
    return f"{names} {match}. {f'{left} to go.' if left else 'Nothing is left to do.'}"


def _acknowledged(row: Row | None) -> bool:
    return row is not None and row.acknowledged is not None


class KeptResults:
    """`folder` is made when something is kept. All methods on the loop's thread; `load` before anything else."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._kept: dict[str, Kept] = {}
        self._writing = asyncio.Lock()

    async def load(self) -> None:
        self._kept = await run_blocking(Pool.FILES, self._read)

    def _read(self) -> dict[str, Kept]:
        found: dict[str, Kept] = {}
        for file in sorted(self._folder.glob("*.json")):
            try:
                kept = _ADAPTER.validate_json(file.read_bytes())
                found[kept.report.domain] = kept
            except (OSError, ValidationError) as error:
                # Made by another version, or broken: the next check writes it anew.
                log.info("kept check results not read", file=file.name, error=type(error).__name__)
        return found

    def get(self, subject: str) -> Kept | None:
        return self._kept.get(subject)

    def subjects(self) -> list[str]:
        return list(self._kept)

    async def put(self, subject: str, report: Report) -> Kept:
        kept = take_in(self._kept.get(subject), report)
        await self._set(subject, kept)
        return kept

    async def acknowledge(self, subject: str, key: str, note: str, by: str) -> None:
        """Raises:
        NotFoundError: no such row was found by the last check.
        """
        kept, row, check = self._find(subject, key)
        noted = Acknowledgement(note[:MAX_NOTE], by, self._clock.time(), check.finding)
        rows = {**kept.rows, key: replace(row, acknowledged=noted)}
        await self._set(subject, replace(kept, rows=rows))

    async def revoke(self, subject: str, key: str) -> None:
        """Raises:
        NotFoundError: no such row was found by the last check.
        """
        kept, row, _ = self._find(subject, key)
        rows = {**kept.rows, key: replace(row, acknowledged=None)}
        await self._set(subject, replace(kept, rows=rows))

    async def forget(self, subject: str) -> None:
        """The domain is gone."""
        self._kept.pop(subject, None)
        async with self._writing:
            await run_blocking(Pool.FILES, lambda: self._file(subject).unlink(missing_ok=True))

    def _find(self, subject: str, key: str) -> tuple[Kept, Row, Check]:
        kept = self._kept.get(subject)
        if kept is not None:
            for each, check in zip(keys(kept.report.checks), kept.report.checks, strict=True):
                if each == key:
                    return kept, kept.rows[key], check
        raise NotFoundError(
            Problem(
                code="check.unknown",
                subject=key,
                message="This line is no longer among the checks.",
                fix="Check again; it may be gone, or have another name now.",
            )
        )

    async def _set(self, subject: str, kept: Kept) -> None:
        self._kept[subject] = kept
        async with self._writing:
            await run_blocking(Pool.FILES, lambda: self._write(subject, _ADAPTER.dump_json(kept)))

    def _write(self, subject: str, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            write_atomically(
                self._file(subject), data, durable=subject == SERVER or b'"acknowledged":{' in data
            )
        except OSError as error:
            # A full disk is told elsewhere; a check must not fail by it.
            log.warning("check results not kept", error=error.strerror or repr(error))

    def _file(self, subject: str) -> Path:
        name = subject or _SERVER_FILE
        if len(name) > MAX_FILE_NAME:
            name = hashlib.sha256(name.encode()).hexdigest()
        return self._folder / f"{name}.json"

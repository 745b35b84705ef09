"""How often did each route decide in the last 30 days, and how did each transport do last?

Kept in a small file beside the queue. These are hints for people: a crash may lose the last minute of them.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backend.config.atomic import write_atomically
from backend.core.clock import Clock
from backend.observe import log as logs
from backend.outbound.route import Level, Rule
from backend.runtime.threads import Pool, run_blocking

log = logs.get(__name__)

FILE = "tally.json"
KEPT_DAYS = 30
SAVE_EVERY_S = 60.0
MAX_FILE_BYTES = 16 * 1024 * 1024  # a security limit
MAX_ROUTES_A_DAY = 5_000  # routes that are counted, so that the file stays small
MAX_TRANSPORTS = 1_000
MAX_TEXT_CHARS = 300
DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class LastResult:
    """`tested`: by a person, without a message."""

    at: float
    ok: bool
    text: str
    tested: bool = False


class Tally:
    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path = folder / FILE
        self._clock = clock
        self._hits: dict[int, dict[str, int]] = {}
        self._results: dict[str, LastResult] = {}
        self._changed = False

    async def open(self) -> None:
        try:
            data = await run_blocking(Pool.FILES, _read, self._path)
            self._hits = {
                int(day): {str(key): int(count) for key, count in counts.items()}
                for day, counts in data["hits"].items()
            }
            self._results = {
                str(name): LastResult(**result) for name, result in data["results"].items()
            }
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            log.warning("the counts of routes can't be read and begin anew", cause=repr(error))

    async def run(self) -> None:
        """Saves now and then, until cancelled."""
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            await self.save()

    async def save(self) -> None:
        if not self._changed:
            return
        self._changed = False
        self._forget_old_days()
        data = {
            "hits": self._hits,
            "results": {name: asdict(result) for name, result in self._results.items()},
        }
        text = json.dumps(data).encode()
        try:
            await run_blocking(Pool.FILES, _write, self._path, text)
        except OSError as error:
            self._changed = True
            log.warning("the counts of routes can't be saved", cause=repr(error))

    def count(self, level: Level, owner: str, rule: Rule) -> None:
        """The rule has decided how an attempt goes."""
        today = self._hits.setdefault(self._today(), {})
        key = _key(level, owner, rule)
        if key in today or len(today) < MAX_ROUTES_A_DAY:
            today[key] = today.get(key, 0) + 1
            self._changed = True

    def hits(self, level: Level, owner: str, rule: Rule) -> int:
        """Attempts in the last 30 days. A route that was moved keeps its count, one that asks for something else
        begins anew.
        """
        key, first = _key(level, owner, rule), self._today() - KEPT_DAYS + 1
        return sum(counts.get(key, 0) for day, counts in self._hits.items() if day >= first)

    def note(self, transport: str, *, ok: bool, text: str, tested: bool = False) -> None:
        if transport in self._results or len(self._results) < MAX_TRANSPORTS:
            self._results[transport] = LastResult(
                at=self._clock.time(), ok=ok, text=text[:MAX_TEXT_CHARS], tested=tested
            )
            self._changed = True

    def last_result(self, transport: str) -> LastResult | None:
        return self._results.get(transport)

    def forget(self, transport: str) -> None:
        """Its settings are others now."""
        if self._results.pop(transport, None) is not None:
            self._changed = True

    def _forget_old_days(self) -> None:
        first = self._today() - KEPT_DAYS + 1
        self._hits = {day: counts for day, counts in self._hits.items() if day >= first}

    def _today(self) -> int:
        return int(self._clock.time() // DAY_S)


def _key(level: Level, owner: str, rule: Rule) -> str:
    asks = [list(rule.from_domain), list(rule.to_domain), rule.minimum_attempts, rule.transport]
    digest = hashlib.sha256(json.dumps(asks).encode()).hexdigest()[:16]
    return f"{level}/{owner}/{digest}"


def _read(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ValueError("the file is too large")
    found = json.loads(data)
    if isinstance(found, dict):
        return found
    raise ValueError("the file is damaged")


def _write(path: Path, data: bytes) -> None:
    write_atomically(path, data, durable=False)

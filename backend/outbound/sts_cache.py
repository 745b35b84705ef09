"""MTA-STS policies of other domains that are known, on the disk (RFC 8461 §3.2, §10.2)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from backend.core.clock import Clock
from backend.core.errors import TemporaryError
from backend.observe import log as logs
from backend.runtime.threads import Pool, run_blocking
from backend.store.database import DamagedError, Database, Reader, Row, Transaction
from backend.store.migrations import load
from backend.tls.sts import Mode, StsPolicy

log = logs.get(__name__)

T = TypeVar("T")

MAX_POLICIES = 20_000  # a security limit: the least recently used go first
MAX_SEEN = 2000  # domains of which it is remembered in memory what the file holds
USED_EVERY_S = 6 * 3600.0  # how exactly it is known when a policy was used last
# RFC 8461 §10.2 asks for policies to be kept; one that nobody needed for so long is not fetched again by itself.
REFRESH_USED_WITHIN_S = 60 * 86_400.0

_COLUMNS = "domain, policy_id, mode, mx, max_age_s, fetched_at, expires_at, used_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    domain: str
    policy_id: str
    policy: StsPolicy
    fetched_at: float
    expires_at: float
    used_at: float


class StsCache:
    """What has expired is not given out. A damaged file is begun anew: mail must not wait for what can be fetched again."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path = folder / "sts.db"
        self._database = _database(self._path)
        self._clock = clock
        self._making_anew = asyncio.Lock()
        # What the file holds, as far as it was asked for; nobody else writes to it.
        self._seen: dict[str, Known | None] = {}

    async def close(self) -> None:
        await self._database.close()

    async def find(self, domain: str) -> Known | None:
        now = self._clock.time()
        if domain in self._seen:
            known = self._seen[domain]
            return known if known is not None and known.expires_at > now else None
        row = await self._read(
            lambda reader: reader.row(
                f"SELECT {_COLUMNS} FROM policy WHERE domain = :domain AND expires_at > :now",
                {"domain": domain, "now": now},
            )
        )
        if len(self._seen) >= MAX_SEEN:
            self._seen.clear()
        return self._seen.setdefault(domain, None if row is None else _known(row))

    async def put(self, domain: str, policy_id: str, policy: StsPolicy) -> Known:
        now = self._clock.time()
        known = Known(
            domain=domain,
            policy_id=policy_id,
            policy=policy,
            fetched_at=now,
            expires_at=now + policy.max_age_s,
            used_at=now,
        )

        def write(tx: Transaction) -> None:
            tx.run(
                f"INSERT OR REPLACE INTO policy ({_COLUMNS}) VALUES (:domain, :policy_id, :mode, :mx,"
                " :max_age_s, :fetched_at, :expires_at, :used_at)",
                {
                    "domain": domain,
                    "policy_id": policy_id,
                    "mode": policy.mode,
                    "mx": "\n".join(policy.mx),
                    "max_age_s": policy.max_age_s,
                    "fetched_at": now,
                    "expires_at": known.expires_at,
                    "used_at": now,
                },
            )
            tx.run("DELETE FROM policy WHERE expires_at <= :now", {"now": now})
            tx.run(
                "DELETE FROM policy WHERE domain IN (SELECT domain FROM policy"
                " ORDER BY used_at DESC LIMIT -1 OFFSET :kept)",
                {"kept": MAX_POLICIES},
            )

        self._seen[domain] = known
        await self._write(write)
        return known

    async def used(self, known: Known) -> None:
        """It was needed; written down now and then only."""
        now = self._clock.time()
        if now - known.used_at < USED_EVERY_S:
            return
        self._seen[known.domain] = replace(known, used_at=now)
        await self._write(
            lambda tx: tx.run(
                "UPDATE policy SET used_at = :now WHERE domain = :domain",
                {"now": now, "domain": known.domain},
            )
        )

    async def older_than(self, fetched_before: float, limit: int) -> list[Known]:
        """Those in use that were fetched before that time, the oldest first."""
        now = self._clock.time()
        rows = await self._read(
            lambda reader: reader.rows(
                f"SELECT {_COLUMNS} FROM policy WHERE expires_at > :now AND fetched_at < :before"
                " AND used_at > :used ORDER BY fetched_at LIMIT :limit",
                {
                    "now": now,
                    "before": fetched_before,
                    "used": now - REFRESH_USED_WITHIN_S,
                    "limit": limit,
                },
            )
        )
        return [_known(row) for row in rows]

    async def _read(self, fn: Callable[[Reader], T]) -> T:
        database = self._database
        try:
            return await database.read(fn)
        except DamagedError:
            await self._make_anew(database)
            return await self._database.read(fn)

    async def _write(self, fn: Callable[[Transaction], object]) -> None:
        database = self._database
        try:
            try:
                await database.write(fn)
            except DamagedError:
                await self._make_anew(database)
                await self._database.write(fn)
        except TemporaryError as error:
            # A full disk. What is known in memory holds all the same, and the file is only behind.
            log.warning("mta-sts policies can't be written", cause=str(error))

    async def _make_anew(self, damaged: Database) -> None:
        async with self._making_anew:
            if self._database is not damaged:
                return  # somebody else has
            log.warning("file of mta-sts policies is damaged and begun anew", path=str(self._path))
            await damaged.close()
            await run_blocking(Pool.FILES, _remove, self._path)
            self._database = _database(self._path)


def _database(path: Path) -> Database:
    return Database(path, load("sts", "backend.outbound"))


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _known(row: Row) -> Known:
    domain, policy_id, mode, mx, max_age_s, fetched_at, expires_at, used_at = row
    return Known(
        domain=domain,
        policy_id=policy_id,
        policy=StsPolicy(
            mode=Mode(mode), mx=tuple(mx.split("\n")) if mx else (), max_age_s=max_age_s
        ),
        fetched_at=fetched_at,
        expires_at=expires_at,
        used_at=used_at,
    )

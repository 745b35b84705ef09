"""The administrator's password: random at first, kept as a hash only, checked on a thread."""

import secrets
from pathlib import Path

import argon2

from backend.config.atomic import write_atomically
from backend.core.errors import UserError
from backend.core.problems import Problem
from backend.runtime.threads import Pool, run_blocking

# Without l, o, 0, 1: it is read from a screen and typed.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_CHARS = 4, 5  # 20 characters of 32: 100 bits
MIN_CHARS = 12
MAX_CHECKS = 8  # that run or wait at the same time, a security limit (each takes 19 MiB)


class TooManyChecksError(Exception):
    """So many sign-ins are being checked that one more is refused."""


def make_password() -> str:
    groups = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_CHARS)) for _ in range(_GROUPS)
    )
    return "-".join(groups)


class AdminPassword:
    """`folder` is DIR/secrets."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "admin-password"
        self._hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._checks = 0

    def exists(self) -> bool:
        return self._file.exists()

    async def make(self) -> str:
        """Sets a new random one and returns it: the only time that anybody sees it."""
        password = make_password()
        await self._write(password)
        return password

    async def change(self, password: str) -> None:
        """Sets the one that the administrator chose.

        Raises:
            UserError: it is too short.
        """
        if len(password) < MIN_CHARS:
            raise UserError(
                Problem(
                    code="password.short",
                    path="/new",
                    message=f"The administrator's password needs at least {MIN_CHARS} characters.",
                    fix="Choose a longer one, or let the server make one up.",
                )
            )
        await self._write(password)

    async def is_right(self, password: str) -> bool:
        """Compares on a thread.

        Raises:
            TooManyChecksError: ask again in a moment.
        """
        if self._checks >= MAX_CHECKS:
            raise TooManyChecksError
        self._checks += 1
        try:
            return await run_blocking(Pool.CRYPTO, self._verify, password)
        finally:
            self._checks -= 1

    def _verify(self, password: str) -> bool:
        try:
            known = self._file.read_text(encoding="ascii").strip()
            return self._hasher.verify(known, password)
        except (OSError, argon2.exceptions.VerificationError, argon2.exceptions.InvalidHash):
            return False

    async def _write(self, password: str) -> None:
        await run_blocking(Pool.CRYPTO, self._write_now, password)

    def _write_now(self, password: str) -> None:
        hashed = self._hasher.hash(password)
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self._file, hashed.encode())

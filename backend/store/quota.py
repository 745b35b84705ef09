"""How much may an account hold, and how much does it?

The counters move with each change in the same transaction; a message that lies in two mailboxes counts twice.
"""

from collections.abc import Callable

from backend.core.ids import AccountId
from backend.store.database import Reader
from backend.store.values import Usage

QuotaOf = Callable[[AccountId], int | None]
"""The limit of an account in bytes, None for none."""


def unlimited(_: AccountId) -> int | None:
    return None


def usage(reader: Reader, limit_bytes: int | None) -> Usage:
    row = reader.row("SELECT messages, size_bytes FROM account")
    assert row is not None  # written with the database's first transaction
    return Usage(row[0], row[1], limit_bytes)

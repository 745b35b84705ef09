"""How much may an account hold, and how much does it?

The counters move with each change in the same transaction (`account` row and mailboxes' rows); a message that lies in two
mailboxes counts twice. Going over is refused inside the transaction that would do it (`messages.add`, `messages.copy`).
"""

from collections.abc import Callable

from backend.core.ids import AccountId

QuotaOf = Callable[[AccountId], int | None]
"""The limit of an account in bytes, None for none."""


def unlimited(_: AccountId) -> int | None:
    return None

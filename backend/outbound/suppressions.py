"""Addresses to which an account sends nothing, because they bounced for good or because somebody said so.

A message to such an address is answered as users of good mail programs expect it. When every recipient is on the list, the
submission itself is refused (550 5.1.1, at the end of the data): the mail app shows the sentence at once and keeps the
draft. When some are, the message is accepted, and its sender gets a report about those at once: a mail app told "no" for one
of fifty recipients would keep all fifty from getting it. A refusal at RCPT can't tell the two cases apart, for more
recipients may follow.

Entries that the server made itself end after a while, for addresses come back. It never makes one for what had no sender, so
that a report that bounces suppresses nobody.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from backend.core.address import Address
from backend.core.ids import AccountId, TraceId
from backend.core.status import SmtpStatus
from backend.outbound.history import DAY_S
from backend.outbound.paging import Position, contains, follow
from backend.outbound.vanished import is_gone
from backend.store.database import Database, Reader, Row, Transaction

MAX_REASON_CHARS = 300
FORGOTTEN_AT_ONCE = 100  # so that not each one more looks for the oldest
MAX_SUPPRESSIONS = 100_000  # of one account by itself, a security limit; the oldest go first


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """`account` empty: for all accounts. `automatic`: made by the server. `ends_at` None: for ever. `trace`: of the message
    that bounced.
    """

    id: int
    account: AccountId
    address: str
    automatic: bool
    reason: str
    trace: TraceId
    since: float
    ends_at: float | None


@dataclass(frozen=True, slots=True)
class SuppressionPage:
    items: tuple[Suppression, ...]
    total: int
    next: Position | None


class Suppressing:
    """Makes entries by itself. `days` gives how long they hold, 0 for none at all; asked each time."""

    def __init__(self, days: Callable[[], int]) -> None:
        self._days = days

    def note(
        self,
        tx: Transaction,
        account: AccountId,
        address: Address | str,
        status: SmtpStatus,
        trace: TraceId,
        now: float,
    ) -> bool:
        """After an answer from another server; whether the address is suppressed from now on."""
        days = self._days()
        if days <= 0 or not account or not is_gone(status):
            return False
        suppress(
            tx,
            account,
            str(address),
            reason=str(status),
            automatic=True,
            trace=trace,
            now=now,
            ends_at=now + days * DAY_S,
        )
        counted = {"account": account}
        count = tx.value("SELECT count(*) FROM suppression WHERE account = :account", counted)
        if count > MAX_SUPPRESSIONS:
            tx.run(
                "DELETE FROM suppression WHERE id IN (SELECT id FROM suppression WHERE account = :account"
                " AND automatic = 1 ORDER BY since LIMIT :some)",
                counted | {"some": count - MAX_SUPPRESSIONS + FORGOTTEN_AT_ONCE},
            )
        return True


def suppress(
    tx: Transaction,
    account: str,
    address: str,
    *,
    reason: str,
    automatic: bool,
    now: float,
    trace: str = "",
    ends_at: float | None = None,
) -> None:
    """What a person entered is not changed by the server itself."""
    shown = "".join(char if char.isprintable() else " " for char in reason)[:MAX_REASON_CHARS]
    tx.run(
        "INSERT INTO suppression (account, address, automatic, reason, trace, since, ends_at)"
        " VALUES (:account, :address, :automatic, :reason, :trace, :now, :ends_at)"
        " ON CONFLICT (account, address) DO UPDATE SET automatic = :automatic, reason = :reason,"
        " trace = :trace, since = :now, ends_at = :ends_at WHERE automatic = 1 OR :automatic = 0",
        {
            "account": account,
            "address": _key(address),
            "automatic": int(automatic),
            "reason": shown,
            "trace": trace,
            "now": now,
            "ends_at": ends_at,
        },
    )


def find(
    reader: Reader, account: AccountId, addresses: Iterable[Address], now: float
) -> dict[Address, Suppression]:
    """Those of the addresses that the account sends nothing to now. What is of no account (the server's own) is not kept back."""
    found: dict[Address, Suppression] = {}
    if not account or reader.value("SELECT 1 FROM suppression LIMIT 1") is None:
        return found
    for address in addresses:
        row = reader.row(
            f"{_COLUMNS} WHERE account IN (:account, '') AND address = :address"
            " AND (ends_at IS NULL OR ends_at > :now) ORDER BY account DESC LIMIT 1",
            {"account": account, "address": _key(str(address)), "now": now},
        )
        if row is not None:
            found[address] = _suppression(row)
    return found


def refusal(found: Suppression, address: Address | str) -> SmtpStatus:
    """In words that say how to send there again."""
    since = datetime.fromtimestamp(found.since, UTC).strftime("%Y-%m-%d")
    account = f" --account {found.account}" if found.account else ""
    why = f"it was refused on {since} ({found.reason})" if found.automatic else found.reason
    return SmtpStatus(
        550,
        "5.1.1",
        f"Nothing is sent to {address}{f': {why}' if why else ''}. To send there again, have it removed from the list of"
        f" suppressed addresses: gatepost queue suppression remove {address}{account}",
    )


def purge(tx: Transaction, now: float) -> int:
    return tx.run("DELETE FROM suppression WHERE ends_at <= :now", {"now": now})


async def list_suppressions(
    database: Database,
    now: float,
    *,
    account: str | None = None,
    text: str = "",
    automatic: bool | None = None,
    after: Position | None = None,
    limit: int = 100,
) -> SuppressionPage:
    """Newest first. `account` None takes all, empty those that hold for all accounts."""
    terms, params = ["(ends_at IS NULL OR ends_at > :now)"], dict[str, object](now=now)
    if account is not None:
        terms.append("account = :account")
        params["account"] = account
    if automatic is not None:
        terms.append("automatic = :automatic")
        params["automatic"] = int(automatic)
    if text:
        terms.append("(address LIKE :text ESCAPE '!' OR reason LIKE :text ESCAPE '!')")
        params["text"] = contains(text)
    where = f" WHERE {' AND '.join(terms)}"
    beyond, position = follow("since", "id", after, descending=True)

    def read(reader: Reader) -> SuppressionPage:
        rows = reader.rows(
            f"{_COLUMNS}{where}{beyond} ORDER BY since DESC, id DESC LIMIT :limit",
            params | position | {"limit": limit + 1},
        )
        items = tuple(_suppression(row) for row in rows[:limit])
        last = items[-1] if len(rows) > limit else None
        return SuppressionPage(
            items,
            reader.value(f"SELECT count(*) FROM suppression{where}", params),
            None if last is None else Position(last.since, last.id),
        )

    return await database.read(read)


def forget_account(tx: Transaction, account: AccountId) -> None:
    """It is gone; one of the same name starts anew."""
    tx.run("DELETE FROM suppression WHERE account = :account", {"account": account})


async def remove(database: Database, addresses: Sequence[tuple[str, str]]) -> int:
    """Pairs of account and address; how many were there."""
    keys = [{"account": account, "address": _key(address)} for account, address in addresses]
    return await database.write(
        lambda tx: tx.run_many(
            "DELETE FROM suppression WHERE account = :account AND address = :address", keys
        )
    )


_COLUMNS = "SELECT id, account, address, automatic, reason, trace, since, ends_at FROM suppression"


def _suppression(row: Row) -> Suppression:
    number, account, address, automatic, reason, trace, since, ends_at = row
    return Suppression(
        id=number,
        account=AccountId(account),
        address=address,
        automatic=bool(automatic),
        reason=reason,
        trace=TraceId(trace),
        since=since,
        ends_at=ends_at,
    )


def _key(address: str) -> str:
    # RFC 5321 §2.4 leaves case to the other server; none is known to tell two people apart by it.
    return address.lower()

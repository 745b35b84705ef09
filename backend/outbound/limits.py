"""How much may an account send in a day? (behaviour L1 to L3)

Counted for each recipient, local ones too, over a sliding 24 hours, in the transaction that accepts the message: so two
messages at the same moment can't both slip through.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.core.address import Address
from backend.core.ids import AccountId
from backend.core.status import SmtpStatus
from backend.store.database import Reader, Transaction

WINDOW_S = 24 * 3600.0

_MESSAGES = "max number of messages"
_FIRST_TIME = "max number of new/first-time recipients"


@dataclass(frozen=True, slots=True)
class SendLimits:
    """Recipients in 24 hours: in all, and of those that the account never wrote to before."""

    messages: int
    first_time: int


@dataclass(frozen=True, slots=True)
class Used:
    """Of one limit. `room_at`: when the next recipient fits again; None while there is room."""

    used: int
    limit: int
    room_at: float | None


def read_usage(
    reader: Reader, account: AccountId, limits: SendLimits, now: float
) -> tuple[Used, Used]:
    """All recipients of the last 24 hours, and those that the account had never written to."""
    since = now - WINDOW_S
    return (
        _used(reader, "outgoing", "at", account, limits.messages, since),
        _used(reader, "known_recipient", "first_at", account, limits.first_time, since),
    )


def _used(
    reader: Reader, table: str, column: str, account: AccountId, limit: int, since: float
) -> Used:
    within = f"FROM {table} WHERE account = :account AND {column} >= :since"
    params: dict[str, object] = {"account": account, "since": since}
    used = reader.value(f"SELECT count(*) {within}", params)
    if used < limit:
        return Used(used, limit, None)
    # There is room when so many have grown old that one less than the limit is left.
    last = reader.value(
        f"SELECT {column} {within} ORDER BY {column} LIMIT 1 OFFSET :offset",
        params | {"offset": used - limit},
    )
    return Used(used, limit, last + WINDOW_S)


def check_and_count(
    tx: Transaction,
    account: AccountId,
    recipients: Sequence[Address],
    limits: SendLimits | None,
    now: float,
) -> SmtpStatus | None:
    """Writes the recipients down and gives None, or gives the refusal and writes nothing. Without `limits` it only counts."""
    since = now - WINDOW_S
    names = [_key(recipient) for recipient in recipients]
    if limits is not None:
        refusal = _refusal(tx, account, names, limits, since)
        if refusal is not None:
            return refusal
    tx.run(
        "DELETE FROM outgoing WHERE account = :account AND at < :since",
        {"account": account, "since": since},
    )
    rows = [{"account": account, "recipient": name, "at": now} for name in names]
    tx.run_many(
        "INSERT INTO outgoing (account, recipient, at) VALUES (:account, :recipient, :at)", rows
    )
    tx.run_many(
        "INSERT INTO known_recipient (account, recipient, first_at) VALUES (:account, :recipient, :at)"
        " ON CONFLICT (account, recipient) DO NOTHING",
        rows,
    )
    return None


def _refusal(
    tx: Transaction, account: AccountId, names: Sequence[str], limits: SendLimits, since: float
) -> SmtpStatus | None:
    sent = tx.value(
        "SELECT count(*) FROM outgoing WHERE account = :account AND at >= :since",
        {"account": account, "since": since},
    )
    if sent + len(names) > limits.messages:
        return _told(
            f"{_MESSAGES} ({limits.messages}) over past 24h reached, "
            "try increasing per-account setting MaxOutgoingMessagesPerDay"
        )
    # Behaviour L2: below that number in all, nobody needs to look who is new.
    if sent + len(names) < limits.first_time:
        return None
    new = sum(
        1
        for name in set(names)
        if tx.value(
            "SELECT 1 FROM known_recipient WHERE account = :account AND recipient = :recipient",
            {"account": account, "recipient": name},
        )
        is None
    )
    recent = tx.value(
        "SELECT count(*) FROM known_recipient WHERE account = :account AND first_at >= :since",
        {"account": account, "since": since},
    )
    if new + recent > limits.first_time:
        return _told(
            f"{_FIRST_TIME} ({limits.first_time}) over past 24h reached, "
            "try increasing per-account setting MaxFirstTimeRecipientsPerDay"
        )
    return None


def limit_of(status: SmtpStatus) -> str:
    """Which limit a refusal is about, as monitoring names it (behaviour L3); empty for none."""
    if status.text.startswith(_MESSAGES):
        return "messagelimiterror"
    return "recipientlimiterror" if status.text.startswith(_FIRST_TIME) else ""


def _told(text: str) -> SmtpStatus:
    # Behaviour L3: temporary, so that mail apps keep the message.
    return SmtpStatus(451, "4.7.1", text)


def _key(recipient: Address) -> str:
    return str(recipient).lower()

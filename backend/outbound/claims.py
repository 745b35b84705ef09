"""Which messages are due, and for which attempt are they taken? The queue's `claim`, inside its transaction."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from backend.core.address import parse_address
from backend.core.envelope import BodyType
from backend.core.ids import AccountId, QueueId, TraceId
from backend.outbound import backoff
from backend.outbound.asked import ASKED_COLUMNS, asked_of, wish_of
from backend.outbound.entries import Batch
from backend.outbound.transport import Outgoing, TlsChoice
from backend.store.database import Reader, Row, Transaction

MAX_BATCH_RECIPIENTS = 100  # RFC 5321 §4.5.3.1.8: what any server takes in one transaction

Note = Callable[[Sequence[QueueId], int], None]
"""Told when the end of a message goes out, with the number of the attempt."""


def claim(
    tx: Transaction,
    files: Path,
    note: Note,
    busy: Collection[str],
    count: int,
    now: float,
    jitter_s: float,
) -> list[Batch]:
    """Up to `count` batches that are due, none for a domain in `busy`, no two for one domain; they are `sending` then."""
    taken = set(busy)
    batches: list[Batch] = []
    while len(batches) < count:
        first = _first_due(tx, taken, now)
        if first is None:
            break
        batch = _claim_batch(tx, files, note, first, now, jitter_s)
        taken.add(batch.domain)
        batches.append(batch)
    return batches


def next_due(reader: Reader, busy: Collection[str]) -> float | None:
    """When the next attempt is due that is not for a busy domain."""
    where, params = _not_busy(busy)
    due: float | None = reader.value(
        f"SELECT min(next_attempt_at) FROM recipient WHERE state = 'waiting'{where}", params
    )
    return due


def _claim_batch(
    tx: Transaction, files: Path, note: Note, first: Row, now: float, jitter_s: float
) -> Batch:
    message, domain, attempts, override, tls_choice = first
    params: dict[str, object] = {
        "message": message,
        "domain": domain,
        "attempts": attempts,
        "override": override,
        "tls_choice": tls_choice,
        "now": now,
        "limit": MAX_BATCH_RECIPIENTS,
    }
    rows = tx.rows(
        "SELECT id, address, notify, original FROM recipient WHERE message = :message AND domain = :domain"
        " AND state = 'waiting' AND attempts = :attempts AND next_attempt_at <= :now"
        " AND coalesce(override, '*') = coalesce(:override, '*')"
        " AND tls_choice = :tls_choice ORDER BY id LIMIT :limit",
        params,
    )
    next_attempt_at = now + backoff.next_delay_s(attempts, jitter_s)
    ids = tuple(QueueId(row[0]) for row in rows)
    tx.run_many(
        "UPDATE recipient SET state = 'sending', attempts = :attempts, next_attempt_at = :next,"
        " last_attempt_at = :now WHERE id = :id",
        [{"id": i, "attempts": attempts + 1, "next": next_attempt_at, "now": now} for i in ids],
    )
    meta = tx.row(
        f"SELECT trace, account, sender, body, smtputf8, size_bytes, file, content, {ASKED_COLUMNS} FROM message"
        " WHERE id = :message",
        params,
    )
    assert meta is not None
    trace, account, sender, body, smtputf8, size_bytes, file, content, *kept = meta
    asked, recipients = asked_of(kept), tuple(parse_address(row[1]) for row in rows)
    return Batch(
        message=message,
        ids=ids,
        account=AccountId(account),
        outgoing=Outgoing(
            trace=TraceId(trace),
            sender=parse_address(sender) if sender else None,
            recipients=recipients,
            domain="" if domain.startswith("[") else domain,
            size_bytes=size_bytes,
            content=files / file if file else content,
            body=BodyType(body),
            smtputf8=bool(smtputf8),
            ret=asked.ret,
            envelope_id=asked.envelope_id,
            wishes={
                recipient: wish_of(notify, original)
                for recipient, (_, _, notify, original) in zip(recipients, rows, strict=True)
                if notify or original
            },
            require_tls=asked.require_tls,
            tls_optional=asked.tls_optional,
            tls_choice=TlsChoice(tls_choice),
            earlier=_earlier_addresses(tx, params) if attempts else (),
            going_out=lambda: note(ids, attempts + 1),
        ),
        attempts=attempts + 1,
        next_attempt_at=next_attempt_at,
        override=override,
    )


def _not_busy(busy: Collection[str]) -> tuple[str, dict[str, object]]:
    if not busy:
        return "", {}
    params: dict[str, object] = {f"busy{n}": domain for n, domain in enumerate(busy)}
    return f" AND domain NOT IN ({', '.join(f':{name}' for name in params)})", params


def _first_due(reader: Reader, busy: Collection[str], now: float) -> Row | None:
    where, params = _not_busy(busy)
    return reader.row(
        "SELECT message, domain, attempts, override, tls_choice FROM recipient"
        f" WHERE state = 'waiting' AND next_attempt_at <= :now{where}"
        " ORDER BY next_attempt_at, id LIMIT 1",
        params | {"now": now},
    )


def _earlier_addresses(reader: Reader, params: dict[str, object]) -> tuple[str, ...]:
    """Where each attempt for the domain ended; connections of one attempt share their time."""
    rows = reader.rows(
        "SELECT ip FROM attempt WHERE id IN (SELECT max(id) FROM attempt WHERE message = :message"
        " AND domain = :domain AND ip <> '' GROUP BY at) ORDER BY id",
        params,
    )
    return tuple(ip for (ip,) in rows)

"""Which messages are due, and for which attempt are they taken? The queue's `claim`, inside its transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backend.core.address import Address, parse_address
from backend.core.envelope import BodyType
from backend.core.ids import AccountId, QueueId, TraceId
from backend.outbound import backoff
from backend.outbound.asked import ASKED_COLUMNS, asked_of, wish_of
from backend.outbound.entries import Batch
from backend.outbound.transport import Outgoing, TlsChoice
from backend.store.database import Reader, Row, Transaction

MAX_BATCH_RECIPIENTS = 100  # RFC 5321 §4.5.3.1.8: what any server takes in one transaction
MAX_CLAIMED_OCTETS = 16 * 1024 * 1024  # of content in memory, by one claim
WINDOW_ROWS = 400  # looked at together

Note = Callable[[Sequence[QueueId], int], None]
"""Told when the end of a message goes out, with the number of the attempt."""


SameWay = Callable[[AccountId, str, str, int, str | None], str]
"""Of account, domains of sender and recipient, attempts so far and override: the name of the server that takes mail for
everybody there (a relay), by which all recipients can go in one transaction; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many batches may be claimed. `served`: for domains that are being delivered to; such may have no room (0).

    `idle`: for others, when it is more than one. `places`: how many of these others, and `retries` how many of them for
    messages that were tried before; None: all.
    """

    places: int
    retries: int | None = None
    served: Mapping[str, int] = field(default_factory=dict)
    idle: Mapping[str, int] = field(default_factory=dict)


def claim(
    tx: Transaction,
    files: Path,
    note: Note,
    room: Room,
    now: float,
    jitter_s: float,
    same_way: SameWay,
) -> list[Batch]:
    """What is due, the oldest first, as far as there is room; it is `sending` then."""
    left = dict(room.served)
    places, octets = room.places, 0
    retries = places if room.retries is None else room.retries
    batches: list[Batch] = []
    while places > 0 or any(left.values()):
        groups = _due(tx, Room(places=places, retries=retries, served=left), now)
        if not groups:
            break
        for group in groups:
            domain = group[1]
            if domain not in left:
                is_retry = group[2] > 0
                if places <= 0 or (is_retry and retries <= 0):
                    continue
                places -= 1
                retries -= is_retry
                left[domain] = room.idle.get(domain, 1)
            if left[domain] <= 0:
                continue
            batch = _claim_batch(tx, files, note, group, now, jitter_s, same_way)
            if batch is None:  # went with another domain of its message
                continue
            left[domain] -= 1
            batches.append(batch)
            octets += batch.outgoing.size_bytes if batch.content_is_in_memory else 0
            if octets > MAX_CLAIMED_OCTETS:
                return batches
    return batches


def give_back(tx: Transaction, batches: Sequence[Batch], now: float) -> None:
    """What was claimed and not begun waits again as if nothing had been."""
    tx.run_many(
        "UPDATE recipient SET state = CASE WHEN hold_rule <> '' THEN 'held' ELSE 'waiting' END, attempts = attempts - 1, next_attempt_at = :now,"
        " last_attempt_at = CASE WHEN attempts > 1 THEN last_attempt_at END"
        " WHERE id = :id AND state = 'sending'",
        [{"id": i, "now": now} for batch in batches for i in batch.ids],
    )


def next_due(reader: Reader, room: Room) -> float | None:
    """When the next attempt is due for which there is room."""
    where, params = _where(room)
    due: float | None = reader.value(
        "SELECT next_attempt_at FROM recipient"
        f" WHERE state = 'waiting'{where} ORDER BY next_attempt_at LIMIT 1",
        params,
    )
    return due


def _claim_batch(
    tx: Transaction,
    files: Path,
    note: Note,
    group: Row,
    now: float,
    jitter_s: float,
    same_way: SameWay,
) -> Batch | None:
    message, domain, attempts, override, tls_choice, max_attempts = group
    params: dict[str, object] = {
        "message": message,
        "domain": domain,
        "attempts": attempts,
        "override": override,
        "tls_choice": tls_choice,
        "max_attempts": max_attempts,
        "now": now,
        "limit": MAX_BATCH_RECIPIENTS,
    }
    # Its own domain first, then those that may go along.
    found = tx.rows(_RECIPIENTS, params)
    rows = [row for row in found if row[4] == domain]
    if not rows:
        return None
    meta = tx.row(
        f"SELECT trace, account, sender, body, smtputf8, size_bytes, file, content, {ASKED_COLUMNS} FROM message"
        " WHERE id = :message",
        params,
    )
    assert meta is not None
    trace, account, sender, body, smtputf8, size_bytes, file, content, *kept = meta
    author = parse_address(sender) if sender else None

    def way(recipient_domain: str) -> str:
        sender_domain = "" if author is None else author.domain.ascii
        shown = "" if recipient_domain.startswith("[") else recipient_domain
        return same_way(AccountId(account), sender_domain, shown, attempts, override)

    others = found[len(rows) :]
    if others and (relay := way(domain)):
        goes = {name: way(name) == relay for name in {row[4] for row in others}}
        rows = [*rows, *[row for row in others if goes[row[4]]]]
    next_attempt_at = now + backoff.next_delay_s(attempts, jitter_s)
    ids = tuple(QueueId(row[0]) for row in rows)
    tx.run_many(
        "UPDATE recipient SET state = 'sending', attempts = :attempts, next_attempt_at = :next,"
        " last_attempt_at = :now WHERE id = :id",
        [{"id": i, "attempts": attempts + 1, "next": next_attempt_at, "now": now} for i in ids],
    )
    asked, recipients = asked_of(kept), tuple(parse_address(row[1]) for row in rows)

    def going_out(addressed: Sequence[Address]) -> None:
        pairs = zip(ids, recipients, strict=True)
        note([i for i, recipient in pairs if recipient in addressed], attempts + 1)

    return Batch(
        message=message,
        ids=ids,
        account=AccountId(account),
        outgoing=Outgoing(
            trace=TraceId(trace),
            sender=author,
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
                for recipient, (_, _, notify, original, _) in zip(recipients, rows, strict=True)
                if notify or original
            },
            require_tls=asked.require_tls,
            tls_optional=asked.tls_optional,
            tls_choice=TlsChoice(tls_choice),
            earlier=_earlier_addresses(tx, params) if attempts else (),
            going_out=going_out,
        ),
        attempts=attempts + 1,
        next_attempt_at=next_attempt_at,
        override=override,
        max_attempts=max_attempts,
    )


_RECIPIENTS = (
    "SELECT id, address, notify, original, domain FROM recipient WHERE message = :message"
    " AND +state = 'waiting' AND attempts = :attempts AND +next_attempt_at <= :now"
    " AND coalesce(override, '*') = coalesce(:override, '*') AND tls_choice = :tls_choice"
    " AND max_attempts = :max_attempts"
    " ORDER BY domain <> :domain, id LIMIT :limit"
)


def _due(reader: Reader, room: Room, now: float) -> list[Row]:
    """Message, domain, attempts, override, choice of TLS and attempts in all of what is due, each once; none when nothing is."""
    where, params = _where(room)
    rows = reader.rows(
        "SELECT message, domain, attempts, override, tls_choice, max_attempts FROM recipient"
        f" WHERE state = 'waiting' AND next_attempt_at <= :now{where}"
        " ORDER BY next_attempt_at, id LIMIT :window",
        params | {"now": now, "window": WINDOW_ROWS},
    )
    return list(dict.fromkeys(rows))


def _where(room: Room) -> tuple[str, dict[str, object]]:
    """What may be taken: of domains with room anything, of domains without nothing, of others as the places allow."""
    params: dict[str, object] = {}

    def names(domains: Iterable[str]) -> str:
        held = {f"domain{n}": domain for n, domain in enumerate(domains, len(params))}
        params.update(held)
        return ", ".join(f":{name}" for name in held)

    open_ = f"domain IN ({names(domain for domain, free in room.served.items() if free > 0)})"
    if room.places <= 0:
        return f" AND {open_}", params
    full = [domain for domain, free in room.served.items() if free <= 0]
    where = f" AND domain NOT IN ({names(full)})" if full else ""
    if room.retries is not None and room.retries <= 0:
        where += f" AND (attempts = 0 OR {open_})"
    return where, params


def _earlier_addresses(reader: Reader, params: dict[str, object]) -> tuple[str, ...]:
    """Where each attempt for the domain ended; connections of one attempt share their time."""
    rows = reader.rows(
        "SELECT ip FROM attempt WHERE id IN (SELECT max(id) FROM attempt WHERE message = :message"
        " AND domain = :domain AND ip <> '' GROUP BY at) ORDER BY id",
        params,
    )
    return tuple(ip for (ip,) in rows)

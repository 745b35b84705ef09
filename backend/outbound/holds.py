"""Which rule keeps a message back, and how rules take hold of what waits already, or let it go.

Rules stand in `domains.toml`, not in the queue: so they have revisions, forms and a way back, and a copy of the settings
brings them along. They hold what is accepted from then on; on what waits already they are put by `apply`. The one that
takes all mail under the name `PAUSE` is what the faces call pausing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from backend.core.ids import AccountId, QueueId
from backend.outbound import actions
from backend.outbound.actions import AT_ONCE, Acted
from backend.outbound.entries import State
from backend.outbound.queue import Queue
from backend.outbound.route import takes
from backend.store.database import Reader, Row, Transaction

PAUSE = "pause-sending"


class Rule(Protocol):
    """`backend.config.routing.HoldRule` has this shape."""

    @property
    def account(self) -> Sequence[str]: ...
    @property
    def from_domain(self) -> Sequence[str]: ...
    @property
    def to_domain(self) -> Sequence[str]: ...
    @property
    def disabled(self) -> bool: ...
    @property
    def comment(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Held:
    """By which rule, and what the row says of it."""

    rule: str
    note: str


def find_hold(
    rules: Mapping[str, Rule], account: str, sender_domain: str, recipient_domain: str
) -> Held | None:
    """The first rule that matches; domains in A-label form, empty for the null sender or an address literal."""
    for name, rule in rules.items():
        if _matches(rule, account, sender_domain, recipient_domain):
            return Held(name, note_of(name, rule))
    return None


def note_of(name: str, rule: Rule) -> str:
    why = f": {rule.comment}" if rule.comment else ""
    return f"sending is paused{why}" if name == PAUSE else f"held by the rule “{name}”{why}"


async def apply(queue: Queue, name: str, rule: Rule) -> Acted:
    """Holds what waits and matches. What is being sent at the moment is held if that attempt fails."""
    changed: list[QueueId] = []
    before: list[actions.Before] = []
    after = 0
    while True:
        rows = await queue.database.read(_waiting(after))
        matching = [
            row for row in rows if _matches(rule, row[2], domain_of(row[3]), _plain(row[4]))
        ]
        ids = [QueueId(row[0]) for row in matching]
        late = [{"id": i, "rule": name, "note": note_of(name, rule)} for i in ids]
        # Between two steps an attempt may begin or end; what changes sides then is caught by the last one.
        done = await actions.hold(queue, ids, rule=name, note=note_of(name, rule))
        await queue.database.write(_marking(late, State.SENDING))
        again = await actions.hold(queue, ids, rule=name, note=note_of(name, rule))
        changed += (*done.changed, *again.changed)
        before += (*done.before, *again.before)
        if len(rows) < AT_ONCE:
            return Acted(
                tuple(changed), (), tuple(before) if len(before) <= actions.MAX_UNDO else ()
            )
        after = rows[-1][0]


async def let_go(queue: Queue, name: str, rules: Mapping[str, Rule]) -> Acted:
    """Releases what the rule held, unless one of `rules` holds it as well."""
    changed: list[QueueId] = []
    await queue.database.write(
        lambda tx: tx.run(
            "UPDATE recipient SET hold_rule = '', note = '' WHERE hold_rule = :name AND state <> 'held'",
            {"name": name},
        )
    )
    after = 0
    while True:
        rows = await queue.database.read(_held_by(name, after))
        free: list[QueueId] = []
        kept: list[dict[str, object]] = []
        for row in rows:
            other = find_hold(rules, AccountId(row[2]), domain_of(row[3]), _plain(row[4]))
            if other is None:
                free.append(QueueId(row[0]))
            else:
                kept.append({"id": row[0], "rule": other.rule, "note": other.note})
        changed += (await actions.release(queue, free)).changed
        await queue.database.write(_marking(kept, State.HELD))
        if len(rows) < AT_ONCE:
            return Acted(tuple(changed), ())
        after = rows[-1][0]


async def count_held(queue: Queue) -> dict[str, int]:
    """By rule, those that are gone from the settings included; '' is by hand."""
    return await queue.database.read(
        lambda reader: dict(
            reader.rows(
                "SELECT hold_rule, count(*) FROM recipient WHERE state = 'held' GROUP BY hold_rule"
            )
        )
    )


def domain_of(address: str) -> str:
    return _plain(address.rpartition("@")[2])


_ROWS = (
    "SELECT recipient.id, recipient.state, message.account, message.sender, recipient.domain"
    " FROM recipient JOIN message ON message.id = recipient.message"
)


def _waiting(after: int) -> Callable[[Reader], list[Row]]:
    return lambda reader: reader.rows(
        f"{_ROWS} WHERE recipient.state IN ('waiting', 'sending') AND recipient.id > :after"
        " ORDER BY recipient.id LIMIT :limit",
        {"after": after, "limit": AT_ONCE},
    )


def _held_by(name: str, after: int) -> Callable[[Reader], list[Row]]:
    return lambda reader: reader.rows(
        f"{_ROWS} WHERE recipient.hold_rule = :name AND recipient.state = 'held'"
        " AND recipient.id > :after ORDER BY recipient.id LIMIT :limit",
        {"name": name, "after": after, "limit": AT_ONCE},
    )


def _marking(rows: list[dict[str, object]], state: State) -> Callable[[Transaction], int]:
    return lambda tx: tx.run_many(
        f"UPDATE recipient SET hold_rule = :rule, note = :note WHERE id = :id AND state = '{state}'",
        rows,
    )


def _matches(rule: Rule, account: str, sender_domain: str, recipient_domain: str) -> bool:
    return (
        not rule.disabled
        and (not rule.account or account in rule.account)
        and takes(rule.from_domain, sender_domain)
        and takes(rule.to_domain, recipient_domain)
    )


def _plain(domain: str) -> str:
    return "" if domain.startswith("[") else domain

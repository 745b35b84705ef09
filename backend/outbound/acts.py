"""What people do with queued messages, inside the queue's transaction: many at once, each that is in the right state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.core.envelope import Notify
from backend.core.events import TimelineEntry
from backend.core.ids import QueueId, TraceId
from backend.outbound.asked import wants, wish_of
from backend.outbound.entries import State
from backend.outbound.settling import sweep
from backend.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Acted:
    """`missing`: ids that are gone or not in a state where this is possible."""

    changed: tuple[QueueId, ...]
    missing: tuple[QueueId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Possible in `states`. `change` is SQL with `params`, None removes; `told` is for the timeline.

    Senders without an address, or who want no report of failure, get none; so failing means removal for them.
    """

    states: tuple[State, ...]
    change: str | None
    params: dict[str, object]
    becomes: State | None
    told: str


def carry_out(
    tx: Transaction,
    files: Path,
    act: Act,
    ids: Sequence[QueueId],
    now: float,
    record: Callable[[TimelineEntry], None],
) -> Acted:
    allowed = ", ".join(f"'{state}'" for state in act.states)
    changed: list[QueueId] = []
    entries: list[TimelineEntry] = []
    for i in dict.fromkeys(ids):
        row = tx.row(
            "SELECT recipient.message, message.trace, message.sender, recipient.address,"
            " recipient.notify"
            " FROM recipient JOIN message ON message.id = recipient.message"
            f" WHERE recipient.id = :id AND recipient.state IN ({allowed})",
            {"id": i},
        )
        if row is None:
            continue
        message, trace, sender, address, notify = row
        wants_report = bool(sender) and wants(wish_of(notify, ""), Notify.FAILURE)
        if act.change is None or (act.becomes is State.FAILED and not wants_report):
            tx.run("DELETE FROM recipient WHERE id = :id", {"id": i})
            sweep(tx, files, message)
        else:
            tx.run(f"UPDATE recipient SET {act.change} WHERE id = :id", act.params | {"id": i})
        changed.append(i)
        kind = "dropped" if act.becomes is None else act.becomes.value
        kind = {"waiting": "queued", "failed": "bounced"}.get(kind, kind)
        if act.told:
            entries.append(
                TimelineEntry(TraceId(trace), now, kind, act.told, {"recipient": address})
            )

    def tell() -> None:
        for entry in entries:
            record(entry)

    tx.after_commit(tell)
    gone = set(changed)
    return Acted(tuple(changed), tuple(i for i in dict.fromkeys(ids) if i not in gone))

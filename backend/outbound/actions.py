"""What people do with messages that wait: try now, hold, release, postpone, choose a transport, give up, remove.

`kick` and `drop` also take local ones, which wait only for a time that their sender chose. Each takes numbers of rows, or a filter: then everything that matches when it begins, in portions, so that deliveries need
not wait for ten thousand rows. What can be undone carries how the rows were before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from backend.core.envelope import Notify
from backend.core.events import TimelineEntry
from backend.core.ids import QueueId, TraceId
from backend.core.status import SmtpStatus
from backend.outbound.asked import wants, wish_of
from backend.outbound.backoff import MAX_ATTEMPTS, MOST_ATTEMPTS
from backend.outbound.entries import PRACTICE_NOTE, State
from backend.outbound.history import Outcome
from backend.outbound.listing import Filter, where_of
from backend.outbound.queue import Queue
from backend.outbound.transport import TlsChoice
from backend.store.database import Row, Transaction

AT_ONCE = 500  # rows of one transaction
MAX_UNDO = 10_000  # rows whose state before is handed out
MAX_POSTPONE_S = 30 * 24 * 3600.0

GIVEN_UP = SmtpStatus(550, "5.0.0", "the administrator of this mail server gave up on it")
HELD_NOTE = "held until it is released"

Target = Sequence[QueueId] | Filter

# Choosing its way does not send what its sender wants to be sent later.
_NOW_IF_IT_MAY = (
    "CASE WHEN state = 'waiting' AND NOT EXISTS (SELECT 1 FROM message WHERE"
    " message.id = recipient.message AND message.release_at = recipient.next_attempt_at)"
    " THEN :now ELSE next_attempt_at END"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """How a row was, for undoing."""

    id: QueueId
    state: State
    next_attempt_at: float
    override: str | None
    note: str
    hold_rule: str
    tls_choice: TlsChoice = TlsChoice.DEFAULT
    max_attempts: int = MAX_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Acted:
    """`missing`: ids that were named and are gone or not in a state where this is possible. `before` is in the order of
    `changed`, and empty when it can't be undone.
    """

    changed: tuple[QueueId, ...]
    missing: tuple[QueueId, ...]
    before: tuple[Before, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """`change` is what an UPDATE sets; None takes the rows out. `kind` and `told` are for the timeline, empty for none.

    `becomes` is told to the faces, None for the state that the row keeps.
    """

    states: tuple[State, ...]
    change: str | None
    params: Mapping[str, object] = field(default_factory=dict)
    becomes: State | None = None
    kind: str = ""
    told: str = ""
    undoable: bool = True


async def kick(
    queue: Queue, target: Target, *, override: str | None = None, reset_override: bool = False
) -> Acted:
    """The next attempt is now. `override` chooses a transport for all further attempts, `""` is direct delivery.

    What its sender wants to be sent later stays until then, unless it is named.
    """
    if isinstance(target, Filter):
        target = replace(target, released_by=queue.now())
    change = "next_attempt_at = :now"
    if override is not None or reset_override:
        change += ", override = :override"
    params = {"now": queue.now(), "override": override}
    states = (State.WAITING, State.LOCAL)
    return await _act(queue, target, _Action(states=states, change=change, params=params))


async def choose_transport(queue: Queue, target: Target, override: str | None) -> Acted:
    """For all further attempts: a name, `""` for direct delivery, None for what the routes say. The next one is now;
    held ones stay held.
    """
    way = f"the transport “{override}”" if override else "direct delivery"
    action = _Action(
        states=(State.WAITING, State.HELD),
        change=f"override = :override, next_attempt_at = {_NOW_IF_IT_MAY}",
        params={"now": queue.now(), "override": override},
        kind="queued",
        told="The routes decide again how it leaves"
        if override is None
        else f"Chosen by hand: it leaves by {way}",
    )
    return await _act(queue, target, action)


async def choose_tls(queue: Queue, target: Target, choice: TlsChoice) -> Acted:
    """What must hold for TLS at all further attempts by direct delivery. The next one is now; held ones stay held."""
    action = _Action(
        states=(State.WAITING, State.HELD),
        change=f"tls_choice = :choice, next_attempt_at = {_NOW_IF_IT_MAY}",
        params={"now": queue.now(), "choice": choice},
        kind="queued",
        told=_TLS_TOLD[choice],
    )
    return await _act(queue, target, action)


async def limit_attempts(queue: Queue, target: Target, count: int) -> Acted:
    """How often it is tried in all; when as many were made, the next one is the last."""
    action = _Action(
        states=(State.WAITING, State.HELD),
        change="max_attempts = :count",
        params={"count": min(max(count, 1), MOST_ATTEMPTS)},
        kind="queued",
        told=f"Chosen by hand: {'one attempt' if count == 1 else f'{count} attempts'} in all",
    )
    return await _act(queue, target, action)


async def postpone(queue: Queue, target: Target, until: float) -> Acted:
    """No attempt before that time; held ones stay held. Bounded by `MAX_POSTPONE_S`."""
    at = min(max(until, queue.now()), queue.now() + MAX_POSTPONE_S)
    shown = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    action = _Action(
        states=(State.WAITING, State.HELD),
        change="next_attempt_at = :at",
        params={"at": at},
        kind="queued",
        told=f"Postponed by hand: no attempt before {shown}",
    )
    return await _act(queue, target, action)


async def hold(queue: Queue, target: Target, *, rule: str = "", note: str = HELD_NOTE) -> Acted:
    """`rule`: by which, instead of by hand. What is being sent is held by a rule when the attempt has failed."""
    why = f"Held by the rule “{rule}”" if rule else "Held in the queue until somebody releases it"
    action = _Action(
        states=(State.WAITING,),
        change="state = 'held', note = :note, hold_rule = :rule",
        params={"note": note, "rule": rule},
        becomes=State.HELD,
        kind="held",
        told=why,
    )
    return await _act(queue, target, action)


async def release(queue: Queue, target: Target) -> Acted:
    """Held ones go on waiting; what is overdue is tried at once."""
    action = _Action(
        states=(State.HELD,),
        change="state = 'waiting', note = :note, hold_rule = ''",
        params={"note": PRACTICE_NOTE if queue.practice_mode else ""},
        becomes=State.WAITING,
        kind="queued",
        told="Released: it will be sent",
    )
    return await _act(queue, target, action)


async def fail(queue: Queue, target: Target, *, by: str = "") -> Acted:
    """No further attempts; the senders get a report."""
    action = _Action(
        states=(State.WAITING, State.HELD),
        change="state = 'failed', notice = 'failed', note = :text, answer_code = :code,"
        " answer_enhanced = :enhanced, answer_text = :text, remote_mta = '', acted_by = :by",
        params={
            "code": GIVEN_UP.code,
            "enhanced": GIVEN_UP.enhanced,
            "text": GIVEN_UP.text,
            "by": by,
        },
        becomes=State.FAILED,
        kind="bounced",
        told="Given up by hand",
        undoable=False,
    )
    return await _act(queue, target, action, by=by)


async def drop(queue: Queue, target: Target, *, by: str = "") -> Acted:
    """Removed; nobody is told."""
    action = _Action(
        states=(State.WAITING, State.HELD, State.LOCAL),
        change=None,
        kind="dropped",
        told="Removed from the queue by hand",
        undoable=False,
    )
    return await _act(queue, target, action, by=by)


async def undo(queue: Queue, before: Sequence[Before]) -> Acted:
    """Puts rows back as they were; what is being sent or has left stays as it is."""
    changed: list[QueueId] = []
    for start in range(0, len(before), AT_ONCE):
        portion = {each.id: each for each in before[start : start + AT_ONCE]}

        def write(tx: Transaction, portion: dict[QueueId, Before] = portion) -> list[Row]:
            rows = _rows(tx, list(portion), (State.WAITING, State.HELD))
            tx.run_many(
                "UPDATE recipient SET state = :state, next_attempt_at = :next, override = :override,"
                " note = :note, hold_rule = :rule, tls_choice = :tls, max_attempts = :count WHERE id = :id",
                [
                    {
                        "id": row[0],
                        "state": portion[row[0]].state,
                        "next": portion[row[0]].next_attempt_at,
                        "override": portion[row[0]].override,
                        "note": portion[row[0]].note,
                        "rule": portion[row[0]].hold_rule,
                        "tls": portion[row[0]].tls_choice,
                        "count": portion[row[0]].max_attempts,
                    }
                    for row in rows
                ],
            )
            tx.after_commit(
                _teller(queue, rows, "queued", "Undone: it is in the queue as it was before")
            )
            return rows

        for row in await queue.database.write(write):
            changed.append(QueueId(row[0]))
            queue.changed([changed[-1]], portion[row[0]].state)
    gone = set(changed)
    return Acted(tuple(changed), tuple(each.id for each in before if each.id not in gone))


async def count_matching(queue: Queue, shown: Filter) -> int:
    """How many rows an action on a filter would look at."""
    where, params = where_of(shown)
    count: int = await queue.database.read(
        lambda reader: reader.value(
            "SELECT count(*) FROM recipient JOIN message ON message.id = recipient.message" + where,
            params,
        )
    )
    return count


async def _act(queue: Queue, target: Target, action: _Action, *, by: str = "") -> Acted:
    changed: list[QueueId] = []
    before: list[Before] = []
    wanted = () if isinstance(target, Filter) else tuple(dict.fromkeys(target))
    after, upto = 0, 0
    if isinstance(target, Filter):
        upto = await queue.database.read(lambda reader: reader.value(_HIGHEST) or 0)
    portions = _portions(wanted)
    while True:
        if isinstance(target, Filter):
            find = _finder(target, action.states, after, upto)
        else:
            ids = next(portions, None)
            if ids is None:
                break
            find = _by_id(ids, action.states)
        rows = await queue.database.write(_writer(queue, find, action, by))
        for row in rows:
            changed.append(QueueId(row[0]))
            kept = State.WAITING if row[4] == State.LOCAL else State(row[4])
            if row[4] != State.LOCAL:
                before.append(_before(row))
            state = action.becomes or (kept if action.change is not None else None)
            queue.changed([changed[-1]], state, wake=False)
        if rows:
            queue.on_work()
        if isinstance(target, Filter):
            if len(rows) < AT_ONCE:
                break
            after = rows[-1][0]
    gone = set(changed)
    can_undo = action.undoable and len(before) <= MAX_UNDO
    return Acted(
        tuple(changed),
        tuple(i for i in wanted if i not in gone),
        tuple(before) if can_undo else (),
    )


_TLS_TOLD = {
    TlsChoice.DEFAULT: "The recipient's domain decides again what must hold for encryption",
    TlsChoice.VERIFIED: "Chosen by hand: it leaves only with verified encryption",
    TlsChoice.INSECURE: "Chosen by hand: it may leave without verified encryption",
}
_HIGHEST = "SELECT max(id) FROM recipient"
_Find = Callable[[Transaction], list[Row]]
_COLUMNS = (
    "SELECT recipient.id, recipient.message, message.trace, message.sender, recipient.state,"
    " recipient.next_attempt_at, recipient.override, recipient.note, recipient.hold_rule,"
    " recipient.address, recipient.notify, recipient.tls_choice, recipient.max_attempts FROM recipient JOIN message ON message.id = recipient.message"
)


def _portions(ids: Sequence[QueueId]) -> Iterator[Sequence[QueueId]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def _by_id(ids: Sequence[QueueId], states: tuple[State, ...]) -> _Find:
    return lambda tx: _rows(tx, ids, states)


def _finder(shown: Filter, states: tuple[State, ...], after: int, upto: int) -> _Find:
    where, params = where_of(shown)
    sql = (
        f"{_COLUMNS}{where} AND recipient.state IN ({_listed(states)})"
        " AND recipient.id > :after AND recipient.id <= :upto ORDER BY recipient.id LIMIT :limit"
    )
    bounds = {"after": after, "upto": upto, "limit": AT_ONCE}
    return lambda tx: tx.rows(sql, params | bounds)


def _rows(tx: Transaction, ids: Sequence[QueueId], states: tuple[State, ...]) -> list[Row]:
    """In the order of the ids."""
    names = {f"id{n}": i for n, i in enumerate(ids)}
    found = tx.rows(
        f"{_COLUMNS} WHERE recipient.id IN ({', '.join(f':{name}' for name in names)})"
        f" AND recipient.state IN ({_listed(states)})",
        names,
    )
    by_id = {row[0]: row for row in found}
    return [by_id[i] for i in ids if i in by_id]


def _writer(
    queue: Queue, find: _Find, action: _Action, by: str
) -> Callable[[Transaction], list[Row]]:
    def write(tx: Transaction) -> list[Row]:
        rows = find(tx)
        # Senders without an address, or who want no report of failure, get none: to give up is to remove for them.
        removes = action.change is None
        leaving = [row for row in rows if removes or _owes_nobody(row, action)]
        staying = [row for row in rows if not (removes or _owes_nobody(row, action))]
        outcome = Outcome.DROPPED if removes else Outcome.FAILED
        for row in leaving:
            queue.leaving.leave(tx, QueueId(row[0]), outcome, queue.now(), by=by)
        for message in dict.fromkeys(row[1] for row in leaving):
            queue.sweep(tx, message)
        if staying:
            tx.run_many(
                f"UPDATE recipient SET {action.change} WHERE id = :id",
                [{**action.params, "id": row[0]} for row in staying],
            )
        if action.told:
            tx.after_commit(_teller(queue, rows, action.kind, action.told))
        return rows

    return write


def _teller(queue: Queue, rows: Sequence[Row], kind: str, told: str) -> Callable[[], None]:
    now = queue.now()

    def tell() -> None:
        for row in rows:
            details = {"recipient": str(row[9]), "queue_id": str(row[0])}
            queue.record(TimelineEntry(TraceId(row[2]), now, kind, told, details))

    return tell


def _owes_nobody(row: Row, action: _Action) -> bool:
    wants_report = bool(row[3]) and wants(wish_of(row[10], ""), Notify.FAILURE)
    return action.becomes is State.FAILED and not wants_report


def _before(row: Row) -> Before:
    return Before(
        id=QueueId(row[0]),
        state=State(row[4]),
        next_attempt_at=row[5],
        override=row[6],
        note=row[7],
        hold_rule=row[8],
        tls_choice=TlsChoice(row[11]),
        max_attempts=row[12],
    )


def _listed(states: tuple[State, ...]) -> str:
    return ", ".join(f"'{state}'" for state in states)

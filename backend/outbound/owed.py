"""What the queue owes to our own mailboxes: reports to senders, and local parts of accepted messages.

Both are rows that were committed together with their cause, so that a crash can't lose them; they are removed after
the delivery.
"""

from itertools import groupby

from backend.core.address import parse_address
from backend.core.envelope import Notify, Ret
from backend.core.ids import AccountId, QueueId, TraceId
from backend.core.status import SmtpStatus
from backend.outbound.asked import ASKED_COLUMNS, asked_of, wants, wish_of
from backend.outbound.content import read_start
from backend.outbound.entries import Notice, NoticedRecipient, PendingLocal, PendingNotice, State
from backend.outbound.history import Outcome
from backend.outbound.queue import Queue
from backend.store.database import Reader, Row, Transaction
from backend.store.values import Target

MAX_REPORTED_HEADER_OCTETS = 64 * 1024
# A larger message comes back as its header only: the sender has it, and reports must not fill the mailbox. A security limit.
MAX_RETURNED_OCTETS = 256 * 1024
MAX_AT_ONCE = 100  # reports looked at in one round

_DELIVERED = SmtpStatus(250, "2.1.5", "it is in the mailbox on this server")


async def find_notices(queue: Queue, skip: frozenset[int] = frozenset()) -> list[PendingNotice]:
    """Reports that are owed, one for each message and kind; messages in `skip` are left out."""

    def read(reader: Reader) -> list[PendingNotice]:
        rows = reader.rows(
            "SELECT message, notice, id, address, answer_code, answer_enhanced, answer_text,"
            " remote_mta, attempts, last_attempt_at, next_attempt_at, original, max_attempts,"
            " unconfirmed FROM recipient"
            " WHERE notice <> '' ORDER BY message, notice, id"
        )
        notices: list[PendingNotice] = []
        for (message, kind), group in groupby(rows, key=lambda row: (row[0], row[1])):
            if message not in skip and len(notices) < MAX_AT_ONCE:
                notices.append(_notice(queue, reader, message, Notice(kind), list(group)))
        return notices

    return await queue.database.read(read)


async def settle_notice(queue: Queue, notice: PendingNotice) -> None:
    """The report was delivered (or can't ever be): delayed recipients go on, all others leave the queue."""

    def write(tx: Transaction) -> None:
        for recipient in notice.recipients:
            params = {"id": recipient.id, "kind": notice.kind}
            if notice.kind is not Notice.DELAYED:
                state = tx.value(
                    "SELECT state FROM recipient WHERE id = :id AND notice = :kind", params
                )
                if state is not None:
                    outcome = Outcome.DELIVERED if state == State.DONE else Outcome.FAILED
                    queue.leaving.leave(tx, recipient.id, outcome, queue.now())
            else:
                tx.run("UPDATE recipient SET notice = '' WHERE id = :id AND notice = :kind", params)
        queue.sweep(tx, notice.message)

    await queue.database.write(write)


async def find_locals(
    queue: Queue, now: float, *, at_start: bool = False, after: int = 0
) -> list[PendingLocal]:
    """Local parts that have not been delivered and are due by now; at the start, all but those that wait for their time.

    A bounded number of messages; the next ones come with the last one's number as `after`.
    """

    def read(reader: Reader) -> list[PendingLocal]:
        rows = reader.rows(
            "SELECT recipient.message, message.trace, message.sender, message.file, message.created_at,"
            " recipient.id, recipient.local_account, recipient.local_mailbox, message.release_at"
            " FROM recipient JOIN message ON message.id = recipient.message"
            " WHERE recipient.state = 'local' AND (recipient.next_attempt_at <= :now"
            " OR :at_start AND message.release_at <= :now)"
            " AND recipient.message > :after ORDER BY recipient.message, recipient.id",
            {"now": now, "at_start": int(at_start), "after": after},
        )
        pending: list[PendingLocal] = []
        for message, grouped in groupby(rows, key=lambda row: row[0]):
            if len(pending) >= MAX_AT_ONCE:
                break
            group = list(grouped)
            _, trace, sender, file, created_at, *_ = group[0]
            content = queue.files / file if file else _content(reader, message)
            pending.append(
                PendingLocal(
                    message=message,
                    trace=TraceId(trace),
                    sender=parse_address(sender) if sender else None,
                    content=content,
                    created_at=created_at,
                    ids=tuple(QueueId(row[5]) for row in group),
                    targets=tuple(Target(AccountId(row[6]), row[7]) for row in group),
                    release_at=group[0][8],
                )
            )
        return pending

    return await queue.database.read(read)


async def put_off_local(queue: Queue, message: int, until: float) -> None:
    """The local part could not be delivered now."""
    await queue.database.write(
        lambda tx: tx.run(
            "UPDATE recipient SET next_attempt_at = :until, attempts = attempts + 1"
            " WHERE message = :message AND state = 'local'",
            {"message": message, "until": until},
        )
    )


async def give_up_local(queue: Queue, pending: PendingLocal, answer: SmtpStatus) -> None:
    """The local part can't be delivered: its sender gets a report, if there is one."""
    await queue.database.write(
        lambda tx: _end_local(tx, queue, pending.message, State.FAILED, answer)
    )


async def settle_local(queue: Queue, message: int) -> None:
    """The local part was delivered; who asked to hear of that is owed a report."""
    owes = await queue.database.write(
        lambda tx: _end_local(tx, queue, message, State.DONE, _DELIVERED)
    )
    if owes:
        queue.on_work()


def _end_local(
    tx: Transaction, queue: Queue, message: int, state: State, answer: SmtpStatus
) -> bool:
    """Removes the local part, but for recipients of whom the sender gets a report; whether there are such."""
    failed = state is State.FAILED
    event, notice = (
        (Notify.FAILURE, Notice.FAILED) if failed else (Notify.SUCCESS, Notice.DELIVERED)
    )
    rows = tx.rows(
        "SELECT recipient.id, recipient.notify, message.sender FROM recipient"
        " JOIN message ON message.id = recipient.message"
        " WHERE recipient.message = :message AND recipient.state = 'local'",
        {"message": message},
    )
    told = {i for i, notify, sender in rows if sender and wants(wish_of(notify, ""), event)}
    tx.run_many(
        "UPDATE recipient SET state = :state, notice = :notice, note = :text,"
        " answer_code = :code, answer_enhanced = :enhanced, answer_text = :text WHERE id = :id",
        [
            {
                "id": i,
                "state": state,
                "notice": notice,
                "code": answer.code,
                "enhanced": answer.enhanced,
                "text": answer.text,
            }
            for i in told
        ],
    )
    tx.run_many(
        "DELETE FROM recipient WHERE id = :id", [{"id": i} for i, *_ in rows if i not in told]
    )
    queue.sweep(tx, message)
    return bool(told)


def _content(reader: Reader, message: int) -> bytes:
    content: bytes = reader.value(
        "SELECT content FROM message WHERE id = :message", {"message": message}
    )
    return content


def _notice(
    queue: Queue, reader: Reader, message: int, kind: Notice, rows: list[Row]
) -> PendingNotice:
    meta = reader.row(
        "SELECT trace, account, sender, created_at, message_id, header_bytes, size_bytes, file,"
        f" {ASKED_COLUMNS} FROM message WHERE id = :message",
        {"message": message},
    )
    assert meta is not None
    trace, account, sender, created_at, message_id, header_bytes, size_bytes, file, *kept = meta
    content = queue.files / file if file else _content(reader, message)
    asked = asked_of(kept)
    # RFC 3461 §4.3: RET is about failures. RFC 8689 §5: what needs protection comes back as its header only.
    is_whole = kind is Notice.FAILED and asked.ret is Ret.FULL and not asked.require_tls
    is_whole = is_whole and size_bytes <= MAX_RETURNED_OCTETS
    return PendingNotice(
        message=message,
        trace=TraceId(trace),
        account=AccountId(account),
        sender=parse_address(sender),
        kind=kind,
        created_at=created_at,
        message_id=message_id,
        header=read_start(content, min(header_bytes, MAX_REPORTED_HEADER_OCTETS)),
        recipients=tuple(
            NoticedRecipient(
                id=QueueId(row[2]),
                address=parse_address(row[3]),
                answer=SmtpStatus(row[4], row[5], row[6]),
                remote_mta=row[7],
                attempts=row[8],
                last_attempt_at=row[9],
                next_attempt_at=row[10],
                original=wish_of("", row[11]).original,
                max_attempts=row[12],
                may_have_arrived=row[13] > 0,
            )
            for row in rows
        ),
        asked=asked,
        content=read_start(content, size_bytes) if is_whole else b"",
    )

"""What follows from the results of an attempt: done, another attempt, or a report to the sender. Pure."""

from collections.abc import Sequence

from backend.core.ids import QueueId
from backend.core.status import SmtpStatus
from backend.message.dsn import Action, Report, ReportedRecipient
from backend.outbound import backoff
from backend.outbound.entries import Fate, Notice, NoticedRecipient, PendingNotice, Verdict
from backend.outbound.transport import Result


def judge(ids: Sequence[QueueId], results: Sequence[Result], attempts: int) -> tuple[Fate, ...]:
    """`attempts` includes the one that gave these results; `ids` and `results` belong together in pairs."""
    return tuple(_judge(i, result, attempts) for i, result in zip(ids, results, strict=True))


def build_report(notice: PendingNotice, *, hostname: str, now: float) -> Report:
    """What the sender is told. All recipients of one notice share its kind."""
    delayed = notice.kind is Notice.DELAYED
    return Report(
        action=Action.DELAYED if delayed else Action.FAILED,
        hostname=hostname,
        sender=notice.sender,
        recipients=[_reported(recipient) for recipient in notice.recipients],
        arrived_at=notice.created_at,
        created_at=now,
        retry_at=_retry_at(notice.recipients[0], now) if delayed else (),
        header=notice.header,
        message_id=notice.message_id,
        attempts=max(recipient.attempts for recipient in notice.recipients),
        unique=notice.id,
    )


def _judge(queue_id: QueueId, result: Result, attempts: int) -> Fate:
    status = result.status
    if status.is_success:
        return Fate(id=queue_id, result=result, verdict=Verdict.DONE)
    # Behaviour T13: the eighth attempt that fails is the last one. What is neither 4xx nor 5xx is taken for temporary.
    is_final = status.is_permanent and not result.another_way
    if is_final or attempts >= backoff.MAX_ATTEMPTS:
        return Fate(id=queue_id, result=result, verdict=Verdict.FAIL, notice=Notice.FAILED)
    delayed = attempts == backoff.DELAY_NOTICE_AFTER
    return Fate(
        id=queue_id,
        result=result,
        verdict=Verdict.RETRY,
        notice=Notice.DELAYED if delayed else Notice.NONE,
    )


def _reported(recipient: NoticedRecipient) -> ReportedRecipient:
    answer = recipient.answer
    if not answer.code:
        answer = SmtpStatus(550, "5.0.0", answer.text or "it could not be delivered")
    return ReportedRecipient(
        address=recipient.address,
        answer=answer,
        remote_mta=recipient.remote_mta,
        last_attempt_at=recipient.last_attempt_at,
    )


def _retry_at(recipient: NoticedRecipient, now: float) -> tuple[float, ...]:
    """When the attempts that are left will be (behaviour T14: computed, not quoted)."""
    at, times = recipient.next_attempt_at, [recipient.next_attempt_at]
    for wait_s in backoff.remaining_delays_s(recipient.attempts)[1:]:
        at += wait_s
        times.append(at)
    # A report that comes late (a full disk) speaks of what is still to come.
    return tuple(time for time in times if time > now) or (at,)

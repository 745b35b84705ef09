"""What follows from the results of an attempt: done, another attempt, or a report to the sender. Pure."""

from collections.abc import Sequence

from backend.core.envelope import NO_WISH, NO_WISHES, Notify, Wish, Wishes
from backend.core.ids import QueueId
from backend.core.status import SmtpStatus
from backend.message.dsn import Action, Report, ReportedRecipient
from backend.outbound import backoff
from backend.outbound.asked import wants
from backend.outbound.entries import Fate, Notice, NoticedRecipient, PendingNotice, Verdict
from backend.outbound.transport import Result


def judge(
    ids: Sequence[QueueId],
    results: Sequence[Result],
    attempts: int,
    wishes: Wishes = NO_WISHES,
    max_attempts: int = backoff.MAX_ATTEMPTS,
) -> tuple[Fate, ...]:
    """`attempts` includes the one that gave these results; `ids` and `results` belong together in pairs."""
    return tuple(
        _judge(i, result, attempts, max_attempts, wishes.get(result.recipient, NO_WISH))
        for i, result in zip(ids, results, strict=True)
    )


def build_report(notice: PendingNotice, *, hostname: str, now: float) -> Report:
    """What the sender is told. All recipients of one notice share its kind."""
    delayed = notice.kind is Notice.DELAYED
    hold = notice.asked.hold
    return Report(
        action=Action(notice.kind),
        hostname=hostname,
        sender=notice.sender,
        # An alias has one address and several mailboxes.
        recipients=list(
            {r.address: _reported(r, delayed=delayed) for r in notice.recipients}.values()
        ),
        arrived_at=notice.created_at,
        created_at=now,
        retry_at=_retry_at(notice.recipients[0], now) if delayed else (),
        header=notice.header,
        message_id=notice.message_id,
        attempts=max(recipient.attempts for recipient in notice.recipients),
        unique=notice.id,
        envelope_id=notice.asked.envelope_id,
        future_release=hold.text if hold is not None else "",
        content=notice.content,
    )


def _judge(queue_id: QueueId, result: Result, attempts: int, max_attempts: int, wish: Wish) -> Fate:
    status = result.status
    if status.is_success:
        # RFC 3461 §5.2.2 (b): where the other side would not report the success, we say how far it got.
        is_ours = wants(wish, Notify.SUCCESS) and not result.peer_reports
        notice = Notice.RELAYED if is_ours else Notice.NONE
        return Fate(id=queue_id, result=result, verdict=Verdict.DONE, notice=notice)
    # Behaviour T13: the eighth attempt that fails is the last one, if nothing else is set. What is neither 4xx nor 5xx is taken for temporary.
    is_final = status.is_permanent and not result.another_way
    if is_final or attempts >= max_attempts:
        notice = Notice.FAILED if wants(wish, Notify.FAILURE) else Notice.NONE
        return Fate(id=queue_id, result=result, verdict=Verdict.FAIL, notice=notice)
    delayed = attempts == backoff.DELAY_NOTICE_AFTER and wants(wish, Notify.DELAY)
    return Fate(
        id=queue_id,
        result=result,
        verdict=Verdict.RETRY,
        notice=Notice.DELAYED if delayed else Notice.NONE,
    )


def _reported(recipient: NoticedRecipient, *, delayed: bool) -> ReportedRecipient:
    answer = recipient.answer
    if not answer.code and delayed:
        answer = SmtpStatus(451, "4.0.0", answer.text or "it could not be delivered yet")
    elif not answer.code:
        answer = SmtpStatus(550, "5.0.0", answer.text or "it could not be delivered")
    return ReportedRecipient(
        address=recipient.address,
        answer=answer,
        remote_mta=recipient.remote_mta,
        last_attempt_at=recipient.last_attempt_at,
        original=recipient.original,
        may_have_arrived=recipient.may_have_arrived,
    )


def _retry_at(recipient: NoticedRecipient, now: float) -> tuple[float, ...]:
    """When the attempts that are left will be (behaviour T14: computed, not quoted)."""
    at, times = recipient.next_attempt_at, [recipient.next_attempt_at]
    for wait_s in backoff.remaining_delays_s(recipient.attempts, recipient.max_attempts)[1:]:
        at += wait_s
        times.append(at)
    # A report that comes late (a full disk) speaks of what is still to come.
    return tuple(time for time in times if time > now) or (at,)

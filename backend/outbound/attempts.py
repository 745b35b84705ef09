"""One attempt to deliver what was claimed: by which way, what came of it, and who is told.

The outcome is written down before anybody hears of it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from backend.core.address import Address
from backend.core.clock import Clock
from backend.core.events import TimelineEntry
from backend.core.status import UNKNOWN_FAULT, SmtpStatus
from backend.observe import log as logs
from backend.outbound.choices import Choices, shown_domain
from backend.outbound.entries import UNCONFIRMED, Batch, Fate, Verdict
from backend.outbound.failure import judge
from backend.outbound.queue import Queue
from backend.outbound.route import Choice
from backend.outbound.schedule import Behind
from backend.outbound.tally import Tally
from backend.outbound.transport import Delivery, Result, Try
from backend.outbound.transports import Transports

log = logs.get(__name__)

WRITE_RETRY_S = 5.0


class Attempts:
    def __init__(
        self,
        queue: Queue,
        *,
        choices: Choices,
        transports: Transports,
        tally: Tally,
        record: Callable[[TimelineEntry], None],
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._choices = choices
        self._transports = transports
        self._tally = tally
        self._record = record
        self._clock = clock

    async def attempt(self, batch: Batch, behind: Behind | None = None) -> bool:
        """One attempt for one batch, written down. False: something was put off."""
        went_well = True
        for part in self._parts(batch):
            went_well &= await self._attempt_part(part, behind)
        return went_well

    def _parts(self, batch: Batch) -> Sequence[Batch]:
        """Recipients in several domains go together only by a relay; the settings may have changed since the claim."""
        if len(batch.domains) == 1:
            return [batch]
        outgoing = batch.outgoing
        sender = "" if outgoing.sender is None else outgoing.sender.domain.ascii
        relays = {
            self._choices.relay_for(
                batch.account, sender, shown_domain(domain), batch.attempts - 1, batch.override
            )
            for domain in batch.domains
        }
        return [batch] if len(relays) == 1 and "" not in relays else batch.by_domain()

    async def _attempt_part(self, batch: Batch, behind: Behind | None) -> bool:
        started_at = self._clock.time()
        outgoing = batch.outgoing
        choice = self._choices.of_batch(batch)
        self._note(
            batch,
            "attempt",
            f"Attempt {batch.attempts} of {max(batch.attempts, batch.max_attempts)} to deliver to {_listed(outgoing.recipients)}. {choice.reason}",
        )
        delivery = await self._deliver(batch, choice)
        if not delivery.tries:
            # Nobody was connected to, which the log of attempts should say as well.
            delivery = replace(
                delivery, tries=(Try(host="", answer=delivery.results[0].status.text),)
            )
        fates = judge(
            batch.ids, delivery.results, batch.attempts, outgoing.wishes, batch.max_attempts
        )
        self._note_result(choice, fates)
        if behind is None:
            await self._write_down(batch, delivery, fates, started_at, choice)
        else:
            await behind.add(
                self._write_down(batch, delivery, fates, started_at, choice, together=True)
            )
        return not any(fate.verdict is Verdict.RETRY for fate in fates)

    async def _write_down(
        self,
        batch: Batch,
        delivery: Delivery,
        fates: Sequence[Fate],
        started_at: float,
        choice: Choice,
        *,
        together: bool = False,
    ) -> None:
        while True:
            try:
                await self._queue.settle(
                    batch,
                    fates,
                    delivery.tries,
                    started_at=started_at,
                    choice=choice,
                    together=together,
                )
                break
            except Exception as error:
                # A full disk, mostly. Forgetting what was delivered would deliver it twice: better wait.
                log.error("outcome of a delivery can't be written", cause=repr(error))
                await asyncio.sleep(WRITE_RETRY_S)
        self._tell(batch, delivery, fates)

    async def _deliver(self, batch: Batch, choice: Choice) -> Delivery:
        transport = self._transports.get(choice)
        if isinstance(transport, SmtpStatus):
            return _same_for_all(batch, transport)
        try:
            return await transport.deliver(batch.outgoing)
        except Exception as error:  # a job's border: a fault of ours is temporary for the message
            log.error("delivery failed by a fault of this server", error=error)
            return _same_for_all(batch, UNKNOWN_FAULT)

    def _note_result(self, choice: Choice, fates: Sequence[Fate]) -> None:
        if not choice.transport or not choice.known or not fates:
            return
        done = next((fate for fate in fates if fate.verdict is Verdict.DONE), None)
        result = (done or fates[0]).result
        who = f"{result.remote_mta} said: " if result.remote_mta else ""
        self._tally.note(choice.transport, ok=done is not None, text=f"{who}{result.status}")

    def _tell(self, batch: Batch, delivery: Delivery, fates: Sequence[Fate]) -> None:
        last = delivery.tries[-1] if delivery.tries else None
        for fate in fates:
            result = fate.result
            recipient, status = result.recipient, result.status
            said = f"{result.remote_mta} said: {status}" if result.remote_mta else status.text
            if fate.verdict is Verdict.DONE:
                kind, text = (
                    "sent",
                    f"{result.remote_mta} took the message for {recipient}: {status}",
                )
            elif fate.verdict is Verdict.RETRY:
                when = datetime.fromtimestamp(batch.next_attempt_at, UTC).strftime("%H:%M:%S UTC")
                kind, text = (
                    "deferred",
                    f"Not yet delivered to {recipient}; next attempt at {when}. {said}",
                )
            else:
                kind, text = "bounced", f"Not delivered to {recipient}, and given up. {said}"
            for more in (result.another_way, UNCONFIRMED if result.unconfirmed else ""):
                text += f" ({more})" if more else ""
            details = {"recipient": str(recipient), "queue_id": str(fate.id), "answer": str(status)}
            if result.unconfirmed:
                details["unconfirmed"] = "yes"
            if last is not None:
                details |= {
                    "host": last.host,
                    "ip": last.ip,
                    "tls": last.tls,
                    "policy": last.policy,
                }
            self._note(batch, kind, text, details)
            log.info(
                "delivery attempt ended",
                recipient_domain=recipient.domain_text,
                verdict=fate.verdict,
                attempts=batch.attempts,
                host=result.remote_mta or (last.host if last is not None else ""),
                answer=str(status),
            )

    def _note(
        self, batch: Batch, kind: str, text: str, details: dict[str, str] | None = None
    ) -> None:
        self._record(
            TimelineEntry(batch.outgoing.trace, self._clock.time(), kind, text, details or {})
        )


def _same_for_all(batch: Batch, status: SmtpStatus) -> Delivery:
    return Delivery(
        results=tuple(Result(recipient=r, status=status) for r in batch.outgoing.recipients)
    )


def _listed(recipients: Sequence[Address]) -> str:
    shown = ", ".join(str(recipient) for recipient in recipients[:3])
    more = len(recipients) - 3
    return f"{shown} and {more} more" if more > 0 else shown

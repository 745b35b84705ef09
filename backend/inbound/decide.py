"""From facts to what happens with the message. Pure: the same function serves the server and the what-if tester."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from backend.core.status import SmtpStatus
from backend.inbound.checks import Fact, Verdict

# RFC 5321 §6.3: 100 is what the standard suggests as the least for counting Received lines.
MAX_RECEIVED = 100

MAIL_LOOP = SmtpStatus(
    554, "5.4.6", "The message goes round in circles: it passed 100 mail servers"
)


class Action(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"


class Reason(StrEnum):
    """Why; the same words stand in the timeline, in the log and in counters."""

    ORDINARY = "ordinary"
    MAIL_LOOP = "mail-loop"
    CHECK_UNAVAILABLE = "check-unavailable"
    NO_REVERSE_NAME = "no-reverse-name"
    ODD_GREETING = "odd-greeting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`mailbox` None: where the recipient's address leads. `status` is set with REJECT."""

    action: Action
    reasons: tuple[Reason, ...]
    mailbox: str | None = None
    status: SmtpStatus | None = None


def decide(facts: Sequence[Fact], *, received_count: int) -> Decision:
    """The facts say no more than they are worth yet: reverse name and greeting alone refuse nobody, they are noted."""
    if received_count > MAX_RECEIVED:
        return Decision(action=Action.REJECT, reasons=(Reason.MAIL_LOOP,), status=MAIL_LOOP)
    reasons: list[Reason] = []
    for fact in facts:
        if fact.verdict is Verdict.TEMPERROR:
            reasons.append(Reason.CHECK_UNAVAILABLE)
        elif fact.verdict is Verdict.FAIL and fact.check == "iprev":
            reasons.append(Reason.NO_REVERSE_NAME)
        elif fact.verdict is Verdict.FAIL and fact.check == "greeting":
            reasons.append(Reason.ODD_GREETING)
    return Decision(
        action=Action.ACCEPT, reasons=tuple(dict.fromkeys(reasons)) or (Reason.ORDINARY,)
    )

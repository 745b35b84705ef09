"""Does an answer say that the address is gone for good, so that nothing more should be sent there? Pure.

Only what speaks of the address itself (RFC 3463 §3.2, RFC 7505): never policy, content or a full mailbox, which change.
Some servers dress refusals by policy as "no such user", so words that tell of policy weigh more than the code.
"""

import re

from backend.core.status import SmtpStatus

_GONE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
# Says no more than "permanent": then the words decide.
_VAGUE = frozenset({"", "5.0.0", "5.1.0"})
_CODES = frozenset({550, 551, 553})
_WORDS = re.compile(
    r"user unknown|unknown (?:user|recipient|mailbox|address)|no such (?:user|mailbox|recipient|address|person)"
    r"|(?:user|mailbox|recipient|address|account) (?:was |is |has been |could )?"
    r"(?:not (?:be )?found|unknown|disabled|deleted|closed|does(?: no|n')t exist)"
    r"|does not exist|invalid recipient|no mailbox here by that name|no longer (?:exists|valid|in use)",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"spam|block(?:ed|list)|blacklist|deny|denied|polic(?:y|ies)|reputation|rejected due|spf|dkim|dmarc|relay|quota"
    r"|mailbox (?:is )?full|over ?quota|too many|rate|unsolicited|banned|verif|authenticat|greylist|virus|content",
    re.IGNORECASE,
)


def is_gone(status: SmtpStatus) -> bool:
    if not status.is_permanent or _POLICY.search(status.text):
        return False
    if status.enhanced in _GONE:
        return True
    return (
        status.enhanced in _VAGUE
        and status.code in _CODES
        and _WORDS.search(status.text) is not None
    )

"""What does an answer of another server mean, in a few words that fit into a cell of a table? Pure.

The codes are of RFC 5321 §4.2 and RFC 3463 §3. Large providers say more in their text than in their codes, so the text is asked
first; what it says is a stranger's, and only ever compared with fixed words.
"""

import re

_STATUS = re.compile(r"(\d{3})(?:[ -](\d\.\d{1,3}\.\d{1,3}))?(?:[ -](.*))?", re.DOTALL)

MAX_READ_CHARS = 2000
"""Of an answer, a security limit."""

_PROVIDERS: tuple[tuple[str, str], ...] = (
    ("gsmtp", "Gmail"),
    ("support.google.com", "Gmail"),
    ("outlook.com", "Microsoft"),
    ("office365", "Microsoft"),
    ("yahoo", "Yahoo"),
    ("icloud", "iCloud"),
    ("gmx.", "GMX"),
    ("web.de", "WEB.DE"),
    ("t-online", "Telekom"),
    ("mail.ru", "Mail.ru"),
)
"""By what only their answers hold."""

_BY_TEXT: tuple[tuple[str, str], ...] = (
    (r"grey-?list|gray-?list", "asks to come back later"),
    (r"unusual rate|rate.?limit|too many|throttl|exceed\w* .{0,30}(rate|limit)", "rate limited"),
    (r"spamhaus|block-?list|black-?list|dnsbl|rbl\b", "this server is on a blocklist"),
    (r"reverse dns|\bptr\b|rdns", "wants a reverse DNS name"),
    (r"\bspf\b|\bdkim\b|\bdmarc\b|unauthenticated", "wants SPF or DKIM"),
    (r"mailbox (is )?full|over ?quota|quota exceeded|out of storage", "mailbox is full"),
    (r"no such (user|mailbox)|user unknown|unknown user|does not exist", "no such address"),
    (r"certificate|starttls|dane|mta-sts", "encryption is not good enough"),
    (r"loops? back", "mail would go in a circle"),
    (r"timed? ?out|did not answer|no answer", "no answer"),
    (r"refused the connection|connection refused|unreachable", "can't be reached"),
    (r"\bspam\b|unsolicited|reputation", "taken for junk"),
)

_BY_ENHANCED: tuple[tuple[str, str], ...] = (
    ("1.1", "no such address"),
    ("1.2", "no such domain"),
    ("1.10", "takes no mail at all"),
    ("2.1", "mailbox is switched off"),
    ("2.2", "mailbox is full"),
    ("2.3", "too large"),
    ("3.1", "their disk is full"),
    ("3.2", "takes no mail now"),
    ("3.4", "too large"),
    ("4.1", "no answer"),
    ("4.2", "the connection broke"),
    ("4.3", "DNS did not answer"),
    ("4.4", "no server for the domain"),
    ("4.5", "too busy"),
    ("4.6", "mail would go in a circle"),
    ("7.5", "encryption is not good enough"),
    ("7.8", "the sign-in was refused"),
    ("7.10", "encryption is not good enough"),
    ("7.25", "wants a reverse DNS name"),
    ("7.26", "wants SPF or DKIM"),
    ("7.28", "rate limited"),
)
"""By subject and detail of the code, whatever its class."""

_FOUND = [(re.compile(words, re.IGNORECASE), meaning) for words, meaning in _BY_TEXT]


def in_short(answer: str) -> str:
    """`Gmail: rate limited (421 4.7.28)`. Empty for nothing; what is no SMTP reply stays as it is."""
    answer = answer.strip()[:MAX_READ_CHARS]
    found = _STATUS.match(answer)
    if found is None:
        return answer
    code, enhanced, text = found[1], found[2] or "", found[3] or ""
    meaning = _meaning(code, enhanced, text)
    provider = next((name for mark, name in _PROVIDERS if mark in text.lower()), "")
    codes = f"{code} {enhanced}".strip()
    return f"{f'{provider}: ' if provider else ''}{meaning} ({codes})"


def _meaning(code: str, enhanced: str, text: str) -> str:
    if code.startswith("2"):
        return "taken"
    detail = enhanced.partition(".")[2]
    if detail == "7.28":
        return "rate limited"
    for pattern, meaning in _FOUND:
        if pattern.search(text):
            return meaning
    for known, meaning in _BY_ENHANCED:
        if detail == known:
            return meaning
    if code == "421":
        return "too busy"
    return "put off" if code.startswith("4") else "refused"

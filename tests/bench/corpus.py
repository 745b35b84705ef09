"""Messages for the benchmarks: the same for every run and for every server.

Sizes follow a log-normal curve with a median of 4 KB and a mean near 11 KB, as real mail has it; one in four is HTML
beside text, one in ten carries an attachment, subjects use encoded words now and then.
"""

import base64
import math
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

_WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "you",
    "that",
    "it",
    "he",
    "was",
    "for",
    "on",
    "are",
    "as",
    "with",
    "his",
    "they",
    "at",
    "be",
    "this",
    "have",
    "from",
    "or",
    "one",
    "had",
    "by",
    "word",
    "but",
    "not",
    "what",
    "all",
    "were",
    "we",
    "when",
    "your",
    "can",
    "said",
    "there",
    "use",
    "an",
    "each",
    "which",
    "she",
    "do",
    "how",
    "their",
    "if",
    "will",
    "up",
    "other",
    "about",
    "out",
    "many",
    "then",
    "them",
    "these",
    "so",
    "some",
    "her",
    "would",
    "make",
    "like",
    "him",
    "into",
    "time",
    "has",
    "look",
    "two",
    "more",
    "write",
    "go",
    "see",
    "number",
    "no",
    "way",
    "could",
    "people",
    "my",
    "than",
    "first",
    "water",
    "been",
    "call",
    "who",
    "oil",
    "its",
    "now",
    "find",
    "long",
    "down",
    "day",
    "did",
    "get",
    "come",
    "made",
    "may",
    "part",
    "invoice",
    "meeting",
    "garden",
    "holiday",
    "report",
    "project",
    "delivery",
    "address",
    "letter",
    "window",
    "server",
    "answer",
    "question",
    "Straße",
    "Grüße",
    "café",
    "naïve",
]
RARE_WORD = "quokkaberry"
NAMES = (
    "Anna Bauer",
    "Ben Carter",
    "Chiara Neri",
    "David Øst",
    "Eve Miller",
    "Farid Khan",
    "Grace Liu",
    "Hugo Martin",
)


def _text(rng: random.Random, size: int) -> str:
    words, length = [], 0
    line = 0
    while length < size:
        word = rng.choice(_WORDS)
        words.append(word)
        length += len(word) + 1
        line += len(word) + 1
        if line > 70:
            words.append("\r\n")
            line = 0
    return " ".join(words).replace(" \r\n ", "\r\n")


def message(number: int) -> bytes:
    """Message `number` of the corpus; CRLF, every 1,000th holds RARE_WORD."""
    rng = random.Random(number)
    size = int(min(rng.lognormvariate(math.log(3_000), 1.3), 400_000))
    author = rng.choice(NAMES)
    local = author.split()[0].lower()
    date = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=17 * number)
    subject = _text(rng, 30).replace("\r\n", " ")[:60]
    if not subject.isascii():
        subject = "=?utf-8?b?" + base64.b64encode(subject.encode()).decode() + "?="
    name = (
        author
        if author.isascii()
        else "=?utf-8?b?" + base64.b64encode(author.encode()).decode() + "?="
    )
    head = [
        f"Received: from relay{number % 7}.example.net (relay.example.net [192.0.2.{number % 250}])",
        f"\tby mx.example.org with ESMTPS id {number:08x}; {format_datetime(date)}",
        f"From: {name} <{local}@example.net>",
        "To: Me <me@gatepost.test>",
        f"Subject: {subject}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: <{number:08x}.{rng.getrandbits(40):x}@example.net>",
        f"References: <{max(number - 7, 0):08x}.0@example.net>",
        "MIME-Version: 1.0",
        "X-Mailer: bench 1.0",
    ]
    body = _text(rng, size // 2 if number % 4 == 0 else size)
    if number % 1000 == 0:
        body += f"\r\n{RARE_WORD}\r\n"
    if number % 10 == 1:
        blob = base64.encodebytes(rng.randbytes(size)).decode().replace("\n", "\r\n")
        head.append('Content-Type: multipart/mixed; boundary="=_b"')
        content = (
            f"--=_b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n"
            f'--=_b\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
            f'Content-Disposition: attachment; filename="a.pdf"\r\n\r\n{blob}--=_b--\r\n'
        )
    elif number % 4 == 0:
        head.append('Content-Type: multipart/alternative; boundary="=_b"')
        html = "".join(f"<p>{line}</p>\r\n" for line in body.split("\r\n"))
        content = (
            f"--=_b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n"
            f"--=_b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            f"<html><body>{html}</body></html>\r\n--=_b--\r\n"
        )
    else:
        head.extend(("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"))
        content = body + "\r\n"
    return ("\r\n".join(head) + "\r\n\r\n" + content).encode()

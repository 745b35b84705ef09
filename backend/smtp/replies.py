"""Replies: from a status to bytes for a peer, and from a peer's bytes to values (RFC 5321 §4.2, RFC 2034)."""

import re
from dataclasses import dataclass

from backend.core.errors import PeerError
from backend.core.status import SmtpStatus
from backend.smtp.limits import MAX_REPLY_LINE_OCTETS, MAX_REPLY_LINES, MAX_REPLY_TEXT_OCTETS


class ReplyError(PeerError):
    """What the server sent is no SMTP reply; the connection can't be used any more."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`lines` hold the texts without code, separator and line end; never empty."""

    code: int
    lines: tuple[str, ...]

    @property
    def is_success(self) -> bool:
        return 200 <= self.code < 300

    @property
    def status(self) -> SmtpStatus:
        """With the enhanced code taken out of the text, where there is one that fits the code."""
        enhanced, texts = "", []
        for line in self.lines:
            match = _ENHANCED.match(line)
            if match is not None and int(match[1][0]) == self.code // 100:
                enhanced = enhanced or match[1]
                line = line[match.end() :]  # noqa: PLW2901  # the text alone
            texts.append(line)
        return SmtpStatus(self.code, enhanced, "\n".join(texts))

    def __str__(self) -> str:
        return " / ".join(f"{self.code} {line}" for line in self.lines)


# RFC 3463 §2: status-code = class "." subject "." detail, subject and detail of up to three digits.
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)", re.ASCII)
# RFC 5321 §4.2: Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_UNSENDABLE = re.compile(r"[^\x20-\x7e]+")
# Replies are ASCII; the signs that our own texts are written with have their plain forms.
_PLAIN_SIGNS = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "…": "..."})


class ReplyReader:
    """Cuts a server's bytes into replies, however they arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._code = 0
        self._lines: list[str] = []

    def receive(self, data: bytes) -> None:
        self._buffer += data

    def next(self) -> Reply | None:
        """The next whole reply, or None.

        Raises:
            ReplyError: framing is lost.
        """
        while (end := self._buffer.find(b"\n")) >= 0:
            # INTEROP(hand-made servers): a reply line that ends in a bare LF is understood.
            line = bytes(self._buffer[:end]).removesuffix(b"\r")
            del self._buffer[: end + 1]
            reply = self._take(line)
            if reply is not None:
                return reply
        if len(self._buffer) > MAX_REPLY_LINE_OCTETS:
            raise ReplyError("The server's reply has a line that does not end")
        return None

    @property
    def is_empty(self) -> bool:
        """Whether all that has come was read."""
        return not self._buffer and not self._lines

    def discard(self) -> int:
        """Forgets what has come and not been read; says how many bytes that were."""
        count = len(self._buffer)
        self._buffer.clear()
        self._lines.clear()
        return count

    def _take(self, line: bytes) -> Reply | None:
        if len(line) > MAX_REPLY_LINE_OCTETS:
            raise ReplyError("The server's reply has a line that is too long")
        match = _LINE.fullmatch(line)
        if match is None:
            raise ReplyError("The server's answer is not an SMTP reply")
        code = int(match[1])
        if self._lines and code != self._code:
            raise ReplyError("The lines of the server's reply disagree about its code")
        self._code = code
        self._lines.append((match[3] or b"").decode("utf-8", "replace").rstrip())
        if len(self._lines) > MAX_REPLY_LINES:
            raise ReplyError("The server's reply has too many lines")
        if match[2] == b"-":
            return None
        reply = Reply(code, tuple(self._lines))
        self._lines.clear()
        return reply


def format_reply(status: SmtpStatus) -> bytes:
    """With CRLF; each line carries the code and the enhanced code (RFC 2034 §4), and none is longer than RFC 5321 allows."""
    texts = [piece for line in status.text.split("\n") for piece in _cut(line)]
    head = f"{status.enhanced} " if status.enhanced else ""
    last = len(texts) - 1
    return b"".join(
        f"{status.code}{' ' if i == last else '-'}{head}{text}\r\n".encode("ascii")
        for i, text in enumerate(texts)
    )


def _cut(line: str) -> list[str]:
    # SECURITY: nothing that a peer sent and that a text quotes may start a line of its own.
    if not (line.isascii() and line.isprintable()):
        line = _UNSENDABLE.sub("?", line.translate(_PLAIN_SIGNS))
    pieces = []
    while len(line) > MAX_REPLY_TEXT_OCTETS:
        cut = line.rfind(" ", 1, MAX_REPLY_TEXT_OCTETS)
        cut = cut if cut > 0 else MAX_REPLY_TEXT_OCTETS
        pieces.append(line[:cut])
        line = line[cut:].lstrip(" ")
    pieces.append(line)
    return pieces

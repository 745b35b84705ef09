"""Content on its way through DATA: where it ends, dots taken out or put in, and line ends that must not pass.

Both directions work on whole chunks (`find`, `count`, `replace`), not on lines, and give the same result however the
bytes are cut.
"""

import re
from enum import StrEnum

_END = b"\r\n.\r\n"
_STUFFED = b"\r\n."


class DataFault(StrEnum):
    """Why content must be refused; of several the first in this order is told."""

    BARE_CR = "bare CR"
    BARE_LF = "bare LF"
    NUL = "NUL"


class DataReader:
    """Takes what follows `354` and gives the content with the transparency dots removed (RFC 5321 §4.5.2).

    SECURITY: only CRLF.CRLF ends the content. Other servers take LF.LF, LF.CRLF or CR.CR for the end as well, and what
    they see behind it would be a message that we vouch for ("SMTP smuggling"); so content with a bare CR or LF is
    marked with a fault, to be refused when it has ended.
    """

    __slots__ = ("_held", "_started", "ended", "fault", "rest", "size_bytes")

    def __init__(self) -> None:
        # The line before the first one is over: a dot may come at once.
        self._held = b"\r\n"
        self._started = False
        self.ended = False
        self.fault: DataFault | None = None
        self.rest = b""
        """After the end: what the client sent behind it, commands that were pipelined."""
        self.size_bytes = 0
        """Octets of content so far, without transparency dots."""

    def feed(self, chunk: bytes) -> bytes:
        """The next piece of content (often empty for small chunks). Not to be called after the end."""
        held = self._held
        data = held + chunk if held else chunk
        # What was held can hold no whole end, so the search need not start before it.
        end = data.find(_END)
        if end >= 0:
            self.ended = True
            self.rest = data[end + 5 :]
            self._held = b""
            data = data[: end + 2]
        else:
            keep = _held_back(data)
            self._held = data[len(data) - keep :] if keep else b""
            data = data[: len(data) - keep] if keep else data
        if not data:
            return b""
        if self.fault is not DataFault.BARE_CR:
            self.fault = _worse(self.fault, _fault(data))
        if _STUFFED in data:
            data = data.replace(_STUFFED, b"\r\n")
        if not self._started:
            self._started = True
            data = data[2:]
        self.size_bytes += len(data)
        return data


def _held_back(data: bytes) -> int:
    """How many octets at the end may be the start of the end, or the first half of a CRLF."""
    for length in (4, 3, 2, 1):
        if data.endswith(_END[:length]):
            return length
    return 0


def _fault(data: bytes) -> DataFault | None:
    # `data` never ends between CR and LF, so the counts differ only where one stands alone.
    pairs = data.count(b"\r\n")
    if data.count(b"\r") != pairs:
        return DataFault.BARE_CR
    if data.count(b"\n") != pairs:
        return DataFault.BARE_LF
    if b"\x00" in data:
        return DataFault.NUL
    return None


def _worse(one: DataFault | None, other: DataFault | None) -> DataFault | None:
    if one is None or other is None:
        return one or other
    return min(one, other, key=_ORDER.index)


_ORDER = tuple(DataFault)
_NEWLINE = re.compile(rb"\r\n|\r|\n")


class LineEnds:
    """Content as it goes out with BDAT (RFC 3030): every line end a CRLF, also the last one.

    SECURITY: a bare CR or LF, which the next server could take for a line end, becomes CRLF before it leaves.
    """

    __slots__ = ("_at_line_start", "_held_cr")

    def __init__(self) -> None:
        self._at_line_start = True
        self._held_cr = False

    def feed(self, chunk: bytes) -> bytes:
        data = b"\r" + chunk if self._held_cr else chunk
        self._held_cr = data.endswith(b"\r")
        if self._held_cr:
            data = data[:-1]
        if not data:
            return b""
        if _fault(data) in {DataFault.BARE_CR, DataFault.BARE_LF}:
            data = _NEWLINE.sub(b"\r\n", data)
        self._at_line_start = data.endswith(b"\n")
        return data

    def end(self) -> bytes:
        """The rest, to be sent last."""
        return b"" if self._at_line_start and not self._held_cr else b"\r\n"


class DotStuffer(LineEnds):
    """Content as it goes out with DATA: dots doubled at line starts as well, closed by CRLF.CRLF."""

    __slots__ = ()

    def feed(self, chunk: bytes) -> bytes:
        was_at_line_start = self._at_line_start
        data = super().feed(chunk)
        starts_with_dot = was_at_line_start and data.startswith(b".")
        if _STUFFED in data:
            data = data.replace(_STUFFED, b"\r\n..")
        return b"." + data if starts_with_dot else data

    def end(self) -> bytes:
        """The rest, to be sent last."""
        return super().end() + b".\r\n"

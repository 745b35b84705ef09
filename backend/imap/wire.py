"""What does the client say? Bytes of a connection in, whole commands (literals included) out.

The shell calls `receive` with whatever the network gave and pulls `next_event` until it is None; it sets the mode
(`expect_line`) and the limits between two pulls, so that pipelined input is never read under the wrong rules.
A fault of framing raises `WireError` once and the reader is dead: the shell says BYE. Syntax is `parse.py`'s business.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass

from backend.core.errors import PeerError

KIB = 1024


class WireError(PeerError):
    """The stream can't be cut into commands any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """All of them are security limits."""

    command_bytes: int
    """Lines and literals of one command in memory, APPEND's messages not counted."""
    append_bytes: int
    """One message in an APPEND; 0: no APPEND now."""
    append_total_bytes: int
    spool_above_bytes: int = 256 * KIB
    """Messages of one APPEND beyond this go out as chunks instead of being collected."""
    discard_bytes: int = 64 * 1024 * KIB
    """A literal that is refused but already under way (`{n+}`) is read and dropped up to this size."""
    literals: int = 1000


BEFORE_LOGIN = Limits(command_bytes=8 * KIB, append_bytes=0, append_total_bytes=0)


def after_login(message_bytes: int) -> Limits:
    return Limits(
        command_bytes=128 * KIB,
        append_bytes=message_bytes,
        append_total_bytes=4 * message_bytes,
        discard_bytes=4 * message_bytes,
    )


@dataclass(frozen=True, slots=True)
class Literal:
    """`spool` counts the literals of this command that went out as chunks; `data` is empty then."""

    data: bytes
    size: int
    is_binary: bool = False
    spool: int | None = None


@dataclass(frozen=True, slots=True)
class RawCommand:
    """One command: text, literal, text, …; there is always one segment more than literals, the `{n}` is cut off."""

    segments: tuple[bytes, ...]
    literals: tuple[Literal, ...] = ()


@dataclass(frozen=True, slots=True)
class ContinueWanted:
    """The client waits for `+` before it sends its literal."""


@dataclass(frozen=True, slots=True)
class Line:
    """What came after `expect_line`: a response to a challenge, or DONE."""

    text: bytes


@dataclass(frozen=True, slots=True)
class LiteralRefused:
    """The command is over: it had a literal that is too big. `start` is its first text (for the tag)."""

    start: bytes
    size: int
    limit: int


@dataclass(frozen=True, slots=True)
class SpoolStart:
    size: int


@dataclass(frozen=True, slots=True)
class SpoolChunk:
    data: bytes


@dataclass(frozen=True, slots=True)
class CommandDropped:
    """A command with spooled literals was refused: what was spooled for it is to be thrown away."""


Event = (
    RawCommand | ContinueWanted | Line | LiteralRefused | SpoolStart | SpoolChunk | CommandDropped
)

# RFC 9051 §9: literal = "{" number64 ["+"] "}" CRLF *CHAR8; literal8 has a "~" before it (RFC 3516 §5).
# RFC 7888 §8: "-" never stands in the syntax; LITERAL- is LITERAL+ with a bound, which a client keeps by itself.
_LITERAL = re.compile(rb"(~?)\{([0-9]{1,19})(\+?)\}\Z")
_APPEND = re.compile(rb"[^ ]+ +append ", re.IGNORECASE)

CHUNK = 64 * KIB


class CommandReader:
    """One connection's input. Owns the buffer."""

    __slots__ = ("_buffer", "_dead", "_line_wanted", "_parser", "_scanned", "limits")

    def __init__(self, limits: Limits = BEFORE_LOGIN) -> None:
        self.limits = limits
        self._buffer = bytearray()
        self._scanned = 0
        self._line_wanted = False
        self._dead = False
        self._parser = self._commands()

    def receive(self, data: bytes) -> None:
        if not self._dead:
            self._buffer += data

    @property
    def waiting_bytes(self) -> int:
        """Received and not yet taken apart; the shell stops reading from the network above a bound."""
        return len(self._buffer)

    def expect_line(self) -> None:
        """The next line is no command but `Line`."""
        self._line_wanted = True

    def forget(self) -> None:
        """Drops what waits: after STARTTLS nothing that was sent in the clear may count (RFC 9051 §6.2.1)."""
        self._buffer.clear()
        self._scanned = 0

    def next_event(self) -> Event | None:
        """None: more bytes are needed.

        Raises:
            WireError: the reader is dead from here on; further calls give None.
        """
        if self._dead:
            return None
        try:
            return next(self._parser)
        except WireError:
            self._dead = True
            self._buffer.clear()
            raise

    def _commands(self) -> Generator[Event | None]:
        while True:
            if self._line_wanted:
                self._line_wanted = False
                yield Line((yield from self._line(self.limits.command_bytes)))
            else:
                yield from self._command()

    def _command(self) -> Generator[Event | None]:
        segments: list[bytes] = []
        literals: list[Literal] = []
        memory = appended = spooled = 0
        refused: LiteralRefused | None = None
        while True:
            text = yield from self._line(self.limits.command_bytes - memory)
            limits = self.limits
            memory += len(text)
            found = _LITERAL.search(text)
            if found is None:
                segments.append(text)
                break
            size, is_sync = int(found[2]), not found[3]
            segments.append(text[: found.start()])
            if len(literals) >= limits.literals:
                raise WireError("Too many literals in one command")
            is_append = _APPEND.match(segments[0]) is not None and limits.append_bytes > 0
            limit = (
                min(limits.append_bytes, limits.append_total_bytes - appended)
                if is_append
                else limits.command_bytes - memory
            )
            if refused is not None or size > limit:
                refused = refused or LiteralRefused(segments[0], size, limit)
                if is_sync:  # it will not be sent: the command is over
                    break
                if size > limits.discard_bytes:
                    raise WireError("A literal is too big")
                yield from self._discard(size)
                literals.append(Literal(b"", size))
                continue
            if is_sync:
                yield ContinueWanted()
            if is_append and appended + size > limits.spool_above_bytes:
                yield SpoolStart(size)
                yield from self._stream(size)
                literals.append(Literal(b"", size, bool(found[1]), spooled))
                spooled += 1
            else:
                data = yield from self._exactly(size)
                literals.append(Literal(data, size, bool(found[1])))
            if is_append:
                appended += size
            else:
                memory += size
        if refused is None:
            yield RawCommand(tuple(segments), tuple(literals))
        else:
            if spooled:
                yield CommandDropped()
            yield refused

    def _line(self, limit: int) -> Generator[None, None, bytes]:
        """A line without its end. `limit` is a security limit.

        INTEROP(telnet): a lone LF ends a line too.
        """
        while (end := self._buffer.find(b"\n", self._scanned, limit + 2)) < 0:
            if len(self._buffer) > limit + 1:
                raise WireError("A line is too long")
            self._scanned = len(self._buffer)
            yield
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._scanned = 0
        return line.removesuffix(b"\r")

    def _exactly(self, size: int) -> Generator[None, None, bytes]:
        """`size` was checked against a security limit by the caller."""
        while len(self._buffer) < size:
            yield
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _stream(self, size: int) -> Generator[Event | None]:
        while size:
            wanted = min(size, CHUNK)
            while len(self._buffer) < wanted:
                yield None
            taken = min(size, len(self._buffer))
            chunk = bytes(self._buffer[:taken])
            del self._buffer[:taken]
            size -= taken
            yield SpoolChunk(chunk)

    def _discard(self, size: int) -> Generator[None]:
        while size:
            if not self._buffer:
                yield
            taken = min(size, len(self._buffer))
            del self._buffer[:taken]
            size -= taken

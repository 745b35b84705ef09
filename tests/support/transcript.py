r"""Golden transcripts: a file that reads as the conversation is played against a server over real streams.

    # RFC 5321 §3.3: what the file shows
    ! deliver inbox              a side action of the test, by its first word, with the rest as argument
    C: NOOP                      the client sends this line with CRLF
    C| a\r\n.\n             the client sends these bytes as they stand (Python escapes), nothing added
    S: 250 2.0.0 …               the server must say this line; … stands for any text
    S~ * 1 FETCH …               lines that may come in any order among their neighbours
    S: <closed>                  the server must close the connection

`await play(path, reader, writer, actions={"deliver": …}, words={"HOST": "mail.test"})`; a `{WORD}` is replaced everywhere.
A mismatch shows the line of the file, and what had been said so far.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

TIMEOUT_S = 10.0
ANY = "…"
CLOSED = "<closed>"

Action = Callable[[str], Awaitable[object]]


class TranscriptError(AssertionError):
    pass


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split(ANY)), re.DOTALL)


class Player:
    """Keeps the streams, so that an action (STARTTLS) may swap them."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        actions: Mapping[str, Action] | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self._actions = dict(actions or {})
        self._words = dict(words or {})
        self.said: list[str] = []

    async def run(self, text: str, name: str = "transcript") -> None:
        lines = text.splitlines()
        at = 0
        while at < len(lines):
            place = f"{name}:{at + 1}"
            line = lines[at].rstrip("\n")
            for word, value in self._words.items():
                line = line.replace("{" + word + "}", value)
            at += 1
            if not line.strip() or line.startswith("#"):
                continue
            kind, body = line[:2], line[3:] if line[2:3] == " " else line[2:]
            if kind == "C:":
                await self._send(body.encode() + b"\r\n", f"C: {body}")
            elif kind == "C|":
                data = body.encode("latin-1", "backslashreplace").decode("unicode_escape")
                await self._send(data.encode("latin-1"), f"C| {body}")
            elif kind == "S:":
                await self._expect(body, place)
            elif kind == "S~":
                group = [body]
                while at < len(lines) and lines[at].startswith("S~"):
                    group.append(lines[at][3:])
                    at += 1
                await self._expect_all(group, place)
            elif kind[0] == "!":
                verb, _, argument = line[1:].strip().partition(" ")
                if verb not in self._actions:
                    raise TranscriptError(f"{place}: no action “{verb}”")
                self.said.append(line)
                await self._actions[verb](argument)
            else:
                raise TranscriptError(f"{place}: a line starts with C:, C|, S:, S~, ! or #")

    async def _send(self, data: bytes, shown: str) -> None:
        self.said.append(shown)
        self.writer.write(data)
        async with asyncio.timeout(TIMEOUT_S):
            await self.writer.drain()

    async def _line(self, wanted: str, place: str) -> str:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                data = await self.reader.readline()
        except TimeoutError:
            raise TranscriptError(
                self._story(f"{place}: nothing came; expected: {wanted}")
            ) from None
        except ConnectionError:
            data = b""
        line = data.decode("utf-8", "backslashreplace") if data else CLOSED
        if data and not line.endswith("\r\n"):
            raise TranscriptError(self._story(f"{place}: a line without CRLF: {line!r}"))
        line = line.removesuffix("\r\n")
        self.said.append(f"S: {line}")
        return line

    async def _expect(self, wanted: str, place: str) -> None:
        line = await self._line(wanted, place)
        if _pattern(wanted).fullmatch(line) is None:
            raise TranscriptError(self._story(f"{place}: expected: {wanted}"))

    async def _expect_all(self, wanted: list[str], place: str) -> None:
        left = list(wanted)
        while left:
            line = await self._line(" | ".join(left), place)
            found = next((w for w in left if _pattern(w).fullmatch(line)), None)
            if found is None:
                raise TranscriptError(self._story(f"{place}: expected one of: {left}"))
            left.remove(found)

    def _story(self, complaint: str) -> str:
        return "\n".join([complaint, "so far:", *self.said[-40:]])


async def play(
    path: Path,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    actions: Mapping[str, Action] | None = None,
    words: Mapping[str, str] | None = None,
) -> Player:
    player = Player(reader, writer, actions=actions, words=words)
    await player.run(path.read_text(encoding="utf-8"), path.name)
    return player

"""A raw SMTP client for tests: says lines, gives whole replies."""

import asyncio
import contextlib
import socket
import ssl
import struct

SIMPLE = b"Subject: hello\r\n\r\nbody\r\n"


class Talk:
    """A raw client: says lines, gives whole replies."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, port: int, *, greet: bool = True) -> "Talk":
        talk = cls(*await asyncio.open_connection("127.0.0.1", port))
        try:
            if greet:
                assert (await talk.reply()).startswith("220 mail.gatepost.test ")
                assert (await talk.say("EHLO me.test")).startswith("250")
        except BaseException:
            await talk.close()
            raise
        return talk

    async def reply(self) -> str:
        lines = []
        async with asyncio.timeout(10):
            while True:
                line = (await self.reader.readline()).decode()
                lines.append(line.rstrip("\r\n"))
                if line[3:4] != "-":
                    return "\n".join(lines)

    async def say(self, *lines: str | bytes) -> str:
        """The reply to the last line; one reply is awaited for each."""
        answer = ""
        for line in lines:
            self.writer.write((line.encode() if isinstance(line, str) else line) + b"\r\n")
            answer = await self.reply()
        return answer

    async def send(self, content: bytes) -> str:
        assert (await self.say("DATA")).startswith("354")
        self.writer.write(content + b".\r\n")
        return await self.reply()

    async def is_closed(self) -> bool:
        async with asyncio.timeout(10):
            return await self.reader.read() == b""

    def reset(self) -> None:
        """Gone without a goodbye: the other side sees a reset, not an end."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


async def deliver(talk: Talk, *recipients: str, content: bytes = SIMPLE) -> str:
    assert (await talk.say("MAIL FROM:<x@other.test>")).startswith("250")
    for recipient in recipients:
        assert (await talk.say(f"RCPT TO:<{recipient}>")).startswith("250"), recipient
    return await talk.send(content)

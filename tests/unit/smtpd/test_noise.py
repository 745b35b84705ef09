"""Whatever bytes come, the server answers with replies, falls over nothing, and relays nothing."""

import asyncio
import contextlib
import random
import re

from tests.support.smtp_servers import running_servers

PIECES = [
    b"EHLO me", b"HELO", b"MAIL FROM:<a@b.test>", b"MAIL FROM:<>", b"RCPT TO:<anna@gatepost.test>", b"RCPT TO:<x@else.test>",
    b"DATA", b".", b"RSET", b"NOOP", b"QUIT", b"AUTH PLAIN", b"VRFY x", b"BDAT 10", b"\r", b"\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n",
    b"\x00", b"\xff\xfe", b"<", b">", b'"', b"SIZE=9", b" ", b":", b"\r\n.\r\n", b"\n.\n", "é".encode(), b"A" * 3000, b"STARTTLS x",
]  # fmt: skip
REPLY = re.compile(rb"[2-5][0-9]{2}[ -][\x20-\x7e]*\r\n|[2-5][0-9]{2}\r\n")


async def test_noise_is_answered_and_nothing_breaks(tmp_path):
    chance = random.Random(5321)
    async with running_servers(tmp_path, with_logins=False) as servers:
        for _ in range(150):
            reader, writer = await asyncio.open_connection("127.0.0.1", servers.ports["mx"])
            noise = b"".join(chance.choice(PIECES) for _ in range(chance.randrange(5, 60)))
            for _ in range(chance.randrange(1, 4)):
                at = chance.randrange(len(noise))
                writer.write(noise[:at])
                noise = noise[at:] or b"\r\n"
                await asyncio.sleep(0)
            writer.write(noise)
            writer.write_eof()
            answers = b""
            # A session that was ended amid its input may be reset once the last reply is out.
            with contextlib.suppress(ConnectionResetError):
                async with asyncio.timeout(10):
                    while chunk := await reader.read(65536):
                        answers += chunk
            assert REPLY.sub(b"", answers) == b"", answers
            assert b"451" not in answers
            writer.close()
        while servers.mx.open_connections:
            await asyncio.sleep(0.005)
        assert servers.guard.open_connections == 0
        assert servers.spooled() == []
        assert all(
            entry.kind in {"received", "delivered", "rejected"} for entry in servers.timeline
        )

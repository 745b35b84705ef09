"""A SOCKS5 proxy: Debian's microsocks as a process of its own."""

import asyncio
import subprocess
from typing import Self

from tests.support.server_process import free_ports


class Microsocks:
    """`async with Microsocks("user", "password") as proxy:`"""

    def __init__(self, username: str = "", password: str = "") -> None:
        (self.port,) = free_ports("127.0.0.1", 1)
        self.address = f"127.0.0.1:{self.port}"
        self._sign_in = ["-u", username, "-P", password] if username else []
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        self._process = subprocess.Popen(
            ["microsocks", "-i", "127.0.0.1", "-p", str(self.port), *self._sign_in],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

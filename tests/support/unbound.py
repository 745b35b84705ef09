"""Debian's unbound on loopback, as the resolver in front of a test's authority."""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import dns.asyncquery
import dns.exception
import dns.message

from tests.support.server_process import free_ports

_CONFIG = """
server:
    interface: 127.0.0.1
    port: {port}
    username: ""
    chroot: ""
    directory: "{folder}"
    pidfile: ""
    use-syslog: no
    logfile: "{folder}/log"
    do-daemonize: no
    do-ip6: no
    do-not-query-localhost: no
    module-config: "{modules}"
{anchors}    local-zone: "test." nodefault
    qname-minimisation: no
    cache-max-negative-ttl: 1
remote-control:
    control-enable: no
stub-zone:
    name: "test."
    stub-addr: 127.0.0.1@{authority_port}
"""


class Unbound:
    """Asks `authority_port` on 127.0.0.1 for everything below `test.`; checks DNSSEC where it has been given `anchors`."""

    def __init__(self, authority_port: int, anchors: Sequence[str] = ()) -> None:
        self._authority_port = authority_port
        self._anchors = anchors
        self.port = free_ports("127.0.0.1", 1)[0]
        self._folder = Path(tempfile.mkdtemp(prefix="unbound-"))
        self._process: asyncio.subprocess.Process | None = None

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        config = self._folder / "unbound.conf"
        config.write_text(
            _CONFIG.format(
                port=self.port,
                folder=self._folder,
                authority_port=self._authority_port,
                modules="validator iterator" if self._anchors else "iterator",
                anchors="".join(f"    trust-anchor: '{anchor}'\n" for anchor in self._anchors),
            )
        )
        self._process = await asyncio.create_subprocess_exec(
            "/usr/sbin/unbound", "-d", "-c", str(config), stderr=asyncio.subprocess.DEVNULL
        )
        query = dns.message.make_query("ready.test.", "A")
        for _ in range(100):
            try:
                await dns.asyncquery.udp(query, "127.0.0.1", port=self.port, timeout=0.1)
            except (dns.exception.Timeout, OSError):
                await asyncio.sleep(0.05)
            else:
                return self
        raise RuntimeError((self._folder / "log").read_text()[-2000:])

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

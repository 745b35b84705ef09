"""Debian's Postfix as a smarthost on loopback, with its own configuration and queue; it runs as root only."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from tests.support.server_process import free_ports

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [127.0.0.1]:{next_hop}
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}
smtpd_tls_security_level = may
smtpd_tls_chain_files = {folder}/relay.pem
smtp_host_lookup = native
smtpd_recipient_restrictions = check_recipient_access inline:{{refused@b.test=REJECT}}, permit_mynetworks, reject
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


def can_run() -> bool:
    """Postfix changes users, which only root may. Where it is missing for root, the test fails: it belongs to the preparation."""
    return os.geteuid() == 0


class Postfix:
    """Takes mail for everybody and hands it to `next_hop`. `certificate`: a PEM file with key and chain."""

    def __init__(self, certificate: Path, next_hop: int) -> None:
        (self.port,) = free_ports("127.0.0.1", 1)
        # Not below the test's own folder: Postfix's user must get there.
        self._folder = Path(tempfile.mkdtemp(prefix="gatepost-postfix-"))
        self._folder.chmod(0o755)
        for name in ("etc", "queue", "data", "log"):
            (self._folder / name).mkdir()
        shutil.chown(self._folder / "data", "postfix")
        shutil.copy(certificate, self._folder / "relay.pem")
        values = {"folder": self._folder, "next_hop": next_hop, "port": self.port}
        (self._folder / "etc" / "main.cf").write_text(_MAIN.format(**values))
        (self._folder / "etc" / "master.cf").write_text(_MASTER.format(**values))
        self.log = self._folder / "log" / "mail.log"

    def _run(self, word: str) -> None:
        subprocess.run(
            ["postfix", "-c", str(self._folder / "etc"), word],
            check=True,
            capture_output=True,
            timeout=60,
        )

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._run, "start")
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await asyncio.to_thread(self._run, "stop")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

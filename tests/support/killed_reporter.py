"""Sends the TLS reports that are due, until it is killed: `killed_reporter.py FOLDER SMTP_PORT DNS CA_FILE TIME`.

Run by tests/unit/outbound/test_tls_reports.py, which plays the other side.
"""

import asyncio
import sys
from pathlib import Path

from backend.accounts.directory import Directory
from backend.core.clock import FakeClock
from backend.dns.resolver import DnsResolver
from backend.outbound.service import Outbound
from backend.store.store import Store
from tests.support.outbound_rig import FAST
from tests.support.tls_report_rig import report_config, signer


async def main(folder: Path, port: int, dns: str, ca_file: Path, at: float) -> None:
    config = report_config(port, ca_file)
    clock = FakeClock(at)
    store = Store(folder, clock=clock)
    await store.open()
    outbound = Outbound(
        folder / "queue",
        config=lambda: config,
        directory=Directory(config),
        deliver=store.deliver,
        resolver=DnsResolver([dns]),
        sign=signer(folder, lambda: config).sign,
        clock=clock,
        limits=FAST,
    )
    await outbound.open()
    await outbound.run()


if __name__ == "__main__":
    folder, port, dns, ca_file, at = sys.argv[1:]
    asyncio.run(main(Path(folder), int(port), dns, Path(ca_file), float(at)))

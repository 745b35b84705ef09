"""Delivers what is in the queue of a folder until it is killed: `killed_sender.py FOLDER PORT DNS`. Run by test_kill.py."""

import asyncio
import sys
from pathlib import Path

from backend.accounts.directory import Directory
from backend.dns.resolver import DnsResolver
from backend.outbound.service import Outbound
from backend.store.store import Store
from tests.support.killed_submitter import ACCOUNTS
from tests.support.outbound_rig import FAST, rig_config


async def main(folder: Path, port: int, dns: str) -> None:
    config = rig_config(port, accounts=ACCOUNTS)
    store = Store(folder)
    await store.open()
    outbound = Outbound(
        folder / "queue",
        config=lambda: config,
        directory=Directory(config),
        deliver=store.deliver,
        resolver=DnsResolver([dns]),
        limits=FAST,
    )
    await outbound.open()
    await outbound.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))

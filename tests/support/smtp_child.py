"""A server process for the kill test: `python -m tests.support.smtp_child FOLDER PORT`; says "ready" when it listens."""

import asyncio
import sys
from pathlib import Path

from tests.support.smtp_servers import running_servers


async def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    async with running_servers(folder, with_logins=False, port=port):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

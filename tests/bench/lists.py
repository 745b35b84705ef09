"""Do lists stay quick when they are long? The first page of each list of the admin API, with much behind it.

python -m tests.bench.lists            10,000 messages in the queue, 1,000 accounts, 100,000 steps of messages
python -m tests.bench.lists --small    a tenth of it
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from backend.api.client import Client
from backend.api.queue import HistoryQuery, SuppressionQuery
from backend.api.types import (
    AccountsQuery,
    LogQuery,
    QueueQuery,
    SignInQuery,
    TimelineQuery,
)
from backend.config.load import domains_from_data
from backend.core.address import parse_address
from backend.core.events import TimelineEntry
from backend.core.ids import AccountId, TraceId
from backend.outbound.entries import NewEntry
from tests.support.admin_server import AdminRig, admin_server

BOUND_MS = 150
TURNS = 5

LISTS: dict[str, Callable[[Client], Awaitable[object]]] = {
    "overview": lambda client: client.overview(),
    "status": lambda client: client.status(),
    "accounts, a page": lambda client: client.accounts_page(AccountsQuery(limit=100)),
    "accounts, searched": lambda client: client.accounts_page(
        AccountsQuery(search="u99", limit=100)
    ),
    "queue": lambda client: client.queue(QueueQuery()),
    "queue, by recipient": lambda client: client.queue(QueueQuery(sort="recipient")),
    "queue, searched": lambda client: client.queue(QueueQuery(text="r99")),
    "queue, by domain": lambda client: client.queue_groups(),
    "history": lambda client: client.history(HistoryQuery()),
    "suppressions": lambda client: client.suppressions(SuppressionQuery()),
    "timeline": lambda client: client.timeline_page(TimelineQuery()),
    "timeline, searched in memory": lambda client: client.timeline_page(
        TimelineQuery(text="example")
    ),
    "timeline, searched on disk": lambda client: client.timeline_page(
        TimelineQuery(text="r7@example.net")
    ),
    "sign-ins": lambda client: client.sign_ins(SignInQuery()),
    "log": lambda client: client.log(LogQuery(limit=500)),
    "domains": lambda client: client.domains(),
    "transports": lambda client: client.transports(),
    "routes": lambda client: client.mail_routes(),
    "pages": lambda client: client.pages(),
    "search of settings": lambda client: client.search_forms("dns"),
}


async def fill(rig: AdminRig, queued: int, accounts: int, steps: int) -> None:
    services = rig.services
    data = services.config.current.domains.model_dump(mode="json", exclude_defaults=True)
    data["accounts"] = {
        f"u{n}": {
            "domain": "example.org",
            "full_name": f"Person {n}",
            "destinations": {f"u{n}@example.org": {}},
        }
        for n in range(accounts)
    }
    await services.config.apply(domains_from_data(data), author="bench")
    queue = services.outbound.queue
    for n in range(queued):
        sender, recipient = f"u{n % accounts}@example.org", f"r{n}@d{n % 500}.example.net"
        content = f"From: {sender}\r\nTo: {recipient}\r\nSubject: Number {n}\r\n\r\nText\r\n"
        entry = NewEntry(
            trace=TraceId(f"q{n}"),
            account=AccountId(f"u{n % accounts}"),
            sender=parse_address(sender),
            content=content.encode(),
            size_bytes=len(content),
            header_bytes=content.index("\r\n\r\n") + 4,
            message_id=f"<q{n}@example.org>",
            subject=f"Number {n}",
            remote=(parse_address(recipient),),
        )
        await queue.add(entry)
    now = time.time() - steps
    for n in range(steps // 4):
        details = {"sender": f"u{n % accounts}@example.org", "recipient": f"r{n}@example.net"}
        for kind in ("received", "signed", "queued", "sent"):
            text = f"The message to r{n}@example.net was {kind}"
            services.activity.timeline.add(
                TimelineEntry(TraceId(f"m{n}"), now + n, kind, text, details)
            )
    services.activity.timeline.close()


async def measure(queued: int, accounts: int, steps: int) -> bool:
    quick = True
    with tempfile.TemporaryDirectory() as folder:
        async with admin_server(Path(folder) / "data") as rig, rig.local() as client:
            began = time.perf_counter()
            await fill(rig, queued, accounts, steps)
            print(f"filled in {time.perf_counter() - began:.0f} s")
            for name, ask in LISTS.items():
                took = []
                for _ in range(TURNS):
                    began = time.perf_counter()
                    await ask(client)
                    took.append(1000 * (time.perf_counter() - began))
                best = sorted(took)[TURNS // 2]
                quick &= best <= BOUND_MS
                print(f"{name:32} {best:7.1f} ms{'' if best <= BOUND_MS else '  TOO SLOW'}")
    return quick


if __name__ == "__main__":
    share = 10 if "--small" in sys.argv else 1
    sys.exit(0 if asyncio.run(measure(10_000 // share, 1_000 // share, 100_000 // share)) else 1)

"""Messages in the queue of a running admin API, without a submission."""

from backend.core.address import parse_address
from backend.core.ids import AccountId, TraceId
from backend.outbound.entries import NewEntry

CONTENT = b"From: me@example.org\r\nSubject: Lunch\r\n\r\nhello\r\n"


async def enqueue(rig, *to: str, account: str = "me", sender: str = "me@example.org") -> list[int]:
    """The numbers of the rows."""
    entry = NewEntry(
        trace=TraceId("q1"),
        account=AccountId(account),
        sender=parse_address(sender),
        content=CONTENT,
        size_bytes=len(CONTENT),
        header_bytes=len(CONTENT) - 7,
        message_id="<q1@example.org>",
        subject="Lunch",
        remote=tuple(parse_address(address) for address in to),
    )
    accepted = await rig.services.outbound.queue.add(entry)
    return list(accepted.remote)

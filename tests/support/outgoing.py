"""A message as a transport gets it."""

from backend.core.address import parse_address
from backend.core.ids import TraceId
from backend.outbound.transport import Outgoing

CONTENT = b"From: anna@a.test\r\nSubject: x\r\n\r\nhello\r\n"


def message(**more) -> Outgoing:
    return Outgoing(
        trace=TraceId("t1"),
        sender=parse_address("anna@a.test"),
        recipients=(parse_address("bo@b.test"),),
        domain="b.test",
        size_bytes=len(CONTENT),
        content=CONTENT,
        **more,
    )

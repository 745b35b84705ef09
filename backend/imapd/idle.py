"""IDLE: the client listens, changes are told as they come (RFC 2177, RFC 9051 §6.3.13)."""

from backend.imap import commands as c
from backend.imap.grammar import GrammarError
from backend.imapd.answers import Done
from backend.imapd.session import Session


async def idle(session: Session, _: c.Idle) -> Done:
    output = session.output
    output.expect_line()
    output.write(b"+ idling\r\n")
    while True:
        line = output.try_line()
        if line is not None:
            break
        await session.tell_news()
        await output.drain()
        await output.wait()
    # RFC 9051 §6.3.13: DONE, in any case.
    if line.strip().upper() != b"DONE":
        raise GrammarError("Expected DONE")
    return Done("Done")

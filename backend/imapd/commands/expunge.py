"""EXPUNGE and UID EXPUNGE."""

from backend.imap import commands as c
from backend.imapd.answers import Done
from backend.imapd.session import Session


async def expunge(session: Session, command: c.Expunge) -> Done:
    selected = session.writable()
    uids = session.resolve(command.uids) if command.uids is not None else None
    if uids is not None and not uids:
        return Done("Nothing to remove")
    # The EXPUNGE lines come with the news that are told behind every command.
    result = await session.account.expunge(selected.id, uids)
    if session.condstore and result.uids:
        return Done("Removed", b"HIGHESTMODSEQ %d" % result.modseq)  # RFC 7162 §3.2.7
    return Done("Removed")

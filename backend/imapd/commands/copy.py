"""COPY and MOVE, with UIDs in the answer (RFC 4315, RFC 6851)."""

from backend.imap import commands as c
from backend.imap import responses
from backend.imap.responses import Kind
from backend.imapd.answers import Done
from backend.imapd.session import Session


async def copy(session: Session, command: c.Copy) -> Done:
    uids = session.resolve(command.messages)
    target = await session.find(command.mailbox, try_create=True)
    if not uids:
        return Done("Nothing to copy")
    result = await session.account.copy(session.selected.id, uids, target.id)
    if not result.source_uids:
        return Done("Nothing to copy")
    return Done(
        "Copied", responses.copy_uid(result.uidvalidity, result.source_uids, result.target_uids)
    )


async def move(session: Session, command: c.Move) -> Done:
    selected = session.writable()
    uids = session.resolve(command.messages)
    target = await session.find(command.mailbox, try_create=True)
    if not uids:
        return Done("Nothing to move")
    result = await session.account.move(selected.id, uids, target.id)
    if not result.source_uids:
        return Done("Nothing to move")
    # RFC 6851 §4.3: COPYUID comes untagged, before the EXPUNGEs that the news hold.
    code = responses.copy_uid(result.uidvalidity, result.source_uids, result.target_uids)
    session.output.write(responses.reply(b"*", Kind.OK, "Moved", code))
    # RFC 7162 §3.1.1: HIGHESTMODSEQ with the tagged reply for clients that follow mod-sequences.
    return Done("Moved", b"HIGHESTMODSEQ %d" % result.modseq if session.condstore else b"")

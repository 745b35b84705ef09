"""SELECT, EXAMINE, CLOSE, UNSELECT."""

from backend.core.errors import NotFoundError
from backend.imap import commands as c
from backend.imap import responses
from backend.imap.responses import Kind
from backend.imapd.answers import Done
from backend.imapd.session import Session


async def select(session: Session, command: c.Select) -> Done:
    output = session.output
    was_selected = session.has_selected
    # RFC 9051 §6.3.2: a failing SELECT leaves no mailbox selected.
    session.unselect()
    if was_selected and session.rev2:
        # RFC 9051 §7.1: CLOSED parts the answers about the old mailbox from those about the new one.
        output.write(responses.reply(b"*", Kind.OK, "The mailbox is closed", b"CLOSED"))
    mailbox = await session.find(command.mailbox)
    if command.condstore:
        session.condstore = True
    keywords = await session.select(mailbox, read_only=command.read_only)
    selected = session.selected
    mailbox = selected.mailbox
    lines = [responses.flags(keywords), responses.exists(len(selected.view))]
    if not session.rev2:
        # RFC 3501 §7.1 has an UNSEEN code here, which rev2 dropped: finding it costs more than the rest together.
        lines.append(responses.recent())
    lines.append(responses.permanent_flags(keywords, read_only=command.read_only))
    for code, text in (
        (b"UIDVALIDITY %d" % mailbox.uidvalidity, "UIDs are valid"),
        (b"UIDNEXT %d" % mailbox.uidnext, "The next UID"),
        (b"HIGHESTMODSEQ %d" % mailbox.highestmodseq, "The highest mod-sequence"),
        (b"MAILBOXID (%b)" % mailbox.mailboxid.encode("ascii"), "The mailbox's identity"),
    ):
        lines.append(responses.reply(b"*", Kind.OK, text, code))
    if session.rev2:
        # RFC 9051 §6.3.2: the name as it is stored, told by LIST.
        old_name = command.mailbox if command.mailbox != mailbox.name else None
        lines.append(responses.listing(mailbox.name, (), utf8=True, old_name=old_name))
    output.write(b"".join(lines))
    return Done("Selected", b"READ-ONLY" if command.read_only else b"READ-WRITE")


async def close(session: Session, _: c.Close) -> Done:
    # RFC 9051 §6.4.1: expunges without telling; a mailbox opened with EXAMINE is left as it is.
    selected = session.selected
    if not selected.read_only:
        try:
            await session.account.expunge(selected.id, None)
        except NotFoundError:  # the mailbox itself was deleted meanwhile
            pass
    session.unselect()
    return Done("Closed")


async def unselect(session: Session, _: c.Unselect) -> Done:
    session.unselect()
    return Done("Closed, nothing was removed")

"""LIST, LSUB, STATUS."""

from backend.imap import commands as c
from backend.imap import listing, responses
from backend.imap.commands import StatusItem
from backend.imapd.answers import Done
from backend.imapd.session import Session
from backend.store.values import Mailbox


async def list_mailboxes(session: Session, command: c.List) -> Done:
    output = session.output
    if command.patterns == ("",) and not command.select:
        # RFC 9051 §6.3.9: an empty pattern asks for the hierarchy delimiter.
        output.write(b'* LIST (\\Noselect) "/" ""\r\n')
        return Done("Done")
    mailboxes = await session.account.mailboxes()
    by_name = {mailbox.name: mailbox for mailbox in mailboxes}
    if StatusItem.HIGHESTMODSEQ in command.status:
        session.condstore = True
    for listed in listing.list_mailboxes(await _entries(session, mailboxes), command):
        output.write(
            responses.listing(
                listed.name,
                listed.attributes,
                utf8=session.utf8,
                child_info=listed.child_info,
            )
        )
        # RFC 5819 §2: a STATUS behind each line whose mailbox can be selected.
        if command.status and (mailbox := by_name.get(listed.name)) is not None:
            output.write(_status_line(session, mailbox, command.status))
    return Done("Done")


async def list_subscribed(session: Session, command: c.Lsub) -> Done:
    if not command.pattern:
        session.output.write(b'* LSUB (\\Noselect) "/" ""\r\n')
        return Done("Done")
    entries = await _entries(session, await session.account.mailboxes())
    for listed in listing.list_subscribed(entries, command.reference, command.pattern):
        session.output.write(
            responses.listing(listed.name, listed.attributes, utf8=session.utf8, command=b"LSUB")
        )
    return Done("Done")


async def _entries(session: Session, mailboxes: list[Mailbox]) -> list[listing.Entry]:
    entries = [
        listing.Entry(mailbox.name, mailbox.subscribed, mailbox.special_use)
        for mailbox in mailboxes
    ]
    existing = {mailbox.name for mailbox in mailboxes}
    entries.extend(
        listing.Entry(name, subscribed=True, exists=False)
        for name in sorted(await session.account.subscriptions() - existing)
    )
    return entries


async def status(session: Session, command: c.Status) -> Done:
    mailbox = await session.find(command.mailbox)
    if StatusItem.HIGHESTMODSEQ in command.items:
        session.condstore = True  # RFC 7162 §3.1: a CONDSTORE enabling command
    session.output.write(_status_line(session, mailbox, command.items))
    return Done("Done")


def _status_line(session: Session, mailbox: Mailbox, items: tuple[StatusItem, ...]) -> bytes:
    values: dict[StatusItem, int | str] = {
        StatusItem.MESSAGES: mailbox.messages,
        StatusItem.RECENT: 0,
        StatusItem.UIDNEXT: mailbox.uidnext,
        StatusItem.UIDVALIDITY: mailbox.uidvalidity,
        StatusItem.UNSEEN: mailbox.unseen,
        StatusItem.DELETED: mailbox.deleted,
        StatusItem.SIZE: mailbox.size_bytes,
        StatusItem.HIGHESTMODSEQ: mailbox.highestmodseq,
        StatusItem.MAILBOXID: mailbox.mailboxid,
    }
    return responses.status(
        mailbox.name, [(item.value, values[item]) for item in items], utf8=session.utf8
    )

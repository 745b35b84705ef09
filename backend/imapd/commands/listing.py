"""LIST, LSUB, STATUS."""

from collections.abc import Callable

from backend.imap import commands as c
from backend.imap import listing, responses
from backend.imap.commands import StatusItem
from backend.imapd.answers import Done
from backend.imapd.session import Session
from backend.runtime.threads import Pool, run_blocking
from backend.store.values import Mailbox

AT_ONCE = 200  # names that are listed without leaving the loop: 65 ms were measured for 2,000


async def list_mailboxes(session: Session, command: c.List) -> Done:
    output = session.output
    if command.patterns == ("",) and not command.select:
        # RFC 9051 §6.3.9: an empty pattern asks for the hierarchy delimiter.
        output.write(b'* LIST (\\Noselect) "/" ""\r\n')
        return Done("Done")
    mailboxes = await session.account.mailboxes()
    if StatusItem.HIGHESTMODSEQ in command.status:
        session.condstore = True
    entries = await _entries(session, mailboxes)
    utf8 = session.utf8

    def render() -> bytes:
        by_name = {mailbox.name: mailbox for mailbox in mailboxes}
        lines: list[bytes] = []
        for listed in listing.list_mailboxes(entries, command):
            lines.append(
                responses.listing(
                    listed.name, listed.attributes, utf8=utf8, child_info=listed.child_info
                )
            )
            # RFC 5819 §2: a STATUS behind each line whose mailbox can be selected.
            if command.status and (mailbox := by_name.get(listed.name)) is not None:
                lines.append(_status_line(mailbox, command.status, utf8=utf8))
        return b"".join(lines)

    output.write(await _rendered(render, len(entries)))
    return Done("Done")


async def list_subscribed(session: Session, command: c.Lsub) -> Done:
    if not command.pattern:
        session.output.write(b'* LSUB (\\Noselect) "/" ""\r\n')
        return Done("Done")
    entries = await _entries(session, await session.account.mailboxes())
    utf8 = session.utf8

    def render() -> bytes:
        found = listing.list_subscribed(entries, command.reference, command.pattern)
        return b"".join(
            responses.listing(each.name, each.attributes, utf8=utf8, command=b"LSUB")
            for each in found
        )

    session.output.write(await _rendered(render, len(entries)))
    return Done("Done")


async def _rendered(render: Callable[[], bytes], names: int) -> bytes:
    """Thousands of names take longer than the loop may stand still."""
    return render() if names <= AT_ONCE else await run_blocking(Pool.DATABASE_READ, render)


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
    session.output.write(_status_line(mailbox, command.items, utf8=session.utf8))
    return Done("Done")


def _status_line(mailbox: Mailbox, items: tuple[StatusItem, ...], *, utf8: bool) -> bytes:
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
    return responses.status(mailbox.name, [(item.value, values[item]) for item in items], utf8=utf8)

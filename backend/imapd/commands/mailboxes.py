"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE."""

from backend.imap import commands as c
from backend.imap import responses
from backend.imap.listing import DELIMITER
from backend.imapd.answers import Done, RefusedCommand
from backend.imapd.session import Session
from backend.store.mailboxes import SPECIAL_USES

_USES = {use.lower(): use for use in SPECIAL_USES}


async def create(session: Session, command: c.Create) -> Done:
    special_use = ""
    if command.special_use:
        # RFC 6154 §3: USEATTR where the use is not known, or more of them than a mailbox can have.
        special_use = _USES.get(command.special_use.lower(), "")
        if not special_use:
            raise RefusedCommand(
                f"A mailbox can have one of these uses: {', '.join(sorted(_USES.values()))}",
                b"USEATTR",
            )
    # RFC 9051 §6.3.4: a trailing delimiter declares that names below will follow; it is not part of the name.
    name = command.mailbox.removesuffix(DELIMITER)
    mailbox = await session.account.create_mailbox(name, special_use=special_use)
    if session.rev2 and mailbox.name != command.mailbox:
        session.output.write(
            responses.listing(mailbox.name, (), utf8=True, old_name=command.mailbox)
        )
    return Done("Created", b"MAILBOXID (%b)" % mailbox.mailboxid.encode("ascii"))


async def delete(session: Session, command: c.Delete) -> Done:
    await session.account.delete_mailbox(command.mailbox)
    return Done("Deleted")


async def rename(session: Session, command: c.Rename) -> Done:
    await session.account.rename_mailbox(command.old, command.new.removesuffix(DELIMITER))
    return Done("Renamed")


async def subscribe(session: Session, command: c.Subscribe) -> Done:
    await session.account.set_subscribed(command.mailbox, True)
    return Done("Subscribed")


async def unsubscribe(session: Session, command: c.Unsubscribe) -> Done:
    await session.account.set_subscribed(command.mailbox, False)
    return Done("Unsubscribed")

"""APPEND, with several messages at once (RFC 3502)."""

from backend.imap import commands as c
from backend.imap import responses
from backend.imapd.answers import Done, RefusedCommand
from backend.imapd.session import Session
from backend.store.values import NewMessage


async def append(session: Session, command: c.Append) -> Done:
    mailbox = await session.find(command.mailbox, try_create=True)
    now = session.host.clock.time()
    messages: list[NewMessage] = []
    for message in command.messages:
        content = message.content
        # RFC 3502 §4: an empty literal takes the whole APPEND back.
        if not content.size:
            raise RefusedCommand("An empty message can't be added")
        messages.append(
            NewMessage(
                content.data if content.spool is None else session.spooled[content.spool],
                now if message.received_at is None else message.received_at,
                message.flags,
            )
        )
    uidvalidity, uids = await session.account.append(mailbox.id, messages)
    return Done("Added", responses.append_uid(uidvalidity, uids))

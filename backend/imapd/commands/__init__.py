"""Which function runs which command? One table; one file per family of commands.

A handler gets the session and the command's value, writes untagged lines to `session.output` and gives the tagged reply
back. Refusals are raised (`RefusedCommand`, the store's own errors) and become NO in the connection.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from backend.imap import commands as c
from backend.imapd import idle
from backend.imapd.answers import Done
from backend.imapd.commands import (
    append,
    copy,
    expunge,
    fetch,
    general,
    listing,
    login,
    mailboxes,
    search,
    select,
    store,
)
from backend.imapd.session import Session

Handler = Callable[[Session, Any], Awaitable[Done]]  # Any: each takes the type that it stands under

HANDLERS: dict[type[c.Command], Handler] = {
    c.Capability: general.capability,
    c.Noop: general.noop,
    c.Check: general.noop,
    c.Logout: general.logout,
    c.Id: general.identify,
    c.Enable: general.enable,
    c.Namespace: general.namespace,
    c.StartTls: login.start_tls,
    c.Login: login.login,
    c.Authenticate: login.authenticate,
    c.Select: select.select,
    c.Close: select.close,
    c.Unselect: select.unselect,
    c.Create: mailboxes.create,
    c.Delete: mailboxes.delete,
    c.Rename: mailboxes.rename,
    c.Subscribe: mailboxes.subscribe,
    c.Unsubscribe: mailboxes.unsubscribe,
    c.List: listing.list_mailboxes,
    c.Lsub: listing.list_subscribed,
    c.Status: listing.status,
    c.Append: append.append,
    c.Idle: idle.idle,
    c.Expunge: expunge.expunge,
    c.Search: search.search,
    c.Fetch: fetch.fetch,
    c.Store: store.store,
    c.Copy: copy.copy,
    c.Move: copy.move,
}


async def run(session: Session, command: c.Command) -> Done:
    return await HANDLERS[type(command)](session, command)

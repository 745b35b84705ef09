"""One client from greeting to goodbye: who it is, what it has selected, what it has enabled, what it must be told."""

import ssl
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from backend.accounts.authenticate import offered_mechanisms
from backend.accounts.login import Logins
from backend.core.clock import Clock
from backend.core.events import (
    FlagsChanged,
    MailboxChange,
    MailboxDeleted,
    MessagesAdded,
    MessagesExpunged,
    SubscriptionChanged,
)
from backend.core.ids import AccountId, MailboxId
from backend.core.uidset import EMPTY, UidSet
from backend.imap import capability, responses
from backend.imap import commands as c
from backend.imap.commands import NumberSet
from backend.imap.search import SavedResult
from backend.imap.states import NEXT, State
from backend.imap.view import MailboxView
from backend.imapd.answers import RefusedCommand
from backend.imapd.rendered import Rendered
from backend.imapd.spool import Spool
from backend.message.scan import Part
from backend.runtime.hub import Resync, Subscription
from backend.store.account import AccountStore
from backend.store.store import Store
from backend.store.values import Field, Mailbox

PENDING_CHANGES = 1000  # changes that wait for one session between its commands, a security limit

# RFC 9051 §7.5.1: EXPUNGE must not be told while these run, numbers would shift under the client.
_NUMBERS_IN_USE = (c.Fetch, c.Store, c.Search)


class Output(Protocol):
    """What a session needs of its connection."""

    peer: str
    number: int
    is_encrypted: bool

    def tls_binding(self) -> bytes | None: ...
    def write(self, data: bytes) -> None: ...
    async def drain(self) -> None: ...
    async def ask(self, challenge: bytes) -> bytes: ...
    async def wait(self) -> None: ...
    def wake(self) -> None: ...
    def expect_line(self) -> None: ...
    def try_line(self) -> bytes | None: ...
    def raise_limits(self) -> None: ...
    async def start_tls(self, context: ssl.SSLContext) -> None: ...


class Limits(Protocol):
    @property
    def message_bytes(self) -> int: ...


class Host(Protocol):
    """What a session needs of its server."""

    store: Store
    logins: Logins
    hostname: str
    spool: Path
    tls: Callable[[], ssl.SSLContext] | None
    clock: Clock
    rendered: Rendered

    @property
    def limits(self) -> Limits: ...


class Selected:
    """The selected mailbox. `modseq`: every change up to it has reached the view."""

    __slots__ = (
        "_keywords",
        "mailbox",
        "modseq",
        "read_only",
        "structure",
        "subscription",
        "view",
    )

    def __init__(
        self,
        mailbox: Mailbox,
        uids: UidSet,
        subscription: Subscription[MailboxChange],
        keywords: tuple[str, ...],
        *,
        read_only: bool,
    ) -> None:
        self.mailbox = mailbox
        self._keywords = {word.lower(): word for word in keywords}
        self.view = MailboxView(uids)
        self.subscription = subscription
        self.read_only = read_only
        self.modseq: int = mailbox.highestmodseq
        # UID and parts of the message that is being read in pieces.
        self.structure: tuple[int, Part] | None = None

    @property
    def id(self) -> MailboxId:
        return self.mailbox.id

    def note_keywords(self, flags: Iterable[str]) -> bytes | None:
        """The FLAGS line to send when there are new ones among `flags`."""
        new = {
            word.lower(): word
            for word in flags
            if not word.startswith("\\") and word.lower() not in self._keywords
        }
        if not new:
            return None
        self._keywords.update(new)
        return responses.flags(self._keywords.values())


class Session:
    """`tag` and `spooled` belong to the command that runs."""

    __slots__ = (
        "_account",
        "_selected",
        "account_id",
        "condstore",
        "enabled",
        "host",
        "output",
        "saved",
        "spooled",
        "state",
        "tag",
    )

    def __init__(self, output: Output, host: Host) -> None:
        self.output = output
        self.host = host
        self.state = State.NOT_AUTHENTICATED
        self.account_id: AccountId | None = None
        self._account: AccountStore | None = None
        self._selected: Selected | None = None
        self.enabled: frozenset[str] = frozenset()
        self.condstore = False
        self.saved = EMPTY
        self.tag = b"*"
        self.spooled: Sequence[Path] = ()

    # What it is

    @property
    def rev2(self) -> bool:
        return "IMAP4REV2" in self.enabled

    @property
    def utf8(self) -> bool:
        """Names are UTF-8 instead of modified UTF-7."""
        return "IMAP4REV2" in self.enabled or "UTF8=ACCEPT" in self.enabled

    @property
    def account(self) -> AccountStore:
        assert self._account is not None, "only commands of the authenticated state come here"
        return self._account

    @property
    def selected(self) -> Selected:
        assert self._selected is not None, "only commands of the selected state come here"
        return self._selected

    @property
    def has_selected(self) -> bool:
        return self._selected is not None

    @property
    def number(self) -> int:
        """The origin of this session's own changes."""
        return self.output.number

    def writable(self) -> Selected:
        """Raises:
        RefusedCommand: the mailbox was opened with EXAMINE.
        """
        if self.selected.read_only:
            raise RefusedCommand("The mailbox is open for reading only", b"NOPERM")
        return self.selected

    def capabilities(self) -> bytes:
        mechanisms = offered_mechanisms(
            self.host.logins,
            peer=self.output.peer,
            tls=self.output.is_encrypted,
            binding=self.output.tls_binding(),
        )
        return capability.offered(
            signed_in=self.state is not State.NOT_AUTHENTICATED,
            can_start_tls=self.host.tls is not None and not self.output.is_encrypted,
            may_sign_in=bool(mechanisms),
            mechanisms=mechanisms,
            append_limit=self.message_bytes,
        )

    @property
    def message_bytes(self) -> int:
        return self.host.limits.message_bytes

    def new_spool(self) -> Spool:
        return Spool(self.host.spool, f"imap-{self.number}")

    # How it changes

    def _become(self, state: State) -> None:
        if state not in NEXT[self.state]:
            raise RuntimeError(f"no way from {self.state} to {state}")
        self.state = state

    async def sign_in(self, account: AccountId) -> None:
        self._account = await self.host.store.account(account)
        self.account_id = account
        self._become(State.AUTHENTICATED)
        self.output.raise_limits()

    def log_out(self) -> None:
        self._become(State.LOGOUT)

    async def select(self, mailbox: Mailbox, *, read_only: bool) -> tuple[str, ...]:
        """Gives the keywords of the mailbox."""
        if self._selected is not None:
            self.unselect()
        wanted = mailbox.id
        subscription = self.account.changes.subscribe(
            lambda change: not isinstance(change, SubscriptionChanged) and change.mailbox == wanted,
            limit=PENDING_CHANGES,
            on_event=self.output.wake,
        )
        try:
            # Subscribed before the picture is taken: what happens in between comes twice rather than never.
            snapshot = await self.account.select(wanted)
        except BaseException:
            subscription.close()
            raise
        self._selected = Selected(
            snapshot.mailbox,
            snapshot.uids,
            subscription,
            snapshot.keywords,
            read_only=read_only,
        )
        self._become(State.SELECTED)
        return snapshot.keywords

    def unselect(self) -> None:
        if self._selected is not None:
            self._selected.subscription.close()
            self._selected = None
            # RFC 5182 §2.1: the saved result goes with the mailbox.
            self.saved = EMPTY
            self._become(State.AUTHENTICATED)

    def close(self) -> None:
        """The connection is gone."""
        if self._selected is not None:
            self._selected.subscription.close()
            self._selected = None

    # What the client means

    async def find(self, name: str, *, try_create: bool = False) -> Mailbox:
        """Raises:
        RefusedCommand: no such mailbox.
        """
        mailbox = await self.account.find_mailbox(name) if name else None
        if mailbox is None:
            # RFC 9051 §6.3.12 and §6.4.7: TRYCREATE where the client could make it and try again.
            raise RefusedCommand("No such mailbox", b"TRYCREATE" if try_create else b"NONEXISTENT")
        return mailbox

    def resolve(self, numbers: NumberSet) -> UidSet:
        """Raises:
        GrammarError: a number that no message has.
        """
        if isinstance(numbers, SavedResult):
            return self.saved & self.selected.view.uids
        return self.selected.view.resolve(numbers)

    # What the client is told

    async def catch_up(self) -> None:
        """Takes the changes that have come in to the view."""
        selected = self._selected
        if selected is None or not selected.subscription.has_events():
            return
        for change in selected.subscription.take():
            match change:
                case MessagesAdded() | MessagesExpunged():
                    selected.view.apply(change)
                case FlagsChanged():
                    selected.view.apply(change, own=change.origin == self.number)
                    self._note_keywords(selected, change)
                case MailboxDeleted():
                    # The session goes on with an empty mailbox; the client finds out by itself.
                    selected.view.resync(EMPTY, {})
                    return
                case Resync():
                    selected.view.needs_resync = True
            if isinstance(change, MessagesAdded | MessagesExpunged | FlagsChanged):
                selected.modseq = max(selected.modseq, change.modseq)
        if selected.view.needs_resync:
            await self._resync(selected)

    def _note_keywords(self, selected: Selected, change: FlagsChanged) -> None:
        different = {flags for _, flags in change.flags}
        words = {word for flags in different for word in flags.decode("ascii", "replace").split()}
        # RFC 9051 §7.3.5: FLAGS comes again when a keyword is new to the mailbox.
        if line := selected.note_keywords(words):
            self.output.write(line)

    async def _resync(self, selected: Selected) -> None:
        """Changes were lost because too many piled up: the difference is read from the store."""
        since = selected.modseq
        snapshot = await self.account.select(selected.id)
        changed: dict[int, tuple[bytes, int]] = {}
        fields = (Field.UID, Field.FLAGS, Field.MODSEQ)
        async for rows in self.account.rows(selected.id, None, fields, list, changed_since=since):
            for uid, flags, modseq in rows:
                changed[uid] = (flags, modseq)
        selected.view.resync(snapshot.uids, changed)
        selected.modseq = snapshot.mailbox.highestmodseq

    async def tell_news(self, command: c.Command | None = None) -> None:
        """Writes what others have changed. `command` decides whether EXPUNGE may be told."""
        if self._selected is None:
            return
        await self.catch_up()
        # RFC 9051 §6.4.9: the UID forms are other commands, numbers don't matter to them.
        by_number = isinstance(command, _NUMBERS_IN_USE) and not command.by_uid
        self.write_news(allow_expunge=not by_number)

    def write_news(self, *, allow_expunge: bool) -> None:
        lines = self.selected.view.tell(
            allow_expunge=allow_expunge, with_modseq=self.condstore, with_recent=not self.rev2
        )
        if lines:
            self.output.write(b"".join(lines))

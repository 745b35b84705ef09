"""What is known of an account's mailboxes as of the last commit: their rows, UID sets and keywords, kept in memory.

So SELECT and STATUS cost the same at any size. Lives on the event loop. Each commit moves it on, in commit order, and only
then the change is published: who hears of a change finds it here.
"""

from collections.abc import Callable, Iterable, Iterator

from backend.core.events import (
    FlagsChanged,
    MailboxCreated,
    MailboxDeleted,
    MailboxRenamed,
    MessagesAdded,
    MessagesExpunged,
    SubscriptionChanged,
)
from backend.core.ids import AccountId, MailboxId, Uid
from backend.core.uidset import EMPTY, UidSet
from backend.store import mailboxes
from backend.store.messages import Added, Removed
from backend.store.notify import Announcer
from backend.store.values import FlagsResult, Mailbox


class MailboxState:
    """`uids` None: not needed so far."""

    __slots__ = ("keywords", "mailbox", "uids")

    def __init__(self, mailbox: Mailbox, keywords: tuple[str, ...]) -> None:
        self.mailbox = mailbox
        self.keywords = keywords
        self.uids: UidSet | None = None


class Picture:
    """`on_added` is told that messages came in."""

    def __init__(
        self, account: AccountId, announcer: Announcer, on_added: Callable[[AccountId], None]
    ) -> None:
        self.is_complete = False
        self._account = account
        self._announcer = announcer
        self._on_added = on_added
        self._states: dict[MailboxId, MailboxState] = {}

    def __iter__(self) -> Iterator[MailboxState]:
        return iter(self._states.values())

    def get(self, mailbox: MailboxId) -> MailboxState:
        """Raises:
        NotFoundError: it was deleted.
        """
        state = self._states.get(mailbox)
        if state is None:
            raise mailboxes.gone()
        return state

    def __contains__(self, mailbox: MailboxId) -> bool:
        return mailbox in self._states

    # Called after commits.

    def mailboxes_read(self, found: Iterable[tuple[Mailbox, tuple[str, ...]]]) -> None:
        self._states = {mailbox.id: MailboxState(mailbox, keywords) for mailbox, keywords in found}
        self.is_complete = True
        if any(state.mailbox.messages for state in self):
            self._on_added(self._account)  # the last run may have ended before all was indexed

    def uids_read(self, mailbox: Mailbox, uids: UidSet) -> None:
        self._states[mailbox.id].uids = uids

    def messages_added(self, added: Added, keywords: tuple[str, ...] | None) -> None:
        state = self._states[added.mailbox.id]
        state.mailbox = added.mailbox
        if keywords is not None:
            state.keywords = keywords
        if state.uids is not None:
            state.uids |= UidSet([(added.uids[0], added.uids[-1])])
        self._on_added(self._account)
        self._announcer.publish(
            MessagesAdded(self._account, added.mailbox.id, added.uids, added.modseq)
        )

    def messages_removed(self, removed: Removed) -> None:
        state = self._states[removed.mailbox.id]
        state.mailbox = removed.mailbox
        if state.uids is not None:
            state.uids -= removed.uids
        uids = tuple(Uid(uid) for uid in removed.uids)
        self._announcer.publish(
            MessagesExpunged(self._account, removed.mailbox.id, uids, removed.modseq)
        )

    def flags_changed(
        self, mailbox: Mailbox, keywords: tuple[str, ...] | None, result: FlagsResult, origin: int
    ) -> None:
        state = self._states[mailbox.id]
        state.mailbox = mailbox
        if keywords is not None:
            state.keywords = keywords
        flags_now = tuple((uid, wire) for uid, wire, _ in result.changed)
        self._announcer.publish(
            FlagsChanged(self._account, mailbox.id, flags_now, result.modseq, origin)
        )

    def mailboxes_created(self, created: Iterable[Mailbox]) -> None:
        for mailbox in created:
            state = self._states[mailbox.id] = MailboxState(mailbox, ())
            state.uids = EMPTY
            self._announcer.publish(MailboxCreated(self._account, mailbox.id, mailbox.name))

    def mailbox_deleted(self, mailbox: Mailbox) -> None:
        del self._states[mailbox.id]
        self._announcer.publish(MailboxDeleted(self._account, mailbox.id, mailbox.name))

    def mailbox_renamed(self, old_name: str, mailbox: Mailbox) -> None:
        self._states[mailbox.id].mailbox = mailbox
        self._announcer.publish(MailboxRenamed(self._account, mailbox.id, old_name, mailbox.name))

    def subscription_changed(self, name: str, subscribed: bool, mailbox: Mailbox | None) -> None:
        if mailbox is not None:
            self._states[mailbox.id].mailbox = mailbox
        self._announcer.publish(SubscriptionChanged(self._account, name, subscribed))

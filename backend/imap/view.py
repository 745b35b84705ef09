"""What has this client been told of its mailbox, and what may it be told now? (RFC 9051 §7.5.1)

`uids` is the picture that the client has: a message sequence number means a place in it. Changes of the store are
collected by `apply` and reach the picture only by `tell`, which gives the lines to send in the same breath. So
sequence numbers of the client always fit, whatever others do to the mailbox meanwhile.
"""

from backend.core.events import FlagsChanged, MessagesAdded, MessagesExpunged
from backend.core.uidset import EMPTY, UidSet
from backend.imap import responses
from backend.imap.grammar import GrammarError
from backend.imap.search import SequenceSet

MAX_PENDING_FLAGS = 50_000  # messages whose changed flags wait to be told, a security limit


class MailboxView:
    """One per selected mailbox and session. `needs_resync` is set when too much has piled up: the session reads anew."""

    __slots__ = ("_added", "_expunged", "_flags", "_highest", "needs_resync", "uids")

    def __init__(self, uids: UidSet) -> None:
        self.uids = uids
        self.needs_resync = False
        self._added = EMPTY
        self._expunged = EMPTY
        self._flags: dict[int, tuple[bytes, int]] = {}
        self._highest = uids.last if uids else 0

    def __len__(self) -> int:
        return len(self.uids)

    def apply(
        self, change: MessagesAdded | FlagsChanged | MessagesExpunged, *, own: bool = False
    ) -> None:
        """`own`: flags that this very session changed and has answered for already. A change may come twice."""
        match change:
            case MessagesAdded():
                # UIDs only ascend, so an older one is a change that was applied before.
                new = UidSet.from_iterable(uid for uid in change.uids if uid > self._highest)
                if new:
                    self._added |= new
                    self._highest = new.last
            case MessagesExpunged():
                gone = UidSet.from_iterable(change.uids)
                self._added -= gone
                self._expunged |= gone & self.uids
                if self._flags:
                    for uid in change.uids:
                        self._flags.pop(uid, None)
            case FlagsChanged():
                if own:
                    for uid, _ in change.flags:
                        self._flags.pop(uid, None)
                elif len(self._flags) + len(change.flags) > MAX_PENDING_FLAGS:
                    self._flags.clear()
                    self.needs_resync = True
                else:
                    for uid, flags in change.flags:
                        self._flags[uid] = (flags, change.modseq)

    def forget_flags(self, uids: UidSet) -> None:
        """They were just told by other means."""
        if self._flags:
            for uid in [uid for uid in self._flags if uid in uids]:
                del self._flags[uid]

    def resync(self, uids: UidSet, flags: dict[int, tuple[bytes, int]]) -> None:
        """The mailbox as it is now, after changes were lost; `flags` of the messages that may have changed."""
        self._expunged = self.uids - uids
        self._added = uids - self.uids
        self._highest = max(self._highest, uids.last if uids else 0)
        self._flags = flags
        self.needs_resync = False

    def has_news(self, *, allow_expunge: bool) -> bool:
        return bool(self._added or self._flags or (allow_expunge and self._expunged))

    @property
    def has_pending_expunge(self) -> bool:
        return bool(self._expunged)

    def tell(
        self, *, allow_expunge: bool, with_modseq: bool = False, with_recent: bool = True
    ) -> list[bytes]:
        """The lines that bring the client up to date. `allow_expunge` is False where numbers must not shift.

        `with_recent`: rev1 clients are told RECENT beside EXISTS.
        """
        lines: list[bytes] = []
        if allow_expunge and self._expunged:
            # From the end, so that each number still means what it meant before.
            numbers = [self.uids.seq_of(uid) for uid in self._expunged]
            lines.extend(responses.expunge(seq) for seq in reversed(numbers) if seq is not None)
            self.uids -= self._expunged
            self._expunged = EMPTY
        if self._added:
            self.uids |= self._added
            self._added = EMPTY
            lines.append(responses.exists(len(self.uids)))
            if with_recent:
                lines.append(responses.recent())
        if self._flags:
            for uid, (flags, modseq) in sorted(self._flags.items()):
                seq = self.uids.seq_of(uid)
                if seq is not None and uid not in self._expunged:
                    # RFC 7162 §3.2: UID stands in every FETCH for clients that may sync by UID.
                    lines.append(
                        responses.flags_fetch(
                            seq, flags, uid=uid, modseq=modseq if with_modseq else None
                        )
                    )
            self._flags = {}
        return lines

    def resolve(self, numbers: SequenceSet) -> UidSet:
        """The UIDs that are meant and that the client knows of.

        Raises:
            GrammarError: a sequence number beyond the last message (RFC 9051 §9, seq-number).
        """
        if numbers.is_uid:
            return self._resolve_uids(numbers)
        count = len(self.uids)
        runs: list[tuple[int, int]] = []
        for low, high in numbers.ranges:
            # INTEROP(imaplib scripts): 1:* is asked of empty mailboxes too.
            if (low is None or high is None) and not count:
                continue
            first = count if low is None else low
            last = count if high is None else high
            if first > last:
                first, last = last, first
            if last > count:
                if None not in (low, high):
                    raise GrammarError("There is no message with that number")
                last = count
                first = min(first, last)
            runs.append((self.uids.uid_at(first), self.uids.uid_at(last)))
        return self.uids & UidSet(runs) if runs else EMPTY

    def _resolve_uids(self, numbers: SequenceSet) -> UidSet:
        # RFC 9051 §6.4.9: unknown UIDs are passed over in silence; "*" is the last message's.
        if not self.uids:
            return EMPTY
        star = self.uids.last
        runs = [
            (star if low is None else low, star if high is None else high)
            for low, high in numbers.ranges
        ]
        return self.uids & UidSet(runs)

    def numbers_of(self, uids: UidSet) -> UidSet:
        """Sequence numbers of UIDs; those that the client does not know are left out."""
        return UidSet(
            (first_seq, first_seq + last - first)
            for first, last in (uids & self.uids).runs()
            if (first_seq := self.uids.seq_of(first)) is not None
        )

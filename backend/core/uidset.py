"""A set of UIDs as runs of neighbours: small for a big mailbox, quick to look into, never changed.

The place of a UID in its mailbox (the message sequence number, RFC 9051 §2.3.1.2) is its rank in the set, so one
value answers both questions and all sessions that see the same mailbox share it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate


class UidSet:
    """Immutable. Equal sets have equal runs: runs ascend, never touch and are never empty."""

    __slots__ = ("_before", "_firsts", "_lasts")

    def __init__(self, runs: Iterable[tuple[int, int]] = ()) -> None:
        """`runs`: pairs of (first, last), both included, in any order, overlapping or not."""
        firsts: list[int] = []
        lasts: list[int] = []
        for first, last in sorted((min(run), max(run)) for run in runs):
            if first < 1:
                raise ValueError("a UID is at least 1")
            if lasts and first <= lasts[-1] + 1:
                lasts[-1] = max(last, lasts[-1])
            else:
                firsts.append(first)
                lasts.append(last)
        self._set_runs(firsts, lasts)

    def _set_runs(self, firsts: list[int], lasts: list[int]) -> None:
        self._firsts = tuple(firsts)
        self._lasts = tuple(lasts)
        # How many UIDs stand before each run; one entry more than runs, the last is the size of the set.
        sizes = (last - first + 1 for first, last in zip(firsts, lasts, strict=True))
        self._before = tuple(accumulate(sizes, initial=0))

    @classmethod
    def _from_runs(cls, firsts: list[int], lasts: list[int]) -> "UidSet":
        new = cls.__new__(cls)
        new._set_runs(firsts, lasts)
        return new

    @classmethod
    def from_iterable(cls, uids: Iterable[int]) -> "UidSet":
        """From single UIDs in any order."""
        firsts: list[int] = []
        lasts: list[int] = []
        for uid in sorted(uids):
            if lasts and uid <= lasts[-1] + 1:
                lasts[-1] = uid
            else:
                firsts.append(uid)
                lasts.append(uid)
        if firsts and firsts[0] < 1:
            raise ValueError("a UID is at least 1")
        return cls._from_runs(firsts, lasts)

    def runs(self) -> Iterator[tuple[int, int]]:
        return zip(self._firsts, self._lasts, strict=True)

    @property
    def run_count(self) -> int:
        return len(self._firsts)

    def __len__(self) -> int:
        return self._before[-1]

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.runs():
            yield from range(first, last + 1)

    def __contains__(self, uid: object) -> bool:
        if not isinstance(uid, int):
            return False
        index = bisect_right(self._firsts, uid) - 1
        return index >= 0 and uid <= self._lasts[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UidSet):
            return NotImplemented
        return self._firsts == other._firsts and self._lasts == other._lasts

    def __hash__(self) -> int:
        return hash((self._firsts, self._lasts))

    def __repr__(self) -> str:
        return f"UidSet({self})"

    def __str__(self) -> str:
        """As IMAP writes it, `1:3,5`; empty for no UID (which IMAP can't write)."""
        return ",".join(str(f) if f == last else f"{f}:{last}" for f, last in self.runs())

    def to_bytes(self) -> bytes:
        return str(self).encode("ascii")

    @property
    def first(self) -> int:
        return self._firsts[0]

    @property
    def last(self) -> int:
        return self._lasts[-1]

    def seq_of(self, uid: int) -> int | None:
        """The sequence number of a UID, from 1; None if it is not in the set."""
        index = bisect_right(self._firsts, uid) - 1
        if index < 0 or uid > self._lasts[index]:
            return None
        return self._before[index] + uid - self._firsts[index] + 1

    def uid_at(self, seq: int) -> int:
        """The UID with that sequence number.

        Raises:
            IndexError: no such number.
        """
        if not 1 <= seq <= len(self):
            raise IndexError(seq)
        index = bisect_right(self._before, seq - 1) - 1
        return self._firsts[index] + seq - 1 - self._before[index]

    def slice_seq(self, first: int, last: int) -> "UidSet":
        """The UIDs with the sequence numbers first to last, both included, cut to what exists."""
        first, last = max(first, 1), min(last, len(self))
        if first > last:
            return EMPTY
        return self & UidSet([(self.uid_at(first), self.uid_at(last))])

    def __or__(self, other: "UidSet") -> "UidSet":
        if not other:
            return self
        if not self:
            return other
        if other._firsts[0] > self._lasts[-1]:  # the common case: new messages at the end
            firsts, lasts = list(self._firsts), list(self._lasts)
            rest = list(other.runs())
            if rest[0][0] == lasts[-1] + 1:
                lasts[-1] = rest.pop(0)[1]
            firsts.extend(run[0] for run in rest)
            lasts.extend(run[1] for run in rest)
            return UidSet._from_runs(firsts, lasts)
        return UidSet([*self.runs(), *other.runs()])

    def __and__(self, other: "UidSet") -> "UidSet":
        firsts: list[int] = []
        lasts: list[int] = []
        i = j = 0
        while i < len(self._firsts) and j < len(other._firsts):
            first = max(self._firsts[i], other._firsts[j])
            last = min(self._lasts[i], other._lasts[j])
            if first <= last:
                firsts.append(first)
                lasts.append(last)
            if self._lasts[i] < other._lasts[j]:
                i += 1
            else:
                j += 1
        return UidSet._from_runs(firsts, lasts)

    def __sub__(self, other: "UidSet") -> "UidSet":
        firsts: list[int] = []
        lasts: list[int] = []
        j = 0
        for first, last in self.runs():
            start = first
            while j < len(other._firsts) and other._lasts[j] < start:
                j += 1
            k = j
            while k < len(other._firsts) and other._firsts[k] <= last:
                if other._firsts[k] > start:
                    firsts.append(start)
                    lasts.append(other._firsts[k] - 1)
                start = other._lasts[k] + 1
                k += 1
            if start <= last:
                firsts.append(start)
                lasts.append(last)
        return UidSet._from_runs(firsts, lasts)


EMPTY = UidSet()

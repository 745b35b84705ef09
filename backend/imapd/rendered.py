"""FETCH answers that several sessions ask for in the same words, kept ready to send.

Mail apps ask for the flags of a whole mailbox at each start and from each device. The answer hangs on the mailbox's state
alone, which its highest mod-sequence names (RFC 7162): as long as that stands, what was written once is written again.
"""

from collections import OrderedDict
from collections.abc import Hashable

from backend.imap.commands import FetchItem, Field

MIN_MESSAGES = 500  # below this, reading is as quick
MAX_BYTES = 8 * 1024 * 1024  # of all accounts together, a security limit
# Small, and asked for of all messages; envelopes and bodies are not worth the memory.
_KEPT = frozenset({Field.UID, Field.FLAGS, Field.MODSEQ, Field.SIZE})


def is_kept(items: tuple[FetchItem, ...], messages: int) -> bool:
    return messages >= MIN_MESSAGES and _KEPT.issuperset(items)


class Rendered:
    """The least recently used go first. Lives on the event loop."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._answers: OrderedDict[Hashable, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> bytes | None:
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: Hashable, answer: bytes) -> None:
        if len(answer) > self._max_bytes // 4 or key in self._answers:
            return
        self._answers[key] = answer
        self._bytes += len(answer)
        while self._bytes > self._max_bytes:
            _, oldest = self._answers.popitem(last=False)
            self._bytes -= len(oldest)

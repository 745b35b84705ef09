"""Which messages may the other side have although we never heard so?

Between the last octet of a message and our commit of the 250 lies a moment in which a killed process can't know whether
the other side has taken it; it is sent again and may arrive twice. So that no other interrupted attempt counts as such,
each recipient is noted in a small file when the end of its message goes out. Nothing waits for the disk: what was
written survives the process, and whether the computer itself has gone down since then tells the boot id in the head of
the file. Then, and on systems without such an id, every attempt that was interrupted counts.
"""

import os
import struct
from collections.abc import Collection, Sequence
from pathlib import Path

from backend.core.ids import QueueId
from backend.observe import log as logs

log = logs.get(__name__)

_RECORD = struct.Struct("<QQ")  # queue id and number of the attempt; zeros for a free place
_HEAD_OCTETS = 32
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
MAX_FILE_OCTETS = 16 * 1024 * 1024  # read at the start, a security limit

Sent = Collection[tuple[QueueId, int]]


class Inflight:
    """`read` before, then `open`, then notes from the event loop's thread: each is one write of 16 octets to memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._free: list[int] = []
        self._size = 0
        self._places: dict[QueueId, int] = {}

    def read(self) -> Sent | None:
        """Whose content went out and was not settled when the last process ended; None: can't be known. Blocks."""
        boot_id = _boot_id()
        try:
            if self._path.stat().st_size > MAX_FILE_OCTETS:
                return None
            data = self._path.read_bytes()
        except OSError:
            return None
        if not boot_id or data[:_HEAD_OCTETS] != boot_id:
            return None
        body = data[_HEAD_OCTETS:]
        whole = len(body) - len(body) % _RECORD.size
        return {(QueueId(i), attempt) for i, attempt in _RECORD.iter_unpack(body[:whole]) if i}

    def open(self) -> None:
        """Forgets what was there. Blocks."""
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.pwrite(self._file, _boot_id() or bytes(_HEAD_OCTETS), 0)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def note(self, ids: Sequence[QueueId], attempt: int) -> None:
        """From now on the other side may have the message."""
        for queue_id in ids:
            if queue_id in self._places:
                continue
            place = self._free.pop() if self._free else self._size
            self._size = max(self._size, place + 1)
            self._places[queue_id] = place
            self._write(place, _RECORD.pack(queue_id, attempt))

    def noted(self, ids: Sequence[QueueId]) -> set[QueueId]:
        """Those of them whose message may have arrived."""
        return {queue_id for queue_id in ids if queue_id in self._places}

    def settle(self, ids: Sequence[QueueId]) -> None:
        """What came of it is committed."""
        for queue_id in ids:
            place = self._places.pop(queue_id, None)
            if place is not None:
                self._write(place, bytes(_RECORD.size))
                self._free.append(place)

    def _write(self, place: int, record: bytes) -> None:
        if self._file is None:
            return
        try:
            os.pwrite(self._file, record, _HEAD_OCTETS + place * _RECORD.size)
        except OSError as error:
            # A full disk must not keep a message from being sent: then a repetition is not counted, at worst.
            log.warning("what is being sent can't be noted", cause=repr(error))


def _boot_id() -> bytes:
    """Empty where the system has none."""
    try:
        text = _BOOT_ID.read_text(encoding="ascii")
    except (OSError, ValueError):
        return b""
    return text.strip().replace("-", "").encode("ascii")[:_HEAD_OCTETS].ljust(_HEAD_OCTETS, b"\0")

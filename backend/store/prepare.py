"""From a new message to all that is stored of it: digest, header block, folded search words, file for a big one."""

import io
import shutil
from collections.abc import Sequence

from backend.message.digest import digest
from backend.runtime import tasks
from backend.runtime.threads import Pool, run_blocking
from backend.store.blobs import INLINE_LIMIT_BYTES, Blobs
from backend.store.database import translated
from backend.store.messages import Prepared
from backend.store.values import NewMessage
from backend.store.words import fold, storable

_READ_BYTES = 1024 * 1024
ON_LOOP_BYTES = 64 * 1024  # what is digested between two events without a thread


async def prepare_all(new: Sequence[NewMessage], blobs: Blobs) -> list[Prepared]:
    """In order. Files are pinned: the caller unpins each `blob` when the transaction is over.

    Raises:
        TemporaryError: the disk is full.
    """
    prepared: list[Prepared] = []
    try:
        if sum(_inline_size(message) for message in new) <= ON_LOOP_BYTES:
            prepared += [prepare(message, blobs) for message in new]
        else:
            for message in new:
                prepared.append(await _on_thread(message, blobs))
    except BaseException as error:
        unpin(prepared, blobs)
        if isinstance(error, OSError):
            raise translated(error) from error
        raise
    return prepared


async def _on_thread(message: NewMessage, blobs: Blobs) -> Prepared:
    prepared: list[Prepared] = []

    def work() -> None:
        prepared.append(prepare(message, blobs))

    try:
        # A cancelled waiter stays until the thread is done: the pinned file would be nobody's.
        await tasks.finish(run_blocking(Pool.MESSAGE, work))
    except BaseException:
        unpin(prepared, blobs)
        raise
    return prepared[0]


def unpin(prepared: Sequence[Prepared], blobs: Blobs) -> None:
    for message in prepared:
        if message.blob is not None:
            blobs.unpin(message.blob)


def _inline_size(message: NewMessage) -> int:
    if isinstance(message.content, bytes):
        return len(message.content)
    return INLINE_LIMIT_BYTES  # reading a file is a thread's work


def prepare(message: NewMessage, blobs: Blobs) -> Prepared:
    """Writes the file of a big message; may take long for those."""
    content = message.content
    whole = _whole(message)
    found = message.digest if message.digest is not None else digest(whole)
    header = whole[: found.header_size]
    size = len(whole)
    is_file = size > INLINE_LIMIT_BYTES
    blob = blobs.add(content, message.prefix) if is_file else None
    data = None if is_file else whole
    return Prepared(
        size=size,
        header_size=found.header_size,
        header=header,
        data=data,
        blob=blob,
        envelope=found.envelope,
        body=found.body,
        bodystructure=found.bodystructure,
        preview=storable(found.preview),
        subject=storable(fold(found.subject)),
        from_=storable(fold(found.from_)),
        to=storable(fold(found.to)),
        cc=storable(fold(found.cc)),
        bcc=storable(fold(found.bcc)),
        message_id=storable(found.message_id),
        sent_at=found.sent_at,
        sent_day=found.sent_day,
        received_at=message.received_at,
        flags=message.flags,
    )


def _whole(message: NewMessage) -> bytes:
    content = message.content
    if isinstance(content, bytes):
        return message.prefix + content if message.prefix else content
    # Piece by piece into one buffer, so that a large file is in memory once and not twice.
    whole = io.BytesIO()
    whole.write(message.prefix)
    with content.open("rb") as file:
        shutil.copyfileobj(file, whole, _READ_BYTES)
    return whole.getvalue()

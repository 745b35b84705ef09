"""The content of a queued message on its way into a connection, with dots doubled (DATA) or in chunks (BDAT, RFC 3030)."""

from collections.abc import Callable
from pathlib import Path

from backend.outbound.dial import Connection
from backend.outbound.transport import Outgoing
from backend.runtime.threads import Pool, run_blocking
from backend.smtp.data import DotStuffer, LineEnds

BLOCK_OCTETS = 64 * 1024
CHUNK_OCTETS = (
    1024 * 1024
)  # in a BDAT: each has a reply of its own, which nobody reads until the last one is out


async def send_with_dots(
    connection: Connection, message: Outgoing, timeout_s: float, last: Callable[[], None]
) -> None:
    """`last` is called before the block that ends the message: from then on the other side may have it."""
    stuffer, offset = DotStuffer(), 0
    while True:
        block = await _read(message, offset, BLOCK_OCTETS)
        offset += len(block)
        data = stuffer.feed(block)
        if offset >= message.size_bytes:
            last()
            await connection.write(data + stuffer.end(), timeout_s)
            return
        await connection.write(data, timeout_s)


async def send_in_chunks(
    connection: Connection,
    message: Outgoing,
    timeout_s: float,
    last: Callable[[], None],
    envelope: bytes,
) -> int:
    """How many chunks that were."""
    ends, offset, chunks = LineEnds(), 0, 0
    while True:
        block = await _read(message, offset, CHUNK_OCTETS)
        offset += len(block)
        chunks += 1
        data = ends.feed(block)
        if offset >= message.size_bytes:
            data += ends.end()
            last()
            await connection.write(b"%sBDAT %d LAST\r\n%s" % (envelope, len(data), data), timeout_s)
            return chunks
        await connection.write(b"%sBDAT %d\r\n%s" % (envelope, len(data), data), timeout_s)
        envelope = b""


async def _read(message: Outgoing, offset: int, octets: int) -> bytes:
    content = message.content
    if isinstance(content, Path):
        block = await run_blocking(Pool.FILES, _read_block, content, offset, octets)
    elif offset == 0 and len(content) <= octets:
        block = content
    else:
        block = content[offset : offset + octets]
    if not block and offset < message.size_bytes:
        raise OSError(f"the content of a queued message is shorter than {message.size_bytes} bytes")
    return block


def _read_block(path: Path, offset: int, octets: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(octets)
